package elf

import "iter"

// A Symbol is one entry of a file's symbol table. It is a small value to be
// copied freely. The zero Symbol is not valid; its fields read as zero.
type Symbol struct {
	f   *File
	tab *symtab
	i   int
}

func (f *File) symbol(tab *symtab, i int) Symbol {
	if i < 0 || i >= tab.n {
		return Symbol{}
	}
	return Symbol{f, tab, i}
}

func (f *File) symbols(tab *symtab) iter.Seq[Symbol] {
	return func(yield func(Symbol) bool) {
		for i := 0; i < tab.n; i++ {
			if !yield(Symbol{f, tab, i}) {
				return
			}
		}
	}
}

// at is where the symbol stands in the file.
func (s Symbol) at() uint64 { return s.tab.off + uint64(s.i)*uint64(s.f.lay.symsize) }

// Valid reports whether the symbol exists.
func (s Symbol) Valid() bool { return s.f != nil }

// Index is the symbol's number in its table.
func (s Symbol) Index() int { return s.i }

// Name is the name as the file has it: any bytes but NUL. It shares memory
// with the file.
func (s Symbol) Name() string {
	if s.f == nil {
		return ""
	}
	return s.f.str(s.tab.names, uint64(s.f.u32(s.at())))
}

// Bind says how far the symbol reaches.
func (s Symbol) Bind() SymBind {
	if s.f == nil {
		return 0
	}
	return SymBind(s.f.u8(s.at()+uint64(s.f.lay.stInfo)) >> 4)
}

// Type says what the symbol names.
func (s Symbol) Type() SymType {
	if s.f == nil {
		return 0
	}
	return SymType(s.f.u8(s.at()+uint64(s.f.lay.stInfo)) & 0xf)
}

// Other is the whole of st_other, whose low two bits are the visibility.
func (s Symbol) Other() uint8 {
	if s.f == nil {
		return 0
	}
	return s.f.u8(s.at() + uint64(s.f.lay.stOther))
}

// Visibility says who outside may refer to the symbol.
func (s Symbol) Visibility() SymVis { return SymVis(s.Other() & 3) }

// Reserved reports whether st_shndx is not a section's number but one of the
// values that have a meaning of their own, such as SHN_ABS and SHN_COMMON.
func (s Symbol) Reserved() bool {
	n := s.shndx()
	return n >= SHN_LORESERVE && n != SHN_XINDEX
}

// SectionIndex is the number of the section the symbol is defined in, resolved
// through the SHT_SYMTAB_SHNDX table where it does not fit into 16 bits;
// SHN_UNDEF if it is undefined; or, if it is Reserved, a value of at least
// SHN_LORESERVE.
func (s Symbol) SectionIndex() int {
	n := s.shndx()
	if n != SHN_XINDEX {
		return int(n)
	}
	return int(s.f.u32(s.tab.xindex.off + 4*uint64(s.i)))
}

// Section is the section the symbol is defined in; not valid if it is
// undefined or reserved.
func (s Symbol) Section() Section {
	if n := s.SectionIndex(); n != SHN_UNDEF && !s.Reserved() {
		return s.f.Section(n)
	}
	return Section{}
}

// Value is an offset in the section in an object, an address in a linked file,
// the alignment of a SHN_COMMON symbol.
func (s Symbol) Value() uint64 {
	if s.f == nil {
		return 0
	}
	return s.f.wordAt(s.at() + uint64(s.f.lay.stValue))
}

// Size is the size in bytes, 0 if it is unknown.
func (s Symbol) Size() uint64 {
	if s.f == nil {
		return 0
	}
	return s.f.wordAt(s.at() + uint64(s.f.lay.stSize))
}

// shndx is st_shndx as it stands.
func (s Symbol) shndx() uint16 {
	if s.f == nil {
		return 0
	}
	return s.f.u16(s.at() + uint64(s.f.lay.stShndx))
}
