package elf

import "slices"

// checkNotes looks for note records that are cut off.
func (p *parser) checkNotes() error {
	for i := 1; i < p.nsec; i++ {
		s := Section{p.File, i}
		if s.Type() != SHT_NOTE {
			continue
		}
		if err := p.charge(s.Size(), i); err != nil {
			return err
		}
		e := s.extent()
		if at := p.notes(e, s.Addralign(), func(Note) bool { return true }); at != e.off+e.size {
			p.findAt(i, -1, at, "note", uint64(p.u32(at)), "the note record runs past the end of its section")
		}
	}
	return nil
}

// layoutFindings finds the program headers and reports what overlaps and what
// belongs to nothing.
func (p *parser) layoutFindings() error {
	end := max(uint64(p.lay.ehsize), p.segments())
	tableEnd := p.shoff + uint64(p.nsec)*uint64(p.lay.shentsize)
	end = max(end, tableEnd)

	// The section table counts as section 0 and the ELF header as -1.
	keys := p.keys(p.nsec + 1)
	keys = append(keys, key{0, -1})
	for i := 0; i < p.nsec; i++ {
		s := Section{p.File, i}
		switch e := s.extent(); {
		case i == 0:
			keys = append(keys, key{p.shoff, 0})
		case e.size > 0:
			keys = append(keys, key{e.off, int32(i)})
			end = max(end, e.off+e.size)
		}
	}
	slices.SortFunc(keys, compareKeys)
	reached, by := uint64(0), int32(-1)
	for _, k := range keys {
		e := extent{0, uint64(p.lay.ehsize)}
		switch {
		case k.i == 0:
			e = extent{p.shoff, tableEnd - p.shoff}
		case k.i > 0:
			e = Section{p.File, int(k.i)}.extent()
		}
		if k.by < reached {
			p.overlap(k.i, by)
		}
		if e.off+e.size > reached {
			reached, by = e.off+e.size, k.i
		}
	}
	if size := uint64(len(p.data)); end < size {
		p.findAt(0, -1, end, "file", size-end, "bytes at the end of the file that belong to nothing")
	}
	return nil
}

// overlap reports that section i starts within section by.
func (p *parser) overlap(i, by int32) {
	detail := "the section shares bytes with another"
	switch {
	case i <= 0:
		i, detail = by, "the section lies over the section table"
	case by == 0:
		detail = "the section lies over the section table"
	case by < 0:
		detail = "the section lies over the ELF header"
	}
	if i <= 0 {
		p.find(0, -1, p.lay.eShoff, "e_shoff", p.shoff, "the section table lies over the ELF header")
		return
	}
	s := Section{p.File, int(i)}
	p.find(int(i), -1, int(s.at())+p.lay.shOffset, "sh_offset", s.Offset(), detail)
}

// segments finds the program headers, which nobody needs to read an object, and
// returns where they end.
func (p *parser) segments() uint64 {
	l, size := p.lay, uint64(len(p.data))
	off, count := p.wordAt(uint64(l.ePhoff)), uint64(p.u16(uint64(l.ePhnum)))
	entsize := p.u16(uint64(l.ePhentsize))
	if count == 0 {
		return 0
	}
	if count == 0xffff && p.nsec > 0 { // PN_XNUM: the number is in the first section header
		count = uint64(p.u32(p.shoff + uint64(l.shInfo)))
	}
	switch {
	case int(entsize) != l.phentsize:
		p.find(0, -1, l.ePhentsize, "e_phentsize", uint64(entsize), "a program header of this class has another size; they are not read")
		return 0
	case off > size || count > (size-off)/uint64(l.phentsize):
		p.find(0, -1, l.ePhoff, "e_phoff", off, "the program headers run past the end of the file; they are not read")
		return 0
	}
	p.phoff, p.nph = off, int(count)
	return off + count*uint64(l.phentsize)
}

// compareKeys orders by number, then by what it belongs to.
func compareKeys(a, b key) int {
	switch {
	case a.by < b.by:
		return -1
	case a.by > b.by:
		return 1
	}
	return int(a.i) - int(b.i)
}
