package btf_test

import (
	"encoding/binary"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/lode-bpf/lode/btf"
)

// list adds the types of a linked list and of what points to it, as two
// compilation units would.
func list(b *btf.Builder, name string) {
	i := b.AddInt("int", 4, btf.IntSigned)
	node := b.NextID() + 1
	p := b.AddPtr(node)
	b.AddStruct(name, 16, btf.Member{Name: "next", Type: p}, btf.Member{Name: "v", Type: i, BitOffset: 64})
}

func dedup(tb testing.TB, s *btf.Spec) (*btf.Spec, []btf.TypeID) {
	tb.Helper()
	raw, ids, err := s.Dedup()
	if err != nil {
		tb.Fatal(err)
	}
	out, err := btf.Parse(raw, s.Base())
	if err != nil {
		tb.Fatal(err)
	}
	return out, ids
}

func TestDedup(t *testing.T) {
	for _, tt := range []struct {
		name  string
		build func(b *btf.Builder)
		want  string
		ids   []btf.TypeID
	}{
		{"equal circles", func(b *btf.Builder) { list(b, "n"); list(b, "n") },
			"[1] INT 'int' size=4 bits_offset=0 nr_bits=32 encoding=SIGNED\n[2] PTR '(anon)' type_id=3\n" +
				"[3] STRUCT 'n' size=16 vlen=2\n\t'next' type_id=2 bits_offset=0\n\t'v' type_id=1 bits_offset=64\n",
			[]btf.TypeID{1, 2, 3, 1, 2, 3}},
		{"circles of different names", func(b *btf.Builder) { list(b, "m"); list(b, "n") },
			"[1] INT 'int' size=4 bits_offset=0 nr_bits=32 encoding=SIGNED\n[2] PTR '(anon)' type_id=3\n" +
				"[3] STRUCT 'm' size=16 vlen=2\n\t'next' type_id=2 bits_offset=0\n\t'v' type_id=1 bits_offset=64\n[4] PTR '(anon)' type_id=5\n" +
				"[5] STRUCT 'n' size=16 vlen=2\n\t'next' type_id=4 bits_offset=0\n\t'v' type_id=1 bits_offset=64\n",
			[]btf.TypeID{1, 2, 3, 1, 4, 5}},
		{"forward declarations", func(b *btf.Builder) {
			// Unit 1 knows a and has b declared; unit 2 the other way round.
			b.AddFwd("b", false)
			b.AddStruct("a", 8, btf.Member{Name: "b", Type: b.AddPtr(1)})
			b.AddFwd("a", false)
			b.AddStruct("b", 8, btf.Member{Name: "a", Type: b.AddPtr(4)})
		},
			"[1] PTR '(anon)' type_id=4\n[2] STRUCT 'a' size=8 vlen=1\n\t'b' type_id=1 bits_offset=0\n" +
				"[3] PTR '(anon)' type_id=2\n[4] STRUCT 'b' size=8 vlen=1\n\t'a' type_id=3 bits_offset=0\n",
			[]btf.TypeID{4, 1, 2, 2, 3, 4}},
		{"a declaration of nothing known stays", func(b *btf.Builder) { b.AddFwd("x", false); b.AddFwd("x", false); b.AddFwd("x", true) },
			"[1] FWD 'x' fwd_kind=struct\n[2] FWD 'x' fwd_kind=union\n", []btf.TypeID{1, 1, 2}},
		{"variables stay", func(b *btf.Builder) {
			b.AddVar("v", b.AddInt("int", 4, 0), btf.LinkageStatic)
			b.AddVar("v", b.AddInt("int", 4, 0), btf.LinkageStatic)
		},
			"[1] INT 'int' size=4 bits_offset=0 nr_bits=32 encoding=(none)\n[2] VAR 'v' type_id=1, linkage=static\n[3] VAR 'v' type_id=1, linkage=static\n",
			[]btf.TypeID{1, 2, 1, 3}},
		{"a long and a short circle of the same pointers are not proven equal", func(b *btf.Builder) {
			b.AddPtr(1) // a pointer to itself
			b.AddPtr(3)
			b.AddPtr(2)
		}, "[1] PTR '(anon)' type_id=1\n", []btf.TypeID{1, 1, 1}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var b btf.Builder
			tt.build(&b)
			s, ids := dedup(t, build(t, &b, binary.LittleEndian, nil))
			if diff := cmp.Diff(tt.want, listing(s)); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
			if diff := cmp.Diff(tt.ids, ids); diff != "" {
				t.Errorf("ids: -want +got:\n%s", diff)
			}
		})
	}
}

// Split BTF loses what its base has.
func TestDedupAgainstBase(t *testing.T) {
	var b btf.Builder
	list(&b, "n")
	base := build(t, &b, binary.LittleEndian, nil)
	sb := btf.NewBuilder(base)
	list(sb, "n")
	list(sb, "own")
	sb.AddPtr(6)
	s, ids := dedup(t, build(t, sb, binary.LittleEndian, base))
	const want = "[4] PTR '(anon)' type_id=5\n[5] STRUCT 'own' size=16 vlen=2\n\t'next' type_id=4 bits_offset=0\n\t'v' type_id=1 bits_offset=64\n"
	if diff := cmp.Diff(listing(base)+want, listing(s)); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if diff := cmp.Diff([]btf.TypeID{1, 2, 3, 1, 4, 5, 2}, ids); diff != "" {
		t.Errorf("ids: -want +got:\n%s", diff)
	}
}

// The kernel's BTF has been deduplicated; two copies of it become one.
func TestDedupOfKernel(t *testing.T) {
	s := openBTF(t, kernelFile(t))
	once, _ := dedup(t, s)
	if n := s.NumTypes() - once.NumTypes(); n < 0 || n > s.NumTypes()/100 {
		t.Errorf("%d of %d types were not needed", n, s.NumTypes())
	}
	var b btf.Builder
	for range 2 {
		off := b.NextID() - 1
		for typ := range once.Types() {
			b.AddType(typ, func(id btf.TypeID) btf.TypeID {
				if id == 0 {
					return 0
				}
				return id + off
			})
		}
	}
	if again, _ := dedup(t, build(t, &b, s.ByteOrder(), nil)); again.NumTypes()-once.NumTypes() > 2*353 { // variables and their Datasec stay
		t.Errorf("%d types of two copies of %d", again.NumTypes(), once.NumTypes())
	}
}

func ExampleSpec_Dedup() {
	var b btf.Builder
	b.AddPtr(b.AddInt("int", 4, btf.IntSigned))
	b.AddPtr(b.AddInt("int", 4, btf.IntSigned))
	raw, _ := b.Bytes(binary.LittleEndian)
	s, _ := btf.Parse(raw, nil)

	raw, ids, err := s.Dedup()
	if err != nil {
		fmt.Println(err)
		return
	}
	s, _ = btf.Parse(raw, nil)
	for t := range s.Types() {
		fmt.Println(string(t.AppendRaw(nil)))
	}
	fmt.Println(ids)
	// Output:
	// [1] INT 'int' size=4 bits_offset=0 nr_bits=32 encoding=SIGNED
	// [2] PTR '(anon)' type_id=1
	// [1 2 1 2]
}
