package static

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/lode-bpf/lode/btf"
	"github.com/lode-bpf/lode/elf"
	"github.com/lode-bpf/lode/internal/ktest"
)

func open(t testing.TB, name string) Input {
	t.Helper()
	b, err := os.ReadFile("../../testdata/" + name)
	if err != nil {
		t.Fatal(err)
	}
	return parse(t, name, b)
}

func parse(t testing.TB, name string, b []byte) Input {
	t.Helper()
	f, err := elf.Parse(b)
	if err != nil {
		t.Fatal(err)
	}
	return Input{Name: name, File: f}
}

func link(t testing.TB, inputs ...Input) Input {
	t.Helper()
	r, err := Link(inputs)
	if err != nil {
		t.Fatal(err)
	}
	return parse(t, "linked", r.Object)
}

// symbols lists what can be linked against, and local functions and variables.
func symbols(f *elf.File) []string {
	var out []string
	for s := range f.Symbols() {
		if s.Name() != "" && !strings.HasPrefix(s.Name(), "LBB") {
			out = append(out, fmt.Sprintf("%s %s %s %s %#x %d", s.Name(), s.Bind(), s.Type(), s.Section().Name(), s.Value(), s.Size()))
		}
	}
	slices.Sort(out)
	return out
}

// datasecs lists the variables of every section.
func datasecs(t testing.TB, f *elf.File) []string {
	t.Helper()
	s, _, err := btf.ParseELF(f)
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for d := range s.Types() {
		for _, v := range d.Vars() {
			typ := s.Type(v.Type)
			out = append(out, fmt.Sprintf("%s %d: %s %s at %d, %d bytes", d.Name(), d.Size(), typ.Linkage(), typ.Name(), v.Offset, v.Size))
		}
	}
	slices.Sort(out)
	return out
}

func TestLink(t *testing.T) {
	for _, suffix := range []string{".bpf.o", ".bpfeb.o"} {
		a, b := open(t, "linked_a"+suffix), open(t, "linked_b"+suffix)
		before := bytes.Clone(a.File.Data())
		out := link(t, a, b)
		if !bytes.Equal(before, a.File.Data()) {
			t.Error("an input was changed")
		}
		if n := out.File.Findings(); len(n) != 0 {
			t.Error(n)
		}
		var names []string
		for _, s := range symbols(out.File) {
			if name, rest, _ := strings.Cut(s, " "); strings.Contains(rest, "STT_FUNC") {
				bind, _, _ := strings.Cut(rest, " ")
				names = append(names, name+" "+bind)
			}
		}
		want := []string{"callback_a STB_LOCAL", "callback_a STB_LOCAL", "choose STB_GLOBAL", "helper STB_LOCAL", "helper STB_LOCAL", "in_b STB_GLOBAL", "program_a STB_GLOBAL", "program_b STB_GLOBAL"}
		if diff := cmp.Diff(want, names); diff != "" {
			t.Errorf("functions (-want +got):\n%s", diff)
		}
		s, ext, err := btf.ParseELF(out.File)
		if err != nil {
			t.Fatal(err)
		}
		funcs := map[string]int{}
		for _, sec := range ext.Sections() {
			for _, fi := range ext.Funcs(sec) {
				funcs[s.Type(fi.Type).Name()]++
			}
		}
		// The weak choose gave way: it has no record, nor has its code a symbol.
		if diff := cmp.Diff(map[string]int{"callback_a": 2, "choose": 1, "helper": 2, "in_b": 1, "program_a": 1, "program_b": 1}, funcs); diff != "" {
			t.Errorf("function info (-want +got):\n%s", diff)
		}
		for _, v := range datasecs(t, out.File) {
			if strings.Contains(v, "counted") && !strings.HasSuffix(v, "global counted at 8, 8 bytes") {
				t.Error(v)
			}
		}
	}
}

// An object that was linked can be linked again, and a link of one object
// changes nothing that counts.
func TestLinkAgain(t *testing.T) {
	a, b := open(t, "linked_a.bpf.o"), open(t, "linked_b.bpf.o")
	once := link(t, a, b)
	again := link(t, once)
	if diff := cmp.Diff(symbols(once.File), symbols(again.File)); diff != "" {
		t.Errorf("symbols (-first +second):\n%s", diff)
	}
	if diff := cmp.Diff(datasecs(t, once.File), datasecs(t, again.File)); diff != "" {
		t.Errorf("variables (-first +second):\n%s", diff)
	}
	for s := range once.File.Sections() {
		if s.Name() == "" {
			continue
		}
		if o, ok := again.File.SectionByName(s.Name()); !ok || s.Type() == elf.SHT_PROGBITS && !strings.HasPrefix(s.Name(), ".BTF") && !bytes.Equal(s.Data(), o.Data()) {
			t.Errorf("section %q differs", s.Name())
		}
	}
	link(t, once, open(t, "minimal.bpf.o"))
}

// TestSameAsBpftool: libbpf hands the same programs to the kernel, whether the
// object was linked by this package or by bpftool.
func TestSameAsBpftool(t *testing.T) {
	bpftool, cc := ktest.Tool(t, "bpftool", "bpftool"), ktest.Tool(t, "gcc", "gcc")
	if _, err := os.Stat("/usr/include/bpf/libbpf.h"); err != nil {
		t.Skip("needs bpf/libbpf.h: apt-get install libbpf-dev")
	}
	if _, err := os.Stat("/sys/kernel/btf/vmlinux"); err != nil {
		t.Skip("needs the kernel's BTF:", err)
	}
	dir := t.TempDir()
	run := func(name string, args ...string) string {
		out, err := exec.Command(name, args...).Output()
		if err != nil {
			t.Fatalf("%s %q: %v", name, args, err)
		}
		return string(out)
	}
	reference, ours, theirs := filepath.Join(dir, "reference"), filepath.Join(dir, "ours.o"), filepath.Join(dir, "theirs.o")
	run(cc, "-O1", "-o", reference, "../testdata/reference.c", "-lbpf")
	run(bpftool, "gen", "object", theirs, "../../testdata/linked_a.bpf.o", "../../testdata/linked_b.bpf.o")
	out := link(t, open(t, "linked_a.bpf.o"), open(t, "linked_b.bpf.o"))
	if err := os.WriteFile(ours, out.File.Data(), 0o600); err != nil {
		t.Fatal(err)
	}
	programs := func(object string) []string {
		var list []string
		for line := range strings.Lines(run(reference, object)) {
			if strings.HasPrefix(line, "prog program_") {
				f := strings.Fields(line)
				list = append(list, f[1]+" "+f[2]+" "+f[4]) // without the numbers of types, which differ
			}
		}
		return list
	}
	want := programs(theirs)
	if diff := cmp.Diff(want, programs(ours)); diff != "" || len(want) != 2 {
		t.Errorf("programs (-bpftool +ours):\n%s", diff)
	}
	other := parse(t, "theirs", []byte(run("/bin/cat", theirs)))
	if diff := cmp.Diff(datasecs(t, other.File), datasecs(t, out.File)); diff != "" {
		t.Errorf("variables (-bpftool +ours):\n%s", diff)
	}
}

// object builds an object with one function or variable, and license text.
func object(t testing.TB, order binary.ByteOrder, change func(b *elf.Builder, text, data int)) Input {
	t.Helper()
	b := &elf.Builder{ByteOrder: order, Type: elf.ET_REL, Machine: elf.EM_BPF}
	text := b.AddSection(elf.SectionDef{Name: ".text", Type: elf.SHT_PROGBITS, Flags: elf.SHF_ALLOC | elf.SHF_EXECINSTR, Addralign: 8, Data: bytes.Repeat([]byte{0x95, 0, 0, 0, 0, 0, 0, 0}, 4)})
	data := b.AddSection(elf.SectionDef{Name: ".data", Type: elf.SHT_PROGBITS, Flags: elf.SHF_ALLOC | elf.SHF_WRITE, Addralign: 8, Data: make([]byte, 16)})
	change(b, text, data)
	raw, err := b.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	return parse(t, "object", raw)
}

func TestErrors(t *testing.T) {
	def := func(bind elf.SymBind, typ elf.SymType) func(*elf.Builder, int, int) {
		return func(b *elf.Builder, text, data int) {
			sec := text
			if typ == elf.STT_OBJECT {
				sec = data
			}
			b.AddSymbol(elf.SymbolDef{Name: "x", Bind: bind, Type: typ, Section: sec, Size: 8})
		}
	}
	license := func(text string) func(*elf.Builder, int, int) {
		return func(b *elf.Builder, _, _ int) {
			b.AddSection(elf.SectionDef{Name: "license", Type: elf.SHT_PROGBITS, Flags: elf.SHF_ALLOC, Data: []byte(text)})
		}
	}
	reloc := func(r elf.Reloc) func(*elf.Builder, int, int) {
		return func(b *elf.Builder, text, data int) {
			b.AddSymbol(elf.SymbolDef{Type: elf.STT_SECTION, Section: data})
			b.AddReloc(text, r)
		}
	}
	none := func(*elf.Builder, int, int) {}
	le, be := binary.LittleEndian, binary.BigEndian
	for _, tt := range []struct {
		name string
		a, b Input
		want error
		text string
	}{
		{"strong and strong", object(t, le, def(elf.STB_GLOBAL, elf.STT_FUNC)), object(t, le, def(elf.STB_GLOBAL, elf.STT_FUNC)), ErrDuplicate, `symbol "x": it is defined twice`},
		{"function and variable", object(t, le, def(elf.STB_WEAK, elf.STT_FUNC)), object(t, le, def(elf.STB_GLOBAL, elf.STT_OBJECT)), ErrMismatch, "STT_OBJECT here, a STT_FUNC elsewhere"},
		{"licenses", object(t, le, license("GPL\x00")), object(t, le, license("BSD\x00")), ErrMismatch, `section "license": the contents differ`},
		{"byte orders", object(t, le, none), object(t, be, none), ErrMismatch, "byte orders"},
		{"addend outside an instruction", object(t, le, none), object(t, le, reloc(elf.Reloc{Type: elf.R_BPF_64_64, Symbol: 1, Offset: 24})), ErrFormat, "its addend cannot grow by 16"},
		{"unknown type", object(t, le, none), object(t, le, reloc(elf.Reloc{Type: 77, Symbol: 1})), ErrFormat, "type 77"},
		{"explicit addend", object(t, le, none), object(t, le, reloc(elf.Reloc{Type: elf.R_BPF_64_64, Symbol: 1, HasAddend: true})), ErrUnsupported, "explicit addends"},
		{"common", object(t, le, func(b *elf.Builder, _, _ int) {
			b.AddSymbol(elf.SymbolDef{Name: "c", Bind: elf.STB_GLOBAL, Type: elf.STT_OBJECT, Section: elf.SHN_COMMON, Reserved: true, Value: 8, Size: 8})
		}), object(t, le, none), ErrUnsupported, "without a section"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := Link([]Input{tt.a, tt.b})
			var e *Error
			if !errors.Is(err, tt.want) || !errors.As(err, &e) || !strings.Contains(err.Error(), tt.text) {
				t.Errorf("error %v, want %v and %q", err, tt.want, tt.text)
			}
		})
	}
	if _, err := Link(nil); !errors.Is(err, ErrFormat) {
		t.Error(err)
	}
	weak := object(t, le, def(elf.STB_WEAK, elf.STT_FUNC))
	if out := link(t, weak, weak); len(symbols(out.File)) != 1 {
		t.Error(symbols(out.File))
	}
}

// A use and a definition must be of one type.
func TestTypesMustMatch(t *testing.T) {
	with := func(link btf.Linkage, section int, build func(*btf.Builder) btf.TypeID) Input {
		return object(t, binary.LittleEndian, func(b *elf.Builder, _, data int) {
			var tb btf.Builder
			v := tb.AddVar("x", build(&tb), link)
			if link == btf.LinkageGlobal {
				tb.AddDatasec(".data", 16, btf.VarSecinfo{Type: v, Size: 4})
			}
			raw, err := tb.Bytes(binary.LittleEndian)
			if err != nil {
				t.Fatal(err)
			}
			b.AddSection(elf.SectionDef{Name: ".BTF", Type: elf.SHT_PROGBITS, Data: raw})
			b.AddSymbol(elf.SymbolDef{Name: "x", Bind: elf.STB_GLOBAL, Type: elf.STT_OBJECT, Section: section * data, Size: 4})
		})
	}
	i32 := func(b *btf.Builder) btf.TypeID { return b.AddTypedef("s32", b.AddInt("int", 4, btf.IntSigned)) }
	plain := func(b *btf.Builder) btf.TypeID { return b.AddConst(b.AddInt("int", 4, btf.IntSigned)) }
	u32 := func(b *btf.Builder) btf.TypeID { return b.AddInt("unsigned int", 4, 0) }
	out := link(t, with(btf.LinkageGlobal, 1, i32), with(btf.LinkageExtern, 0, plain))
	if diff := cmp.Diff([]string{".data 32: global x at 0, 4 bytes"}, datasecs(t, out.File)); diff != "" {
		t.Error(diff)
	}
	for _, in := range [][]Input{{with(btf.LinkageGlobal, 1, i32), with(btf.LinkageExtern, 0, u32)}, {with(btf.LinkageExtern, 0, u32), with(btf.LinkageGlobal, 1, i32)}} {
		if _, err := Link(in); !errors.Is(err, ErrMismatch) || !strings.Contains(err.Error(), "another type") {
			t.Error(err)
		}
	}
}

// FuzzStatic links any two objects: an object or an error.
func FuzzStatic(f *testing.F) {
	a, b := open(f, "linked_a.bpf.o"), open(f, "linked_b.bpf.o")
	pack := func(a, b []byte) []byte {
		return append(append(binary.LittleEndian.AppendUint32(nil, uint32(len(a))), a...), b...)
	}
	f.Add(pack(a.File.Data(), b.File.Data()))
	f.Add(pack(open(f, "weakmaps.bpf.o").File.Data(), open(f, "multi.bpf.o").File.Data()))
	f.Add(pack(open(f, "nobtf.bpf.o").File.Data(), open(f, "kconfig.bpf.o").File.Data()))
	f.Fuzz(func(t *testing.T, data []byte) {
		if len(data) < 4 {
			return
		}
		n := uint64(binary.LittleEndian.Uint32(data))
		if n > uint64(len(data)-4) {
			return
		}
		var in []Input
		for _, b := range [][]byte{data[4 : 4+n], data[4+n:]} {
			f, err := elf.Parse(b)
			if err != nil {
				return
			}
			in = append(in, Input{Name: "input", File: f})
		}
		r, err := Link(in)
		if err != nil {
			return
		}
		if _, err := elf.Parse(r.Object); err != nil {
			t.Fatal(err)
		}
	})
}

func BenchmarkLink(b *testing.B) {
	in := []Input{open(b, "linked_a.bpf.o"), open(b, "linked_b.bpf.o")}
	b.SetBytes(int64(in[0].File.Size() + in[1].File.Size()))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Link(in); err != nil {
			b.Fatal(err)
		}
	}
}

// Two halves of an object become one.
func ExampleLink() {
	var in []Input
	for _, name := range []string{"linked_a.bpf.o", "linked_b.bpf.o"} {
		f, err := elf.Open("../../testdata/" + name)
		if err != nil {
			fmt.Println(err)
			return
		}
		in = append(in, Input{Name: name, File: f})
	}
	r, err := Link(in)
	if err != nil {
		fmt.Println(err)
		return
	}
	f, err := elf.Parse(r.Object)
	if err != nil {
		fmt.Println(err)
		return
	}
	for s := range f.Symbols() {
		if s.Type() == elf.STT_FUNC && s.Bind() == elf.STB_GLOBAL {
			fmt.Println(s.Section().Name(), s.Name())
		}
	}
	// Output:
	// .text choose
	// tc program_a
	// .text in_b
	// tc program_b
}

// jumps lists where each entry of each jump table leads: the instruction there.
func jumps(t testing.TB, f *elf.File) map[string][]string {
	t.Helper()
	tables, ok := f.SectionByName(".jumptables")
	if !ok {
		t.Fatal("no jump tables")
	}
	out := map[string][]string{}
	for rs := range f.Sections() {
		if rs.Type() != elf.SHT_REL || rs.Target().Index() != tables.Index() {
			continue
		}
		for _, r := range rs.Relocs() {
			code := f.Symbol(r.Symbol).Section()
			at := f.ByteOrder().Uint64(tables.Data()[r.Offset:])
			for s := range f.Symbols() {
				if s.Section().Index() == tables.Index() && s.Type() == elf.STT_OBJECT && r.Offset-s.Value() < s.Size() {
					name := fmt.Sprintf("%s of %s at %d", s.Name(), code.Name(), s.Value())
					out[name] = append(out[name], fmt.Sprintf("%x", code.Data()[at:at+8]))
				}
			}
		}
	}
	return out
}

// Jump tables lead where they led, and those of two files have one name.
func TestJumpTables(t *testing.T) {
	for _, suffix := range []string{".bpf.o", ".bpfeb.o"} {
		first, before := open(t, "jumptables"+suffix), open(t, "callback"+suffix)
		b := bytes.ReplaceAll(first.File.Data(), []byte("direct\x00"), []byte("dirext\x00")) // other names of functions
		out := link(t, before, first, parse(t, "second", b))
		want := jumps(t, first.File)
		const size = 56 // of the tables of one file
		for name, entries := range jumps(t, first.File) {
			var at int
			where := name[:strings.LastIndex(name, " ")+1]
			fmt.Sscan(name[len(where):], &at)
			want[fmt.Sprint(where, at+size)] = entries
		}
		if diff := cmp.Diff(want, jumps(t, out.File)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", suffix, diff)
		}
	}
}
