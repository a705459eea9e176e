package elf

import "strconv"

// Values and names follow the System V ABI, generic part, chapters 4 and 5
// ("gABI"), and for BPF the LLVM documentation "BPF relocation types".

// A Class is the width of addresses and offsets in a file (e_ident[EI_CLASS]).
type Class uint8

// The classes.
const (
	ELFCLASS32 Class = 1
	ELFCLASS64 Class = 2
)

// A Type is what a file is (e_type).
type Type uint16

// The file types.
const (
	ET_NONE Type = 0
	ET_REL  Type = 1
	ET_EXEC Type = 2
	ET_DYN  Type = 3
	ET_CORE Type = 4
)

// A Machine is the architecture of a file (e_machine).
type Machine uint16

// Some machines. A file may name any other.
const (
	EM_NONE    Machine = 0
	EM_386     Machine = 3
	EM_MIPS    Machine = 8
	EM_PPC64   Machine = 21
	EM_S390    Machine = 22
	EM_ARM     Machine = 40
	EM_X86_64  Machine = 62
	EM_AARCH64 Machine = 183
	EM_RISCV   Machine = 243
	EM_BPF     Machine = 247
)

// A SectionType says what a section holds (sh_type).
type SectionType uint32

// The section types.
const (
	SHT_NULL           SectionType = 0
	SHT_PROGBITS       SectionType = 1
	SHT_SYMTAB         SectionType = 2
	SHT_STRTAB         SectionType = 3
	SHT_RELA           SectionType = 4
	SHT_HASH           SectionType = 5
	SHT_DYNAMIC        SectionType = 6
	SHT_NOTE           SectionType = 7
	SHT_NOBITS         SectionType = 8
	SHT_REL            SectionType = 9
	SHT_SHLIB          SectionType = 10
	SHT_DYNSYM         SectionType = 11
	SHT_INIT_ARRAY     SectionType = 14
	SHT_FINI_ARRAY     SectionType = 15
	SHT_PREINIT_ARRAY  SectionType = 16
	SHT_GROUP          SectionType = 17
	SHT_SYMTAB_SHNDX   SectionType = 18
	SHT_RELR           SectionType = 19
	SHT_LLVM_ADDRSIG   SectionType = 0x6fff4c03
	SHT_GNU_ATTRIBUTES SectionType = 0x6ffffff5
	SHT_GNU_HASH       SectionType = 0x6ffffff6
	SHT_GNU_VERDEF     SectionType = 0x6ffffffd
	SHT_GNU_VERNEED    SectionType = 0x6ffffffe
	SHT_GNU_VERSYM     SectionType = 0x6fffffff
)

// SectionFlags are the flags of a section (sh_flags).
type SectionFlags uint64

// The section flags.
const (
	SHF_WRITE            SectionFlags = 1 << 0
	SHF_ALLOC            SectionFlags = 1 << 1
	SHF_EXECINSTR        SectionFlags = 1 << 2
	SHF_MERGE            SectionFlags = 1 << 4
	SHF_STRINGS          SectionFlags = 1 << 5
	SHF_INFO_LINK        SectionFlags = 1 << 6
	SHF_LINK_ORDER       SectionFlags = 1 << 7
	SHF_OS_NONCONFORMING SectionFlags = 1 << 8
	SHF_GROUP            SectionFlags = 1 << 9
	SHF_TLS              SectionFlags = 1 << 10
	SHF_COMPRESSED       SectionFlags = 1 << 11
)

// Section indexes with a meaning of their own.
const (
	SHN_UNDEF     = 0
	SHN_LORESERVE = 0xff00
	SHN_ABS       = 0xfff1
	SHN_COMMON    = 0xfff2
	SHN_XINDEX    = 0xffff
)

// A SymBind is the binding of a symbol (high half of st_info).
type SymBind uint8

// The bindings.
const (
	STB_LOCAL      SymBind = 0
	STB_GLOBAL     SymBind = 1
	STB_WEAK       SymBind = 2
	STB_GNU_UNIQUE SymBind = 10
)

// A SymType is what a symbol names (low half of st_info).
type SymType uint8

// The symbol types.
const (
	STT_NOTYPE    SymType = 0
	STT_OBJECT    SymType = 1
	STT_FUNC      SymType = 2
	STT_SECTION   SymType = 3
	STT_FILE      SymType = 4
	STT_COMMON    SymType = 5
	STT_TLS       SymType = 6
	STT_GNU_IFUNC SymType = 10
)

// A SymVis is the visibility of a symbol (low two bits of st_other).
type SymVis uint8

// The visibilities.
const (
	STV_DEFAULT   SymVis = 0
	STV_INTERNAL  SymVis = 1
	STV_HIDDEN    SymVis = 2
	STV_PROTECTED SymVis = 3
)

// Relocation types of EM_BPF.
const (
	R_BPF_NONE        = 0
	R_BPF_64_64       = 1  // 64-bit constant of a wide load, in the two 32-bit immediates
	R_BPF_64_ABS64    = 2  // 8 bytes of data
	R_BPF_64_ABS32    = 3  // 4 bytes of data
	R_BPF_64_NODYLD32 = 4  // 4 bytes of data that a loader leaves alone
	R_BPF_64_32       = 10 // immediate of a call, in slots from the next instruction
)

// A SegmentType says what a program header describes (p_type).
type SegmentType uint32

// The segment types.
const (
	PT_NULL    SegmentType = 0
	PT_LOAD    SegmentType = 1
	PT_DYNAMIC SegmentType = 2
	PT_INTERP  SegmentType = 3
	PT_NOTE    SegmentType = 4
	PT_SHLIB   SegmentType = 5
	PT_PHDR    SegmentType = 6
	PT_TLS     SegmentType = 7
)

// SegmentFlags are the permissions of a segment (p_flags).
type SegmentFlags uint32

// The segment flags.
const (
	PF_X SegmentFlags = 1
	PF_W SegmentFlags = 2
	PF_R SegmentFlags = 4
)

// A name is one row of an enumeration: a value and the specification's name.
type name[T ~uint8 | ~uint16 | ~uint32 | ~uint64] struct {
	value T
	name  string
}

var (
	classNames   = []name[Class]{{ELFCLASS32, "ELFCLASS32"}, {ELFCLASS64, "ELFCLASS64"}}
	typeNames    = []name[Type]{{ET_NONE, "ET_NONE"}, {ET_REL, "ET_REL"}, {ET_EXEC, "ET_EXEC"}, {ET_DYN, "ET_DYN"}, {ET_CORE, "ET_CORE"}}
	machineNames = []name[Machine]{
		{EM_NONE, "EM_NONE"}, {EM_386, "EM_386"}, {EM_MIPS, "EM_MIPS"}, {EM_PPC64, "EM_PPC64"}, {EM_S390, "EM_S390"},
		{EM_ARM, "EM_ARM"}, {EM_X86_64, "EM_X86_64"}, {EM_AARCH64, "EM_AARCH64"}, {EM_RISCV, "EM_RISCV"}, {EM_BPF, "EM_BPF"},
	}
	sectionTypeNames = []name[SectionType]{
		{SHT_NULL, "SHT_NULL"}, {SHT_PROGBITS, "SHT_PROGBITS"}, {SHT_SYMTAB, "SHT_SYMTAB"}, {SHT_STRTAB, "SHT_STRTAB"},
		{SHT_RELA, "SHT_RELA"}, {SHT_HASH, "SHT_HASH"}, {SHT_DYNAMIC, "SHT_DYNAMIC"}, {SHT_NOTE, "SHT_NOTE"},
		{SHT_NOBITS, "SHT_NOBITS"}, {SHT_REL, "SHT_REL"}, {SHT_SHLIB, "SHT_SHLIB"}, {SHT_DYNSYM, "SHT_DYNSYM"},
		{SHT_INIT_ARRAY, "SHT_INIT_ARRAY"}, {SHT_FINI_ARRAY, "SHT_FINI_ARRAY"}, {SHT_PREINIT_ARRAY, "SHT_PREINIT_ARRAY"},
		{SHT_GROUP, "SHT_GROUP"}, {SHT_SYMTAB_SHNDX, "SHT_SYMTAB_SHNDX"}, {SHT_RELR, "SHT_RELR"},
		{SHT_LLVM_ADDRSIG, "SHT_LLVM_ADDRSIG"}, {SHT_GNU_ATTRIBUTES, "SHT_GNU_ATTRIBUTES"}, {SHT_GNU_HASH, "SHT_GNU_HASH"},
		{SHT_GNU_VERDEF, "SHT_GNU_VERDEF"}, {SHT_GNU_VERNEED, "SHT_GNU_VERNEED"}, {SHT_GNU_VERSYM, "SHT_GNU_VERSYM"},
	}
	sectionFlagNames = []name[SectionFlags]{
		{SHF_WRITE, "SHF_WRITE"}, {SHF_ALLOC, "SHF_ALLOC"}, {SHF_EXECINSTR, "SHF_EXECINSTR"}, {SHF_MERGE, "SHF_MERGE"},
		{SHF_STRINGS, "SHF_STRINGS"}, {SHF_INFO_LINK, "SHF_INFO_LINK"}, {SHF_LINK_ORDER, "SHF_LINK_ORDER"},
		{SHF_OS_NONCONFORMING, "SHF_OS_NONCONFORMING"}, {SHF_GROUP, "SHF_GROUP"}, {SHF_TLS, "SHF_TLS"}, {SHF_COMPRESSED, "SHF_COMPRESSED"},
	}
	bindNames    = []name[SymBind]{{STB_LOCAL, "STB_LOCAL"}, {STB_GLOBAL, "STB_GLOBAL"}, {STB_WEAK, "STB_WEAK"}, {STB_GNU_UNIQUE, "STB_GNU_UNIQUE"}}
	symTypeNames = []name[SymType]{
		{STT_NOTYPE, "STT_NOTYPE"}, {STT_OBJECT, "STT_OBJECT"}, {STT_FUNC, "STT_FUNC"}, {STT_SECTION, "STT_SECTION"},
		{STT_FILE, "STT_FILE"}, {STT_COMMON, "STT_COMMON"}, {STT_TLS, "STT_TLS"}, {STT_GNU_IFUNC, "STT_GNU_IFUNC"},
	}
	visNames     = []name[SymVis]{{STV_DEFAULT, "STV_DEFAULT"}, {STV_INTERNAL, "STV_INTERNAL"}, {STV_HIDDEN, "STV_HIDDEN"}, {STV_PROTECTED, "STV_PROTECTED"}}
	segmentNames = []name[SegmentType]{
		{PT_NULL, "PT_NULL"}, {PT_LOAD, "PT_LOAD"}, {PT_DYNAMIC, "PT_DYNAMIC"}, {PT_INTERP, "PT_INTERP"},
		{PT_NOTE, "PT_NOTE"}, {PT_SHLIB, "PT_SHLIB"}, {PT_PHDR, "PT_PHDR"}, {PT_TLS, "PT_TLS"},
	}
	segmentFlagNames = []name[SegmentFlags]{{PF_X, "PF_X"}, {PF_W, "PF_W"}, {PF_R, "PF_R"}}
)

// nameOf is the name of v, or the prefix and its number.
func nameOf[T ~uint8 | ~uint16 | ~uint32 | ~uint64](table []name[T], prefix string, v T) string {
	for _, n := range table {
		if n.value == v {
			return n.name
		}
	}
	return prefix + "(0x" + strconv.FormatUint(uint64(v), 16) + ")"
}

// flagsOf is the names of the bits of v, joined by "|", and the remainder.
func flagsOf[T ~uint8 | ~uint16 | ~uint32 | ~uint64](table []name[T], v T) string {
	s := ""
	for _, n := range table {
		if v&n.value != 0 {
			s += "|" + n.name
			v &^= n.value
		}
	}
	if v != 0 || s == "" {
		s += "|0x" + strconv.FormatUint(uint64(v), 16)
	}
	return s[1:]
}

// The specification's name, or the prefix and the number in hexadecimal.

func (c Class) String() string        { return nameOf(classNames, "ELFCLASS", c) }
func (t Type) String() string         { return nameOf(typeNames, "ET", t) }
func (m Machine) String() string      { return nameOf(machineNames, "EM", m) }
func (t SectionType) String() string  { return nameOf(sectionTypeNames, "SHT", t) }
func (f SectionFlags) String() string { return flagsOf(sectionFlagNames, f) }
func (b SymBind) String() string      { return nameOf(bindNames, "STB", b) }
func (t SymType) String() string      { return nameOf(symTypeNames, "STT", t) }
func (v SymVis) String() string       { return nameOf(visNames, "STV", v) }
func (t SegmentType) String() string  { return nameOf(segmentNames, "PT", t) }
func (f SegmentFlags) String() string { return flagsOf(segmentFlagNames, f) }
