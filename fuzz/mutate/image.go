package mutate

import (
	"bytes"
	"encoding/binary"
)

// An image is an object with the places of what can be broken. It is read
// leniently: what is not in the file is left out.
type image struct {
	b     []byte
	order binary.ByteOrder
	word  int // bytes in an address
	secs  []section
}

// A section is one entry of the section table.
type section struct {
	header    int // place of the entry
	off, size int // contents, cut to the file; 0, 0 if there are none
	typ       uint32
	name      string
}

// A field is one number in the object.
type field struct {
	name string // with the number of the record
	kind string // without: fields of one kind may trade values
	at   int
	size int // in bytes
}

// A column is a field of a record, for both classes.
type column struct {
	name           string
	at32, at64     int
	size32, size64 int
}

// The layouts of System V ABI, chapters 4 and 5.
var (
	headerColumns = []column{
		{"e_type", 16, 16, 2, 2}, {"e_machine", 18, 18, 2, 2}, {"e_version", 20, 20, 4, 4}, {"e_entry", 24, 24, 4, 8},
		{"e_phoff", 28, 32, 4, 8}, {"e_shoff", 32, 40, 4, 8}, {"e_flags", 36, 48, 4, 4}, {"e_ehsize", 40, 52, 2, 2},
		{"e_phentsize", 42, 54, 2, 2}, {"e_phnum", 44, 56, 2, 2}, {"e_shentsize", 46, 58, 2, 2}, {"e_shnum", 48, 60, 2, 2},
		{"e_shstrndx", 50, 62, 2, 2},
	}
	sectionColumns = []column{
		{"sh_name", 0, 0, 4, 4}, {"sh_type", 4, 4, 4, 4}, {"sh_flags", 8, 8, 4, 8}, {"sh_addr", 12, 16, 4, 8},
		{"sh_offset", 16, 24, 4, 8}, {"sh_size", 20, 32, 4, 8}, {"sh_link", 24, 40, 4, 4}, {"sh_info", 28, 44, 4, 4},
		{"sh_addralign", 32, 48, 4, 8}, {"sh_entsize", 36, 56, 4, 8},
	}
	symbolColumns = []column{
		{"st_name", 0, 0, 4, 4}, {"st_info", 12, 4, 1, 1}, {"st_other", 13, 5, 1, 1}, {"st_shndx", 14, 6, 2, 2},
		{"st_value", 4, 8, 4, 8}, {"st_size", 8, 16, 4, 8},
	}
	relColumns  = []column{{"r_offset", 0, 0, 4, 8}, {"r_info", 4, 8, 4, 8}}
	relaColumns = append(relColumns[:2:2], column{"r_addend", 8, 16, 4, 8})
)

// Section types (sh_type) that the rules know.
const (
	shtSymtab = 2
	shtStrtab = 3
	shtRela   = 4
	shtNobits = 8
	shtRel    = 9
)

// maxSections bounds the work on a table that claims to be long.
const maxSections = 4096

func newImage(b []byte) *image {
	m := &image{b: b, order: binary.LittleEndian, word: 8}
	if len(b) < 52 || string(b[:4]) != "\x7fELF" {
		return m
	}
	if b[4] == 1 {
		m.word = 4
	}
	if b[5] == 2 {
		m.order = binary.BigEndian
	}
	table := m.get(m.column(headerColumns[5], 0))
	count := int(m.get(m.column(headerColumns[11], 0)))
	size := m.recordSize(40, 64)
	for i := 0; i < min(count, maxSections) && table <= uint64(len(b)-size); i++ {
		at := int(table) + i*size
		if at > len(b)-size {
			break
		}
		s := section{header: at, typ: uint32(m.get(m.column(sectionColumns[1], at)))}
		off, n := m.get(m.column(sectionColumns[4], at)), m.get(m.column(sectionColumns[5], at))
		if s.typ != 0 && s.typ != shtNobits && off < uint64(len(b)) {
			s.off, s.size = int(off), int(min(n, uint64(len(b))-off))
		}
		m.secs = append(m.secs, s)
	}
	m.nameSections()
	return m
}

func (m *image) nameSections() {
	names := int(m.get(m.column(headerColumns[12], 0)))
	if names >= len(m.secs) {
		return
	}
	table := m.contents(names)
	for i := range m.secs {
		at := m.get(m.column(sectionColumns[0], m.secs[i].header))
		if at < uint64(len(table)) {
			name, _, _ := bytes.Cut(table[at:min(at+64, uint64(len(table)))], []byte{0})
			m.secs[i].name = string(name)
		}
	}
}

// contents are the bytes of a section.
func (m *image) contents(i int) []byte { return m.b[m.secs[i].off:][:m.secs[i].size] }

func (m *image) recordSize(n32, n64 int) int {
	if m.word == 4 {
		return n32
	}
	return n64
}

// column places a field of the record at a place.
func (m *image) column(c column, record int) field {
	f := field{name: c.name, kind: c.name, at: record + c.at64, size: c.size64}
	if m.word == 4 {
		f.at, f.size = record+c.at32, c.size32
	}
	return f
}

func (m *image) inFile(f field) bool {
	return f.at >= 0 && f.size <= len(m.b) && f.at <= len(m.b)-f.size
}

// get is the value of a field, 0 if it is not in the file.
func (m *image) get(f field) uint64 {
	if !m.inFile(f) {
		return 0
	}
	switch b := m.b[f.at:]; f.size {
	case 1:
		return uint64(b[0])
	case 2:
		return uint64(m.order.Uint16(b))
	case 4:
		return uint64(m.order.Uint32(b))
	}
	return m.order.Uint64(m.b[f.at:])
}

func (m *image) put(f field, v uint64) {
	switch b := m.b[f.at:]; f.size {
	case 1:
		b[0] = byte(v)
	case 2:
		m.order.PutUint16(b, uint16(v))
	case 4:
		m.order.PutUint32(b, uint32(v))
	default:
		m.order.PutUint64(b, v)
	}
}

// find is the number of the first section of a name, -1 if there is none.
func (m *image) find(name string) int {
	for i, s := range m.secs {
		if s.name == name && s.size > 0 {
			return i
		}
	}
	return -1
}

// resize puts other bytes in the place of n bytes at a place, and moves what
// stands behind: the section table, the contents of sections, and the size of
// the section that the place is in.
func (m *image) resize(at, n int, with []byte) {
	grow := len(with) - n
	for _, s := range m.secs {
		off, size := m.column(sectionColumns[4], s.header), m.column(sectionColumns[5], s.header)
		switch {
		case s.size > 0 && s.off <= at && at <= s.off+s.size && at+n <= s.off+s.size:
			m.put(size, uint64(s.size+grow))
		case s.off >= at+n && s.size > 0:
			m.put(off, uint64(s.off+grow))
		}
	}
	if table := m.column(headerColumns[5], 0); m.get(table) >= uint64(at+n) && m.get(table) < uint64(len(m.b)) {
		m.put(table, m.get(table)+uint64(grow))
	}
	m.b = append(m.b[:at:at], append(with, m.b[at+n:]...)...)
}
