package elf

// symbolTables finds the symbol tables and checks every symbol.
func (p *parser) symbolTables() error {
	for i := 1; i < p.nsec; i++ {
		s := Section{p.File, i}
		var tab *symtab
		switch s.Type() {
		case SHT_SYMTAB:
			tab = &p.syms
		case SHT_DYNSYM:
			tab = &p.dyns
		default:
			continue
		}
		if tab.section != 0 {
			p.find(i, -1, int(s.at())+4, "sh_type", uint64(s.Type()), "another symbol table; the first counts")
			continue
		}
		if err := p.symbolTable(s, tab); err != nil {
			return err
		}
	}
	return nil
}

// symbolTable checks a symbol table's header, then its symbols.
func (p *parser) symbolTable(s Section, tab *symtab) error {
	l := p.lay
	if n := s.Entsize(); n != uint64(l.symsize) {
		return p.sectionError(s.i, l.shEntsize, "sh_entsize", n, Range, "a symbol of this class has "+dec(l.symsize)+" bytes")
	}
	if n := s.Size(); n%uint64(l.symsize) != 0 {
		return p.sectionError(s.i, l.shSize, "sh_size", n, Truncated, "not a multiple of the size of a symbol, "+dec(l.symsize)+" bytes")
	}
	names, err := p.linked(s, SHT_STRTAB)
	if err != nil {
		return err
	}
	*tab = symtab{section: s.i, off: s.Offset(), n: int(s.Size() / uint64(l.symsize)), names: names.extent()}
	if uint64(s.Info()) > uint64(tab.n) {
		p.find(s.i, -1, int(s.at())+l.shInfo, "sh_info", uint64(s.Info()), "the first global symbol would be past the end of the table")
	}
	if err := p.extendedIndexes(tab); err != nil {
		return err
	}
	if err := p.charge(s.Size(), s.i); err != nil {
		return err
	}
	for i := 0; i < tab.n; i++ {
		if err := p.checkSymbol(Symbol{p.File, tab, i}); err != nil {
			return err
		}
	}
	return nil
}

// linked is the section that sh_link names, which must be of a type.
func (p *parser) linked(s Section, want SectionType) (Section, error) {
	link := s.Link()
	fail := func(kind Kind, detail string) (Section, error) {
		return Section{}, p.sectionError(s.i, p.lay.shLink, "sh_link", uint64(link), kind, detail)
	}
	switch {
	case uint64(link) >= uint64(p.nsec):
		return fail(Range, "there are "+dec(p.nsec)+" sections")
	case int(link) == s.i:
		return fail(Loop, "the section names itself; "+want.String()+" is expected")
	}
	t := Section{p.File, int(link)}
	if t.Type() != want {
		return fail(Range, "that section is "+t.Type().String()+"; "+want.String()+" is expected")
	}
	return t, nil
}

// extendedIndexes finds the table of section numbers that do not fit into
// st_shndx.
func (p *parser) extendedIndexes(tab *symtab) error {
	for i := 1; i < p.nsec; i++ {
		s := Section{p.File, i}
		if s.Type() != SHT_SYMTAB_SHNDX || s.Link() != uint32(tab.section) {
			continue
		}
		if s.Size()/4 < uint64(tab.n) {
			return p.sectionError(i, p.lay.shSize, "sh_size", s.Size(), Truncated, "one 32-bit number for each of "+dec(tab.n)+" symbols is expected")
		}
		tab.xindex = s.extent()
		return nil
	}
	return nil
}

// checkSymbol checks the name and the place of a symbol.
func (p *parser) checkSymbol(s Symbol) error {
	tab := s.tab
	if off := p.u32(s.at()); off != 0 {
		if fault := p.checkName(tab.names, off); fault.kind != 0 {
			return p.nameError(fault, tab.section, s.i, s.at(), "st_name", off)
		}
	}
	field := s.at() + uint64(p.lay.stShndx)
	raw := s.shndx()
	switch {
	case raw == SHN_UNDEF:
		return nil
	case raw == SHN_XINDEX && tab.xindex.size == 0:
		return p.recordError(tab.section, s.i, field, "st_shndx", uint64(raw), Range, "SHN_XINDEX, but there is no SHT_SYMTAB_SHNDX section for the table")
	case s.Reserved():
		if p.object && raw != SHN_ABS && raw != SHN_COMMON {
			p.findAt(tab.section, s.i, field, "st_shndx", uint64(raw), "a reserved section number without a meaning here")
		}
		return nil
	}
	n := s.SectionIndex()
	if n < 0 || n >= p.nsec {
		return p.recordError(tab.section, s.i, field, "st_shndx", uint64(uint32(n)), Range, "there are "+dec(p.nsec)+" sections")
	}
	if p.typ != ET_REL || n == 0 {
		return nil
	}
	return p.checkSymbolPlace(s, Section{p.File, n})
}

// checkSymbolPlace checks that an object's symbol lies in its section: an error
// in a BPF object, a finding in others, where some machines stretch the rule.
func (p *parser) checkSymbolPlace(s Symbol, in Section) error {
	value, size, room := s.Value(), s.Size(), in.Size()
	field, at, bad := "", uint64(0), uint64(0)
	switch {
	case value > room:
		field, at, bad = "st_value", s.at()+uint64(p.lay.stValue), value
	case size > room-value:
		field, at, bad = "st_size", s.at()+uint64(p.lay.stSize), size
	default:
		return nil
	}
	if p.object {
		return p.recordError(s.tab.section, s.i, at, field, bad, Range, "the symbol reaches past the end of section "+dec(in.i)+" "+quote(in.Name())+", "+udec(room)+" bytes")
	}
	p.findAt(s.tab.section, s.i, at, field, bad, "the symbol reaches past the end of its section")
	return nil
}
