package elf

import (
	"encoding/binary"
	"slices"
)

// A writer turns the sections of a Builder, of which it has a copy, into bytes.
type writer struct {
	Builder
	lay     *layout
	order   binary.ByteOrder
	symtab  int // section numbers; 0 if there is none
	xindex  int
	strings map[int]*stringTable // by section
}

// addTables appends the tables that the object needs and the caller left out.
func (w *writer) addTables() {
	find := func(typ SectionType) int {
		return 1 + slices.IndexFunc(w.sections, func(s building) bool { return s.table && s.Type == typ })
	}
	w.symtab = find(SHT_SYMTAB)
	named, extended := false, false
	for _, s := range w.sections {
		named = named || s.Name != ""
	}
	for _, s := range w.symbols {
		extended = extended || !s.Reserved && s.Section >= SHN_LORESERVE
	}
	if w.symtab == 0 && (len(w.symbols) > 0 || find(SHT_REL) != 0 || find(SHT_RELA) != 0) {
		w.symtab = w.add(building{SectionDef: SectionDef{Name: ".symtab", Type: SHT_SYMTAB, Addralign: uint64(w.lay.word)}, table: true})
		named = true
	}
	w.xindex = find(SHT_SYMTAB_SHNDX)
	if w.xindex == 0 && extended {
		w.xindex = w.add(building{SectionDef: SectionDef{Name: ".symtab_shndx", Type: SHT_SYMTAB_SHNDX, Addralign: 4}, table: true})
	}
	strtab := 0
	if w.symtab != 0 {
		strtab = int(w.sections[w.symtab-1].Link)
	}
	if strtab == 0 && w.symtab != 0 || w.shstrndx == 0 && named {
		made := w.add(building{SectionDef: SectionDef{Name: ".strtab", Type: SHT_STRTAB, Addralign: 1}, table: true})
		if strtab == 0 {
			strtab = made
		}
		if w.shstrndx == 0 {
			w.shstrndx = made
		}
	}
	if w.symtab != 0 {
		w.sections[w.symtab-1].Link = uint32(strtab)
	}
	for _, i := range [...]int{strtab, w.shstrndx} {
		if i != 0 && i <= len(w.sections) && w.sections[i-1].table {
			w.strings[i] = &stringTable{data: []byte{0}, at: map[string]uint32{}}
		}
	}
}

func (w *writer) add(s building) int {
	w.sections = append(w.sections, s)
	return len(w.sections)
}

// fillTables makes the contents of symbol and relocation tables; what they need
// of string tables is collected on the way.
func (w *writer) fillTables() error {
	for i := range w.sections {
		s := &w.sections[i]
		if !s.table {
			continue
		}
		switch {
		case i+1 == w.symtab:
			if err := w.symbolTable(s); err != nil {
				return err
			}
		case s.Type == SHT_REL || s.Type == SHT_RELA:
			if err := w.relocTable(s, i+1); err != nil {
				return err
			}
		}
	}
	return nil
}

// symbolTable makes the symbol table and the table of extended section numbers.
func (w *writer) symbolTable(s *building) error {
	l := w.lay
	names := w.strings[int(s.Link)]
	if names == nil {
		return builderError(s.Name, w.symtab, "sh_link", uint64(s.Link), Range, "a string table without Data is expected")
	}
	data := make([]byte, (len(w.symbols)+1)*l.symsize)
	extended := make([]byte, (len(w.symbols)+1)*4)
	locals := 1
	for i, sym := range w.symbols {
		rec := data[(i+1)*l.symsize:]
		off, err := names.add(sym.Name)
		if err != nil {
			return err
		}
		w.order.PutUint32(rec, off)
		rec[l.stInfo] = uint8(sym.Bind)<<4 | uint8(sym.Type)&0xf
		rec[l.stOther] = sym.Other
		shndx := uint16(sym.Section)
		if !sym.Reserved && sym.Section >= SHN_LORESERVE {
			shndx = SHN_XINDEX
			w.order.PutUint32(extended[4*(i+1):], uint32(sym.Section))
		}
		w.order.PutUint16(rec[l.stShndx:], shndx)
		if !w.putWord(rec[l.stValue:], sym.Value) || !w.putWord(rec[l.stSize:], sym.Size) {
			return builderError(s.Name, i+1, "st_value", sym.Value, Range, "value and size have 32 bits in this class")
		}
		if sym.Bind == STB_LOCAL {
			locals = i + 2
		}
	}
	s.Data, s.Entsize, s.Info = data, uint64(l.symsize), uint32(locals)
	if w.xindex != 0 {
		x := &w.sections[w.xindex-1]
		x.Data, x.Entsize, x.Link = extended, 4, uint32(w.symtab)
	}
	return nil
}

// relocTable makes a table of relocation records.
func (w *writer) relocTable(s *building, index int) error {
	l, size := w.lay, w.lay.relsize
	if s.Type == SHT_RELA {
		size = l.relasize
	}
	s.Data, s.Entsize, s.Link = make([]byte, len(s.relocs)*size), uint64(size), uint32(w.symtab)
	for i, r := range s.relocs {
		rec := s.Data[i*size:]
		fits := w.putWord(rec, r.Offset)
		info := rec[l.rInfo:]
		switch {
		case l.word == 4:
			fits = fits && r.Symbol >= 0 && r.Symbol < 1<<24 && r.Type < 1<<8
			w.order.PutUint32(info, uint32(r.Symbol)<<8|r.Type)
		case w.Machine == EM_MIPS:
			w.order.PutUint32(info, uint32(r.Symbol))
			binary.BigEndian.PutUint32(info[4:], r.Type)
		default:
			w.order.PutUint64(info, uint64(uint32(r.Symbol))<<32|uint64(r.Type))
		}
		if s.Type == SHT_RELA {
			fits = fits && (l.word == 8 || r.Addend == int64(int32(r.Addend)))
			w.putWord(rec[l.rAddend:], uint64(r.Addend)) // the low half in the smaller class
		}
		if !fits {
			return builderError(s.Name, i, "r_info", uint64(r.Type), Range, "the record of section "+dec(index)+" does not fit into this class")
		}
	}
	return nil
}

// write lays out the ELF header, the contents, and the section table.
func (w *writer) write() ([]byte, error) {
	l := w.lay
	names := make([]uint32, len(w.sections))
	for i, s := range w.sections {
		if s.Name == "" {
			continue
		}
		table := w.strings[w.shstrndx]
		if table == nil {
			return nil, builderError(s.Name, i+1, "e_shstrndx", uint64(w.shstrndx), Range, "a string table without Data is expected")
		}
		off, err := table.add(s.Name)
		if err != nil {
			return nil, err
		}
		names[i] = off
	}
	for i, t := range w.strings {
		w.sections[i-1].Data = t.data
	}
	out := make([]byte, l.ehsize)
	places := make([]uint64, len(w.sections))
	for i, s := range w.sections {
		if a := s.Addralign; a > 1 && a <= 4096 && a&(a-1) == 0 {
			out = append(out, make([]byte, int(roundUp(uint64(len(out)), a))-len(out))...)
		}
		places[i] = uint64(len(out))
		out = append(out, s.Data...)
	}
	if len(w.sections) == 0 {
		w.ehdr(out, 0, 0)
		return out, nil
	}
	out = append(out, make([]byte, int(roundUp(uint64(len(out)), uint64(l.word)))-len(out))...)
	shoff, count := len(out), len(w.sections)+1
	out = append(out, make([]byte, count*l.shentsize)...)
	w.ehdr(out, shoff, count)
	first := out[shoff:]
	if count >= SHN_LORESERVE {
		w.putWord(first[l.shSize:], uint64(count))
	}
	if w.shstrndx >= SHN_LORESERVE {
		w.order.PutUint32(first[l.shLink:], uint32(w.shstrndx))
	}
	for i, s := range w.sections {
		if !w.shdr(out[shoff+(i+1)*l.shentsize:], s, names[i], places[i]) {
			return nil, builderError(s.Name, i+1, "sh_size", s.Size, Range, "flags, address, size and alignment have 32 bits in this class")
		}
	}
	if l.word == 4 && uint64(len(out)) >= 1<<32 {
		return nil, builderError("", -1, "file size", uint64(len(out)), Range, "offsets have 32 bits in this class")
	}
	return out, nil
}

// ehdr writes the ELF header.
func (w *writer) ehdr(out []byte, shoff, count int) {
	l := w.lay
	copy(out, "\x7fELF")
	out[4], out[5], out[6] = 2, 1, 1
	if l.word == 4 {
		out[4] = 1
	}
	if w.order.Uint16([]byte{0, 1}) == 1 {
		out[5] = 2
	}
	w.order.PutUint16(out[16:], uint16(w.Type))
	w.order.PutUint16(out[18:], uint16(w.Machine))
	w.order.PutUint32(out[20:], 1)
	w.putWord(out[l.eShoff:], uint64(shoff))
	w.order.PutUint32(out[l.eFlags:], w.Flags)
	w.order.PutUint16(out[l.eEhsize:], uint16(l.ehsize))
	w.order.PutUint16(out[l.eShentsize:], uint16(l.shentsize))
	if count < SHN_LORESERVE {
		w.order.PutUint16(out[l.eShnum:], uint16(count))
	}
	shstrndx := w.shstrndx
	if shstrndx >= SHN_LORESERVE {
		shstrndx = SHN_XINDEX
	}
	w.order.PutUint16(out[l.eShstrndx:], uint16(shstrndx))
}

// shdr writes a section header and reports whether everything fits.
func (w *writer) shdr(rec []byte, s building, name uint32, place uint64) bool {
	l := w.lay
	size := uint64(len(s.Data))
	if s.Data == nil && (s.Type == SHT_NOBITS || s.Type == SHT_NULL) {
		size = s.Size
	}
	w.order.PutUint32(rec, name)
	w.order.PutUint32(rec[4:], uint32(s.Type))
	w.order.PutUint32(rec[l.shLink:], s.Link)
	w.order.PutUint32(rec[l.shInfo:], s.Info)
	ok := w.putWord(rec[8:], uint64(s.Flags))
	ok = w.putWord(rec[l.shAddr:], s.Addr) && ok
	ok = w.putWord(rec[l.shOffset:], place) && ok
	ok = w.putWord(rec[l.shSize:], size) && ok
	ok = w.putWord(rec[l.shAddralign:], s.Addralign) && ok
	return w.putWord(rec[l.shEntsize:], s.Entsize) && ok
}

// putWord writes a field of the class's width and reports whether v fits.
func (w *writer) putWord(b []byte, v uint64) bool {
	if w.lay.word == 4 {
		w.order.PutUint32(b, uint32(v))
		return v>>32 == 0
	}
	w.order.PutUint64(b, v)
	return true
}
