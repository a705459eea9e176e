package reloc

import (
	"github.com/lode-bpf/lode/btf"
	"github.com/lode-bpf/lode/insn"
)

// Outcome is what a CO-RE relocation comes to.
type Outcome uint8

const (
	OutcomeInvalid Outcome = iota // the record contradicts itself, the instruction or the target: Err
	OutcomeValue                  // there is a target: the instruction gets New
	OutcomeAbsent                 // there is none: the instruction gets 0, which says so
	OutcomePoison                 // there is none: the instruction is poisoned
)

// Guard says whether the verifier can reach a poisoned instruction.
type Guard uint8

const (
	GuardNone    Guard = iota // not poisoned
	GuardUnknown              // control flow alone does not tell
	Guarded                   // not reached, with what CO-RE says filled in
	Unguarded                 // reached
)

// A Decision is what one CO-RE record comes to, and why.
type Decision struct {
	Func    string // function that has the instruction
	Program int    // index in Input.Programs, -1 if it is a subprogram
	Sub     int    // index in Input.Subs, -1 if it is a program
	Index   int    // slot in the function
	Record  int    // number in .BTF.ext
	Kind    btf.COREKind
	Local   btf.Type // root type in the object
	Access  string   // access string, such as "0:1:2"
	Outcome Outcome
	Guard   Guard
	Err     error  // *COREError
	Source  Source // the source line, unless there is a target

	Old, New uint64              // value in the object's and in the target's terms
	From, To [2]insn.Instruction // the second belongs to wide loads
	Resized  bool                // To loads or stores another number of bytes than From
	NoResize bool                // poisoned because the instruction cannot load or store the target's number of bytes

	Target     btf.Type    // root type of the first candidate that matched; not valid if none did
	Module     string      // whose BTF has it; empty for vmlinux
	Candidates []Candidate // what was considered, up to a few; shared with other decisions, not to be changed
	Considered int         // how many that was

	number int // of the record among all, plus 1; 0 for a decision that was made by hand
}

// A Candidate is a target type that was considered.
type Candidate struct {
	Module string
	Type   btf.Type
	Drop   Drop
	Step   int // which part of the access was not found
	Value  uint64
	By     int // DropPruned: the record that dropped it
}

// Drop is why a candidate was dropped.
type Drop uint8

const (
	DropNone     Drop = iota // it was not: it matches
	DropMember               // a member is missing
	DropType                 // a member has another type
	DropIndex                // an array is too short, or there is none
	DropEnum                 // an enumerator is missing
	DropMismatch             // the types differ
	DropPruned               // an earlier record of the same type matched others but not this one
)

// CORE decides every CO-RE record of an Input, in the order of its programs,
// subprograms and records. One set of candidates is kept for each local root
// type and narrowed by every record that matches, so that two fields of one
// structure never come from two different layouts.
func CORE(in *Input) ([]Decision, []Finding) {
	return newIndex(in).core()
}
