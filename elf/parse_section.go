package elf

import (
	"bytes"
	"strings"
)

// checkExtent checks that a section's contents are in the file.
func (p *parser) checkExtent(s Section) error {
	off, n, size := s.Offset(), s.Size(), uint64(len(p.data))
	switch {
	case off > size:
		return p.sectionError(s.i, p.lay.shOffset, "sh_offset", off, Range, "past the end of the file, "+udec(size)+" bytes")
	case n > size-off:
		return p.sectionError(s.i, p.lay.shSize, "sh_size", n, Truncated, "only "+udec(size-off)+" bytes of the file are left")
	}
	return nil
}

// checkName checks the string at byte off of a table of names.
func (p *parser) checkName(table extent, off uint32) nameFault {
	if off == 0 && table.size == 0 {
		return nameFault{}
	}
	if uint64(off) >= table.size {
		return nameFault{Range, "past the end of the string table, " + udec(table.size) + " bytes"}
	}
	b := p.at(table.off+uint64(off), min(table.size-uint64(off), uint64(p.lim.Name)+1))
	n := bytes.IndexByte(b, 0)
	if n < 0 {
		n = len(b)
	}
	switch {
	case n > p.lim.Name:
		return nameFault{Limit, "the name is longer than Limits.Name, " + dec(p.lim.Name) + " bytes"}
	case uint64(n) > p.text || uint64(n) > p.scan:
		return nameFault{Limit, "all names together exceed Limits.Names, " + dec(p.lim.Names) + " × the file"}
	}
	p.text -= uint64(n)
	p.scan -= uint64(n)
	return nameFault{}
}

// sections checks each section header on its own.
func (p *parser) sections() error {
	if p.nsec > 0 {
		p.checkFirstSection()
	}
	if err := p.charge(uint64(p.nsec)*uint64(p.lay.shentsize), 0); err != nil {
		return err
	}
	for i := 1; i < p.nsec; i++ {
		s := Section{p.File, i}
		if s.hasBytes() {
			if err := p.checkExtent(s); err != nil {
				return err
			}
		}
		if s.Flags()&SHF_COMPRESSED != 0 {
			if err := p.checkCompressed(s); err != nil {
				return err
			}
		}
		if a := s.Addralign(); a&(a-1) != 0 {
			p.find(i, -1, int(s.at())+p.lay.shAddralign, "sh_addralign", a, "not a power of two")
		}
		switch s.Type() {
		case SHT_STRTAB:
			p.checkStrings(s)
		case SHT_NOBITS:
			if n := s.Size(); n > uint64(p.lim.FileSize) {
				p.find(i, -1, int(s.at())+p.lay.shSize, "sh_size", n, "a section without bytes in the file that is larger than any file may be")
			}
		}
	}
	return nil
}

// checkFirstSection looks at the entry that stands for no section. Only its
// size, link and info may be used, for numbers that do not fit elsewhere.
func (p *parser) checkFirstSection() {
	if s := (Section{p.File, 0}); s.Type() != SHT_NULL || s.Flags() != 0 || s.Addr() != 0 || s.Offset() != 0 {
		p.find(0, -1, int(s.at())+4, "sh_type", uint64(s.Type()), "the first section header is not empty")
	}
}

// checkStrings looks at the ends of a string table.
func (p *parser) checkStrings(s Section) {
	b := s.Data()
	switch {
	case len(b) == 0:
		p.find(s.i, -1, int(s.at())+p.lay.shSize, "sh_size", 0, "an empty string table")
	case b[len(b)-1] != 0:
		p.findAt(s.i, -1, s.Offset()+uint64(len(b)-1), "string table", uint64(b[len(b)-1]), "the last string has no NUL and ends with the table")
	case b[0] != 0:
		p.findAt(s.i, -1, s.Offset(), "string table", uint64(b[0]), "the table does not start with a NUL")
	}
}

// checkCompressed refuses compressed sections that matter to a reader.
func (p *parser) checkCompressed(s Section) error {
	switch s.Type() {
	case SHT_STRTAB, SHT_SYMTAB, SHT_DYNSYM, SHT_REL, SHT_RELA, SHT_SYMTAB_SHNDX, SHT_NOBITS, SHT_NOTE:
		return p.sectionError(s.i, 8, "sh_flags", uint64(s.Flags()), Limit, "a "+s.Type().String()+" section may not be compressed")
	}
	if !p.lim.Compressed && !strings.HasPrefix(s.Name(), ".debug") {
		return p.sectionError(s.i, 8, "sh_flags", uint64(s.Flags()), Limit, "compressed sections are refused unless Limits.Compressed admits them; objcopy --decompress-debug-sections expands them")
	}
	return nil
}
