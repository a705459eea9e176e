package elf

// A Section is one entry of a file's section table. It is a small value to be
// copied freely. The zero Section is not valid; its fields read as zero.
type Section struct {
	f *File
	i int
}

// at is where the section's header stands in the file.
func (s Section) at() uint64 { return s.f.shoff + uint64(s.i)*uint64(s.f.lay.shentsize) }

// Valid reports whether the section exists.
func (s Section) Valid() bool { return s.f != nil }

// Index is the section's number in its file.
func (s Section) Index() int { return s.i }

// Name is the name as the file has it: any bytes but NUL. It shares memory
// with the file.
func (s Section) Name() string {
	if s.f == nil {
		return ""
	}
	return s.f.str(s.f.names, uint64(s.f.u32(s.at())))
}

// Type says what the section holds.
func (s Section) Type() SectionType { return SectionType(s.half(4)) }

// Flags are the section's flags.
func (s Section) Flags() SectionFlags {
	if s.f == nil {
		return 0
	}
	return SectionFlags(s.word(8))
}

// Addr is the address in a linked file, 0 in an object.
func (s Section) Addr() uint64 {
	if s.f == nil {
		return 0
	}
	return s.word(s.f.lay.shAddr)
}

// Offset is where the contents start in the file. It means nothing if the
// section has no bytes there.
func (s Section) Offset() uint64 {
	if s.f == nil {
		return 0
	}
	return s.word(s.f.lay.shOffset)
}

// Size is the size in bytes. A SHT_NOBITS section may announce any size: do not
// allocate it unchecked.
func (s Section) Size() uint64 {
	if s.f == nil {
		return 0
	}
	return s.word(s.f.lay.shSize)
}

// Link is the number of a section that this one needs: the string table of a
// symbol table, the symbol table of a relocation section.
func (s Section) Link() uint32 {
	if s.f == nil {
		return 0
	}
	return s.half(s.f.lay.shLink)
}

// Info is a number whose meaning depends on the type.
func (s Section) Info() uint32 {
	if s.f == nil {
		return 0
	}
	return s.half(s.f.lay.shInfo)
}

// Addralign is the alignment in bytes, as the file has it: 0 and 1 mean none.
func (s Section) Addralign() uint64 {
	if s.f == nil {
		return 0
	}
	return s.word(s.f.lay.shAddralign)
}

// Entsize is the size in bytes of the records in the section, 0 if it is not a
// table.
func (s Section) Entsize() uint64 {
	if s.f == nil {
		return 0
	}
	return s.word(s.f.lay.shEntsize)
}

// Data is the contents: a part of the input that must not be changed and whose
// capacity ends with it. It is nil if the section has no bytes in the file. Of
// a section with SHF_COMPRESSED it is the compressed bytes.
func (s Section) Data() []byte {
	if !s.hasBytes() {
		return nil
	}
	return s.f.at(s.Offset(), s.Size())
}

// String is the string that starts at byte off of a string table, without a
// copy, and whether there is one.
func (s Section) String(off uint32) (string, bool) {
	if s.Type() != SHT_STRTAB || !s.hasBytes() || uint64(off) >= s.Size() {
		return "", false
	}
	return s.f.str(s.extent(), uint64(off)), true
}

// hasBytes reports whether the section has contents in the file. The first one
// never has: its header carries numbers for which the ELF header has no room.
func (s Section) hasBytes() bool {
	t := s.Type()
	return s.i != 0 && t != SHT_NULL && t != SHT_NOBITS
}

// extent is where the contents stand.
func (s Section) extent() extent {
	if !s.hasBytes() {
		return extent{}
	}
	return extent{s.Offset(), s.Size()}
}

func (s Section) half(field int) uint32 {
	if s.f == nil {
		return 0
	}
	return s.f.u32(s.at() + uint64(field))
}

func (s Section) word(field int) uint64 { return s.f.wordAt(s.at() + uint64(field)) }
