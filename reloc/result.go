package reloc

import (
	"slices"

	"github.com/lode-bpf/lode/btf"
	"github.com/lode-bpf/lode/insn"
)

// A Result is what came of an Input.
type Result struct {
	Programs  []*Program // in the order of Input.Programs
	Kconfig   []byte     // value of the map KconfigMap; nil if there is none
	StructOps []StructOpsBinding
	Decisions []Decision // one for each CO-RE record, in the order of programs, then subprograms
	Records   []Record   // what became of each relocation record
	Findings  []Finding
	Accounting
}

// A Program is an entry program with everything that it calls, its instructions
// final but for descriptors.
type Program struct {
	Name  string
	Insns []insn.Instruction

	// Err is why the program cannot be loaded: a *ProgramError with an error
	// for every reference that could not be resolved. Other programs are not
	// concerned.
	Err error

	Funcs []Placed // where each function stands; the entry is first

	Maps       []MapRef    // maps that instructions refer to, by Index
	BTFRefs    []BTFRef    // modules that instructions refer to, by Index
	FuncInfo   []FuncInfo  // by Index; nil if the file does not have it for every function
	Lines      []insn.Line // by Index; nil if the file does not have it for every function
	JumpTables []JumpTable
	Refs       []insn.Ref // references that nothing was done about yet; empty after Bind
	Changes    []Change   // by Index
}

// A Placed says where a function was put in a program.
type Placed struct {
	Func  *insn.Func
	Index int // of its first instruction
}

// A MapRef says that a wide load refers to a map, or to a byte of its value.
// The loader writes the map's descriptor into the first slot's Imm.
type MapRef struct {
	Index  int
	Map    string
	Value  bool   // a byte of the value rather than the map
	Offset uint32 // of that byte; written already
}

// A BTFRef says that an instruction refers to something in a module's BTF. The
// loader writes the BTF's descriptor into the second slot of a wide load, or
// its place in fd_array into the Off of a call.
type BTFRef struct {
	Index  int
	Module string
	Call   bool
}

// A FuncInfo says which BTF FUNC begins at an instruction (struct bpf_func_info).
type FuncInfo struct {
	Index  int
	TypeID btf.TypeID
}

// A JumpTable is an instruction array that has to be made for a program; a
// MapRef refers to it by Map. Targets counts instructions from the program's
// start.
type JumpTable struct {
	Map     string
	Targets []uint32
}

// ChangeKind says what changed an instruction.
type ChangeKind uint8

const (
	ChangeCall    ChangeKind = iota // distance to a function of the program
	ChangeFunc                      // pointer to a function of the program
	ChangeMap                       // map
	ChangeData                      // byte of a data section
	ChangeKconfig                   // kconfig variable
	ChangeKsym                      // kernel symbol
	ChangeKfunc                     // kernel function
	ChangeJump                      // jump table
	ChangeCORE                      // CO-RE
	ChangePoison                    // CO-RE without a target, or weak kernel function that is missing
)

var changeNames = [...]string{
	ChangeCall: "call", ChangeFunc: "function pointer", ChangeMap: "map", ChangeData: "data", ChangeKconfig: "kconfig",
	ChangeKsym: "kernel symbol", ChangeKfunc: "kernel function", ChangeJump: "jump table", ChangeCORE: "CO-RE", ChangePoison: "poison",
}

func (k ChangeKind) String() string { return nameOf(changeNames[:], int(k)) }

// A Change is what one record did to one instruction slot.
type Change struct {
	Index    int
	Kind     ChangeKind
	From, To insn.Instruction
	Record   int // index in Result.Records; -1 for a call that has no record
}

// Fate is what became of a relocation record.
type Fate uint8

const (
	FateOutside  Fate = iota // its function is in no program
	FateApplied              // it was applied in every program that has its function
	FateReported             // it could not be applied; Err says why
)

var fateNames = [...]string{FateOutside: "outside", FateApplied: "applied", FateReported: "reported"}

func (f Fate) String() string { return nameOf(fateNames[:], int(f)) }

// A Record is one relocation record of the object and what became of it.
type Record struct {
	CORE     bool // a CO-RE record of .BTF.ext, else one of an ELF relocation section
	Section  int  // index of the relocation section; 0 for CO-RE
	Record   int  // number within it, or in .BTF.ext
	Func     string
	Index    int // slot in the function
	Decision int // index in Result.Decisions of what a CO-RE record came to, else -1
	Fate     Fate
	Err      error
}

// Accounting counts relocation records. In is the sum of the others.
type Accounting struct {
	In, Applied, Reported, Outside int
}

// A StructOpsBinding is how a StructOps is laid out for the kernel.
type StructOpsBinding struct {
	Map       string
	Err       error
	Module    string     // whose BTF has the type; empty for vmlinux
	Type      btf.TypeID // the kernel's struct
	ValueType btf.TypeID // its struct bpf_struct_ops_NAME, value type of the map
	ValueSize uint32
	Value     []byte // initial value; function members are zero
	Members   []MemberBinding
}

// A MemberBinding says where the descriptor of a program goes in the value.
type MemberBinding struct {
	Program string
	Member  int    // number of the member in Type: the program's expected attach type
	Offset  uint32 // in Value
}

// A Finding is something odd but harmless.
type Finding struct {
	Func  string // function or program, empty if it concerns the object
	Index int
	Text  string
}

// Clone is a deep copy, but for the functions that Funcs refers to.
func (p *Program) Clone() *Program {
	c := *p
	c.Insns = slices.Clone(p.Insns)
	c.Funcs = slices.Clone(p.Funcs)
	c.Maps = slices.Clone(p.Maps)
	c.BTFRefs = slices.Clone(p.BTFRefs)
	c.FuncInfo = slices.Clone(p.FuncInfo)
	c.Lines = slices.Clone(p.Lines)
	c.JumpTables = slices.Clone(p.JumpTables)
	c.Refs = slices.Clone(p.Refs)
	c.Changes = slices.Clone(p.Changes)
	return &c
}
