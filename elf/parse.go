package elf

import "slices"

// A parser checks a file once, from front to back, and fills in where things
// stand. What it accepts, the views read without further checks.
type parser struct {
	*File
	lim     Limits
	scan    uint64 // bytes that may still be looked at
	text    uint64 // bytes of names that may still be looked at
	object  bool   // a BPF object, to which stricter rules apply
	dropped uint64 // findings beyond the limit
	scratch []key
	bits    []uint64
}

// A key is a number to sort by and what it belongs to.
type key struct {
	by uint64
	i  int32
}

func (p *parser) parse() error {
	if len(p.data) > p.lim.FileSize {
		return fileSizeError(int64(len(p.data)), p.lim.FileSize)
	}
	p.scan = uint64(p.lim.Scan) * uint64(len(p.data))
	p.text = uint64(p.lim.Names) * uint64(len(p.data))
	for _, step := range [...]func(*parser) error{
		(*parser).ident, (*parser).header, (*parser).sectionTable, (*parser).sectionNames, (*parser).sections,
		(*parser).symbolTables, (*parser).relocations, (*parser).checkNotes, (*parser).layoutFindings, (*parser).objectRules,
	} {
		if err := step(p); err != nil {
			return err
		}
	}
	p.sortFindings()
	return nil
}

func fileSizeError(size int64, most int) error {
	return &FormatError{Index: -1, Field: "file size", Value: uint64(size), Kind: Limit, Detail: "more than Limits.FileSize, " + dec(most) + " bytes"}
}

// ident reads e_ident: class and byte order, by which all else is read.
func (p *parser) ident() error {
	p.lay = &layout64
	if len(p.data) < 4 {
		return p.headerError(len(p.data), "e_ident", uint64(len(p.data)), Truncated, "the file ends within its ELF header")
	}
	if string(p.data[:4]) != "\x7fELF" {
		p.big = true
		return p.headerError(0, "e_ident", uint64(p.u32(0)), Unsupported, "not an ELF file: it starts with 7f 45 4c 46")
	}
	if len(p.data) < 16 {
		return p.headerError(len(p.data), "e_ident", uint64(len(p.data)), Truncated, "the file ends within its ELF header")
	}
	class, order, version := p.data[4], p.data[5], p.data[6]
	switch Class(class) {
	case ELFCLASS32:
		p.lay = &layout32
	case ELFCLASS64:
	default:
		return p.headerError(4, "e_ident[EI_CLASS]", uint64(class), Unsupported, "1 for 32-bit and 2 for 64-bit are known")
	}
	if order != 1 && order != 2 {
		return p.headerError(5, "e_ident[EI_DATA]", uint64(order), Unsupported, "1 for little-endian and 2 for big-endian are known")
	}
	p.big = order == 2
	if version != 1 {
		return p.headerError(6, "e_ident[EI_VERSION]", uint64(version), Unsupported, "1 is known")
	}
	return nil
}

// header reads the rest of the ELF header.
func (p *parser) header() error {
	l := p.lay
	if len(p.data) < l.ehsize {
		return p.headerError(len(p.data), "ELF header", uint64(len(p.data)), Truncated, "the file ends within its ELF header, "+dec(l.ehsize)+" bytes")
	}
	if v := p.u32(20); v != 1 {
		return p.headerError(20, "e_version", uint64(v), Unsupported, "1 is known; the byte order may be wrong")
	}
	if v := p.u16(uint64(l.eEhsize)); int(v) != l.ehsize {
		return p.headerError(l.eEhsize, "e_ehsize", uint64(v), Range, "the header of this class has "+dec(l.ehsize)+" bytes")
	}
	p.typ = Type(p.u16(16))
	p.machine = Machine(p.u16(18))
	p.flags = p.u32(uint64(l.eFlags))
	p.object = p.typ == ET_REL && (p.machine == EM_BPF || p.machine == EM_NONE)
	if p.machine != EM_BPF && p.machine != EM_NONE {
		p.find(0, -1, 18, "e_machine", uint64(p.machine), "not a BPF file")
	}
	return nil
}

// sectionTable finds the section table and the numbers that may stand in its
// first entry (gABI chapter 4, "Extended section header").
func (p *parser) sectionTable() error {
	l, size := p.lay, uint64(len(p.data))
	p.shoff = p.wordAt(uint64(l.eShoff))
	count := uint64(p.u16(uint64(l.eShnum)))
	entsize := p.u16(uint64(l.eShentsize))
	p.shstrndx = int(p.u16(uint64(l.eShstrndx)))
	if p.shoff == 0 {
		if count != 0 || p.shstrndx != 0 {
			return p.headerError(l.eShnum, "e_shnum", count, Range, "there is no section table (e_shoff is 0)")
		}
		return nil
	}
	if int(entsize) != l.shentsize {
		return p.headerError(l.eShentsize, "e_shentsize", uint64(entsize), Range, "a section header of this class has "+dec(l.shentsize)+" bytes")
	}
	if p.shoff > size {
		return p.headerError(l.eShoff, "e_shoff", p.shoff, Range, "past the end of the file, "+dec(len(p.data))+" bytes")
	}
	room := (size - p.shoff) / uint64(l.shentsize)
	extended := count == 0
	if extended && room > 0 {
		count = p.wordAt(p.shoff + uint64(l.shSize))
	}
	switch {
	case room == 0 || count > room:
		return p.headerError(l.eShoff, "e_shoff", p.shoff, Truncated, "the section table of "+udec(count)+" entries runs past the end of the file")
	case count > uint64(p.lim.Sections):
		return p.headerError(l.eShnum, "e_shnum", count, Limit, "more than Limits.Sections, "+dec(p.lim.Sections))
	case count == 0:
		p.find(0, -1, l.eShnum, "e_shnum", 0, "a section table without entries")
	}
	p.nsec = int(count)
	return p.sectionNameTable()
}

// sectionNameTable finds the string table of section names.
func (p *parser) sectionNameTable() error {
	if p.shstrndx == SHN_XINDEX {
		link := p.u32(p.shoff + uint64(p.lay.shLink))
		if uint64(link) >= uint64(p.nsec) {
			return p.sectionError(0, p.lay.shLink, "sh_link", uint64(link), Range, "as e_shstrndx: there are "+dec(p.nsec)+" sections")
		}
		p.shstrndx = int(link)
	}
	if p.shstrndx == SHN_UNDEF {
		return nil
	}
	if p.shstrndx >= p.nsec {
		return p.headerError(p.lay.eShstrndx, "e_shstrndx", uint64(p.shstrndx), Range, "there are "+dec(p.nsec)+" sections")
	}
	table := Section{p.File, p.shstrndx}
	if table.Type() != SHT_STRTAB {
		return p.headerError(p.lay.eShstrndx, "e_shstrndx", uint64(p.shstrndx), Range, "the section is "+table.Type().String()+", not SHT_STRTAB")
	}
	if err := p.checkExtent(table); err != nil {
		return err
	}
	p.names = table.extent()
	return nil
}

// sectionNames checks that each section's name is there and not too long.
func (p *parser) sectionNames() error {
	for i := 0; i < p.nsec; i++ {
		off := p.u32(Section{p.File, i}.at())
		if fault := p.checkName(p.names, off); fault.kind != 0 {
			return p.nameError(fault, i, -1, Section{p.File, i}.at(), "sh_name", off)
		}
	}
	return nil
}

// charge takes n bytes from what may be looked at.
func (p *parser) charge(n uint64, section int) error {
	if n > p.scan {
		return p.sectionError(section, 0, "section", uint64(section), Limit, "tables overlap so much that reading them exceeds Limits.Scan, "+dec(p.lim.Scan)+" × the file")
	}
	p.scan -= n
	return nil
}

// keys is an empty slice for up to n keys.
func (p *parser) keys(n int) []key {
	if cap(p.scratch) < n {
		p.scratch = make([]key, 0, max(n, p.nsec)) // n ≤ records in the file, of at least 16 bytes each
	}
	return p.scratch[:0]
}

// find adds a finding about a section and, if record >= 0, one of its records.
func (p *parser) find(section, record int, at int, field string, value uint64, detail string) {
	p.findAt(section, record, uint64(at), field, value, detail)
}

func (p *parser) findAt(section, record int, at uint64, field string, value uint64, detail string) {
	if len(p.findings) >= p.lim.Findings {
		p.dropped++
		return
	}
	if len(p.findings) == cap(p.findings) { // grow in two steps, to keep the number of allocations small
		n := 16
		if cap(p.findings) != 0 {
			n = p.lim.Findings
		}
		p.findings = append(make([]Finding, 0, min(n, p.lim.Findings)), p.findings...)
	}
	name := ""
	if section != 0 {
		name = Section{p.File, section}.Name()
	}
	if record < 0 && section != 0 {
		record = section
	}
	p.findings = append(p.findings, Finding{Section: name, Index: record, Offset: int64(at), Field: field, Value: value, Detail: detail})
}

// sortFindings puts the findings in the order of their place in the file.
func (p *parser) sortFindings() {
	keys := p.keys(len(p.findings))
	for i, f := range p.findings {
		keys = append(keys, key{uint64(f.Offset), int32(i)})
	}
	slices.SortFunc(keys, compareKeys)
	for to, k := range keys {
		from := k.i
		for from < int32(to) { // it has made room for an earlier one
			from = keys[from].i
		}
		p.findings[to], p.findings[from] = p.findings[from], p.findings[to]
	}
	if p.dropped > 0 {
		last := &p.findings[len(p.findings)-1]
		*last = Finding{Index: -1, Offset: last.Offset, Field: "findings", Value: p.dropped + 1, Detail: "that many more findings, beyond Limits.Findings"}
	}
}
