package btf_test

import (
	"encoding/binary"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/lode-bpf/lode/btf"
	"github.com/lode-bpf/lode/elf"
	"github.com/lode-bpf/lode/internal/ktest"
)

// externs declares what the kernel and its configuration have.
func externs(b *btf.Builder) {
	i := b.AddInt("int", 4, btf.IntSigned)                                            // 1
	u64 := b.AddInt("unsigned long", 8, 0)                                            // 2
	boolean := b.AddInt("_Bool", 1, btf.IntBool)                                      // 3
	f := b.AddFunc("bpf_f", b.AddFuncProto(0, btf.Param{Type: i}), btf.LinkageExtern) // 4, 5
	v := b.AddVar("runqueues", b.AddStruct("rq", 8), btf.LinkageExtern)               // 6, 7
	b.AddDatasec(".ksyms", 0, btf.VarSecinfo{Type: f}, btf.VarSecinfo{Type: v, Size: 8})
	small := b.AddVar("CONFIG_B", boolean, btf.LinkageExtern) // 9
	other := b.AddVar("CONFIG_A", boolean, btf.LinkageExtern) // 10
	big := b.AddVar("CONFIG_HZ", u64, btf.LinkageExtern)      // 11
	b.AddDatasec(".kconfig", 0, btf.VarSecinfo{Type: small, Size: 1}, btf.VarSecinfo{Type: other, Size: 1}, btf.VarSecinfo{Type: big, Size: 8})
}

// Declarations become variables that have a place.
func TestLoadableExterns(t *testing.T) {
	var b btf.Builder
	externs(&b)
	raw, err := build(t, &b, binary.LittleEndian, nil).Loadable(btf.LoadableOptions{})
	if err != nil {
		t.Fatal(err)
	}
	s, err := btf.Parse(raw, nil)
	if err != nil {
		t.Fatal(err)
	}
	const want = `[1] INT 'int' size=4 bits_offset=0 nr_bits=32 encoding=SIGNED
[2] INT 'unsigned long' size=8 bits_offset=0 nr_bits=64 encoding=(none)
[3] INT '_Bool' size=1 bits_offset=0 nr_bits=8 encoding=BOOL
[4] FUNC_PROTO '(anon)' ret_type_id=0 vlen=1
	'param' type_id=1
[5] FUNC 'bpf_f' type_id=4 linkage=global
[6] STRUCT 'rq' size=8 vlen=0
[7] VAR 'runqueues' type_id=1, linkage=global
[8] DATASEC '.ksyms' size=8 vlen=2
	type_id=13 offset=0 size=4 (VAR 'dummy_ksym')
	type_id=7 offset=4 size=4 (VAR 'runqueues')
[9] VAR 'CONFIG_B' type_id=3, linkage=global
[10] VAR 'CONFIG_A' type_id=3, linkage=global
[11] VAR 'CONFIG_HZ' type_id=2, linkage=global
[12] DATASEC '.kconfig' size=10 vlen=3
	type_id=11 offset=0 size=8 (VAR 'CONFIG_HZ')
	type_id=10 offset=8 size=1 (VAR 'CONFIG_A')
	type_id=9 offset=9 size=1 (VAR 'CONFIG_B')
[13] VAR 'dummy_ksym' type_id=1, linkage=global
`
	if diff := cmp.Diff(want, listing(s)); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// Each feature that a kernel lacks changes the types it is about and no
// others; ids stay.
func TestLoadableSanitizes(t *testing.T) {
	var b btf.Builder
	everyKind(&b)
	s := build(t, &b, binary.LittleEndian, nil)
	original := strings.Split(listing(s), "\n[")
	for _, tt := range []struct {
		missing btf.Features
		want    []string // the paragraphs that change
	}{
		{btf.FeatureFunc | btf.FeatureDeclTag, []string{"14] ENUM '(anon)' encoding=UNSIGNED size=4 vlen=2\n\t'x' val=2\n\t'(anon)' val=0", "15] TYPEDEF 'f' type_id=14",
			"19] INT 'tag' size=1 bits_offset=0 nr_bits=8 encoding=(none)", "20] INT 'all' size=1 bits_offset=0 nr_bits=8 encoding=(none)"}},
		{btf.FeatureGlobalFunc, []string{"15] FUNC 'f' type_id=14 linkage=static"}},
		{btf.FeatureDatasec, []string{"16] INT 'v' size=1 bits_offset=0 nr_bits=8 encoding=(none)", "17] STRUCT '_data' size=16 vlen=1\n\t'v' type_id=16 bits_offset=32"}},
		{btf.FeatureFloat, []string{"18] STRUCT '(anon)' size=8 vlen=0"}},
		{btf.FeatureDeclTag, []string{"19] INT 'tag' size=1 bits_offset=0 nr_bits=8 encoding=(none)", "20] INT 'all' size=1 bits_offset=0 nr_bits=8 encoding=(none)"}},
		{btf.FeatureTypeTag, []string{"21] CONST '(anon)' type_id=1\n"}},
		{btf.FeatureEnum64, []string{"6] ENUM 'en' encoding=UNSIGNED size=4 vlen=2\n\t'M1' val=4294967295\n\t'P1' val=1",
			"7] UNION 'e64' size=8 vlen=1\n\t'BIG' type_id=22 bits_offset=0", "21] TYPE_TAG 'user' type_id=1", "22] INT 'enum64_placeholder' size=1 bits_offset=0 nr_bits=8 encoding=(none)\n"}},
		{btf.FeatureQmarkDatasec | btf.FeatureLayout, nil},
	} {
		t.Run(tt.missing.String(), func(t *testing.T) {
			raw, err := s.Loadable(btf.LoadableOptions{Missing: tt.missing})
			if err != nil {
				t.Fatal(err)
			}
			out, err := btf.Parse(raw, nil)
			if err != nil {
				t.Fatal(err)
			}
			var changed []string
			for i, p := range strings.Split(listing(out), "\n[") {
				if i >= len(original) || p != original[i] {
					changed = append(changed, p)
				}
			}
			if diff := cmp.Diff(tt.want, changed); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

// A section that is only loaded on demand has a name older kernels refuse.
func TestLoadableQmark(t *testing.T) {
	var b btf.Builder
	b.AddDatasec("?.struct_ops", 8, btf.VarSecinfo{Type: b.AddVar("v", b.AddInt("long", 8, 0), btf.LinkageGlobal), Size: 8})
	s := build(t, &b, binary.LittleEndian, nil)
	for missing, want := range map[btf.Features]string{0: "?.struct_ops", btf.FeatureQmarkDatasec: "_.struct_ops", btf.FeatureDatasec: "__struct_ops"} {
		raw, err := s.Loadable(btf.LoadableOptions{Missing: missing})
		if err != nil {
			t.Fatal(err)
		}
		out, err := btf.Parse(raw, nil)
		if err != nil {
			t.Fatal(err)
		}
		if got := out.Type(3).Name(); got != want {
			t.Errorf("%v: %q, want %q", missing, got, want)
		}
	}
}

// globals is an object with the variables a and b of 4 bytes in .data, b at an
// offset and with a linkage of the caller's choice.
func globals(t *testing.T, linkage btf.Linkage, size int, offset uint64, symbols ...string) (*btf.Spec, *elf.File) {
	t.Helper()
	var b btf.Builder
	i := b.AddInt("int", 4, btf.IntSigned)
	second := b.AddVar("b", i, linkage)
	b.AddDatasec(".data", 0, btf.VarSecinfo{Type: second, Size: 4}, btf.VarSecinfo{Type: second + 2, Size: 4})
	b.AddVar("a", i, btf.LinkageGlobal)
	s := build(t, &b, binary.LittleEndian, nil)
	f := objectWith(t, size, offset, symbols)
	return s, f
}

func TestLoadableDatasec(t *testing.T) {
	s, f := globals(t, btf.LinkageGlobal, 12, 8, "a", "b")
	raw, err := s.Loadable(btf.LoadableOptions{ELF: f})
	if err != nil {
		t.Fatal(err)
	}
	out, err := btf.Parse(raw, nil)
	if err != nil {
		t.Fatal(err)
	}
	sec, _ := out.Find(".data", btf.KindDatasec)
	var names []string
	for _, v := range sec.Vars() {
		names = append(names, out.Type(v.Type).Name())
	}
	if sec.Size() != 12 || sec.Var(0).Offset != 0 || sec.Var(1).Offset != 8 || names[0] != "a" {
		t.Errorf("%s", sec.AppendRaw(nil))
	}
	for _, tt := range []struct {
		name    string
		size    int
		offset  uint64
		symbols []string
		want    error
	}{
		{"M01 variable past the end", 8, 6, []string{"a", "b"}, btf.ErrRange},
		{"M02 variables overlap", 8, 2, []string{"a", "b"}, btf.ErrOverlap},
		{"a variable of another object", 8, 4, []string{"a", "b"}, btf.ErrUnsupported},
		{"a variable without a symbol", 8, 4, []string{"a"}, btf.ErrName},
	} {
		t.Run(tt.name, func(t *testing.T) {
			linkage := btf.LinkageGlobal
			if tt.want == btf.ErrUnsupported {
				linkage = btf.LinkageExtern
			}
			s, f := globals(t, linkage, tt.size, tt.offset, tt.symbols...)
			if _, err := s.Loadable(btf.LoadableOptions{ELF: f}); !errors.Is(err, tt.want) {
				t.Errorf("got %v, want %v", err, tt.want)
			}
		})
	}
}

// Hidden functions and variables of a real object become static; nothing is
// lost of what .BTF.ext refers to.
func TestLoadableObject(t *testing.T) {
	for _, name := range []string{"globals", "globals.bpfeb", "kconfig", "kfunc", "ksyms"} {
		f, err := elf.Parse(ktest.Object(t, name))
		if err != nil {
			t.Fatal(err)
		}
		s, _, err := btf.ParseELF(f)
		if err != nil {
			t.Fatal(err)
		}
		raw, err := s.Loadable(btf.LoadableOptions{ELF: f})
		if err != nil {
			t.Fatal(name, err)
		}
		out, err := btf.Parse(raw, nil)
		if err != nil {
			t.Fatal(name, err)
		}
		for typ := range s.Types() {
			if got := out.Type(typ.ID()); got.Kind() != typ.Kind() || got.NameOff() != typ.NameOff() || got.Name() != typ.Name() {
				t.Errorf("%s: type %d became %s", name, typ.ID(), got.AppendRaw(nil))
			}
		}
		for typ := range out.Types() {
			if typ.Kind() == btf.KindDatasec && typ.Size() == 0 {
				t.Errorf("%s: %q has no size", name, typ.Name())
			}
		}
	}
}

// objectWith is an object with variables of 4 bytes in .data: the first at its
// beginning, the second at an offset.
func objectWith(t *testing.T, size int, offset uint64, symbols []string) *elf.File {
	t.Helper()
	b := elf.Builder{Type: elf.ET_REL, Machine: elf.EM_BPF}
	data := b.AddSection(elf.SectionDef{Name: ".data", Type: elf.SHT_PROGBITS, Flags: elf.SHF_ALLOC | elf.SHF_WRITE, Data: make([]byte, size)})
	for i, name := range symbols {
		b.AddSymbol(elf.SymbolDef{Name: name, Bind: elf.STB_GLOBAL, Type: elf.STT_OBJECT, Section: data, Value: uint64(i) * offset, Size: 1})
	}
	raw, err := b.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	f, err := elf.Parse(raw)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// An enumeration that is only declared has no size in clang's BTF; kernels want one.
func TestLoadableForwardEnum(t *testing.T) {
	f, err := elf.Parse(ktest.Object(t, "forward"))
	if err != nil {
		t.Fatal(err)
	}
	s, _, err := btf.ParseELF(f)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := s.Loadable(btf.LoadableOptions{ELF: f})
	if err != nil {
		t.Fatal(err)
	}
	loadable, err := btf.Parse(raw, nil)
	if err != nil {
		t.Fatal(err)
	}
	for size, s := range map[string]*btf.Spec{" size=0 ": s, " size=4 ": loadable} {
		later, ok := s.Find("later", btf.KindEnum)
		if !ok {
			t.Fatal("no enum later")
		}
		if got := string(later.AppendRaw(nil)); later.Size() != 4 || !strings.Contains(got, size) {
			t.Errorf("%d bytes: %s", later.Size(), got)
		}
	}
}
