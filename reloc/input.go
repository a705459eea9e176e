package reloc

import (
	"cmp"
	"encoding/binary"

	"github.com/lode-bpf/lode/btf"
	"github.com/lode-bpf/lode/insn"
)

// An Input is what Relocate works on. Nothing in it is changed.
type Input struct {
	BTF      *btf.Spec    // the object's own types; nil if it has none
	Programs []*insn.Func // entry programs
	Subs     []*insn.Func // functions that are called
	Maps     []MapSymbol
	Externs  []Extern
	Kconfig  Layout // where kconfig externs stand in the map KconfigMap
	Env      Env    // may be nil if nothing refers to a kernel

	// StructOps are the struct_ops variables whose function members are to be
	// bound to the kernel's type.
	StructOps []StructOps

	// JumpTables is the section of indirect-jump tables (".jumptables"), of
	// which each table that a program uses becomes an instruction array.
	JumpTables Section

	// Target, if not nil, is used instead of the kernel's and its modules'
	// BTF for CO-RE relocations.
	Target *btf.Spec

	Limits Limits // zero fields mean DefaultLimits
}

// A Section is the place and bytes of a data section.
type Section struct {
	Index int // section index in the file; 0 if there is none
	Data  []byte
	Order binary.ByteOrder // of Data; nil means little endian
}

// A MapSymbol says which references mean which map. A reference means it if its
// symbol stands in Section and symbol value plus addend is in
// [Offset, Offset+Size), or if its symbol is undefined and called Name.
type MapSymbol struct {
	Map     string // the map's name in Result
	Section int
	Offset  uint64
	Size    uint64
	Data    bool   // references are to bytes of the map's value, not to the map
	Arena   bool   // the bytes are those of an arena
	Base    uint32 // where the section's first byte stands in the map's value (arenas)
	Name    string // binds an undefined symbol by name
}

// KconfigMap is the name of the internal map that holds kconfig externs.
const KconfigMap = ".kconfig"

// ExternKind says what an Extern is resolved to.
type ExternKind uint8

const (
	ExternKconfig  ExternKind = iota // variable in the map KconfigMap
	ExternKsym                       // address of a kernel symbol, found by name
	ExternTypedVar                   // kernel variable, found in its BTF
	ExternKfunc                      // kernel function, found in its BTF
)

// An Extern is something that the object expects of the kernel
// (extern … __kconfig, extern … __ksym).
type Extern struct {
	Name   string
	Kind   ExternKind
	Weak   bool       // may be missing
	Symbol int        // number in the ELF symbol table
	TypeID btf.TypeID // VAR or FUNC in the object's BTF

	// Of kconfig externs: what kind of value it takes.
	Kconfig KconfigKind
	Signed  bool
	Size    uint32 // bytes
	Offset  uint32 // in the map's value
}

// KconfigKind is the kind of value that a kconfig extern takes.
type KconfigKind uint8

const (
	KconfigNone KconfigKind = iota
	KconfigBool
	KconfigChar
	KconfigInt
	KconfigTristate
	KconfigChars
)

// A Layout says how the value of the map KconfigMap is laid out.
type Layout struct {
	Size   uint32     // bytes; 0 if there are no kconfig externs
	TypeID btf.TypeID // the DATASEC
}

// A StructOps is one variable of a struct_ops section: a table of functions of
// which the kernel calls those that programs implement.
type StructOps struct {
	Map     string     // name of the map that it becomes
	TypeID  btf.TypeID // the variable's struct, in the object's BTF
	Data    []byte     // initial bytes
	Members []MemberRef
}

// A MemberRef says which program stands at which offset of a StructOps.
type MemberRef struct {
	Offset  uint32
	Program string
}

// Limits bounds what linking produces from an object. Kernel limits are the
// kernel's own; an error that comes of one names it.
type Limits struct {
	Subprograms int // functions in a program, the entry included (BPF_MAX_SUBPROGS)
	ProgInsns   int // instructions of a program (BPF_COMPLEXITY_LIMIT_INSNS)
	TotalInsns  int // instructions of all programs of an object together; entries of their jump tables likewise
	Candidates  int // target types of one name that are looked at for CO-RE
	CORESteps   int // members and types that CO-RE looks at altogether
}

// DefaultLimits are the limits that a zero field stands for.
func DefaultLimits() Limits {
	return Limits{Subprograms: 256, ProgInsns: 1_000_000, TotalInsns: 4_000_000, Candidates: 4096, CORESteps: 1 << 26}
}

func (l Limits) orDefault() Limits {
	d := DefaultLimits()
	return Limits{
		Subprograms: cmp.Or(l.Subprograms, d.Subprograms),
		ProgInsns:   cmp.Or(l.ProgInsns, d.ProgInsns),
		TotalInsns:  cmp.Or(l.TotalInsns, d.TotalInsns),
		Candidates:  cmp.Or(l.Candidates, d.Candidates),
		CORESteps:   cmp.Or(l.CORESteps, d.CORESteps),
	}
}
