package elf

// relocations checks every relocation section of an object, and of a linked
// file as far as the records name symbols.
func (p *parser) relocations() error {
	for i := 1; i < p.nsec; i++ {
		s := Section{p.File, i}
		if s.Type() != SHT_REL && s.Type() != SHT_RELA {
			continue
		}
		if err := p.relocSection(s); err != nil {
			return err
		}
	}
	return nil
}

// relocSection checks the header of a relocation section, then its records.
func (p *parser) relocSection(s Section) error {
	l, size := p.lay, uint64(s.relocSize())
	if n := s.Entsize(); n != size {
		return p.sectionError(s.i, l.shEntsize, "sh_entsize", n, Range, "a "+s.Type().String()+" record of this class has "+udec(size)+" bytes")
	}
	if n := s.Size(); n%size != 0 {
		return p.sectionError(s.i, l.shSize, "sh_size", n, Truncated, "not a multiple of the size of a record, "+udec(size)+" bytes")
	}
	symbols, err := p.relocSymbols(s)
	if err != nil {
		return err
	}
	info := s.Info()
	if uint64(info) >= uint64(p.nsec) {
		return p.sectionError(s.i, l.shInfo, "sh_info", uint64(info), Range, "there are "+dec(p.nsec)+" sections")
	}
	if info == 0 && p.typ == ET_REL {
		if p.object {
			return p.sectionError(s.i, l.shInfo, "sh_info", 0, Range, "the section that the records change is expected")
		}
		p.find(s.i, -1, int(s.at())+l.shInfo, "sh_info", 0, "relocations for no section")
	}
	target := s.Target()
	switch target.Type() {
	case SHT_SYMTAB, SHT_STRTAB, SHT_REL, SHT_RELA:
		p.find(s.i, -1, int(s.at())+l.shInfo, "sh_info", uint64(info), "relocations for a "+target.Type().String()+" section")
	default:
		if p.object && p.isNamed(p.names, uint64(p.u32(target.at())), "license") {
			p.find(s.i, -1, int(s.at())+l.shInfo, "sh_info", uint64(info), "relocations for the license section")
		}
	}
	if err := p.charge(s.Size(), s.i); err != nil {
		return err
	}
	return p.relocRecords(s, target, symbols)
}

// relocSymbols is the number of symbols that the records may name.
func (p *parser) relocSymbols(s Section) (int, error) {
	link := s.Link()
	switch {
	case uint64(link) >= uint64(p.nsec):
		return 0, p.sectionError(s.i, p.lay.shLink, "sh_link", uint64(link), Range, "there are "+dec(p.nsec)+" sections")
	case link == 0:
		return 1, nil // linked files have records without symbols; number 0 is none
	case int(link) == p.syms.section:
		return p.syms.n, nil
	case int(link) == p.dyns.section:
		return p.dyns.n, nil
	case int(link) == s.i:
		return 0, p.sectionError(s.i, p.lay.shLink, "sh_link", uint64(link), Loop, "the section names itself; a symbol table is expected")
	}
	switch t := (Section{p.File, int(link)}).Type(); t {
	case SHT_SYMTAB, SHT_DYNSYM:
		return 0, p.sectionError(s.i, p.lay.shLink, "sh_link", uint64(link), Unsupported, "the file has several symbol tables; relocations are read with the first one")
	default:
		return 0, p.sectionError(s.i, p.lay.shLink, "sh_link", uint64(link), Range, "that section is "+t.String()+"; a symbol table is expected")
	}
}

// relocRecords checks the records against the number of symbols and, in an
// object, against the target. Records that reach past the target are an error
// in a BPF object, a finding in others, where records without effect may stand
// anywhere.
func (p *parser) relocRecords(s, target Section, symbols int) error {
	room, known := target.Size(), symbols
	symbols = max(symbols, 1) // number 0 is none
	bounded := p.typ == ET_REL && target.Valid() && target.Flags()&SHF_COMPRESSED == 0
	code := p.object && target.Flags()&SHF_EXECINSTR != 0
	at, size := s.Offset(), uint64(s.relocSize())
	next, sorted := uint64(0), true
	for i, n := 0, s.NumRelocs(); i < n; i++ {
		off, sym := p.relocPlace(at)
		switch {
		case sym < 0 || sym >= symbols:
			return p.recordError(s.i, i, at+uint64(p.lay.rInfo), "r_info", uint64(uint32(sym)), Range, "as a symbol number: there are "+dec(known)+" symbols")
		case !bounded:
		case off >= room && p.object:
			return p.recordError(s.i, i, at, "r_offset", off, Range, "past the end of section "+dec(target.i)+" "+quote(target.Name())+", "+udec(room)+" bytes")
		case off >= room:
			p.findAt(s.i, i, at, "r_offset", off, "past the end of the section that the record changes")
		case code && off%8 != 0:
			return p.recordError(s.i, i, at, "r_offset", off, Range, "not the start of an instruction, a multiple of 8")
		}
		if off < next {
			sorted = false
		}
		next = off + 1
		at += size
	}
	if code && target.hasBytes() && !sorted {
		return p.uniqueRelocs(s, room)
	}
	return nil
}

// uniqueRelocs refuses two records for one instruction. Records in rising order
// need no look; for others a bit is kept for each instruction.
func (p *parser) uniqueRelocs(s Section, room uint64) error {
	if err := p.charge(room/64, s.i); err != nil {
		return err
	}
	slots := room/8 + 1 // room ≤ file size: one bit for 8 bytes of the file
	if words := int((slots + 63) / 64); cap(p.bits) < words {
		p.bits = make([]uint64, words, len(p.data)/512+2)
	} else {
		p.bits = p.bits[:words]
		clear(p.bits)
	}
	at, size := s.Offset(), uint64(s.relocSize())
	for i, n := 0, s.NumRelocs(); i < n; i++ {
		off := p.wordAt(at)
		slot := off / 8
		if p.bits[slot/64]&(1<<(slot%64)) != 0 {
			return p.recordError(s.i, i, at, "r_offset", off, Overlap, "another record changes the same instruction")
		}
		p.bits[slot/64] |= 1 << (slot % 64)
		at += size
	}
	return nil
}
