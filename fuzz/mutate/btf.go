package mutate

import "strconv"

// The headers of .BTF and .BTF.ext (Documentation/bpf/btf.rst, 2 and 4): two
// bytes of magic, one each of version and flags, then 32-bit numbers.
var (
	btfHeaderFields = []string{"hdr_len", "type_off", "type_len", "str_off", "str_len"}
	extHeaderFields = []string{
		"hdr_len", "func_info_off", "func_info_len", "line_info_off", "line_info_len", "core_relo_off", "core_relo_len",
	}
)

func (s *state) btfHeader(section string, names []string) ([]field, bool) {
	i := s.find(section)
	if i < 0 {
		return nil, false
	}
	x := s.secs[i]
	of := " of " + section
	list := []field{{"magic" + of, "magic", x.off, 2}, {"version" + of, "version", x.off + 2, 1}, {"flags" + of, "flags", x.off + 3, 1}}
	for n, name := range names {
		if 8+4*n <= x.size {
			list = append(list, s.wordAt(x.off+4+4*n, name, of))
		}
	}
	return s.present(list)
}

func (s *state) wordAt(at int, kind, of string) field { return field{kind + of, kind, at, 4} }

// present leaves out what is not in the file.
func (s *state) present(list []field) ([]field, bool) {
	in := list[:0]
	for _, f := range list {
		if s.inFile(f) {
			in = append(in, f)
		}
	}
	return in, len(in) > 0
}

// A btfType is where a type stands.
type btfType struct {
	at    int
	kind  uint32
	words []string // what follows struct btf_type, word by word
}

// extra names the words after struct btf_type: once, and for each of vlen.
var extra = map[uint32]struct{ once, each []string }{
	1:  {once: []string{"int data"}},                                        // INT
	3:  {once: []string{"elem type", "index type", "nelems"}},               // ARRAY
	4:  {each: []string{"member name_off", "member type", "member offset"}}, // STRUCT
	5:  {each: []string{"member name_off", "member type", "member offset"}}, // UNION
	6:  {each: []string{"enumerator name_off", "enumerator val"}},           // ENUM
	13: {each: []string{"param name_off", "param type"}},                    // FUNC_PROTO
	14: {once: []string{"linkage"}},                                         // VAR
	15: {each: []string{"var type", "var offset", "var size"}},              // DATASEC
	17: {once: []string{"component_idx"}},                                   // DECL_TAG
	19: {each: []string{"enumerator name_off", "val_lo32", "val_hi32"}},     // ENUM64
}

// btfTypes are the types of .BTF, as far as they can be followed.
func (s *state) btfTypes() (list []btfType) {
	i := s.find(".BTF")
	if i < 0 || s.secs[i].size < 24 {
		return nil
	}
	x := s.secs[i]
	at := uint64(x.off) + s.get(s.wordAt(x.off+4, "", "")) + s.get(s.wordAt(x.off+8, "", ""))
	end := min(at+s.get(s.wordAt(x.off+12, "", "")), uint64(x.off+x.size))
	for at+12 <= end {
		info := s.get(s.wordAt(int(at)+4, "", ""))
		t := btfType{at: int(at), kind: uint32(info>>24) & 0x7f}
		e := extra[t.kind]
		t.words = append(t.words, e.once...)
		at += uint64(12 + 4*len(e.once))
		if len(e.each) > 0 {
			vlen := info & 0xffffff
			for range min(vlen, (end-min(at, end))/4) {
				t.words = append(t.words, e.each...)
			}
			at += vlen * uint64(4*len(e.each))
		}
		list = append(list, t)
	}
	return list
}

// btfType are the fields of one type.
func (s *state) btfType() ([]field, bool) {
	types := s.btfTypes()
	if len(types) == 0 {
		return nil, false
	}
	n := s.n(len(types))
	t := types[n]
	of := " of type " + strconv.Itoa(n+1)
	list := []field{s.wordAt(t.at, "name_off", of), s.wordAt(t.at+4, "info", of), s.wordAt(t.at+8, "size or type", of)}
	for i, w := range t.words {
		list = append(list, s.wordAt(t.at+12+4*i, w, of))
	}
	return s.present(list)
}

// extWord is one number in the tables of .BTF.ext.
func (s *state) extWord() ([]field, bool) {
	i := s.find(".BTF.ext")
	if i < 0 || s.secs[i].size < 8 {
		return nil, false
	}
	x := s.secs[i]
	header := min(s.get(s.wordAt(x.off+4, "", "")), uint64(x.size))
	n := (x.size - int(header)) / 4
	if n == 0 {
		return nil, false
	}
	n = s.n(n)
	return s.present([]field{s.wordAt(x.off+int(header)+4*n, "word", " "+strconv.Itoa(n)+" of .BTF.ext")})
}

// instruction are the fields of one slot of code.
func (s *state) instruction() ([]field, bool) {
	flags := func(x section) uint64 { return s.get(s.column(sectionColumns[2], x.header)) }
	const execInstr = 4
	i, ok := s.anySection(func(x section) bool { return x.size >= 8 && flags(x)&execInstr != 0 })
	if !ok {
		return nil, false
	}
	n := s.n(s.secs[i].size / 8)
	at := s.secs[i].off + 8*n
	of := " of slot " + strconv.Itoa(n) + " in section " + strconv.Itoa(i)
	return []field{{"opcode" + of, "opcode", at, 1}, {"regs" + of, "regs", at + 1, 1}, {"off" + of, "off", at + 2, 2}, {"imm" + of, "imm", at + 4, 4}}, true
}
