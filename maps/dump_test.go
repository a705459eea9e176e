package maps

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"os/exec"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/lode-bpf/lode/btf"
	"github.com/lode-bpf/lode/internal/ktest"
	"github.com/lode-bpf/lode/sys"
)

// showcase is BTF with a structure of everything that a value can have.
func showcase(tb testing.TB, order binary.ByteOrder) (spec *btf.Spec, key, value btf.TypeID) {
	tb.Helper()
	var b btf.Builder
	i32, u8, u64t := b.AddInt("int", 4, btf.IntSigned), b.AddInt("unsigned char", 1, 0), b.AddInt("unsigned long long", 8, 0)
	i64, u32t, char := b.AddInt("long long", 8, btf.IntSigned), b.AddInt("unsigned int", 4, 0), b.AddInt("char", 1, btf.IntSigned)
	boolean := b.AddInt("_Bool", 1, btf.IntBool)
	enum := b.AddEnum("colour", 4, false, btf.Enumerator{Name: "RED", Value: 1}, btf.Enumerator{Name: "GREEN", Value: 2})
	inner := b.AddStruct("inner", 8, btf.Member{Name: "a", Type: i32}, btf.Member{Name: "b", Type: u32t, BitOffset: 32})
	union := b.AddUnion("either", 8, btf.Member{Name: "n", Type: u64t}, btf.Member{Name: "p", Type: inner})
	value = b.AddStruct("showcase", 88,
		btf.Member{Name: "signed", Type: i64},
		btf.Member{Name: "large", Type: u64t, BitOffset: 64},
		btf.Member{Name: "flag", Type: boolean, BitOffset: 128},
		btf.Member{Name: "small", Type: u8, BitOffset: 136},
		btf.Member{Name: "colour", Type: enum, BitOffset: 160},
		btf.Member{Name: "name", Type: b.AddArray(char, u32t, 8), BitOffset: 192},
		btf.Member{Name: "list", Type: b.AddArray(i32, u32t, 3), BitOffset: 256},
		btf.Member{Name: "other_colour", Type: enum, BitOffset: 352},
		btf.Member{Name: "inner", Type: b.AddConst(b.AddTypedef("inner_t", inner)), BitOffset: 384},
		btf.Member{Name: "either", Type: union, BitOffset: 448},
		btf.Member{Name: "pair", Type: b.AddArray(inner, u32t, 2), BitOffset: 512},
		btf.Member{Name: "empty", Type: b.AddArray(i32, u32t, 0), BitOffset: 640},
		btf.Member{Name: "last", Type: u64t, BitOffset: 640})
	raw, err := b.Bytes(order)
	if err != nil {
		tb.Fatal(err)
	}
	if spec, err = btf.Parse(raw, nil); err != nil {
		tb.Fatal(err)
	}
	return spec, i32, value
}

// bothOrders is what all byte orders of encoding/binary are.
type bothOrders interface {
	binary.ByteOrder
	binary.AppendByteOrder
}

func showcaseBytes(order bothOrders) []byte {
	b := make([]byte, 0, 88)
	b = order.AppendUint64(b, 1<<64-5)
	b = order.AppendUint64(b, 1<<63+1)
	b = append(b, 1, 200, 0, 0)
	b = order.AppendUint32(b, 2)
	b = append(b, "lode\x00\x00\x00\x00"...)
	for _, n := range []int32{1, -2, 3} {
		b = order.AppendUint32(b, uint32(n))
	}
	b = order.AppendUint32(b, 9)
	for range 4 {
		b = order.AppendUint32(b, 7)
		b = order.AppendUint32(b, 8)
	}
	return order.AppendUint64(b, 11)
}

// TestAppendJSON prints a value of everything, in both byte orders.
func TestAppendJSON(t *testing.T) {
	for _, order := range []bothOrders{binary.LittleEndian, binary.BigEndian} {
		b, _, id := showcase(t, order)
		got, err := AppendJSON(nil, b, id, order, showcaseBytes(order))
		want(t, err)
		n := uint64(7) | 8<<32
		if order == bothOrders(binary.BigEndian) {
			n = 7<<32 | 8
		}
		expect := `{"signed":-5,"large":9223372036854775809,"flag":true,"small":200,"colour":"GREEN","name":"lode","list":[1,-2,3],` +
			`"other_colour":9,"inner":{"a":7,"b":8},"either":{"n":` + fmt.Sprint(n) + `,"p":{"a":7,"b":8}},"pair":[{"a":7,"b":8},{"a":7,"b":8}],"empty":[],"last":11}`
		if d := cmp.Diff(expect, string(got)); d != "" {
			t.Errorf("%v (-want +got):\n%s", order, d)
		}
		if _, err := AppendJSON(nil, b, id, order, make([]byte, 87)); err == nil {
			t.Error("a value that is too short is printed")
		}
	}
}

// TestKernelDump compares dumps with bpftool's, byte for byte for people and by
// value as JSON.
func TestKernelDump(t *testing.T) {
	ktest.Root(t)
	bpftool := ktest.Tool(t, "bpftool", "bpftool")
	b, key, value := showcase(t, binary.NativeEndian)
	fd := loadBTF(t, b)
	for _, typ := range []sys.MapType{sys.MapTypeHash, sys.MapTypePerCPUArray, sys.MapTypeArray} {
		for _, typed := range []bool{true, false} {
			t.Run(fmt.Sprintf("%v/%v", typ, typed), func(t *testing.T) {
				s := &Spec{Name: "dumped", Type: typ, KeySize: 4, ValueSize: 88, MaxEntries: 2, Contents: []KV{{u32(1), showcaseBytes(binary.NativeEndian)}}}
				if typed {
					s.BTF, s.Key, s.Value = b, key, value
				}
				m := newMapWith(t, s, CreateOptions{BTFFD: fd})
				want(t, m.Fill(s))
				info, err := m.Info()
				want(t, err)
				var text, asJSON bytes.Buffer
				want(t, m.Dump(&text))
				want(t, m.WriteJSON(&asJSON))
				theirs, err := exec.Command(bpftool, "map", "dump", "id", fmt.Sprint(info.ID)).Output()
				want(t, err)
				if typed || typ != sys.MapTypePerCPUArray {
					if d := cmp.Diff(fields(string(theirs), typed), fields(text.String(), typed)); d != "" {
						t.Errorf("text (-bpftool +ours):\n%s", d)
					}
				}
				if !json.Valid(asJSON.Bytes()) {
					t.Fatalf("not JSON: %s", asJSON.Bytes())
				}
				theirs, err = exec.Command(bpftool, "-j", "map", "dump", "id", fmt.Sprint(info.ID)).Output()
				want(t, err)
				if d := cmp.Diff(entriesOf(t, theirs, typed), entriesOf(t, asJSON.Bytes(), false)); d != "" {
					t.Errorf("JSON (-bpftool +ours):\n%s", d)
				}
			})
		}
	}
}

// fields is text to compare: as it is, or, without types, where bpftool breaks
// long lines, its words.
func fields(s string, exact bool) any {
	if exact {
		return s
	}
	return strings.Fields(s)
}

// entriesOf parses a dump; bpftool has what BTF says under "formatted".
func entriesOf(t *testing.T, raw []byte, formatted bool) any {
	t.Helper()
	var entries []map[string]any
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	if err := d.Decode(&entries); err != nil {
		t.Fatalf("%v in %s", err, raw)
	}
	for i, e := range entries {
		if formatted {
			entries[i] = e["formatted"].(map[string]any)
		}
	}
	return entries
}

// TestKernelDumpData prints the variables of a section by name.
func TestKernelDumpData(t *testing.T) {
	ktest.Root(t)
	specs, _, err := collectFile(ktest.Object(t, "globals"))
	want(t, err)
	for _, s := range specs {
		if s.Name != ".data.points" {
			continue
		}
		m := newMapOf(t, s)
		want(t, m.Fill(s))
		var text, asJSON bytes.Buffer
		want(t, m.Dump(&text))
		want(t, m.WriteJSON(&asJSON))
		if d := cmp.Diff(`[{"value":{".data.points":[{"rw_points":[{"x":1,"y":2},{"x":3,"y":4}]}]}}]`+"\n", asJSON.String()); d != "" {
			t.Errorf("(-want +got):\n%s", d)
		}
		if !strings.Contains(text.String(), "\"rw_points\": [{\n") {
			t.Errorf("for people:\n%s", text.String())
		}
	}
}
