package btf_test

import (
	"encoding/binary"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/lode-bpf/lode/btf"
)

// kernelTypes is a base like a kernel's. With more, its types have other ids.
func kernelTypes(tb testing.TB, more bool) *btf.Spec {
	tb.Helper()
	var b btf.Builder
	if more {
		b.AddFloat("double", 8)
	}
	i := b.AddInt("int", 4, btf.IntSigned)
	task := b.AddStruct("task", 4, btf.Member{Name: "pid", Type: i})
	b.AddStruct("list", 4, btf.Member{Name: "n", Type: i})
	b.AddEnum("state", 4, false, btf.Enumerator{Name: "RUN"})
	b.AddConst(task)
	b.AddTypedef("task_t", b.NextID()-1)
	b.AddUnion("", 4, btf.Member{Name: "u", Type: i})
	b.AddStruct("unused", 4)
	return build(tb, &b, binary.LittleEndian, nil)
}

// moduleTypes is split BTF that uses its base in every way.
func moduleTypes(tb testing.TB, base *btf.Spec) *btf.Spec {
	tb.Helper()
	b := btf.NewBuilder(base)
	id := func(name string) btf.TypeID {
		t, ok := base.Find(name)
		if !ok {
			tb.Fatal("no ", name)
		}
		return t.ID()
	}
	b.AddStruct("mod", 24, btf.Member{Name: "list", Type: id("list")}, btf.Member{Name: "state", Type: id("state"), BitOffset: 32},
		btf.Member{Name: "anon", Type: id("task_t") + 1, BitOffset: 64}, btf.Member{Name: "task", Type: b.NextID() + 1, BitOffset: 128})
	b.AddPtr(id("task"))
	b.AddFunc("f", b.AddFuncProto(id("int")), btf.LinkageStatic)
	return build(tb, b, binary.LittleEndian, base)
}

func TestDistill(t *testing.T) {
	baseRaw, splitRaw, err := moduleTypes(t, kernelTypes(t, false)).Distill()
	if err != nil {
		t.Fatal(err)
	}
	base, err := btf.Parse(baseRaw, nil)
	if err != nil {
		t.Fatal(err)
	}
	split, err := btf.Parse(splitRaw, base)
	if err != nil {
		t.Fatal(err)
	}
	const want = `[1] INT 'int' size=4 bits_offset=0 nr_bits=32 encoding=SIGNED
[2] FWD 'task' fwd_kind=struct
[3] STRUCT 'list' size=4 vlen=0
[4] ENUM 'state' encoding=UNSIGNED size=4 vlen=0
[5] STRUCT 'mod' size=24 vlen=4
	'list' type_id=3 bits_offset=0
	'state' type_id=4 bits_offset=32
	'anon' type_id=9 bits_offset=64
	'task' type_id=6 bits_offset=128
[6] PTR '(anon)' type_id=2
[7] FUNC_PROTO '(anon)' ret_type_id=1 vlen=0
[8] FUNC 'f' type_id=7 linkage=static
[9] UNION '(anon)' size=4 vlen=1
	'u' type_id=1 bits_offset=0
`
	if diff := cmp.Diff(want, listing(split)); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	// bpftool reads the pair.
	dir := t.TempDir()
	for name, b := range map[string][]byte{"base": baseRaw, "split": splitRaw} {
		if err := os.WriteFile(filepath.Join(dir, name), b, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got := bpftoolRaw(t, filepath.Join(dir, "base")) + bpftoolRaw(t, filepath.Join(dir, "split"), "-B", filepath.Join(dir, "base"))
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +bpftool:\n%s", diff)
	}
}

// A module whose BTF was distilled meets a kernel with other ids.
func TestRebase(t *testing.T) {
	baseRaw, splitRaw, err := moduleTypes(t, kernelTypes(t, false)).Distill()
	if err != nil {
		t.Fatal(err)
	}
	small, err := btf.Parse(baseRaw, nil)
	if err != nil {
		t.Fatal(err)
	}
	split, err := btf.Parse(splitRaw, small)
	if err != nil {
		t.Fatal(err)
	}
	kernel := kernelTypes(t, true)
	raw, err := split.Rebase(kernel)
	if err != nil {
		t.Fatal(err)
	}
	s, err := btf.Parse(raw, kernel)
	if err != nil {
		t.Fatal(err)
	}
	mod, _ := s.Find("mod")
	var names []string
	for _, m := range mod.Members() {
		typ := s.Type(m.Type)
		if typ.Kind() == btf.KindPtr {
			typ = s.Type(typ.Elem())
		}
		names = append(names, m.Name+" "+typ.Kind().String()+" "+typ.Name())
	}
	if diff := cmp.Diff([]string{"list STRUCT list", "state ENUM state", "anon UNION ", "task STRUCT task"}, names); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}

	var other btf.Builder
	i := other.AddInt("int", 4, btf.IntSigned)
	other.AddStruct("task", 4)
	other.AddStruct("list", 8, btf.Member{Name: "n", Type: i})
	other.AddEnum("state", 4, false)
	if _, err := split.Rebase(build(t, &other, binary.LittleEndian, nil)); !errors.Is(err, btf.ErrRange) {
		t.Errorf("a structure of another size: %v, want %v", err, btf.ErrRange)
	}
	var empty btf.Builder
	if _, err := split.Rebase(build(t, &empty, binary.LittleEndian, nil)); !errors.Is(err, btf.ErrName) {
		t.Errorf("a base without the types: %v, want %v", err, btf.ErrName)
	}
}
