package reloc

import (
	"github.com/lode-bpf/lode/btf"
	"github.com/lode-bpf/lode/insn"
)

// Outcome is what a CO-RE relocation comes to.
type Outcome uint8

const (
	OutcomeValue   Outcome = iota // the instruction gets New
	OutcomeAbsent                 // there is no target: the instruction gets 0 or false
	OutcomePoison                 // there is no target: the instruction is poisoned
	OutcomeInvalid                // the relocation contradicts itself, the instruction or the target; Err
)

// Guard says whether the verifier can reach a poisoned instruction.
type Guard uint8

const (
	GuardNone    Guard = iota // not poisoned
	GuardUnknown              // control flow alone does not tell
	Guarded                   // unreachable with all exists-values filled in
	Unguarded                 // reached
)

// A Decision is what one CO-RE record comes to, and why.
type Decision struct {
	Func    string // function that has the instruction
	Program int    // index in Input.Programs, -1 for a subprogram
	Sub     int    // index in Input.Subs, -1 for a program
	Index   int    // slot in the function
	Record  int    // number in .BTF.ext
	Kind    btf.COREKind
	Local   btf.Type // root type in the object
	Outcome Outcome
	Guard   Guard
	Err     error

	Old, New uint64
	From, To [2]insn.Instruction // the second is used by wide loads

	Target     btf.Type // root type of the chosen candidate; not valid if there is none
	Module     string   // whose BTF has it; empty for vmlinux
	Candidates []Candidate
}

// A Candidate is one target type that was considered.
type Candidate struct {
	Module string
	Type   btf.Type
	Drop   Drop // why it was dropped
	Value  uint64
}

// Drop is why a candidate was dropped.
type Drop uint8

const (
	DropNone     Drop = iota // matches
	DropMember               // a member is missing
	DropType                 // a member has another type
	DropIndex                // an array index is out of range
	DropEnum                 // an enumerator is missing
	DropMismatch             // the types differ
)
