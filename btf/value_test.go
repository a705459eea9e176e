package btf_test

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/lode-bpf/lode/btf"
)

// everyValue is a structure with a member of every form that a value can
// have, and bytes for it.
func everyValue(tb testing.TB, order binary.ByteOrder) (raw []byte, id btf.TypeID, data []byte) {
	tb.Helper()
	var b btf.Builder
	i32 := b.AddInt("int", 4, btf.IntSigned)
	u64 := b.AddInt("unsigned long", 8, 0)
	char := b.AddInt("char", 1, btf.IntSigned)
	letter := b.AddInt("letter", 1, btf.IntChar)
	boolean := b.AddInt("_Bool", 1, btf.IntBool)
	wide := b.AddInt("__int128", 16, btf.IntSigned)
	enum := b.AddEnum("sign", 4, true, btf.Enumerator{Name: "NEG", Value: ^uint64(0)}, btf.Enumerator{Name: "TWO", Value: 2})
	enum64 := b.AddEnum64("big", 8, false, btf.Enumerator{Name: "BIG", Value: 1 << 40})
	pair := b.AddStruct("pair", 8, btf.Member{Name: "p", Type: i32}, btf.Member{Name: "q", Type: i32, BitOffset: 32})
	bits := b.AddStruct("bits", 8, btf.Member{Name: "a", Type: i32, BitSize: 3}, btf.Member{Name: "b", Type: i32, BitOffset: 3, BitSize: 7},
		btf.Member{Name: "c", Type: enum, BitOffset: 32, BitSize: 4}, btf.Member{Type: i32, BitOffset: 40, BitSize: 4})
	three := b.AddArray(i32, i32, 3)

	var members []btf.Member
	add := func(name string, t btf.TypeID, bytes ...byte) {
		members = append(members, btf.Member{Name: name, Type: t, BitOffset: uint32(8 * len(data))})
		data = append(data, bytes...)
	}
	u32 := func(v uint32) []byte { b := make([]byte, 4); order.PutUint32(b, v); return b }
	long := func(v uint64) []byte { b := make([]byte, 8); order.PutUint64(b, v); return b }
	add("minus", i32, u32(0xfffffffb)...)
	add("plus", i32, u32(5)...)
	add("long", u64, long(0xfedcba9876543210)...)
	add("char", char, 'A')
	add("yes", boolean, 1)
	add("no", boolean, 0)
	add("z", letter, 'z')
	add("nul", letter, 0)
	add("high", letter, 200)
	add("tilde", letter, '~')
	add("last", char, 0xff)
	add("wide", wide, append(long(0x0123456789abcdef), long(0x0011223344556677)...)...)
	add("ptr", b.AddPtr(i32), long(0xffff888000001000)...)
	add("neg", enum, u32(0xffffffff)...)
	add("two", b.AddTypedef("sign_t", b.AddConst(enum)), u32(2)...)
	add("other", enum, u32(77)...)
	add("minus_other", enum, u32(0xffffff00)...)
	add("big", enum64, long(1<<40)...)
	add("big_other", enum64, long(1<<41)...)
	add("string", b.AddArray(char, i32, 8), []byte("hello\x00\x01\x02")...)
	add("no_string", b.AddArray(char, i32, 8), []byte("12345678")...)
	add("letters", b.AddArray(letter, i32, 4), 1, 'b', 'c', 0)
	add("array", three, append(append(u32(1), u32(2)...), u32(3)...)...)
	add("", b.AddUnion("", 8, btf.Member{Name: "x", Type: char}, btf.Member{Name: "y", Type: u64}), long(0x0101010101010101)...)
	add("pairs", b.AddArray(pair, i32, 2), append(append(u32(1), u32(2)...), append(u32(3), u32(4)...)...)...)
	add("bits", bits, 0x0b, 0x02, 0, 0, 0x57, 0x1e, 0, 0)
	add("matrix", b.AddArray(three, i32, 2), make([]byte, 24)...)
	add("volatile", b.AddVolatile(u64), long(1)...)
	add("empty", b.AddStruct("empty", 0))
	id = b.AddStruct("value", uint32(len(data)), members...)
	raw, err := b.Bytes(order)
	if err != nil {
		tb.Fatal(err)
	}
	return raw, id, data
}

// The same value reads the same in both byte orders, and is JSON.
func TestFormatValue(t *testing.T) {
	const want = `{"minus":-5,"plus":5,"long":18364758544493064720,"char":65,"yes":true,"no":false,"z":"z","nul":"\u0000","high":"\u00c8",` +
		`"tilde":"~","last":-1,"wide":"0x112233445566770123456789abcdef","ptr":18446612682070036480,"neg":"NEG","two":"TWO","other":77,` +
		`"minus_other":-256,"big":"BIG","big_other":2199023255552,"string":"hello","no_string":[49,50,51,52,53,54,55,56],` +
		`"letters":["\u0001","b","c","\u0000"],"array":[1,2,3],"":{"x":1,"y":72340172838076673},"pairs":[{"p":1,"q":2},{"p":3,"q":4}],` +
		`"bits":{"a":"0x3","b":"0x41","c":"0x7","":"0xe"},"matrix":[[0,0,0],[0,0,0]],"volatile":1,"empty":{}}`
	raw, id, data := everyValue(t, binary.LittleEndian)
	s, err := btf.Parse(raw, nil)
	if err != nil {
		t.Fatal(err)
	}
	got, err := s.FormatValue(nil, id, data)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, string(got)); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if !json.Valid(got) {
		t.Error("not JSON")
	}
	if _, err := s.FormatValue(nil, id, data[:len(data)-1]); !errors.Is(err, btf.ErrTruncated) {
		t.Errorf("a value that is cut: %v, want %v", err, btf.ErrTruncated)
	}
}

// In big endian, bit fields count from the high bit of the first byte.
func TestFormatValueBigEndian(t *testing.T) {
	raw, id, data := everyValue(t, binary.BigEndian)
	s, err := btf.Parse(raw, nil)
	if err != nil {
		t.Fatal(err)
	}
	b, err := s.FormatValue(nil, id, data)
	if err != nil {
		t.Fatal(err)
	}
	var got map[string]any
	if err := json.Unmarshal(b, &got); err != nil {
		t.Fatal(err)
	}
	want := map[string]any{"minus": -5.0, "wide": "0x11223344556677" + "0123456789abcdef", "bits": map[string]any{"a": "0x0", "b": "0x2c", "c": "0x5", "": "0x1"}}
	// Of the two halves of the wide integer the first is the high one here.
	want["wide"] = "0x123456789abcdef0011223344556677"
	for k, v := range want {
		if diff := cmp.Diff(v, got[k]); diff != "" {
			t.Errorf("%s: -want +got:\n%s", k, diff)
		}
	}
}

func ExampleSpec_FormatValue() {
	var b btf.Builder
	u64 := b.AddInt("unsigned long", 8, 0)
	char := b.AddInt("char", 1, btf.IntSigned)
	event := b.AddStruct("event", 16, btf.Member{Name: "count", Type: u64}, btf.Member{Name: "comm", Type: b.AddArray(char, u64, 8), BitOffset: 64})
	raw, _ := b.Bytes(binary.LittleEndian)
	s, _ := btf.Parse(raw, nil)

	data := []byte("\x2a\x00\x00\x00\x00\x00\x00\x00bash\x00\x00\x00\x00")
	text, err := s.FormatValue(nil, event, data)
	fmt.Println(string(text), err)
	// Output: {"count":42,"comm":"bash"} <nil>
}
