package maps

import (
	"encoding/binary"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/lode-bpf/lode/internal/ktest"
	"github.com/lode-bpf/lode/sys"
)

// TestKernelArena: memory shared with programs, which comes into being when it is
// touched.
func TestKernelArena(t *testing.T) {
	ktest.NoFDLeaks(t)
	s := &Spec{Type: sys.MapTypeArena, MaxEntries: 4, Flags: sys.BPF_F_MMAPABLE, Data: u32(1234), DataSize: 4, Vars: []Var{{Name: "v", Offset: 0, Size: 4}}}
	m := newMapOf(t, s)
	want(t, m.Fill(s))
	b, err := m.Memory()
	want(t, err)
	if len(b) != 4*os.Getpagesize() || !m.Writable() {
		t.Fatalf("memory of %d bytes, writable %v", len(b), m.Writable())
	}
	again, err := m.Memory()
	if want(t, err); &again[0] != &b[0] {
		t.Error("a second call maps it elsewhere")
	}
	b[len(b)-1] = 7
	if binary.NativeEndian.Uint32(b) != 1234 || b[len(b)-1] != 7 {
		t.Errorf("memory has % x and %d", b[:4], b[len(b)-1])
	}
	v, err := m.Variable("v")
	want(t, err)
	want(t, v.SetBytes(u32(4321)))
	if binary.NativeEndian.Uint16([]byte{1, 0}) == 1 {
		base := uint64(uintptr(at(b)))
		prog := loadProg(t, sys.ProgTypeSocketFilter, code(mapFD(1, m), []ins{
			{op: opLoadImm, dst: 2, imm: int32(uint32(base))}, {imm: int32(uint32(base >> 32))},
			{op: opMovReg, dst: 2, src: 2, off: 1, imm: 1}, // to the kernel's address of it
			{op: opLdxW, dst: 0, src: 2}, {op: opExit}}))
		if got := run(t, prog); got != 4321 {
			t.Errorf("program reads %d, want 4321", got)
		}
	}
	want(t, m.Fill(&Spec{Data: make([]byte, len(b)+1)}), ErrSize)
	want(t, m.Close())
	_, err = m.Memory()
	want(t, err, ErrClosed)
}

// TestKernelPlacedArena: an arena that was created with an address is there.
func TestKernelPlacedArena(t *testing.T) {
	if strconv.IntSize < 64 {
		t.Skip("needs a process of 64 bits for an address above 4 GiB")
	}
	ktest.NoFDLeaks(t)
	const address = 1 << 44
	s := &Spec{Type: sys.MapTypeArena, MaxEntries: 2, Flags: sys.BPF_F_MMAPABLE, Extra: address, Data: u32(99), DataSize: 4}
	m := newMapOf(t, s)
	want(t, m.Fill(s))
	b, err := m.Memory()
	want(t, err)
	if uint64(uintptr(at(b))) != address || binary.NativeEndian.Uint32(b) != 99 {
		t.Errorf("arena is at %p and has % x", at(b), b[:4])
	}
	want(t, m.Close())
	again := newMapOf(t, s) // the address is free again
	want(t, again.Fill(s))
}

// TestKernelMemory: an array in memory is the array.
func TestKernelMemory(t *testing.T) {
	m := newMapOf(t, &Spec{Type: sys.MapTypeArray, KeySize: 4, ValueSize: 4, MaxEntries: 3, Flags: sys.BPF_F_MMAPABLE})
	b, err := m.Memory()
	want(t, err)
	if len(b) != 24 {
		t.Fatalf("%d bytes, want 24", len(b))
	}
	copy(b[8:], u32(5))
	if got := lookup(t, m, u32(1)); binary.NativeEndian.Uint32(got) != 5 {
		t.Errorf("element 1 is % x", got)
	}
	want(t, m.Update(u32(2), u32(9), 0))
	if binary.NativeEndian.Uint32(b[16:]) != 9 {
		t.Errorf("memory of element 2 is % x", b[16:])
	}
	want(t, m.Freeze(), sys.EBUSY) // it is mapped writably
}

// TestKernelVariables: variables of a program that is loaded, by mapping and, in
// a map that cannot be mapped, by copying.
func TestKernelVariables(t *testing.T) {
	ktest.Root(t)
	ktest.NoFDLeaks(t)
	specs, _, err := collectFile(ktest.Object(t, "globals"))
	want(t, err)
	check := map[string]func(*testing.T, *Map){".data": checkNumbers, ".data.points": checkPoints}
	for _, s := range specs {
		if check[s.Name] == nil {
			continue
		}
		for name, flags := range map[string]uint32{"mapped": s.Flags, "copied": s.Flags &^ sys.BPF_F_MMAPABLE} {
			t.Run(s.Name+"/"+name, func(t *testing.T) {
				s := s.Clone()
				s.Flags = flags
				m := newMapOf(t, s)
				want(t, m.Fill(s))
				check[s.Name](t, m)
			})
		}
	}
}

// liveVariable is a variable of the map, which must have it.
func liveVariable(t *testing.T, m *Map, name string) *Variable {
	t.Helper()
	v, err := m.Variable(name)
	want(t, err)
	return v
}

func checkNumbers(t *testing.T, m *Map) {
	var half uint16
	var static uint32
	var small uint8
	var tooSmall int8
	want(t, liveVariable(t, m, "rw_half").Get(&half))
	want(t, liveVariable(t, m, "rw_static").Get(&static))
	if half != 0x2222 || static != 33 {
		t.Errorf("rw_half %#x, rw_static %d", half, static)
	}
	v := liveVariable(t, m, "rw_hidden")
	want(t, v.Set(200))
	want(t, v.Get(&small))
	if got := binary.NativeEndian.Uint32(lookup(t, m, u32(0))[v.Offset:]); small != 200 || got != 200 {
		t.Errorf("rw_hidden is %d, and %d in the map, want 200", small, got)
	}
	want(t, v.Get(&tooSmall), ErrRange)
	if err := v.Set("text"); err == nil || !strings.Contains(err.Error(), "want an integer") {
		t.Errorf("text for a number: %v", err)
	}
	want(t, v.SetBytes(nil), ErrSize)
	n := 0
	for v := range m.Variables() {
		_, err := v.Bytes()
		want(t, err)
		n++
	}
	if n != 4 {
		t.Errorf("%d variables, want 4", n)
	}
}

func checkPoints(t *testing.T, m *Map) {
	type point struct{ X, Y int32 }
	v := liveVariable(t, m, "rw_points")
	var points [2]point
	want(t, v.Get(&points))
	if points != [2]point{{1, 2}, {3, 4}} {
		t.Errorf("points are %v", points)
	}
	want(t, v.Set([]point{{-1, -2}, {5, 6}}))
	var slice []point
	want(t, v.Get(&slice))
	if len(slice) != 2 || slice[0] != (point{-1, -2}) || slice[1] != (point{5, 6}) {
		t.Errorf("points are %v", slice)
	}
	if err := v.Set([]point{{}}); err == nil || !strings.Contains(err.Error(), "1 elements, want 2") {
		t.Errorf("one point for two: %v", err)
	}
}
