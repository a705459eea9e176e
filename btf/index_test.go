package btf

import (
	"encoding/binary"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestEssentialName(t *testing.T) {
	for name, want := range map[string]string{
		"foo": "foo", "foo___bar": "foo", "a___b___c": "a___b", "ab___cd____": "ab", "foo____bar": "foo____bar",
		"foo___": "foo___", "___bar": "___bar", "x____y": "x____y", "": "", "_": "_", "___": "___", "a___b": "a", "a__b": "a__b",
		"task_struct___v5_10": "task_struct", "a___b____c": "a", "a____b___c": "a____b", "_____a___b": "_____a",
	} {
		if got := EssentialName(name); got != want {
			t.Errorf("EssentialName(%q) = %q, want %q", name, got, want)
		}
	}
}

// A name in the string section has the hash of its essential name, wherever
// the eight bytes that are read at a time begin, and whatever follows it.
func TestHashAt(t *testing.T) {
	start := hashStart()
	for n := range 30 {
		for m := range 30 {
			for _, middle := range []string{"", "_", "__", "___", "____", "\x01", "^_^", "_\xdf_"} {
				name := strings.Repeat("x", n) + middle + strings.Repeat("y", m)
				want := hashName(EssentialName(name))
				for _, tail := range []string{"\x00", "\x00abc\x00", "\x00___________________\x00", "\x00\x01\x01\x01\x01\x01\x01\x01\x01"} {
					if got := hashAt(start, []byte(name+tail)); got != want {
						t.Errorf("%q has the hash %#x, want %#x", name+tail, got, want)
					}
				}
			}
		}
	}
}

// Hashes of names that differ in one place, or in length, differ, and their
// top bits too.
func TestHashSpreads(t *testing.T) {
	all, top := map[uint64]bool{}, map[uint64]int{}
	names := 0
	for n := range 200 {
		for at := range n {
			name := []byte(strings.Repeat("a", n))
			name[at] = 'b'
			h := hashName(string(name))
			all[h] = true
			top[h>>54]++
			names++
		}
	}
	if len(all) != names {
		t.Errorf("%d names have %d hashes", names, len(all))
	}
	for h, n := range top {
		if n > 100 { // about 20 are to be expected
			t.Errorf("%d of %d names have the top bits %#x", n, names, h)
		}
	}
}

// lookups are the ids of what was found.
func lookups(seq func(func(Type) bool)) (ids []TypeID) {
	for t := range seq {
		ids = append(ids, t.ID())
	}
	return ids
}

func TestFind(t *testing.T) {
	build := func(base *Spec, names ...string) *Spec {
		b := NewBuilder(base)
		for _, n := range names {
			b.AddStruct(n, 4)
		}
		raw, err := b.Bytes(binary.LittleEndian)
		if err != nil {
			t.Fatal(err)
		}
		s, err := Parse(raw, base)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	base := build(nil, "a", "b", "a___x", "b", "a")
	s := build(base, "b", "c", "a___y")
	for _, tt := range []struct {
		name              string
		found, all, cands []TypeID
	}{
		{"a", []TypeID{1}, []TypeID{1, 5}, []TypeID{8, 1, 3, 5}},
		{"b", []TypeID{6}, []TypeID{6, 2, 4}, []TypeID{6, 2, 4}},
		{"c", []TypeID{7}, []TypeID{7}, []TypeID{7}},
		{"a___x", []TypeID{3}, []TypeID{3}, nil},
		{"a___y", []TypeID{8}, []TypeID{8}, nil},
		{"none", nil, nil, nil},
		{"", nil, nil, nil},
	} {
		var found []TypeID
		if f, ok := s.Find(tt.name, KindUnion, KindStruct); ok {
			found = append(found, f.ID())
		}
		for i, pair := range [][2][]TypeID{{tt.found, found}, {tt.all, lookups(s.Named(tt.name))}, {tt.cands, lookups(s.Candidates(tt.name))}} {
			if diff := cmp.Diff(pair[0], pair[1]); diff != "" {
				t.Errorf("%q, %d: -want +got:\n%s", tt.name, i, diff)
			}
		}
		if _, ok := s.Find(tt.name, KindUnion); ok {
			t.Errorf("%q is no union", tt.name)
		}
	}
}

func ExampleSpec_Candidates() {
	var b Builder
	b.AddStruct("sock", 8)
	b.AddStruct("sock___v5", 16)
	b.AddStruct("socket", 24)
	raw, _ := b.Bytes(binary.LittleEndian)
	s, _ := Parse(raw, nil)
	for t := range s.Candidates("sock") {
		fmt.Println(t.ID(), t.Name(), t.Size())
	}
	// Output:
	// 1 sock 8
	// 2 sock___v5 16
}
