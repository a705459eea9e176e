package prog_test

import (
	"encoding/binary"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/lode-bpf/lode/btf"
	"github.com/lode-bpf/lode/elf"
	"github.com/lode-bpf/lode/insn"
	"github.com/lode-bpf/lode/prog"
)

// code is the machine code of a text.
func code(tb testing.TB, text string) []byte {
	tb.Helper()
	insns, err := insn.Assemble(text, insn.Verifier)
	if err != nil {
		tb.Fatal(err)
	}
	return insn.Append(nil, insns, binary.LittleEndian)
}

// A shape is a file in the making: section 1 is code, symbol 1 a function of all
// of it. The machine is not BPF, so that package elf leaves the checks of BPF
// objects to this one.
type shape struct {
	*elf.Builder
	text int
}

func newShape(name string, code []byte) *shape {
	s := &shape{Builder: &elf.Builder{Type: elf.ET_REL, Machine: elf.EM_X86_64}}
	s.text = s.AddSection(elf.SectionDef{Name: name, Type: elf.SHT_PROGBITS, Flags: elf.SHF_ALLOC | elf.SHF_EXECINSTR, Data: code})
	return s
}

func (s *shape) function(name string, value, size uint64) int {
	return s.AddSymbol(elf.SymbolDef{Name: name, Bind: elf.STB_GLOBAL, Type: elf.STT_FUNC, Section: s.text, Value: value, Size: size})
}

func (s *shape) bytes(tb testing.TB) []byte {
	tb.Helper()
	b, err := s.Bytes()
	if err != nil {
		tb.Fatal(err)
	}
	return b
}

const someCode = `
	r1 = 0x1122334455667788 ; 0 and 1
	call bpf_get_smp_processor_id                  ; 2
	r0 = 0                  ; 3
	exit                    ; 4`

func TestCollectMalformed(t *testing.T) {
	text := code(t, someCode)
	half := text[:8]
	bad := append(append([]byte{}, half...), code(t, "r0 = 0\nexit")...)
	reloc := func(s *shape, r elf.Reloc) { s.AddReloc(s.text, r) }
	for _, c := range []struct {
		name  string
		code  []byte
		build func(*shape)
		is    error
		want  string
	}{
		{"symbol past the end", text, func(s *shape) { s.function("f", 8, 40) }, elf.ErrRange, "reaches past the end"},
		{"value and size wrap", text, func(s *shape) { s.function("f", 1<<63, 1<<63) }, elf.ErrRange, "reaches past the end"},
		{"value not a slot", text, func(s *shape) { s.function("f", 4, 8) }, elf.ErrRange, "it starts at 4"},
		{"size 0", text, func(s *shape) { s.function("f", 0, 0) }, elf.ErrRange, "its size is 0"},
		{"size 12", text, func(s *shape) { s.function("f", 0, 12) }, elf.ErrRange, "its size is 12"},
		{"same function twice", text, func(s *shape) { s.function("f", 0, 40); s.function("g", 0, 40) }, elf.ErrOverlap, `within function "f"`},
		{"staircase", text, func(s *shape) { s.function("f", 16, 16); s.function("g", 24, 16) }, elf.ErrOverlap, `within function "f"`},
		{"section not of slots", text[:36], func(s *shape) { s.function("f", 0, 32) }, elf.ErrTruncated, "a multiple of 8 is expected"},
		{"half a wide load", half, func(s *shape) { s.function("f", 0, 8) }, elf.ErrTruncated, "second half of a wide load is missing"},
		{"wide load cut by the function's end", text, func(s *shape) { s.function("f", 0, 8) }, elf.ErrTruncated, "second half of a wide load is missing"},
		{"second half is an instruction", bad, func(s *shape) { s.function("f", 0, 24) }, elf.ErrRange, "has opcode 0xb7"},
		{"record not at a slot", text, func(s *shape) {
			s.function("f", 0, 40)
			reloc(s, elf.Reloc{Offset: 4, Type: elf.R_BPF_64_64, Symbol: 1})
		}, elf.ErrRange, "r_offset 4"},
		{"record past the end", text, func(s *shape) {
			s.function("f", 0, 40)
			reloc(s, elf.Reloc{Offset: 40, Type: elf.R_BPF_64_64, Symbol: 1})
		}, elf.ErrRange, "r_offset 40"},
		{"record far past the end", text, func(s *shape) {
			s.function("f", 0, 40)
			reloc(s, elf.Reloc{Offset: 1<<64 - 8, Type: elf.R_BPF_64_64, Symbol: 1})
		}, elf.ErrRange, "r_offset"},
		{"record for the second half", text, func(s *shape) {
			s.function("f", 0, 40)
			reloc(s, elf.Reloc{Offset: 8, Type: elf.R_BPF_64_64, Symbol: 1})
		}, elf.ErrRange, "second half of a wide load"},
		{"record for exit", text, func(s *shape) {
			s.function("f", 0, 40)
			reloc(s, elf.Reloc{Offset: 32, Type: elf.R_BPF_64_64, Symbol: 1})
		}, elf.ErrRange, "(opcode 0x95) refers to nothing"},
		{"type of a call for a wide load", text, func(s *shape) {
			s.function("f", 0, 40)
			reloc(s, elf.Reloc{Offset: 0, Type: elf.R_BPF_64_32, Symbol: 1})
		}, elf.ErrRange, "relocation type 10 does not fit"},
		{"type of a wide load for a call", text, func(s *shape) {
			s.function("f", 0, 40)
			reloc(s, elf.Reloc{Offset: 16, Type: elf.R_BPF_64_64, Symbol: 1})
		}, elf.ErrRange, "relocation type 1 does not fit"},
		{"data type in code", text, func(s *shape) {
			s.function("f", 0, 40)
			reloc(s, elf.Reloc{Offset: 0, Type: elf.R_BPF_64_NODYLD32, Symbol: 1})
		}, elf.ErrUnsupported, "relocation type 4 has no meaning"},
		{"unknown type", text, func(s *shape) { s.function("f", 0, 40); reloc(s, elf.Reloc{Offset: 0, Type: 99, Symbol: 1}) }, elf.ErrUnsupported, "relocation type 99 has no meaning"},
		{"addend", text, func(s *shape) {
			s.function("f", 0, 40)
			reloc(s, elf.Reloc{Offset: 0, Type: elf.R_BPF_64_64, Symbol: 1, Addend: -1, HasAddend: true})
		}, elf.ErrUnsupported, "explicit addend -1"},
		{"no symbol", text, func(s *shape) { s.function("f", 0, 40); reloc(s, elf.Reloc{Offset: 0, Type: elf.R_BPF_64_64}) }, elf.ErrRange, "names no symbol"},
		{"absolute symbol", text, func(s *shape) {
			s.function("f", 0, 40)
			n := s.AddSymbol(elf.SymbolDef{Name: "abs", Section: elf.SHN_ABS, Reserved: true})
			reloc(s, elf.Reloc{Offset: 0, Type: elf.R_BPF_64_64, Symbol: n})
		}, elf.ErrRange, `symbol "abs" is neither`},
		{"two records for an instruction", text, func(s *shape) {
			s.function("f", 0, 40)
			reloc(s, elf.Reloc{Offset: 16, Type: elf.R_BPF_64_32, Symbol: 1})
			reloc(s, elf.Reloc{Offset: 0, Type: elf.R_BPF_64_64, Symbol: 1})
			reloc(s, elf.Reloc{Offset: 16, Type: elf.R_BPF_64_32, Symbol: 1})
		}, elf.ErrOverlap, "another record"},
		{"records of two sections for an instruction", text, func(s *shape) {
			s.function("f", 0, 40)
			reloc(s, elf.Reloc{Offset: 0, Type: elf.R_BPF_64_64, Symbol: 1})
			reloc(s, elf.Reloc{Offset: 0, Type: elf.R_BPF_64_64, Symbol: 1, HasAddend: true})
		}, elf.ErrOverlap, "another record"},
		{"license too long", text, func(s *shape) {
			s.function("f", 0, 40)
			s.AddSection(elf.SectionDef{Name: "license", Type: elf.SHT_PROGBITS, Data: make([]byte, 129)})
		}, elf.ErrLimit, "Limits.License is 128"},
		{"version of two bytes", text, func(s *shape) {
			s.function("f", 0, 40)
			s.AddSection(elf.SectionDef{Name: "version", Type: elf.SHT_PROGBITS, Data: []byte{1, 2}})
		}, elf.ErrRange, "4 are expected"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newShape("tc", c.code)
			c.build(s)
			f, err := elf.Parse(s.bytes(t))
			if err != nil {
				t.Fatal(err)
			}
			_, _, _, err = prog.Collect(f, nil, nil)
			var e *prog.FormatError
			if !errors.As(err, &e) || !errors.Is(err, c.is) || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%v; want %v, %q", err, c.is, c.want)
			}
		})
	}
}

// What is odd but harmless is reported, and every record is accounted for.
func TestCollectFindings(t *testing.T) {
	text := code(t, someCode)
	s := newShape("tc_main", append(append([]byte{}, text...), text...))
	s.function("f", 40, 40)
	data := s.AddSection(elf.SectionDef{Name: ".data", Type: elf.SHT_PROGBITS, Flags: elf.SHF_ALLOC | elf.SHF_WRITE, Data: make([]byte, 8)})
	s.AddSymbol(elf.SymbolDef{Name: "lost", Bind: elf.STB_GLOBAL, Type: elf.STT_FUNC, Section: data, Size: 8})
	s.AddReloc(s.text, elf.Reloc{Offset: 0, Type: elf.R_BPF_64_64, Symbol: 1})
	s.AddReloc(s.text, elf.Reloc{Offset: 16, Type: elf.R_BPF_64_32, Symbol: 1})
	s.AddReloc(s.text, elf.Reloc{Offset: 40, Type: elf.R_BPF_NONE, Symbol: 1})
	s.AddReloc(s.text, elf.Reloc{Offset: 56, Type: elf.R_BPF_64_32, Symbol: 1})
	o := collect(t, s.bytes(t))
	var got []string
	for _, f := range o.findings {
		got = append(got, f.String())
	}
	want := []string{
		`section ".data": function "lost" stands in a section without code`,
		`section "tc_main": 5 instructions belong to no function`,
		`section ".reltc_main": 2 records for code that belongs to no function, the first is number 0`,
		`section ".reltc_main": 1 records of type R_BPF_NONE, which do nothing, the first is number 2`,
		`section "tc_main": a name of old; taken for "tc", without attaching by name`,
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("findings (-want +got):\n%s", d)
	}
	if r := o.progs[0].Func.Refs; len(r) != 1 || r[0].Index != 2 {
		t.Errorf("references: %+v", r)
	}
}

func TestCollectLimits(t *testing.T) {
	text := code(t, "r0 = 0\nexit")
	s := newShape("tc", append(append([]byte{}, text...), text...))
	s.function("f", 0, 16)
	s.function("g", 16, 16)
	f, err := elf.Parse(s.bytes(t))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		lim  prog.Limits
		want string
	}{
		{prog.Limits{Programs: 1}, `prog: section "tc", function "g": limit exceeded: more programs than Limits.Programs, 1`},
		{prog.Limits{Insns: 1}, `prog: section "tc", function "f" at 0x0: limit exceeded: it has 2 instructions; Limits.Insns is 1`},
		{prog.Limits{}, "<nil>"},
	} {
		_, _, _, err := prog.CollectOptions(f, nil, nil, prog.Options{Limits: c.lim})
		if fmt.Sprint(err) != c.want || err != nil && !errors.Is(err, elf.ErrLimit) {
			t.Errorf("%+v: %v, want %s", c.lim, err, c.want)
		}
	}
}

// Sections that all claim the same bytes do not multiply them.
func TestCollectOverlappingSections(t *testing.T) {
	const n, size = 200, 1 << 16
	text := code(t, "r0 = 0\nexit")
	b := &elf.Builder{Type: elf.ET_REL, Machine: elf.EM_BPF}
	for range n {
		sec := b.AddSection(elf.SectionDef{Name: "tc", Type: elf.SHT_PROGBITS, Flags: elf.SHF_EXECINSTR, Data: text})
		b.AddSymbol(elf.SymbolDef{Name: "f", Bind: elf.STB_GLOBAL, Type: elf.STT_FUNC, Section: sec, Size: size})
	}
	b.AddSection(elf.SectionDef{Name: "x", Type: elf.SHT_PROGBITS, Data: make([]byte, 2*size)})
	raw, err := b.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	// Section header i is at e_shoff + 64·i: sh_offset at 24, sh_size at 32.
	le := binary.LittleEndian
	shoff := le.Uint64(raw[40:])
	for i := range uint64(n) {
		h := raw[shoff+64*(i+1):]
		le.PutUint64(h[24:], le.Uint64(raw[shoff+64*(n+1)+24:]))
		le.PutUint64(h[32:], size)
	}
	f, err := elf.Parse(raw)
	if err != nil {
		t.Fatal(err)
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	_, _, _, err = prog.Collect(f, nil, nil)
	runtime.ReadMemStats(&after)
	if !errors.Is(err, elf.ErrLimit) {
		t.Errorf("error: %v", err)
	}
	if used := after.TotalAlloc - before.TotalAlloc; used > 8*uint64(len(raw))+1<<20 {
		t.Errorf("%d bytes allocated for a file of %d", used, len(raw))
	}
}

// Many functions, references and lines: bytes allocated stay within bounds.
func TestCollectAllocations(t *testing.T) {
	const n = 4000
	text := code(t, "call bpf_get_smp_processor_id\nexit")
	b := &elf.Builder{Type: elf.ET_REL, Machine: elf.EM_BPF}
	all := make([]byte, 0, n*len(text))
	for range n {
		all = append(all, text...)
	}
	sec := b.AddSection(elf.SectionDef{Name: "tc", Type: elf.SHT_PROGBITS, Flags: elf.SHF_EXECINSTR, Data: all})
	for i := range uint64(n) {
		sym := b.AddSymbol(elf.SymbolDef{Name: "f", Bind: elf.STB_GLOBAL, Type: elf.STT_FUNC, Section: sec, Value: 16 * i, Size: 16})
		b.AddReloc(sec, elf.Reloc{Offset: 16 * i, Type: elf.R_BPF_64_32, Symbol: sym})
	}
	raw, err := b.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f, err := elf.Parse(raw)
	if err != nil {
		t.Fatal(err)
	}
	progs, _, _, err := prog.Collect(f, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	runtime.ReadMemStats(&after)
	used := after.TotalAlloc - before.TotalAlloc
	t.Logf("%d bytes allocated for a file of %d with %d programs", used, len(raw), len(progs))
	if len(progs) != n || used > 8*uint64(len(raw))+1<<20 {
		t.Errorf("%d programs, %d bytes allocated for a file of %d", len(progs), used, len(raw))
	}
}

// Records of .BTF.ext that are about nothing are findings; one that would
// change the wrong bytes is an error.
func TestCollectExt(t *testing.T) {
	text := code(t, someCode)
	b := btf.NewBuilder(nil)
	n := b.AddInt("int", 4, btf.IntSigned)
	fn := uint32(b.AddFunc("f", b.AddFuncProto(n), btf.LinkageGlobal))
	tc, acc := b.AddString("tc"), b.AddString("0:1")
	raw, err := b.Bytes(binary.LittleEndian)
	if err != nil {
		t.Fatal(err)
	}
	spec, err := btf.Parse(raw, nil)
	if err != nil {
		t.Fatal(err)
	}
	s := newShape("tc", append(append([]byte{}, text...), text...))
	s.function("f", 40, 40)
	file, err := elf.Parse(s.bytes(t))
	if err != nil {
		t.Fatal(err)
	}
	build := func(funcs, lines, core []uint32) *btf.Ext {
		x, err := btf.ParseExt(extBytes(tc, funcs, lines, core), spec)
		if err != nil {
			t.Fatal(err)
		}
		return x
	}
	o := object{file: file, btf: spec}
	o.ext = build(
		[]uint32{0, fn, 40, 1, 40, fn, 40, fn, 48, fn, 1 << 20, fn},
		[]uint32{40, 0, 0, 1 << 10, 0, 0, 0, 1 << 10, 48, 0, 0, 2 << 10, 56, 0, 0, 3 << 10, 56, 0, 0, 4 << 10, 72, 0, 0, 5 << 10, 64, 0, 0, 6 << 10, 56, 0, 0, 7 << 10},
		[]uint32{8, 1, acc, 0, 64, 1, acc, 0, 56, 1, acc, 5})
	if o.progs, o.subs, o.findings, err = prog.Collect(o.file, o.btf, o.ext); err != nil {
		t.Fatal(err)
	}
	o.accounts(t)
	f := o.progs[0].Func
	if f.TypeID != fn {
		t.Errorf("type %d, want %d", f.TypeID, fn)
	}
	var lines []string
	for _, l := range f.Lines {
		lines = append(lines, fmt.Sprint(l.Index, ":", l.Line()))
	}
	if d := cmp.Diff([]string{"0:1", "2:3", "3:6", "4:5"}, lines); d != "" {
		t.Errorf("lines (-want +got):\n%s", d)
	}
	if d := cmp.Diff([]insn.CORE{{Index: 2, TypeID: 1, AccessOff: acc, Kind: 5, Record: 2}, {Index: 3, TypeID: 1, AccessOff: acc, Record: 1}}, f.CORE); d != "" {
		t.Errorf("CO-RE (-want +got):\n%s", d)
	}
	for _, off := range []uint32{48} {
		if _, _, _, err := prog.Collect(file, spec, build(nil, nil, []uint32{off, 1, acc, 0})); !errors.Is(err, elf.ErrRange) {
			t.Errorf("CO-RE record at %d: %v", off, err)
		}
	}
}

// extBytes is .BTF.ext with records for one section: of two, four and four words.
func extBytes(section uint32, funcs, lines, core []uint32) []byte {
	le := binary.LittleEndian
	var body []byte
	var areas []uint32
	for i, words := range [][]uint32{funcs, lines, core} {
		start, size := len(body), []uint32{2, 4, 4}[i]
		if len(words) > 0 {
			for _, w := range append([]uint32{4 * size, section, uint32(len(words)) / size}, words...) {
				body = le.AppendUint32(body, w)
			}
		}
		areas = append(areas, uint32(start), uint32(len(body)-start))
	}
	head := le.AppendUint32([]byte{0x9f, 0xeb, 1, 0}, 32)
	for _, a := range areas {
		head = le.AppendUint32(head, a)
	}
	return append(head, body...)
}
