package maps

import (
	"encoding/binary"
	"fmt"
	"path/filepath"
	"testing"

	"github.com/lode-bpf/lode/internal/ktest"
	"github.com/lode-bpf/lode/sys"
)

// TestKernelHash: insertion, replacement, deletion, and each of their refusals.
func TestKernelHash(t *testing.T) {
	ktest.NoFDLeaks(t)
	for _, typ := range []sys.MapType{sys.MapTypeHash, sys.MapTypeLRUHash} {
		t.Run(typ.String(), func(t *testing.T) {
			m := newMapOf(t, &Spec{Type: typ, KeySize: 4, ValueSize: 8, MaxEntries: 2})
			key := u32(1)
			_, err := m.Lookup(key)
			want(t, err, ErrNotExist, sys.ENOENT)
			want(t, m.Update(key, u64(10), sys.BPF_EXIST), ErrNotExist)
			want(t, m.Update(key, u64(10), sys.BPF_NOEXIST))
			want(t, m.Update(key, u64(11), sys.BPF_NOEXIST), ErrExist, sys.EEXIST)
			wantU64(t, m, key, 10)
			want(t, m.Update(key, u64(12), sys.BPF_ANY))
			wantU64(t, m, key, 12)
			want(t, m.Update(u32(2), u64(20), sys.BPF_ANY))
			if typ == sys.MapTypeHash {
				want(t, m.Update(u32(3), u64(30), sys.BPF_ANY), ErrFull)
			}
			want(t, m.Delete(key))
			want(t, m.Delete(key), ErrNotExist)
		})
	}
}

// TestKernelLRUEviction: a full LRU table takes new keys and forgets old ones,
// but not those that were used last.
func TestKernelLRUEviction(t *testing.T) {
	for _, typ := range []sys.MapType{sys.MapTypeLRUHash, sys.MapTypeLRUPerCPUHash} {
		t.Run(typ.String(), func(t *testing.T) {
			const size = 1024
			m := newMapOf(t, &Spec{Type: typ, KeySize: 4, ValueSize: 8, MaxEntries: size})
			value := make([]byte, m.ElemSize())
			for i := range uint32(4 * size) {
				want(t, m.Update(u32(i), value, sys.BPF_ANY))
			}
			n := 0
			for range m.Entries().All() {
				n++
			}
			if n == 0 || n > size {
				t.Errorf("table of %d holds %d entries", size, n)
			}
			if _, err := m.Lookup(u32(0)); err == nil {
				t.Error("the oldest of four times as many keys as there is room for is still there")
			}
			lookup(t, m, u32(4*size-1))
		})
	}
}

// TestKernelArray: all elements exist from the beginning and for ever.
func TestKernelArray(t *testing.T) {
	m := newMapOf(t, &Spec{Type: sys.MapTypeArray, KeySize: 4, ValueSize: 8, MaxEntries: 3})
	wantU64(t, m, u32(2), 0)
	want(t, m.Update(u32(2), u64(7), sys.BPF_ANY))
	wantU64(t, m, u32(2), 7)
	want(t, m.Update(u32(2), u64(7), sys.BPF_NOEXIST), ErrExist)
	want(t, m.Update(u32(3), u64(7), sys.BPF_ANY), ErrRange, sys.E2BIG)
	_, err := m.Lookup(u32(3))
	want(t, err, ErrNotExist)
	want(t, m.Delete(u32(0)), sys.EINVAL)
}

// TestKernelLPMTrie: the longest prefix that matches wins.
func TestKernelLPMTrie(t *testing.T) {
	m := newMapOf(t, &Spec{Type: sys.MapTypeLPMTrie, KeySize: 8, ValueSize: 4, MaxEntries: 8, Flags: sys.BPF_F_NO_PREALLOC})
	prefix := func(bits uint32, addr ...byte) []byte { return append(u32(bits), addr...) }
	want(t, m.Update(prefix(8, 10, 0, 0, 0), u32(8), sys.BPF_ANY))
	want(t, m.Update(prefix(24, 10, 1, 2, 0), u32(24), sys.BPF_ANY))
	for _, c := range []struct {
		addr []byte
		want uint32
	}{{[]byte{10, 1, 2, 3}, 24}, {[]byte{10, 1, 3, 3}, 8}} {
		if got := binary.NativeEndian.Uint32(lookup(t, m, prefix(32, c.addr...))); got != c.want {
			t.Errorf("%v matches a prefix of %d bits, want %d", c.addr, got, c.want)
		}
	}
	_, err := m.Lookup(prefix(32, 11, 0, 0, 1))
	want(t, err, ErrNotExist)
	n := 0
	e := m.Entries()
	for range e.All() {
		n++
	}
	if want(t, e.Err()); n != 2 {
		t.Errorf("%d entries, want 2", n)
	}
}

// TestKernelQueueStack: first in, first out; last in, first out.
func TestKernelQueueStack(t *testing.T) {
	for typ, order := range map[sys.MapType][]uint64{sys.MapTypeQueue: {1, 2, 3}, sys.MapTypeStack: {3, 2, 1}} {
		t.Run(typ.String(), func(t *testing.T) {
			m := newMapOf(t, &Spec{Type: typ, ValueSize: 8, MaxEntries: 3})
			for i := range uint64(3) {
				want(t, m.Update(nil, u64(i+1), sys.BPF_ANY))
			}
			want(t, m.Update(nil, u64(4), sys.BPF_ANY), ErrFull)
			wantU64(t, m, nil, order[0]) // peek
			var got []uint64
			e := m.Drain()
			for _, v := range e.All() {
				got = append(got, binary.NativeEndian.Uint64(v))
			}
			want(t, e.Err())
			if fmt.Sprint(got) != fmt.Sprint(order) {
				t.Errorf("came out %v, want %v", got, order)
			}
			want(t, m.LookupAndDelete(nil, make([]byte, 8), 0), ErrNotExist)
		})
	}
}

// TestKernelBloomFilter: what was added is found, what was not mostly isn't.
func TestKernelBloomFilter(t *testing.T) {
	m := newMapOf(t, &Spec{Type: sys.MapTypeBloomFilter, ValueSize: 8, MaxEntries: 1000, Extra: 4})
	for i := range uint64(100) {
		want(t, m.Update(nil, u64(i), sys.BPF_ANY))
	}
	for i := range uint64(100) {
		want(t, m.LookupInto(nil, u64(i), 0))
	}
	wrong := 0
	for i := range uint64(1000) {
		if m.LookupInto(nil, u64(1<<32+i), 0) == nil {
			wrong++
		}
	}
	if wrong > 100 {
		t.Errorf("%d of 1000 values that were never added are taken for members", wrong)
	}
	info, err := m.Info()
	want(t, err)
	if info.Extra != 4 {
		t.Errorf("map_extra is %d, want 4", info.Extra)
	}
}

// TestKernelMapOfMaps: values are maps by descriptor on the way in and ids on the
// way out; the template decides what fits.
func TestKernelMapOfMaps(t *testing.T) {
	ktest.NoFDLeaks(t)
	for _, typ := range []sys.MapType{sys.MapTypeArrayOfMaps, sys.MapTypeHashOfMaps} {
		t.Run(typ.String(), func(t *testing.T) {
			inner := &Spec{Name: "in", Type: sys.MapTypeHash, KeySize: 4, ValueSize: 8, MaxEntries: 4}
			s := &Spec{Name: "out", Type: typ, KeySize: 4, MaxEntries: 4, Inner: inner, Slots: []Slot{{Index: 1, Map: "in"}}}
			outer := newMapOf(t, s)
			if d, err := outer.Describe(); err != nil || d.Inner != nil {
				t.Errorf("an empty map of maps describes its inner maps as %+v, %v", d.Inner, err)
			}
			in := newMapOf(t, inner)
			want(t, outer.FillSlots([]Slot{{Index: 1, Map: "in"}, {Index: 2, Map: "absent"}}, func(s Slot) (int, error) {
				if s.Map == "in" {
					return in.FD(), nil
				}
				return -1, nil
			}))
			info, err := in.Info()
			want(t, err)
			if got := binary.NativeEndian.Uint32(lookup(t, outer, u32(1))); got != info.ID {
				t.Errorf("slot holds map %d, want %d", got, info.ID)
			}
			d, err := outer.Describe()
			want(t, err)
			if d.Inner == nil || d.Inner.ID != info.ID {
				t.Errorf("inner map is described as %+v, want id %d", d.Inner, info.ID)
			}
			other := newMapOf(t, &Spec{Type: sys.MapTypeHash, KeySize: 8, ValueSize: 8, MaxEntries: 4})
			want(t, outer.SetSlot(0, other.FD()), sys.EINVAL)
			n := 0
			for range outer.Entries().All() {
				n++
			}
			if n != 1 {
				t.Errorf("%d entries, want 1", n)
			}
			want(t, in.Update(u32(9), u64(1234), 0))
			find := loadProg(t, sys.ProgTypeSocketFilter, code( // the value of 9 in the map at 1
				[]ins{{op: opStoreW, dst: 10, off: -4, imm: 1}, {op: opMovReg, dst: 2, src: 10}, {op: opAddImm, dst: 2, imm: -4}},
				mapFD(1, outer), []ins{{op: opCall, imm: 1}, {op: opJeqImm, dst: 0, off: 7},
					{op: opStoreW, dst: 10, off: -4, imm: 9}, {op: opMovReg, dst: 2, src: 10}, {op: opAddImm, dst: 2, imm: -4},
					{op: opMovReg, dst: 1, src: 0}, {op: opCall, imm: 1}, {op: opJeqImm, dst: 0, off: 1},
					{op: opLdxDW, dst: 0, src: 0}, {op: opExit}}))
			if got := run(t, find); got != 1234 {
				t.Errorf("a program finds %d, want 1234", got)
			}
			want(t, outer.Delete(u32(1)))
			if got := run(t, find); got != 0 {
				t.Errorf("a program finds %d in an empty slot", got)
			}
			larger := *inner
			larger.MaxEntries = 8
			want(t, outer.SetSlot(1, newMapOf(t, &larger).FD()))
			d, err = outer.Describe()
			want(t, err)
			want(t, Compatible(s, d, Env{})) // an inner hash may be larger than its template
		})
	}
}

// TestKernelDescriptorMaps: maps whose values are descriptors of other objects.
func TestKernelDescriptorMaps(t *testing.T) {
	prog := func(t *testing.T) *sys.FD { return loadProg(t, sys.ProgTypeSocketFilter, exit(42)) }
	t.Run("prog_array", func(t *testing.T) {
		m := newMapOf(t, &Spec{Type: sys.MapTypeProgArray, KeySize: 4, ValueSize: 4, MaxEntries: 2})
		tail := prog(t)
		caller := loadProg(t, sys.ProgTypeSocketFilter, code(mapFD(2, m),
			[]ins{{op: opMovImm, dst: 3, imm: 1}, {op: opCall, imm: 12}}, exit(7))) // bpf_tail_call
		if got := run(t, caller); got != 7 {
			t.Errorf("tail call through an empty slot returned %d, want 7", got)
		}
		want(t, m.FillSlots([]Slot{{Index: 1, Program: "tail"}}, func(Slot) (int, error) { return tail.Int(), nil }))
		if got := run(t, caller); got != 42 {
			t.Errorf("tail call returned %d, want 42", got)
		}
		xdp := loadProg(t, sys.ProgTypeXDP, exit(2))
		want(t, m.SetSlot(0, xdp.Int()), sys.EINVAL)
		want(t, m.Delete(u32(1)))
		if got := run(t, caller); got != 7 {
			t.Errorf("tail call through a cleared slot returned %d, want 7", got)
		}
	})
	t.Run("cgroup_array", func(t *testing.T) {
		m := newMapOf(t, &Spec{Type: sys.MapTypeCgroupArray, KeySize: 4, ValueSize: 4, MaxEntries: 2})
		cgroup := ktest.Cgroup(t)
		under := func(slot int32) *sys.FD {
			return loadProg(t, sys.ProgTypeRawTracepoint, code(mapFD(1, m), []ins{{op: opMovImm, dst: 2, imm: slot},
				{op: opCall, imm: 37}, {op: opExit}})) // bpf_current_task_under_cgroup
		}
		result := func(prog *sys.FD) int32 {
			attr := &sys.ProgTestRunAttr{ProgFD: prog.Num()}
			want(t, sys.ProgTestRun(sys.Live(), attr))
			return int32(attr.RetVal)
		}
		if got := result(under(0)); got >= 0 {
			t.Errorf("an empty slot gives %d, want an error", got)
		}
		for slot, path := range []string{cgroup, filepath.Dir(cgroup)} { // this process is in none made here, but somewhere
			dir, err := sys.Live().OpenAt(sys.AT_FDCWD, path, sys.OpenHow{Flags: sys.O_RDONLY | sys.O_DIRECTORY})
			want(t, err)
			defer sys.Live().Close(dir)
			want(t, m.SetSlot(uint32(slot), dir))
			want(t, m.SetSlot(2, dir), ErrRange)
			if got := result(under(int32(slot))); got != int32(slot) {
				t.Errorf("under %s: %d, want %d", path, got, slot)
			}
		}
		want(t, m.Delete(u32(1)))
		if got := result(under(1)); got >= 0 {
			t.Errorf("a cleared slot gives %d, want an error", got)
		}
	})
}

// wantRedirect runs an XDP program that sends its packet on by the map: XDP_REDIRECT
// if there is such an entry, XDP_ABORTED if not.
func wantRedirect(t *testing.T, m *Map, key int32, there bool) {
	t.Helper()
	want := map[bool]uint32{true: 4, false: 0}[there]
	prog := loadProg(t, sys.ProgTypeXDP, code(mapFD(1, m), []ins{{op: opMovImm, dst: 2, imm: key}, {op: opMovImm, dst: 3},
		{op: opCall, imm: 51}, {op: opExit}})) // bpf_redirect_map
	if got := run(t, prog); got != want {
		t.Errorf("a redirect to entry %d is %d, want %d", key, got, want)
	}
}

// TestKernelDevMap: values are devices, and the kernel adds BPF_F_RDONLY_PROG.
func TestKernelDevMap(t *testing.T) {
	for _, typ := range []sys.MapType{sys.MapTypeDevMap, sys.MapTypeDevMapHash} {
		t.Run(typ.String(), func(t *testing.T) {
			ktest.NetNS(t)
			s := &Spec{Type: typ, KeySize: 4, ValueSize: 4, MaxEntries: 8}
			m := newMapOf(t, s)
			want(t, m.Update(u32(1), u32(1), sys.BPF_ANY)) // lo is always 1
			if got := binary.NativeEndian.Uint32(lookup(t, m, u32(1))); got != 1 {
				t.Errorf("device is %d, want 1", got)
			}
			wantRedirect(t, m, 1, true)
			wantRedirect(t, m, 2, false)
			want(t, m.Update(u32(2), u32(4000), sys.BPF_ANY), sys.EINVAL)
			info, err := m.Info()
			want(t, err)
			if info.Flags != sys.BPF_F_RDONLY_PROG {
				t.Errorf("flags are %#x, want %#x", info.Flags, sys.BPF_F_RDONLY_PROG)
			}
			want(t, Compatible(s, info, Env{}))
			want(t, m.Delete(u32(1)))
		})
	}
}

// TestKernelCPUMap: values are queue lengths.
func TestKernelCPUMap(t *testing.T) {
	m := newMapOf(t, &Spec{Type: sys.MapTypeCPUMap, KeySize: 4, ValueSize: 4, MaxEntries: 1})
	want(t, m.Update(u32(0), u32(64), sys.BPF_ANY))
	if got := binary.NativeEndian.Uint32(lookup(t, m, u32(0))); got != 64 {
		t.Errorf("queue has %d places, want 64", got)
	}
	wantRedirect(t, m, 0, true)
	want(t, m.Update(u32(1), u32(64), sys.BPF_ANY), ErrRange)
	want(t, m.Delete(u32(0)))
	wantRedirect(t, m, 0, false)
}

// TestKernelRHash: a hash table that grows.
func TestKernelRHash(t *testing.T) {
	m := newMapOf(t, &Spec{Type: sys.MapTypeRHash, KeySize: 4, ValueSize: 8, MaxEntries: 1000, Flags: sys.BPF_F_NO_PREALLOC})
	for i := range uint32(1000) {
		want(t, m.Update(u32(i), u64(uint64(i)), sys.BPF_NOEXIST))
	}
	want(t, m.Update(u32(1), u64(1), sys.BPF_NOEXIST), ErrExist)
	wantU64(t, m, u32(999), 999)
	n := 0
	e := m.Entries()
	for range e.All() {
		n++
	}
	if want(t, e.Err()); n != 1000 {
		t.Errorf("%d entries, want 1000", n)
	}
	want(t, m.Delete(u32(7)))
	want(t, m.Delete(u32(7)), ErrNotExist)
}

// TestKernelInsnArray: places in a program, which the kernel keeps up to date.
func TestKernelInsnArray(t *testing.T) {
	m := newMapOf(t, &Spec{Type: sys.MapTypeInsnArray, KeySize: 4, ValueSize: 16, MaxEntries: 2})
	place := func(insn uint32) []byte { return append(u32(insn), make([]byte, 12)...) }
	want(t, m.Update(u32(1), place(2), 0))
	want(t, m.Freeze())
	fds := []int32{int32(m.FD())}
	loadProgWith(t, sys.ProgTypeSocketFilter, code([]ins{{op: opMovImm, dst: 1, imm: 5}}, exit(0)),
		&sys.ProgLoadAttr{FDArray: sys.SlicePtr(fds), FDArrayCount: 1})
	if got := lookup(t, m, u32(1)); binary.NativeEndian.Uint32(got) != 2 || binary.NativeEndian.Uint32(got[4:]) != 2 {
		t.Errorf("instruction 2 is at % x", got)
	}
	want(t, m.Delete(u32(1)), sys.EPERM) // it is frozen
}
