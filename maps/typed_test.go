package maps

import (
	"fmt"
	"strings"
	"testing"
	"unsafe"

	"github.com/lode-bpf/lode/internal/ktest"
	"github.com/lode-bpf/lode/sys"
)

// TestTypedLayout: which Go types fit which maps. No kernel is asked.
func TestTypedLayout(t *testing.T) {
	b := types(t)
	of := func(keySize, valueSize uint32) *Map {
		return newMap(sys.Live(), nil, &Spec{Name: "m", Type: sys.MapTypeHash, KeySize: keySize, ValueSize: valueSize, BTF: b.spec, Key: b.i32, Value: b.two}, 0)
	}
	type two struct{ A, B uint64 }
	type shifted struct {
		A uint16
		B uint32
		C [10]byte
	}
	type padded struct {
		A uint32
		_ uint32
		B uint64
	}
	type elsewhere struct {
		A, C uint32
		B    uint64
	}
	type nested struct {
		One struct{ N uint64 }
		Two struct{ N uint64 }
	}
	check := func(name string, err error, text string) {
		t.Helper()
		if text == "" && err != nil || text != "" && (err == nil || !strings.Contains(err.Error(), text)) {
			t.Errorf("%s: error is %v, want %q", name, err, text)
		}
	}
	_, err := NewTyped[uint32, two](of(4, 16))
	check("the same", err, "")
	_, err = NewTyped[int32, [16]byte](of(4, 16))
	check("bytes", err, "")
	_, err = NewTyped[uint64, two](of(4, 16))
	check("wrong key", err, "it has 8 bytes, the map's key has 4")
	_, err = NewTyped[uint32, uint64](of(4, 16))
	check("wrong value", err, "the map's value has 16")
	_, err = NewTyped[uint32, shifted](of(4, 20))
	check("padding in Go", err, `2 bytes of padding before field "B"`)
	_, err = NewTyped[uint32, *two](of(4, uint32(unsafe.Sizeof(uintptr(0)))))
	check("pointer", err, "not a plain value")
	_, err = NewTyped[uint32, string](of(4, uint32(unsafe.Sizeof(""))))
	check("text", err, "not a plain value")
	_, err = NewTyped[float32, two](of(4, 16))
	check("float for an integer", err, "a float32 for a INT")
	_, err = NewTyped[uint32, [2]uint64](of(4, 16))
	check("array for a struct", err, `a [2]uint64 for struct "two"`)
	_, err = NewTyped[uint32, padded](of(4, 16))
	check("another size of a member", err, "has 4 bytes")
	_, err = NewTyped[uint32, elsewhere](of(4, 16))
	check("two fields for a member", err, "has 4 bytes")
	_, err = NewTyped[uint32, nested](of(4, 16))
	check("nested", err, "")
}

func TestKernelTyped(t *testing.T) {
	ktest.Root(t)
	type flow struct {
		Addr uint32
		Port uint16
		_    [2]byte
	}
	type count struct{ Packets, Bytes uint64 }
	m := newMapOf(t, &Spec{Type: sys.MapTypeHash, KeySize: 8, ValueSize: 16, MaxEntries: 8})
	flows, err := NewTyped[flow, count](m)
	want(t, err)
	want(t, flows.Put(flow{Addr: 1, Port: 2}, count{3, 4}, sys.BPF_ANY))
	c, err := flows.Get(flow{Addr: 1, Port: 2})
	want(t, err)
	if c != (count{3, 4}) {
		t.Errorf("value is %v", c)
	}
	_, err = flows.Get(flow{Addr: 1, Port: 3})
	want(t, err, ErrNotExist)
	var walk error
	for k, v := range flows.All(&walk) {
		if k.Port != 2 || v.Bytes != 4 {
			t.Errorf("entry %v: %v", k, v)
		}
	}
	want(t, walk)
	want(t, flows.Delete(flow{Addr: 1, Port: 2}))
	if _, err = flows.Take(flow{}); atLeast(5, 14) {
		want(t, err, ErrNotExist)
	} else {
		want(t, err, ErrMapType)
	}

	p, err := NewTyped[uint32, uint32](newMapOf(t, &Spec{Type: sys.MapTypePerCPUArray, KeySize: 4, ValueSize: 4, MaxEntries: 2}))
	want(t, err)
	values := make([]uint32, p.Map().CPUs())
	for i := range values {
		values[i] = uint32(i * 10)
	}
	want(t, p.PutPerCPU(1, values, 0))
	got, err := p.PerCPU(1)
	want(t, err)
	if fmt.Sprint(got) != fmt.Sprint(values) {
		t.Errorf("values are %v, want %v", got, values)
	}
	n := 0
	for _, v := range p.AllPerCPU(&walk) {
		n += len(v)
	}
	if want(t, walk); n != 2*len(values) {
		t.Errorf("%d values, want %d", n, 2*len(values))
	}
	_, err = p.Get(1)
	want(t, err, ErrSize)
}
