package elf

import (
	"encoding/binary"
	"slices"
	"strings"
)

// A Builder lays out a relocatable object. Sections and symbols are numbered in
// the order they are added, from 1. The zero Builder writes a little-endian
// ELF64 file of type and machine 0; set its fields to say otherwise.
//
// It writes what it is told, be it sensible or not: only what cannot be
// expressed in the format is an error. Symbol, string and relocation tables are
// made by Bytes; those that a caller does not add are appended.
type Builder struct {
	Class     Class            // ELFCLASS64 if 0
	ByteOrder binary.ByteOrder // little-endian if nil
	Type      Type
	Machine   Machine
	Flags     uint32

	sections []building // without the first, empty one
	symbols  []SymbolDef
	shstrndx int // section for section names; 0 if there is none yet
}

// A SectionDef describes a section to be written, field by field as in the
// section table. Place and, except for SHT_NOBITS, size come from Data.
type SectionDef struct {
	Name      string
	Type      SectionType
	Flags     SectionFlags
	Addr      uint64
	Addralign uint64 // also aligns the contents in the file, up to 4096
	Entsize   uint64
	Link      uint32
	Info      uint32
	Size      uint64 // SHT_NOBITS only
	Data      []byte // kept until Bytes; must not change
}

// A SymbolDef describes a symbol to be written.
type SymbolDef struct {
	Name     string
	Bind     SymBind
	Type     SymType
	Other    uint8 // visibility in the low two bits
	Section  int   // number of a section; SHN_UNDEF; if Reserved, SHN_ABS or SHN_COMMON
	Reserved bool  // Section is a number with a meaning of its own
	Value    uint64
	Size     uint64
}

// A building is a section with the records that will become its contents.
type building struct {
	SectionDef
	relocs []Reloc
	table  bool // a symbol, string or relocation table whose contents Bytes makes
}

// AddSection adds a section and returns its number. A SHT_SYMTAB, SHT_REL or
// SHT_RELA section without Data stands for the table that Bytes makes of the
// symbols and of the relocations added to it; Bytes fills in its Entsize and
// Link, and the symbol table's Info. A SHT_STRTAB section without Data that the
// symbol table names in Link takes the names of symbols.
func (b *Builder) AddSection(s SectionDef) int {
	table := false
	switch s.Type {
	case SHT_SYMTAB, SHT_STRTAB, SHT_REL, SHT_RELA:
		table = s.Data == nil
	}
	b.sections = append(b.sections, building{SectionDef: s, table: table})
	return len(b.sections)
}

// AddSymbol adds a symbol and returns its number. The format wants local
// symbols before all others.
func (b *Builder) AddSymbol(s SymbolDef) int {
	b.symbols = append(b.symbols, s)
	return len(b.symbols)
}

// AddReloc adds a relocation record. If section is a relocation section without
// Data, the record goes there. Otherwise it is the section to be changed, and
// the record goes to its relocation section of the record's kind, which is
// added if need be. It returns the number of the relocation section, 0 if there
// is no such section.
func (b *Builder) AddReloc(section int, r Reloc) int {
	if section < 1 || section > len(b.sections) {
		return 0
	}
	typ, prefix := SHT_REL, ".rel"
	if r.HasAddend {
		typ, prefix = SHT_RELA, ".rela"
	}
	at := section
	if s := &b.sections[section-1]; !s.table || s.Type == SHT_SYMTAB {
		at = 1 + slices.IndexFunc(b.sections, func(t building) bool { return t.table && t.Type == typ && t.Info == uint32(section) })
		if at == 0 {
			at = b.AddSection(SectionDef{Name: prefix + s.Name, Type: typ, Flags: SHF_INFO_LINK, Addralign: 8, Info: uint32(section)})
		}
	}
	b.sections[at-1].relocs = append(b.sections[at-1].relocs, r)
	return at
}

// FromFile is a Builder that writes a file with the sections, symbols and
// relocations of f: parsed again, they are equal. The places of contents, and
// the order and sharing of strings may differ. A linked file, one whose
// sections overlap to more than 16 times its size, and one that uses the
// symbol or section names for yet another table, or has symbols or relocations
// in them, cannot be written: ErrUnsupported.
func FromFile(f *File) (*Builder, error) {
	if f.nph > 0 {
		return nil, builderError("", -1, "e_phnum", uint64(f.nph), Unsupported, "a file with program headers is not a relocatable object")
	}
	b := &Builder{Class: f.Class(), ByteOrder: f.ByteOrder(), Type: f.typ, Machine: f.machine, Flags: f.flags, shstrndx: f.shstrndx}
	strtab := int(f.Section(f.syms.section).Link())
	total, extended := uint64(0), false
	for i := 1; i < f.nsec; i++ {
		s := Section{f, i}
		def := SectionDef{
			Name: s.Name(), Type: s.Type(), Flags: s.Flags(), Addr: s.Addr(), Addralign: s.Addralign(), Entsize: s.Entsize(),
			Link: s.Link(), Info: s.Info(), Data: s.Data(),
		}
		if !s.hasBytes() {
			def.Size = s.Size()
		}
		total += uint64(len(def.Data))
		if total > 16*uint64(len(f.data)) {
			return nil, builderError(s.Name(), i, "sh_size", s.Size(), Unsupported, "the sections overlap too much to be written side by side")
		}
		made := building{SectionDef: def}
		uses := int(s.Link())
		switch {
		case f.syms.section != 0 && (i == f.syms.section || i == strtab), i == f.shstrndx:
			made.table, made.Data = true, nil
		case !extended && s.Type() == SHT_SYMTAB_SHNDX && uses != 0 && uses == f.syms.section:
			made.table, made.Data = true, nil
			extended = true
		case s.relocSize() != 0 && uses == f.syms.section && uses != 0:
			made.table, made.Data = true, nil
			for _, r := range s.Relocs() {
				made.relocs = append(made.relocs, r)
			}
		case (s.Type() == SHT_SYMTAB || s.Type() == SHT_DYNSYM || s.Type() == SHT_DYNAMIC) && uses != 0 && (uses == strtab || uses == f.shstrndx):
			return nil, builderError(s.Name(), i, "sh_link", uint64(uses), Unsupported, "a second table refers to the names that are written anew")
		}
		b.sections = append(b.sections, made)
	}
	for i := 1; i < f.syms.n; i++ {
		s := f.Symbol(i)
		b.symbols = append(b.symbols, SymbolDef{
			Name: s.Name(), Bind: s.Bind(), Type: s.Type(), Other: s.Other(), Section: s.SectionIndex(), Reserved: s.Reserved(),
			Value: s.Value(), Size: s.Size(),
		})
	}
	if err := b.checkRewritten(); err != nil {
		return nil, err
	}
	return b, nil
}

// checkRewritten refuses symbols and relocations in a table that Bytes makes.
func (b *Builder) checkRewritten() error {
	for i, s := range b.sections {
		if len(s.relocs) > 0 && b.rewritten(int(s.Info)) {
			return builderError(s.Name, i+1, "sh_info", uint64(s.Info), Unsupported, "the relocations are for a table that is written anew")
		}
	}
	for i, s := range b.symbols {
		if !s.Reserved && b.rewritten(s.Section) && (s.Value != 0 || s.Size != 0) {
			return builderError(s.Name, i+1, "st_shndx", uint64(s.Section), Unsupported, "the symbol is a part of a table that is written anew")
		}
	}
	return nil
}

// rewritten reports whether a section is a table of strings or of extended
// section numbers that Bytes makes, perhaps of another size than it had.
func (b *Builder) rewritten(i int) bool {
	if i < 1 || i > len(b.sections) || !b.sections[i-1].table {
		return false
	}
	t := b.sections[i-1].Type
	return t == SHT_STRTAB || t == SHT_SYMTAB_SHNDX
}

// Bytes lays out the file. The Builder may be added to and used again.
func (b *Builder) Bytes() ([]byte, error) {
	w := writer{Builder: *b, lay: &layout64, order: binary.LittleEndian, strings: map[int]*stringTable{}}
	if b.Class == ELFCLASS32 {
		w.lay = &layout32
	}
	if b.ByteOrder != nil {
		w.order = b.ByteOrder
	}
	w.sections = slices.Clone(b.sections)
	w.addTables()
	if err := w.fillTables(); err != nil {
		return nil, err
	}
	return w.write()
}

func builderError(section string, index int, field string, value uint64, kind Kind, detail string) error {
	return &FormatError{Section: section, Index: index, Field: field, Value: value, Kind: kind, Detail: detail}
}

// A stringTable collects strings, each once.
type stringTable struct {
	data []byte
	at   map[string]uint32
}

func (t *stringTable) add(s string) (uint32, error) {
	if s == "" {
		return 0, nil
	}
	if off, ok := t.at[s]; ok {
		return off, nil
	}
	if i := strings.IndexByte(s, 0); i >= 0 {
		return 0, builderError("", -1, "name", uint64(i), Name, quote(s)+" has a NUL, which ends a name")
	}
	if uint64(len(t.data))+uint64(len(s)) >= 1<<32 {
		return 0, builderError("", -1, "string table", uint64(len(t.data)), Range, "names are found by 32-bit offsets")
	}
	off := uint32(len(t.data))
	t.data = append(append(t.data, s...), 0)
	t.at[s] = off
	return off, nil
}
