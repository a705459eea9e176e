package mutate

import "strconv"

// A family is a kind of record whose fields the field rules break.
type family struct {
	name string
	doc  string
	pick func(*state) (list []field, ok bool) // the fields of one record, which the state decides
	one  bool                                 // there is one such record: its fields trade values with each other
}

var families = []family{
	{"header", "the ELF header", func(s *state) ([]field, bool) { return s.record(headerColumns, 0, "") }, true},
	{"section", "a section header", func(s *state) ([]field, bool) {
		if len(s.secs) == 0 {
			return nil, false
		}
		i := s.n(len(s.secs))
		return s.record(sectionColumns, s.secs[i].header, " of section "+strconv.Itoa(i))
	}, false},
	{"symbol", "an entry of a symbol table", func(s *state) ([]field, bool) {
		return s.tableRecord(symbolColumns, s.recordSize(16, 24), "symbol", func(x section) bool { return x.typ == shtSymtab })
	}, false},
	{"rel", "a relocation record without addend", func(s *state) ([]field, bool) {
		return s.tableRecord(relColumns, s.recordSize(8, 16), "record", func(x section) bool { return x.typ == shtRel })
	}, false},
	{"rela", "a relocation record with addend", func(s *state) ([]field, bool) {
		return s.tableRecord(relaColumns, s.recordSize(12, 24), "record", func(x section) bool { return x.typ == shtRela })
	}, false},
	{"btf-header", "the header of .BTF", func(s *state) ([]field, bool) { return s.btfHeader(".BTF", btfHeaderFields) }, true},
	{"btf-type", "a type in .BTF", (*state).btfType, false},
	{"ext-header", "the header of .BTF.ext", func(s *state) ([]field, bool) { return s.btfHeader(".BTF.ext", extHeaderFields) }, true},
	{"ext-word", "a number in the tables of .BTF.ext", (*state).extWord, false},
	{"insn", "an instruction", (*state).instruction, false},
}

// record are the fields of a record that are in the file.
func (s *state) record(columns []column, at int, of string) (list []field, ok bool) {
	for _, c := range columns {
		f := s.column(c, at)
		f.name += of
		if s.inFile(f) {
			list = append(list, f)
		}
	}
	return list, len(list) > 0
}

// tableRecord are the fields of one record of one of the tables that match.
func (s *state) tableRecord(columns []column, size int, what string, match func(section) bool) ([]field, bool) {
	i, ok := s.anySection(func(x section) bool { return match(x) && x.size >= size })
	if !ok {
		return nil, false
	}
	n := s.n(s.secs[i].size / size)
	return s.record(columns, s.secs[i].off+n*size, " of "+what+" "+strconv.Itoa(n)+" in section "+strconv.Itoa(i))
}

// anySection is one of the sections that match.
func (s *state) anySection(match func(section) bool) (int, bool) {
	var list []int
	for i, x := range s.secs {
		if match(x) {
			list = append(list, i)
		}
	}
	if len(list) == 0 {
		return 0, false
	}
	return list[s.n(len(list))], true
}

// A change is a way to choose a new value for a field.
type change struct {
	name  string
	doc   string
	value func(s *state, f field, old uint64) uint64
}

// size is the length that bounds a field: of the contents of some section, or
// of the file.
func (s *state) size() uint64 {
	if i := s.n(len(s.secs) + 1); i < len(s.secs) {
		return uint64(s.secs[i].size)
	}
	return uint64(len(s.b))
}

var changes = []change{
	{"zero", "0", func(*state, field, uint64) uint64 { return 0 }},
	{"one", "1", func(*state, field, uint64) uint64 { return 1 }},
	{"max", "all bits set", func(*state, field, uint64) uint64 { return ^uint64(0) }},
	{"sign", "only the highest bit set", func(_ *state, f field, _ uint64) uint64 { return 1 << (8*f.size - 1) }},
	{"inc", "one more", func(_ *state, _ field, old uint64) uint64 { return old + 1 }},
	{"dec", "one less", func(_ *state, _ field, old uint64) uint64 { return old - 1 }},
	{"len", "the length of the file or of a section", func(s *state, _ field, _ uint64) uint64 { return s.size() }},
	{"len-plus-1", "that length and one more", func(s *state, _ field, _ uint64) uint64 { return s.size() + 1 }},
	{"len-minus-1", "that length less one", func(s *state, _ field, _ uint64) uint64 { return s.size() - 1 }},
	{"wrap", "so large that adding the length wraps to a small number", func(s *state, _ field, _ uint64) uint64 { return -s.size() + 8 }},
	{"offset", "where another section stands", func(s *state, _ field, old uint64) uint64 {
		if len(s.secs) == 0 {
			return old
		}
		return uint64(s.secs[s.n(len(s.secs))].off)
	}},
	{"index", "the number of another section", func(s *state, _ field, _ uint64) uint64 { return uint64(s.n(len(s.secs) + 1)) }},
	{"bit", "one bit flipped", func(s *state, f field, old uint64) uint64 { return old ^ 1<<s.n(8*f.size) }},
	{"self", "its own place in the file", func(_ *state, f field, _ uint64) uint64 { return uint64(f.at) }},
}

// fieldRules is every change in every family.
func fieldRules() (list []Rule) {
	for _, fam := range families {
		for _, c := range changes {
			list = append(list, Rule{Name: fam.name + "/" + c.name, Doc: "sets a field of " + fam.doc + " to: " + c.doc, apply: func(s *state) bool {
				return s.changeField(fam, c)
			}})
		}
		list = append(list, Rule{Name: fam.name + "/swap", Doc: "exchanges two numbers, between two records where there are two: " + fam.doc, apply: func(s *state) bool {
			return s.swapFields(fam)
		}})
	}
	return list
}

// changeField sets one field; if it has that value already, another.
func (s *state) changeField(fam family, c change) bool {
	list, ok := fam.pick(s)
	if !ok {
		return false
	}
	first := s.n(len(list))
	for i := range list {
		f := list[(first+i)%len(list)]
		old := s.get(f)
		s.put(f, c.value(s, f, old))
		if now := s.get(f); now != old {
			return s.did(f.name, f.at, old, now)
		}
	}
	return false
}

// swapFields exchanges a field of two records that differ in it.
func (s *state) swapFields(fam family) bool {
	for range 8 {
		a, okA := fam.pick(s)
		b, okB := fam.pick(s)
		if !okA || !okB {
			return false
		}
		first := s.n(len(a))
		for i := range a {
			f := a[(first+i)%len(a)]
			for _, g := range b {
				if f.kind != g.kind && !fam.one || f.size != g.size || s.get(f) == s.get(g) {
					continue
				}
				v, w := s.get(f), s.get(g)
				s.put(f, w)
				s.put(g, v)
				return s.did(f.name+" and "+g.name, f.at, v, w)
			}
		}
	}
	return false
}
