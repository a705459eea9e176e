package mutate

import (
	"bytes"
	"strconv"

	"github.com/lode-bpf/lode/fuzz/gen"
)

// structureRules change more than one field.
var structureRules = []Rule{
	{"record/duplicate", "repeats a record of a table, and makes room for it", func(s *state) bool { return s.editRecord(true) }},
	{"record/remove", "takes a record out of a table", func(s *state) bool { return s.editRecord(false) }},
	{"record/cut", "ends a table in the middle of a record", (*state).cutRecord},
	{"section/retype", "gives a section the type of another", (*state).retype},
	{"section/alias", "makes two sections stand over the same bytes", (*state).alias},
	{"section/namesake", "gives a section the name of another", (*state).namesake},
	{"section/empty", "takes the contents of a section out of the file", (*state).empty},
	{"section/splice", "replaces the contents of a section by those of another object's section of that name", (*state).splice},
	{"section/graft", "replaces the contents of a section by those of another section", (*state).graft},
	{"file/cut", "ends the file early", (*state).cut},
	{"file/cut-at-section", "ends the file where a section begins or ends", (*state).cutAtSection},
	{"file/append", "appends the beginning of the file to its end", (*state).appendSelf},
	{"file/class", "claims the other class: 32 bits for 64", func(s *state) bool { return s.ident(4, "e_ident[EI_CLASS]") }},
	{"file/order", "claims the other byte order", func(s *state) bool { return s.ident(5, "e_ident[EI_DATA]") }},
	{"string/no-end", "overwrites the final NUL of a string table", (*state).noEnd},
	{"string/hostile", "overwrites a string by one that hurts as a path or on a terminal", (*state).hostile},
	{"btf-type/loop", "makes a BTF type refer to itself", (*state).loop},
	{"btf-type/kind", "gives a BTF type another kind", (*state).kind},
	{"insn/half", "leaves only one half of a wide load", (*state).half},
}

// tableSizes are the sizes of records by section type, for both classes.
func (s *state) entsize(x section) int {
	switch x.typ {
	case shtSymtab:
		return s.recordSize(16, 24)
	case shtRel:
		return s.recordSize(8, 16)
	case shtRela:
		return s.recordSize(12, 24)
	}
	return 0
}

// anyRecord is one record of one of the tables.
func (s *state) anyRecord() (at, size int, of string, ok bool) {
	i, ok := s.anySection(func(x section) bool { n := s.entsize(x); return n > 0 && x.size >= n })
	if !ok {
		return 0, 0, "", false
	}
	size = s.entsize(s.secs[i])
	n := s.n(s.secs[i].size / size)
	return s.secs[i].off + n*size, size, "record " + strconv.Itoa(n) + " of section " + strconv.Itoa(i), true
}

func (s *state) editRecord(duplicate bool) bool {
	at, size, of, ok := s.anyRecord()
	if !ok {
		return false
	}
	if duplicate {
		s.resize(at+size, 0, bytes.Clone(s.b[at:at+size]))
	} else {
		s.resize(at, size, nil)
	}
	return s.did(of, at, 0, 0)
}

func (s *state) cutRecord() bool {
	at, size, of, ok := s.anyRecord()
	if !ok {
		return false
	}
	n := 1 + s.n(size-1)
	s.resize(at+size-n, n, nil)
	return s.did(of, at, uint64(size), uint64(size-n))
}

// two are the same field of two sections.
func (s *state) two(column int) (a, b field, ok bool) {
	if len(s.secs) < 2 {
		return field{}, field{}, false
	}
	i := s.n(len(s.secs))
	j := (i + 1 + s.n(len(s.secs)-1)) % len(s.secs)
	a, b = s.column(sectionColumns[column], s.secs[i].header), s.column(sectionColumns[column], s.secs[j].header)
	a.name += " of section " + strconv.Itoa(i)
	return a, b, true
}

// copyField gives one section the value that another has.
func (s *state) copyField(column int) bool {
	for range 8 {
		a, b, ok := s.two(column)
		if !ok {
			return false
		}
		if old, v := s.get(a), s.get(b); old != v {
			s.put(a, v)
			return s.did(a.name, a.at, old, v)
		}
	}
	return false
}

func (s *state) retype() bool   { return s.copyField(1) }
func (s *state) namesake() bool { return s.copyField(0) }
func (s *state) alias() bool    { return s.copyField(4) }

func hasContents(x section) bool { return x.size > 0 }

// replace puts other contents into a section.
func (s *state) replace(i int, with []byte) bool {
	x := s.secs[i]
	s.resize(x.off, x.size, with)
	return s.did("contents of section "+strconv.Itoa(i), x.off, uint64(x.size), uint64(len(with)))
}

func (s *state) empty() bool {
	i, ok := s.anySection(hasContents)
	return ok && s.replace(i, nil)
}

func (s *state) splice() bool {
	donor := newImage(gen.New(s.src.Uint64()).Object(gen.Profile{ByteOrder: s.order}))
	i, ok := s.anySection(func(x section) bool { return x.size > 0 && x.name != "" && donor.find(x.name) >= 0 })
	return ok && s.replace(i, bytes.Clone(donor.contents(donor.find(s.secs[i].name))))
}

func (s *state) graft() bool {
	i, ok := s.anySection(hasContents)
	if !ok {
		return false
	}
	j, ok := s.anySection(func(x section) bool { return x.size > 0 && x.off != s.secs[i].off })
	return ok && s.replace(i, bytes.Clone(s.contents(j)))
}

func (s *state) cutTo(n int) bool {
	if n >= len(s.b) {
		return false
	}
	old := len(s.b)
	s.b = s.b[:n]
	return s.did("length of the file", n, uint64(old), uint64(n))
}

func (s *state) cut() bool { return len(s.b) > 0 && s.cutTo(s.n(len(s.b))) }

func (s *state) cutAtSection() bool {
	i, ok := s.anySection(hasContents)
	return ok && s.cutTo(s.secs[i].off+s.n(2)*s.secs[i].size)
}

func (s *state) appendSelf() bool {
	if len(s.b) == 0 {
		return false
	}
	old := len(s.b)
	s.b = append(s.b, s.b[:1+s.n(min(old, 4096))]...)
	return s.did("length of the file", old, uint64(old), uint64(len(s.b)))
}

// ident exchanges 1 and 2 in a byte of e_ident.
func (s *state) ident(at int, name string) bool {
	if len(s.b) <= at {
		return false
	}
	old := s.b[at]
	s.b[at] ^= 3
	return s.did(name, at, uint64(old), uint64(s.b[at]))
}

func isStrings(x section) bool { return x.typ == shtStrtab && x.size > 0 }

func (s *state) noEnd() bool {
	i, ok := s.anySection(isStrings)
	if !ok {
		return false
	}
	at := s.secs[i].off + s.secs[i].size - 1
	old := s.b[at]
	s.b[at] = 'x'
	return old != 'x' && s.did("end of string table "+strconv.Itoa(i), at, uint64(old), 'x')
}

// hostileNames are what a name must never do harm as.
var hostileNames = []string{"..", "../x", "/", "a/b", "\x1b[2J", "\n", "%s%n", "\xff\xfe", "."}

func (s *state) hostile() bool {
	i, ok := s.anySection(isStrings)
	if !ok {
		return false
	}
	table := s.contents(i)
	at := s.n(len(table))
	if n := bytes.IndexByte(table[at:], 0); n >= 0 && at+n+1 < len(table) {
		at += n + 1 // the beginning of a string
	}
	name := hostileNames[s.n(len(hostileNames))]
	old := bytes.Clone(table)
	n := copy(table[at:len(table)-1], name)
	return !bytes.Equal(old, table) && s.did("string at "+strconv.Itoa(at)+" of section "+strconv.Itoa(i), s.secs[i].off+at, 0, uint64(n))
}

func (s *state) loop() bool {
	types := s.btfTypes()
	if len(types) == 0 {
		return false
	}
	n := s.n(len(types))
	at := types[n].at + 8
	switch types[n].kind {
	case 3: // the elements of an array
		at = types[n].at + 12
	case 4, 5: // the type of the first member
		at = types[n].at + 16
	}
	f := s.wordAt(at, "type", " of type "+strconv.Itoa(n+1))
	old := s.get(f)
	if !s.inFile(f) || old == uint64(n+1) {
		return false
	}
	s.put(f, uint64(n+1))
	return s.did(f.name, f.at, old, uint64(n+1))
}

func (s *state) kind() bool {
	types := s.btfTypes()
	if len(types) == 0 {
		return false
	}
	n := s.n(len(types))
	f := s.wordAt(types[n].at+4, "kind", " of type "+strconv.Itoa(n+1))
	old := s.get(f)
	v := old&^(0x7f<<24) | uint64(s.n(21))<<24
	s.put(f, v)
	return v != old && s.did(f.name, f.at, old, v)
}

// half removes one slot of a wide load.
func (s *state) half() bool {
	const loadWide = 0x18
	i, ok := s.anySection(func(x section) bool {
		return x.size >= 16 && s.get(s.column(sectionColumns[2], x.header))&4 != 0 && bytes.IndexByte(s.b[x.off:x.off+x.size], loadWide) >= 0
	})
	if !ok {
		return false
	}
	var at []int
	for p := s.secs[i].off; p+16 <= s.secs[i].off+s.secs[i].size; p += 8 {
		if s.b[p] == loadWide {
			at = append(at, p)
			p += 8
		}
	}
	if len(at) == 0 {
		return false
	}
	p := at[s.n(len(at))]
	s.resize(p+8*s.n(2), 8, nil)
	return s.did("wide load in section "+strconv.Itoa(i), p, 16, 8)
}
