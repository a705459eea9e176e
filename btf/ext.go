package btf

import (
	"bytes"
	"sort"
)

// An Ext is the content of a .BTF.ext section: for each code section of the
// object file which instruction begins which function, which source line, and
// which one is to be relocated by CO-RE. It keeps the input and reads from it
// on demand; it is immutable.
//
// The format is described in Documentation/bpf/btf.rst, section 4.2. Records
// longer than those known here are accepted; what is known is read.
type Ext struct {
	raw   []byte
	be    bool
	strs  *Spec
	parts [3]extPart
}

// extPart is one of the three tables.
type extPart struct {
	recSize int
	records int
	blocks  []extBlock
}

// extBlock is the records of one section in one table. A section may have
// several. After parsing, blocks are sorted by section, and otherwise in the
// order of the file.
type extBlock struct {
	section string
	at      uint32 // of the first record in the data
	n       uint32 // number of records
	first   uint32 // number of the first record in the whole table
}

const (
	partFuncs = iota
	partLines
	partCORE
)

// extParts is the table of what .BTF.ext can hold.
var extParts = [...]struct {
	name string
	min  int // size of the known record
}{
	partFuncs: {"func_info", 8},
	partLines: {"line_info", 16},
	partCORE:  {"core_relo", 16},
}

// extHeaderLen is the length of the oldest header, without core_relo.
const extHeaderLen = 24

// A FuncInfo says that a function begins at an instruction (struct
// bpf_func_info).
type FuncInfo struct {
	Off  uint32 // of the instruction in its section, in bytes
	Type TypeID // a Func
}

// A LineInfo says that a source line begins at an instruction (struct
// bpf_line_info). Names and text are offsets in the BTF string section.
type LineInfo struct {
	Off     uint32 // of the instruction in its section, in bytes
	FileOff uint32 // name of the source file
	LineOff uint32 // text of the line
	LineCol uint32 // line number << 10 | column
}

// A CORERecord asks for a value that depends on the kernel's types to be
// written into an instruction (struct bpf_core_relo).
type CORERecord struct {
	Off       uint32 // of the instruction in its section, in bytes
	Type      TypeID // root type of the access, in the object's BTF
	AccessOff uint32 // access string, such as "0:1:2"
	Kind      COREKind
}

// ParseExt reads .BTF.ext. Its strings are those of the object's BTF.
func ParseExt(b []byte, strs *Spec) (*Ext, error) {
	if strs == nil {
		return nil, ErrNoBTF
	}
	be, hdrLen, err := parseMagic(b, "ext header", extHeaderLen)
	if err != nil {
		return nil, err
	}
	if strs.be != be {
		return nil, &FormatError{Part: "ext header", Index: -1, Field: "magic", Value: magic, Kind: Unsupported, Detail: "byte order differs from .BTF"}
	}
	e := &Ext{raw: b, be: be, strs: strs}
	areas := make([]area, 0, len(extParts))
	for i, p := range extParts {
		at := 8 + 8*i
		if int(hdrLen) < at+8 {
			break
		}
		areas = append(areas, area{p.name, ld32(b[at:], be), ld32(b[at+4:], be), int64(at), 4})
	}
	if err := checkAreas("ext header", areas, uint64(len(b))-uint64(hdrLen)); err != nil {
		return nil, err
	}
	for i, a := range areas {
		if a.len == 0 {
			continue
		}
		from := uint64(hdrLen) + uint64(a.off)
		if err := e.parsePart(i, int(from), int(from+uint64(a.len))); err != nil {
			return nil, err
		}
	}
	return e, nil
}

// parsePart reads one table, b[at:end].
func (e *Ext) parsePart(part, at, end int) error {
	p := &e.parts[part]
	info := extParts[part]
	fail := func(at int, field string, v uint32, k ErrorKind, detail string) error {
		return formatError(info.name, p.records, int64(at), field, uint64(v), k, detail)
	}
	if end-at < 4 {
		return fail(at, "len", uint32(end-at), Truncated, "no room for the record size")
	}
	size := ld32(e.raw[at:], e.be)
	if size < uint32(info.min) || size%4 != 0 || size > uint32(end-at) {
		if at+4 == end && size%4 == 0 && size >= uint32(info.min) {
			p.recSize = int(size)
			return nil // a table without records
		}
		return fail(at, "rec_size", size, Range, "too small, not a multiple of 4, or larger than the table")
	}
	p.recSize = int(size)
	p.blocks = make([]extBlock, 0, e.countBlocks(at+4, end, int(size)))
	for at += 4; at < end; {
		if end-at < 8 {
			return fail(at, "len", uint32(end-at), Truncated, "a block has at least 8 bytes")
		}
		name, n := ld32(e.raw[at:], e.be), ld32(e.raw[at+4:], e.be)
		if n == 0 {
			return fail(at+4, "num_info", n, Range, "a block has at least one record")
		}
		if uint64(n) > uint64(end-at-8)/uint64(size) {
			return fail(at+4, "num_info", n, Truncated, "the records end after the table")
		}
		section, kind := e.sectionName(name)
		if kind != 0 {
			return fail(at, "sec_name_off", name, kind, "want the name of a section in the strings of .BTF")
		}
		at += 8
		for i := range int(n) {
			if bad := e.checkRecord(part, at+i*int(size)); bad.kind != 0 {
				return &FormatError{Part: info.name, Index: p.records + i, Offset: int64(at + i*int(size) + bad.at), Field: bad.field,
					Value: uint64(ld32(e.raw[at+i*int(size)+bad.at:], e.be)), Kind: bad.kind, Detail: bad.detail}
			}
		}
		p.blocks = append(p.blocks, extBlock{section: section, at: uint32(at), n: n, first: uint32(p.records)})
		p.records += int(n)
		at += int(n) * int(size)
	}
	sort.SliceStable(p.blocks, func(i, j int) bool { return p.blocks[i].section < p.blocks[j].section })
	return nil
}

// countBlocks is how many blocks there are, or were if the table is broken.
func (e *Ext) countBlocks(at, end, size int) (n int) {
	for ; end-at >= 8; n++ {
		records := uint64(ld32(e.raw[at+4:], e.be))
		if records > uint64(end-at-8)/uint64(size) {
			break
		}
		at += 8 + int(records)*size
	}
	return n + 1
}

// maxSectionName bounds the name of a section, as elf does.
const maxSectionName = 4096

func (e *Ext) sectionName(off uint32) (string, ErrorKind) {
	b, ok := e.strs.stringAt(off)
	if !ok {
		return "", Name
	}
	if len(b) > maxSectionName && bytes.IndexByte(b[:maxSectionName+1], 0) < 0 {
		return "", Limit
	}
	return cstring(b, 0), 0
}

// each calls yield for the records of a section, with their number in the
// table and their bytes.
func (e *Ext) each(part int, section string, yield func(int, []byte) bool) {
	p := &e.parts[part]
	i := sort.Search(len(p.blocks), func(i int) bool { return p.blocks[i].section >= section })
	for ; i < len(p.blocks) && p.blocks[i].section == section; i++ {
		b := &p.blocks[i]
		for n := range int(b.n) {
			if !yield(int(b.first)+n, e.raw[int(b.at)+n*p.recSize:]) {
				return
			}
		}
	}
}
