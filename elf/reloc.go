package elf

import "iter"

// A Reloc is one relocation record: the bytes at Offset depend on a symbol, in
// the way that Type says.
type Reloc struct {
	Offset    uint64 // in the target section in an object, an address in a linked file; bytes
	Type      uint32 // machine's own: R_BPF_…
	Symbol    int    // number in the symbol table; 0 is none
	Addend    int64  // SHT_RELA only; a SHT_REL record's addend is in the bytes to be changed
	HasAddend bool   // whether the record is of a SHT_RELA section
}

// NumRelocs is the number of records in a relocation section, 0 for any other.
func (s Section) NumRelocs() int {
	if n := s.relocSize(); n != 0 {
		return int(s.Size() / uint64(n))
	}
	return 0
}

// Reloc is record i of a relocation section, the zero Reloc if there is none.
func (s Section) Reloc(i int) Reloc {
	if i < 0 || i >= s.NumRelocs() {
		return Reloc{}
	}
	return s.reloc(s.Offset() + uint64(i)*uint64(s.relocSize()))
}

// Relocs are the records of a relocation section with their numbers.
func (s Section) Relocs() iter.Seq2[int, Reloc] {
	return func(yield func(int, Reloc) bool) {
		at, size := s.Offset(), uint64(s.relocSize())
		for i, n := 0, s.NumRelocs(); i < n; i++ {
			if !yield(i, s.reloc(at)) {
				return
			}
			at += size
		}
	}
}

// Target is the section that a relocation section changes (sh_info); not valid
// if it is not one, or not about one section.
func (s Section) Target() Section {
	if s.relocSize() == 0 || s.Info() == 0 || uint64(s.Info()) >= uint64(s.f.nsec) {
		return Section{}
	}
	return s.f.Section(int(s.Info()))
}

// RelocSymbol is the symbol that a record of this relocation section names, not
// valid if none. An object has one symbol table; records of a linked file may
// count in its dynamic symbols.
func (s Section) RelocSymbol(r Reloc) Symbol {
	if s.f == nil || r.Symbol == 0 {
		return Symbol{}
	}
	if s.f.dyns.section != 0 && int(s.Link()) == s.f.dyns.section {
		return s.f.DynamicSymbol(r.Symbol)
	}
	return s.f.Symbol(r.Symbol)
}

// relocSize is the size of a record, 0 if this is not a relocation section.
func (s Section) relocSize() int {
	if !s.hasBytes() {
		return 0
	}
	switch s.Type() {
	case SHT_REL:
		return s.f.lay.relsize
	case SHT_RELA:
		return s.f.lay.relasize
	}
	return 0
}

// relocPlace reads what of the record at a place in the file is checked: where it
// applies, and the number of its symbol.
func (f *File) relocPlace(at uint64) (offset uint64, symbol int) {
	info := at + uint64(f.lay.rInfo)
	switch {
	case f.lay.word == 4:
		symbol = int(f.u32(info) >> 8)
	case f.machine == EM_MIPS:
		symbol = int(f.u32(info))
	default:
		symbol = int(f.wordAt(info) >> 32)
	}
	return f.wordAt(at), symbol
}

// reloc reads the record at a place in the file.
func (s Section) reloc(at uint64) Reloc {
	f := s.f
	var r Reloc
	r.Offset, r.Symbol = f.relocPlace(at)
	info := at + uint64(f.lay.rInfo)
	switch {
	case f.lay.word == 4:
		r.Type = f.u32(info) & 0xff
	case f.machine == EM_MIPS:
		// Four one-byte fields follow the 32-bit symbol number, in this order
		// in both byte orders (MIPS 64-bit ELF object file specification, 2.9.1).
		for i := range uint64(4) {
			r.Type = r.Type<<8 | uint32(f.u8(info+4+i))
		}
	default:
		r.Type = uint32(f.wordAt(info))
	}
	if s.Type() == SHT_RELA {
		r.HasAddend = true
		r.Addend = int64(f.wordAt(at + uint64(f.lay.rAddend)))
		if f.lay.word == 4 {
			r.Addend = int64(int32(r.Addend))
		}
	}
	return r
}
