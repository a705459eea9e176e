package maps

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/lode-bpf/lode/btf"
	"github.com/lode-bpf/lode/internal/ktest"
	"github.com/lode-bpf/lode/sys"
)

func TestKernelNameRule(t *testing.T) {
	for _, c := range []struct{ object, section, want string }{
		{"my_object_name", ".rodata", "my_objec.rodata"},
		{"my_object_name", ".bss", "my_objec.bss"},
		{"my_object_name", ".data", "my_objec.data"},
		{"my_object_name", ".kconfig", "my_obje.kconfig"},
		{"x", ".rodata.abracadabra", ".rodata.abracad"},
		{"x", ".data.my", ".data.my"},
		{"x", ".bss.x", ".bss.x"},
		{"a-b", ".data", "a_b.data"},
		{"", ".data", ".data"},
		{"o", "", "o"},
		{"ünï", ".bss", "__n__.bss"},
	} {
		if got := KernelName(c.object, c.section); got != c.want {
			t.Errorf("KernelName(%q, %q) is %q, want %q", c.object, c.section, got, c.want)
		}
	}
}

func TestNormalize(t *testing.T) {
	env := Env{CPUs: 6, PageSize: 4096}
	ring := func(n uint32) Spec { return Spec{Type: sys.MapTypeRingBuf, MaxEntries: n} }
	lru := func(n uint32) Spec {
		return Spec{Type: sys.MapTypeLRUHash, KeySize: 4, ValueSize: 4, MaxEntries: n, Flags: sys.BPF_F_NO_COMMON_LRU}
	}
	for _, c := range []struct {
		name     string
		in, want Spec
	}{
		{"ring of one byte", ring(1), ring(4096)},
		{"ring of a page", ring(4096), ring(4096)},
		{"ring of more than a page", ring(4097), ring(8192)},
		{"ring between powers", ring(12288), ring(16384)},
		{"ring of 2^31", ring(1 << 31), ring(1 << 31)},
		{"ring that cannot be rounded", ring(1<<31 + 1), ring(1<<31 + 1)},
		{"ring of nothing", ring(0), ring(0)},
		{"LRU lists per CPU", lru(10), lru(12)},
		{"LRU lists per CPU, fitting", lru(12), lru(12)},
		{"LRU lists per CPU, largest", lru(1<<32 - 1), lru(1<<32 - 4)},
		{"perf events", Spec{Type: sys.MapTypePerfEventArray}, Spec{Type: sys.MapTypePerfEventArray, KeySize: 4, ValueSize: 4, MaxEntries: 6}},
		{"devmap", Spec{Type: sys.MapTypeDevMap, KeySize: 4, ValueSize: 4, MaxEntries: 1},
			Spec{Type: sys.MapTypeDevMap, KeySize: 4, ValueSize: 4, MaxEntries: 1, Flags: sys.BPF_F_RDONLY_PROG}},
		{"what belongs to descriptors", Spec{Type: sys.MapTypeHash, KeySize: 4, ValueSize: 4, MaxEntries: 1, Extra: 3,
			Flags: sys.BPF_F_RDONLY | sys.BPF_F_WRONLY | sys.BPF_F_TOKEN_FD | sys.BPF_F_NO_PREALLOC},
			Spec{Type: sys.MapTypeHash, KeySize: 4, ValueSize: 4, MaxEntries: 1, Flags: sys.BPF_F_NO_PREALLOC}},
		{"bloom filter", Spec{Type: sys.MapTypeBloomFilter, ValueSize: 4, MaxEntries: 1, Extra: 3}, Spec{Type: sys.MapTypeBloomFilter, ValueSize: 4, MaxEntries: 1, Extra: 3}},
	} {
		if d := cmp.Diff(c.want, Normalize(&c.in, env)); d != "" {
			t.Errorf("%s (-want +got):\n%s", c.name, d)
		}
	}
}

// layoutBTF has a struct "s" with members as given, all integers of a size.
func layoutBTF(t *testing.T, name string, members ...btf.Member) (*btf.Spec, btf.TypeID) {
	t.Helper()
	var b btf.Builder
	u32 := b.AddInt("unsigned int", 4, 0)
	size := uint32(0)
	for i := range members {
		members[i].Type = u32
		size = max(size, members[i].BitOffset/8+4)
	}
	id := b.AddStruct(name, size, members...)
	raw, err := b.Bytes(binary.LittleEndian)
	if err != nil {
		t.Fatal(err)
	}
	s, err := btf.Parse(raw, nil)
	if err != nil {
		t.Fatal(err)
	}
	return s, id
}

func TestCompatible(t *testing.T) {
	ab, abID := layoutBTF(t, "s", btf.Member{Name: "a"}, btf.Member{Name: "b", BitOffset: 32})
	ba, baID := layoutBTF(t, "s", btf.Member{Name: "b"}, btf.Member{Name: "a", BitOffset: 32})
	other, otherID := layoutBTF(t, "other", btf.Member{Name: "a"}, btf.Member{Name: "b", BitOffset: 32})
	s := Spec{Name: "m", Type: sys.MapTypeHash, KeySize: 4, ValueSize: 8, MaxEntries: 16, BTF: ab, Value: abID}
	same := Info{ID: 7, Type: sys.MapTypeHash, KeySize: 4, ValueSize: 8, MaxEntries: 16}
	for _, c := range []struct {
		name   string
		spec   func(*Spec)
		info   func(*Info)
		fields string
	}{
		{"the same", nil, nil, ""},
		{"everything else", nil, func(i *Info) {
			*i = Info{Type: sys.MapTypeArray, KeySize: 8, ValueSize: 4, MaxEntries: 1, Flags: 1, Extra: 2, IfIndex: 3}
		}, "type: hash/array; key size: 4/8; value size: 8/4; max entries: 16/1; flags: 0x0/0x1; map_extra: 0x0/0x2; interface index: 0/3"},
		{"another order of members", nil, func(i *Info) { i.BTF, i.Value = ba, baID },
			`value type: member "a" at byte 0/member "b" at byte 0`},
		{"another name of the value", nil, func(i *Info) { i.BTF, i.Value = other, otherID },
			`value type: struct "s" of 8 bytes with 2 members/struct "other" of 8 bytes with 2 members`},
		{"the same value", nil, func(i *Info) { i.BTF, i.Value = ab, abID }, ""},
		{"no types there", nil, func(i *Info) { i.Value = baID }, ""},
		{"devmap", func(s *Spec) { s.Type = sys.MapTypeDevMap }, func(i *Info) { i.Type, i.Flags = sys.MapTypeDevMap, 0x80 }, ""},
		{"inner map", func(s *Spec) {
			s.Type, s.Inner = sys.MapTypeArrayOfMaps, &Spec{Type: sys.MapTypeHash, KeySize: 4, ValueSize: 4, MaxEntries: 1}
		}, func(i *Info) {
			i.Type, i.Inner = sys.MapTypeArrayOfMaps, &Info{Type: sys.MapTypeArray, KeySize: 4, ValueSize: 4, MaxEntries: 1}
		}, "inner type: hash/array"},
	} {
		d, i := s, same
		if c.spec != nil {
			c.spec(&d)
		}
		if c.info != nil {
			c.info(&i)
		}
		var rows []string
		err := Compatible(&d, i, Env{})
		if e := (*MismatchError)(nil); errors.As(err, &e) {
			for _, r := range e.Rows {
				rows = append(rows, fmt.Sprintf("%s: %s/%s", r.Field, r.Definition, r.Existing))
			}
		}
		if d := cmp.Diff(c.fields, strings.Join(rows, "; ")); d != "" {
			t.Errorf("%s (-want +got):\n%s", c.name, d)
		}
	}
}

func ExampleMismatchError() {
	s := Spec{Name: "hits", Type: sys.MapTypeHash, KeySize: 4, ValueSize: 8, MaxEntries: 1024}
	pinned := Info{ID: 12, Type: sys.MapTypeHash, KeySize: 4, ValueSize: 4, MaxEntries: 1024, Flags: sys.BPF_F_NO_PREALLOC}
	fmt.Println(Compatible(&s, pinned, Env{}))
	// Output:
	// maps: map "hits" does not match the existing map with id 12: value size: defined as 8, existing is 4; flags: defined as 0x0, existing is 0x1
}

// TestSpecVariables sets variables before a load, in objects of both byte orders.
func TestSpecVariables(t *testing.T) {
	big, err := os.ReadFile(strings.TrimSuffix(ktest.ObjectPath(t, "globals"), ".bpf.o") + ".bpfeb.o")
	want(t, err)
	for _, object := range [][]byte{ktest.Object(t, "globals"), big} {
		specs, _, err := collectFile(object)
		want(t, err)
		vars := map[string]*Variable{}
		for _, s := range specs {
			for _, v := range s.Vars {
				vars[v.Name], err = s.Variable(v.Name)
				want(t, err)
			}
		}
		var quad uint64
		var half int
		var place struct{ X, Y int32 }
		want(t, vars["ro_quad"].Get(&quad))
		want(t, vars["rw_half"].Get(&half))
		want(t, vars["ro_point"].Get(&place))
		if quad != 0x1122334455667788 || half != 0x2222 || place.X != -1 || place.Y != 2 {
			t.Errorf("initial values are %#x, %#x, %v", quad, half, place)
		}
		var b byte
		want(t, vars["ro_byte"].Get(&b))
		want(t, vars["ro_byte"].Set(200))
		want(t, vars["ro_byte"].Get(&b))
		if b != 200 {
			t.Errorf("ro_byte is %d, want 200", b)
		}
		want(t, vars["ro_byte"].Set(300), ErrRange)
		want(t, vars["zero_quad"].Set(uint64(1)<<63))
		var q uint64
		want(t, vars["zero_quad"].Get(&q))
		if q != 1<<63 {
			t.Errorf("zero_quad is %d", q)
		}
		var text string
		want(t, vars["ro_name"].Set("ab"))
		want(t, vars["ro_name"].Get(&text))
		if text != "ab" {
			t.Errorf("ro_name is %q", text)
		}
		want(t, vars["ro_name"].Set("much too long"), ErrSize)
	}
	s := &Spec{Name: "x"}
	_, err = s.Variable("y")
	want(t, err, ErrNotExist)
}

// TestBitFields: members of some bits are where the ABI of each byte order has them.
func TestBitFields(t *testing.T) {
	type flags struct {
		A uint8  // 3 bits
		B int    // 5 bits, signed
		C uint16 // 12 bits
		_ uint8
		D bool // 1 bit, the last
	}
	for _, c := range []struct {
		order binary.ByteOrder
		want  []byte
	}{
		{binary.LittleEndian, []byte{0xed, 0xbc, 0x0a, 0x80}},
		{binary.BigEndian, []byte{0xbd, 0xab, 0xc0, 0x01}},
	} {
		var b btf.Builder
		u32, i32 := b.AddInt("unsigned int", 4, 0), b.AddInt("int", 4, btf.IntSigned)
		id := b.AddStruct("flags", 4, btf.Member{Name: "a", Type: u32, BitSize: 3}, btf.Member{Name: "b", Type: i32, BitOffset: 3, BitSize: 5},
			btf.Member{Name: "c", Type: u32, BitOffset: 8, BitSize: 12}, btf.Member{Name: "d", Type: u32, BitOffset: 31, BitSize: 1})
		raw, err := b.Bytes(c.order)
		want(t, err)
		types, err := btf.Parse(raw, nil)
		want(t, err)
		s := &Spec{Name: ".data", BTF: types, Data: make([]byte, 4), DataSize: 4, Vars: []Var{{Name: "v", Type: id, Size: 4}}}
		v, err := s.Variable("v")
		want(t, err)
		in, out := flags{A: 5, B: -3, C: 0xabc, D: true}, flags{}
		want(t, v.Set(in))
		if !bytes.Equal(s.Data, c.want) {
			t.Errorf("%v: memory is % x, want % x", c.order, s.Data, c.want)
		}
		if want(t, v.Get(&out)); out != in {
			t.Errorf("%v: got %+v, want %+v", c.order, out, in)
		}
		want(t, v.Set(flags{A: 8}), ErrRange)
		want(t, v.Set(flags{B: 16}), ErrRange)
		want(t, v.Set(flags{B: -16}))
		small := struct{ A, B, C, D uint8 }{}
		want(t, v.Get(&small), ErrRange) // B is negative
	}
}

func ExampleSpec_Variable() {
	// As Collect finds it: a section of one variable, int verbose = 0.
	var b btf.Builder
	integer := b.AddInt("int", 4, btf.IntSigned)
	raw, _ := b.Bytes(binary.LittleEndian)
	types, _ := btf.Parse(raw, nil)
	rodata := &Spec{Name: ".rodata", BTF: types, Data: make([]byte, 4), DataSize: 4,
		Vars: []Var{{Name: "verbose", Type: integer, Size: 4}}}

	v, err := rodata.Variable("verbose")
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(v.Set(-2), rodata.Data)
	// Output: <nil> [254 255 255 255]
}
