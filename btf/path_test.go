package btf_test

import (
	"encoding/binary"
	"errors"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/lode-bpf/lode/btf"
)

// nested has structures in structures, with and without names.
func nested(tb testing.TB) *btf.Spec {
	tb.Helper()
	var b btf.Builder
	i := b.AddInt("int", 4, btf.IntSigned)                                                                         // 1
	in := b.AddStruct("in", 8, btf.Member{Name: "x", Type: i}, btf.Member{Name: "y", Type: i, BitOffset: 32})      // 2
	anon := b.AddStruct("", 8, btf.Member{Name: "p", Type: i}, btf.Member{Name: "q", Type: in - 1, BitOffset: 32}) // 3
	un := b.AddUnion("", 8, btf.Member{Name: "raw", Type: i}, btf.Member{Type: anon})                              // 4
	arr := b.AddArray(in, i, 3)                                                                                    // 5
	con := b.AddConst(arr)                                                                                         // 6
	b.AddStruct("out", 48, btf.Member{Name: "a", Type: i}, btf.Member{Name: "bits", Type: i, BitOffset: 35, BitSize: 4},
		btf.Member{Type: un, BitOffset: 64}, btf.Member{Name: "arr", Type: con, BitOffset: 128}, btf.Member{Name: "in", Type: in, BitOffset: 320}) // 7
	b.AddTypedef("out_t", 7) // 8
	return build(tb, &b, binary.LittleEndian, nil)
}

func TestLookup(t *testing.T) {
	s := nested(t)
	for path, want := range map[string]btf.Field{
		"out":            {Type: 7},
		"out.a":          {Type: 1},
		"struct out.a":   {Type: 1},
		"out_t.a":        {Type: 1},
		"out.bits":       {Type: 1, BitOffset: 35, BitSize: 4},
		"out.raw":        {Type: 1, BitOffset: 64},
		"out.q":          {Type: 1, BitOffset: 96},
		"out.arr":        {Type: 6, BitOffset: 128},
		"out.arr[2]":     {Type: 2, BitOffset: 256},
		"out.arr[2].y":   {Type: 1, BitOffset: 288},
		"out.in.y":       {Type: 1, BitOffset: 352},
		"out_t.arr[0].x": {Type: 1, BitOffset: 128},
	} {
		got, err := s.Lookup(path)
		if err != nil {
			t.Errorf("%s: %v", path, err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: -want +got:\n%s", path, diff)
		}
	}
	for _, path := range []string{"", "no", "union out", "out.no", "out.a.b", "out.arr[3]", "out.arr[-1]", "out.arr[x]", "out.arr[1", "out.a[0]", "out.", "out..a", "out.arr[1]y"} {
		if f, err := s.Lookup(path); !errors.Is(err, btf.ErrNotFound) {
			t.Errorf("%q: %+v, %v, want %v", path, f, err, btf.ErrNotFound)
		}
	}
	if _, err := s.OffsetOf("out.bits"); !errors.Is(err, btf.ErrUnsupported) {
		t.Errorf("offset of a bit field: %v", err)
	}
}

func TestAlignOf(t *testing.T) {
	var b btf.Builder
	char := b.AddInt("char", 1, 0)
	i := b.AddInt("int", 4, btf.IntSigned)
	wide := b.AddInt("__int128", 16, 0)
	for _, tt := range []struct {
		name        string
		id          btf.TypeID
		size, align uint64
	}{
		{"char", char, 1, 1},
		{"int", i, 4, 4},
		{"__int128", wide, 16, 16},
		{"pointer", b.AddPtr(0), 8, 8},
		{"array", b.AddArray(i, i, 3), 12, 4},
		{"const array", b.AddConst(b.NextID() - 1), 12, 4},
		{"empty struct", b.AddStruct("", 0), 0, 1},
		{"struct", b.AddStruct("", 8, btf.Member{Type: char}, btf.Member{Type: i, BitOffset: 32}), 8, 4},
		{"packed by offset", b.AddStruct("", 8, btf.Member{Type: char}, btf.Member{Type: i, BitOffset: 8}), 8, 1},
		{"packed by size", b.AddStruct("", 5, btf.Member{Type: i}, btf.Member{Type: char, BitOffset: 32}), 5, 1},
		{"union", b.AddUnion("", 16, btf.Member{Type: char}, btf.Member{Type: wide}), 16, 16},
		{"bit fields", b.AddStruct("", 4, btf.Member{Type: i, BitSize: 3}, btf.Member{Type: i, BitOffset: 3, BitSize: 7}), 4, 4},
		{"double", b.AddFloat("double", 8), 8, 8},
		{"enum", b.AddEnum("", 1, false), 1, 1},
	} {
		s := build(t, &b, binary.LittleEndian, nil)
		size, err := s.SizeOf(tt.id)
		align, err2 := s.AlignOf(tt.id)
		if size != tt.size || align != tt.align || err != nil || err2 != nil {
			t.Errorf("%s: %d, %d (%v, %v), want %d, %d", tt.name, size, align, err, err2, tt.size, tt.align)
		}
	}
	fn := b.AddFuncProto(0)
	fwd := b.AddFwd("f", false)
	s := build(t, &b, binary.LittleEndian, nil)
	for _, id := range []btf.TypeID{0, fn, fwd, 9999} {
		if _, err := s.SizeOf(id); err == nil {
			t.Errorf("type %d has a size", id)
		}
		if _, err := s.AlignOf(id); err == nil {
			t.Errorf("type %d has an alignment", id)
		}
	}
}

func ExampleSpec_Lookup() {
	var b btf.Builder
	char := b.AddInt("char", 1, btf.IntSigned)
	i := b.AddInt("int", 4, btf.IntSigned)
	b.AddStruct("task_struct", 24, btf.Member{Name: "pid", Type: i}, btf.Member{Name: "comm", Type: b.AddArray(char, i, 16), BitOffset: 64})
	raw, _ := b.Bytes(binary.LittleEndian)
	s, _ := btf.Parse(raw, nil)

	f, err := s.Lookup("task_struct.comm")
	if err != nil {
		fmt.Println(err)
		return
	}
	size, _ := s.SizeOf(f.Type)
	fmt.Println(f.ByteOffset(), size)
	_, err = s.Lookup("task_struct.tgid")
	fmt.Println(err)
	// Output:
	// 8 16
	// btf: "task_struct.tgid": "tgid" in struct "task_struct": not found
}
