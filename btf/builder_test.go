package btf_test

import (
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/lode-bpf/lode/btf"
)

// listing is the raw listing of all types, those of the base included.
func listing(s *btf.Spec) string {
	var b []byte
	for id := btf.TypeID(1); int(id) < s.NumTypes(); id++ {
		b = append(s.Type(id).AppendRaw(b), '\n')
	}
	return string(b)
}

func build(tb testing.TB, b *btf.Builder, order binary.ByteOrder, base *btf.Spec) *btf.Spec {
	tb.Helper()
	raw, err := b.Bytes(order)
	if err != nil {
		tb.Fatal(err)
	}
	s, err := btf.Parse(raw, base)
	if err != nil {
		tb.Fatal(err)
	}
	return s
}

// everyKind adds a type of every kind.
func everyKind(b *btf.Builder) {
	i := b.AddInt("int", 4, btf.IntSigned)
	p := b.AddPtr(b.NextID() + 2)
	b.AddArray(i, i, 7)
	st := b.AddStruct("st", 8, btf.Member{Name: "a", Type: i}, btf.Member{Name: "b", Type: p - 1, BitOffset: 32, BitSize: 5})
	b.AddUnion("un", 8, btf.Member{Name: "a", Type: i}, btf.Member{Type: st})
	b.AddEnum("en", 4, true, btf.Enumerator{Name: "M1", Value: ^uint64(0)}, btf.Enumerator{Name: "P1", Value: 1})
	b.AddEnum64("e64", 8, false, btf.Enumerator{Name: "BIG", Value: 1 << 60})
	b.AddFwd("later", false)
	b.AddFwd("later_union", true)
	b.AddTypedef("td", st)
	b.AddVolatile(b.AddConst(b.AddRestrict(p)))
	f := b.AddFunc("f", b.AddFuncProto(i, btf.Param{Name: "x", Type: p}, btf.Param{}), btf.LinkageGlobal)
	v := b.AddVar("v", i, btf.LinkageStatic)
	b.AddDatasec(".data", 16, btf.VarSecinfo{Type: v, Offset: 4, Size: 4})
	b.AddFloat("double", 8)
	b.AddDeclTag("tag", f, 1)
	b.AddDeclTag("all", st, -1)
	b.AddTypeTag("user", i)
}

// What a Builder writes, in either byte order, reads as what was added.
func TestBuilderRoundTrip(t *testing.T) {
	const want = `[1] INT 'int' size=4 bits_offset=0 nr_bits=32 encoding=SIGNED
[2] PTR '(anon)' type_id=4
[3] ARRAY '(anon)' type_id=1 index_type_id=1 nr_elems=7
[4] STRUCT 'st' size=8 vlen=2
	'a' type_id=1 bits_offset=0
	'b' type_id=1 bits_offset=32 bitfield_size=5
[5] UNION 'un' size=8 vlen=2
	'a' type_id=1 bits_offset=0
	'(anon)' type_id=4 bits_offset=0
[6] ENUM 'en' encoding=SIGNED size=4 vlen=2
	'M1' val=-1
	'P1' val=1
[7] ENUM64 'e64' encoding=UNSIGNED size=8 vlen=1
	'BIG' val=1152921504606846976ULL
[8] FWD 'later' fwd_kind=struct
[9] FWD 'later_union' fwd_kind=union
[10] TYPEDEF 'td' type_id=4
[11] RESTRICT '(anon)' type_id=2
[12] CONST '(anon)' type_id=11
[13] VOLATILE '(anon)' type_id=12
[14] FUNC_PROTO '(anon)' ret_type_id=1 vlen=2
	'x' type_id=2
	'(anon)' type_id=0
[15] FUNC 'f' type_id=14 linkage=global
[16] VAR 'v' type_id=1, linkage=static
[17] DATASEC '.data' size=16 vlen=1
	type_id=16 offset=4 size=4 (VAR 'v')
[18] FLOAT 'double' size=8
[19] DECL_TAG 'tag' type_id=15 component_idx=1
[20] DECL_TAG 'all' type_id=4 component_idx=-1
[21] TYPE_TAG 'user' type_id=1
`
	for _, order := range []binary.ByteOrder{binary.LittleEndian, binary.BigEndian} {
		var b btf.Builder
		everyKind(&b)
		s := build(t, &b, order, nil)
		if diff := cmp.Diff(want, listing(s)); diff != "" {
			t.Errorf("%v: -want +got:\n%s", order, diff)
		}
		if s.ByteOrder() != order {
			t.Errorf("byte order %v, want %v", s.ByteOrder(), order)
		}
	}
}

// Copying every type of the kernel and of every object gives the same types.
func TestBuilderCopies(t *testing.T) {
	for _, path := range withKernel(objects(t)) {
		t.Run(filepath.Base(path), func(t *testing.T) {
			s := openBTF(t, path)
			if s == nil {
				return
			}
			var b btf.Builder
			for typ := range s.Types() {
				b.AddType(typ, nil)
			}
			if copied := build(t, &b, s.ByteOrder(), nil); listing(copied) != listing(s) {
				t.Error("the copy is not equal")
			}
		})
	}
}

func TestBuilderRefuses(t *testing.T) {
	for _, tt := range []struct {
		name string
		add  func(b *btf.Builder)
		want error
	}{
		{"a type id that never comes", func(b *btf.Builder) { b.AddPtr(7) }, btf.ErrRange},
		{"NUL in a name", func(b *btf.Builder) { b.AddFwd("a\x00b", false) }, btf.ErrName},
		{"a bit field too far away", func(b *btf.Builder) {
			b.AddStruct("s", 1<<22, btf.Member{Type: b.AddInt("int", 4, 0), BitOffset: 1 << 24, BitSize: 1})
		}, btf.ErrRange},
		{"a member behind the end", func(b *btf.Builder) {
			b.AddStruct("s", 4, btf.Member{Type: b.AddInt("int", 4, 0) + 1, BitOffset: 64})
		}, btf.ErrRange},
		{"a FLOAT of 3 bytes", func(b *btf.Builder) { b.AddFloat("f", 3) }, btf.ErrRange},
		{"an ENUM of 3 bytes", func(b *btf.Builder) { b.AddEnum("e", 3, false) }, btf.ErrRange},
		{"an INT of 32 bytes", func(b *btf.Builder) { b.AddInt("i", 32, 0) }, btf.ErrRange},
		{"a DECL_TAG of no parameter", func(b *btf.Builder) { b.AddDeclTag("t", b.AddFunc("f", b.AddFuncProto(0), 0)+0, 0) }, btf.ErrRange},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var b btf.Builder
			tt.add(&b)
			if _, err := b.Bytes(binary.LittleEndian); !errors.Is(err, tt.want) {
				t.Errorf("got %v, want %v", err, tt.want)
			}
		})
	}
}

// Strings and types of a split BTF continue those of the base.
func TestBuilderSplit(t *testing.T) {
	var b btf.Builder
	i := b.AddInt("int", 4, btf.IntSigned)
	b.AddStruct("task", 4, btf.Member{Name: "pid", Type: i})
	base := build(t, &b, binary.LittleEndian, nil)

	sb := btf.NewBuilder(base)
	if off, want := sb.AddString("pid"), base.Type(2); off == 0 || off > uint32(len(base.Bytes())) {
		t.Errorf("the base's string is not used: offset %d for %v", off, want)
	}
	sb.AddStruct("own", 8, btf.Member{Name: "pid", Type: i}, btf.Member{Name: "tid", Type: i, BitOffset: 32})
	sb.AddPtr(2)
	split := build(t, sb, binary.LittleEndian, base)
	const want = `[3] STRUCT 'own' size=8 vlen=2
	'pid' type_id=1 bits_offset=0
	'tid' type_id=1 bits_offset=32
[4] PTR '(anon)' type_id=2
`
	if diff := cmp.Diff(listing(base)+want, listing(split)); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if typ, ok := split.Find("task"); !ok || typ.ID() != 2 || typ.Spec() != base {
		t.Errorf("Find(task) = %d, %v", typ.ID(), ok)
	}
	if split.FirstID() != 3 || split.NumTypes() != 5 || split.Base() != base {
		t.Errorf("first %d, %d types", split.FirstID(), split.NumTypes())
	}
}

// bpftool reads what is built.
func TestBuilderForBpftool(t *testing.T) {
	var b btf.Builder
	everyKind(&b)
	raw, err := b.Bytes(binary.LittleEndian)
	if err != nil {
		t.Fatal(err)
	}
	s := build(t, &b, binary.LittleEndian, nil)
	file := filepath.Join(t.TempDir(), "types.btf")
	if err := os.WriteFile(file, raw, 0o644); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(bpftoolRaw(t, file), listing(s)); diff != "" {
		t.Errorf("-bpftool +ours:\n%s", diff)
	}
}

func ExampleBuilder() {
	var b btf.Builder
	u32 := b.AddInt("unsigned int", 4, 0)
	u64 := b.AddInt("unsigned long long", 8, 0)
	b.AddStruct("event", 16,
		btf.Member{Name: "pid", Type: u32},
		btf.Member{Name: "when", Type: u64, BitOffset: 64})
	raw, err := b.Bytes(binary.LittleEndian)
	if err != nil {
		fmt.Println(err)
		return
	}
	s, err := btf.Parse(raw, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	off, err := s.OffsetOf("event.when")
	fmt.Println(off, err)
	// Output: 8 <nil>
}
