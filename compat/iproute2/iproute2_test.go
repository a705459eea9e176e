package iproute2

import (
	"encoding/binary"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/lode-bpf/lode"
	"github.com/lode-bpf/lode/internal/ktest"
	"github.com/lode-bpf/lode/maps"
	"github.com/lode-bpf/lode/sys"
)

func TestParseTailCall(t *testing.T) {
	for _, c := range []struct {
		section string
		id, key uint32
		ok      bool
	}{
		{"1/0", 1, 0, true},
		{"42/0x3", 42, 3, true},
		{"0x2a/1", 42, 1, true},
		{" 3/4", 3, 4, true},
		{"2/ 5", 2, 5, true},
		{"42/2x", 42, 2, true},
		{"010/010", 8, 8, true},
		{"7/-1", 7, 0xffffffff, true},
		{"+1/+2", 1, 2, true},
		{"1/", 0, 0, false},
		{"2 /5", 0, 0, false},
		{"/1", 0, 0, false},
		{"classifier", 0, 0, false},
		{"xdp/devmap", 0, 0, false},
		{"4294967296/0", 0, 0, false},
		{"1/4294967296", 0, 0, false},
		{"-", 0, 0, false},
		{"", 0, 0, false},
	} {
		id, key, ok := ParseTailCall(c.section)
		if ok != c.ok || ok && (id != c.id || key != c.key) {
			t.Errorf("%q: %d, %d, %v, want %d, %d, %v", c.section, id, key, ok, c.id, c.key, c.ok)
		}
	}
}

// TestDecode reads every size that has been in use, as a prefix of the longest.
func TestDecode(t *testing.T) {
	full := Definition{Type: 1, SizeKey: 4, SizeValue: 8, MaxElem: 16, Flags: 1, ID: 5, Pinning: 2, InnerID: 7, InnerIndex: 9}
	var b []byte
	for _, f := range full.fields() {
		b = binary.BigEndian.AppendUint32(b, *f)
	}
	for size := 0; size <= 44; size++ {
		in := append(append([]byte(nil), b...), make([]byte, 8)...)[:size]
		got, reason := decode(in, binary.BigEndian)
		if wrong := size < 16 || size > 36 || size%4 != 0; wrong != (reason != "") {
			t.Errorf("%d bytes: reason %q", size, reason)
			continue
		} else if wrong {
			continue
		}
		want := Definition{}
		for i, f := range want.fields()[:size/4] {
			*f = *full.fields()[i]
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%d bytes: -want +got:\n%s", size, diff)
		}
	}
}

// shape is what matters of a parsed map.
type shape struct {
	Name          string
	Type          sys.MapType
	Sizes         [3]uint32
	Pinning       uint32
	Legacy        bool
	Inner         string
	Slots         []maps.Slot
	Key, HasValue bool
}

func shapes(o *lode.Object) []shape {
	var out []shape
	for _, m := range o.Maps {
		out = append(out, shape{m.Name, m.Type, [3]uint32{m.KeySize, m.ValueSize, m.MaxEntries}, m.Pinning, m.Legacy, m.InnerMap, m.Slots, m.Key != 0, m.Value != 0})
	}
	return out
}

func TestParse(t *testing.T) {
	want := []shape{
		{Name: "unpinned", Type: sys.MapTypeArray, Sizes: [3]uint32{4, 8, 1}, Legacy: true},
		{Name: "per_object", Type: sys.MapTypeHash, Sizes: [3]uint32{4, 8, 16}, Pinning: 1, Legacy: true},
		{Name: "global", Type: sys.MapTypePerCPUArray, Sizes: [3]uint32{4, 8, 2}, Pinning: 2, Legacy: true, Key: true, HasValue: true},
		{Name: "configured", Type: sys.MapTypeArray, Sizes: [3]uint32{4, 8, 1}, Pinning: 7, Legacy: true},
		{Name: "jumps", Type: sys.MapTypeProgArray, Sizes: [3]uint32{4, 4, 4}, Pinning: 1, Legacy: true,
			Slots: []maps.Slot{{Index: 0, Program: "first"}, {Index: 3, Program: "last"}}},
		{Name: "inner", Type: sys.MapTypeArray, Sizes: [3]uint32{4, 8, 1}, Legacy: true},
		{Name: "outer", Type: sys.MapTypeArrayOfMaps, Sizes: [3]uint32{4, 4, 4}, Legacy: true, Inner: "inner",
			Slots: []maps.Slot{{Index: 2, Map: "inner"}}},
	}
	o, err := Options{}.Parse(ktest.Object(t, "legacy"), lode.ParseOptions{Name: "legacy"})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, shapes(o)); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	for _, p := range o.Programs {
		wantType := sys.ProgTypeSchedCls
		if p.Name == "drop" {
			wantType = sys.ProgTypeSchedAct
		}
		if p.Type != wantType || !p.AutoLoad {
			t.Errorf("program %q: type %v, loaded %v, want %v, loaded", p.Name, p.Type, p.AutoLoad, wantType)
		}
	}
}

// TestParseSection chooses one section, as tc and ip do, and what it calls.
func TestParseSection(t *testing.T) {
	for _, c := range []struct {
		opts Options
		want map[string]bool
	}{
		{Options{Type: sys.ProgTypeSchedCls}, map[string]bool{"classify": true, "first": true, "last": true, "drop": false}},
		{Options{Section: "action"}, map[string]bool{"classify": false, "first": true, "last": true, "drop": true}},
	} {
		o, err := c.opts.Parse(ktest.Object(t, "legacy"), lode.ParseOptions{Name: "legacy"})
		if err != nil {
			t.Fatal(err)
		}
		got := map[string]bool{}
		for _, p := range o.Programs {
			got[p.Name] = p.AutoLoad
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%+v: -want +got:\n%s", c.opts, diff)
		}
	}
	_, err := Options{Section: "nothing"}.Parse(ktest.Object(t, "legacy"), lode.ParseOptions{Name: "legacy"})
	var none *NoSectionError
	if !errors.As(err, &none) {
		t.Errorf("a section that is not there: %v", err)
	}
}

// TestShort reads the kernel samples' struct, and takes the type of programs
// from the caller.
func TestShort(t *testing.T) {
	o, err := Options{Type: sys.ProgTypeXDP}.Parse(ktest.Object(t, "legacy_short"), lode.ParseOptions{Name: "short"})
	if err != nil {
		t.Fatal(err)
	}
	want := []shape{
		{Name: "lengths", Type: sys.MapTypeHash, Sizes: [3]uint32{4, 8, 64}, Legacy: true},
		{Name: "total", Type: sys.MapTypeArray, Sizes: [3]uint32{4, 8, 1}, Legacy: true},
	}
	if diff := cmp.Diff(want, shapes(o)); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if p := o.Program("measure"); p.Type != sys.ProgTypeXDP {
		t.Errorf("program type %v, want xdp", p.Type)
	}
}

// TestMixed reads structures of three sizes from one section, each by the names
// of its members.
func TestMixed(t *testing.T) {
	o, err := Options{}.Parse(ktest.Object(t, "legacy_mixed"), lode.ParseOptions{Name: "mixed"})
	if err != nil {
		t.Fatal(err)
	}
	want := []shape{
		{Name: "full", Type: sys.MapTypeHash, Sizes: [3]uint32{4, 8, 16}, Legacy: true},
		{Name: "brief", Type: sys.MapTypeArray, Sizes: [3]uint32{4, 4, 2}, Legacy: true},
		{Name: "sample", Type: sys.MapTypeArray, Sizes: [3]uint32{4, 8, 3}, Legacy: true},
	}
	if diff := cmp.Diff(want, shapes(o)); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if f := o.Map("sample").Flags; f != sys.BPF_F_NUMA_NODE {
		t.Errorf("flags of the samples' structure: %#x, want BPF_F_NUMA_NODE", f)
	}
}

// TestFallback is tried for definitions that are not understood, and for
// nothing else.
func TestFallback(t *testing.T) {
	for name, want := range map[string]bool{"legacy": true, "legacy_short": true, "counter": false, "nobtf": false} {
		called := false
		_, err := lode.Open(ktest.ObjectPath(t, name), lode.ParseOptions{Fallback: func(b []byte, o lode.ParseOptions, cause error) (*lode.Object, error) {
			called = true
			var unknown *maps.NotUnderstoodError
			if !errors.As(cause, &unknown) || unknown.Section != Section {
				t.Errorf("%s: the cause is %v", name, cause)
			}
			return Fallback(b, o, cause)
		}})
		if called != want {
			t.Errorf("%s: fallback called: %v, want %v (%v)", name, called, want, err)
		}
		if want && err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}
