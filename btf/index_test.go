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

// The scan for flavours, eight bytes at a time, misses none, whatever follows
// the name.
func TestScanName(t *testing.T) {
	for n := range 30 {
		for at := range 30 {
			name := strings.Repeat("x", n) + "___" + strings.Repeat("y", at)
			for _, tail := range []string{"\x00", "\x00abc\x00", "\x00___________________\x00"} {
				got, flavour := scanName([]byte(name + tail))
				if want := EssentialName(name) != name; got != len(name) || want && !flavour {
					t.Errorf("scanName(%q) = %d, %v, want %d, %v", name+tail, got, flavour, len(name), want)
				}
			}
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
