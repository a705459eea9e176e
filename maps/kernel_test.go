package maps

import (
	"encoding/binary"
	"errors"
	"testing"

	"github.com/lode-bpf/lode/btf"
	"github.com/lode-bpf/lode/internal/ktest"
	"github.com/lode-bpf/lode/sys"
)

// newMapOf makes a map and closes it at the end of the test. A kernel without the
// type skips the test.
func newMapOf(tb testing.TB, s *Spec) *Map {
	tb.Helper()
	return newMapWith(tb, s, CreateOptions{})
}

func newMapWith(tb testing.TB, s *Spec, opts CreateOptions) *Map {
	tb.Helper()
	ktest.Root(tb)
	if s.Name == "" {
		s.Name = "test"
	}
	needType(tb, s.Type)
	m, err := Create(sys.Live(), s, opts)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := m.Close(); err != nil {
			tb.Error(err)
		}
	})
	return m
}

// needType skips the test on a kernel older than the map type.
func needType(tb testing.TB, typ sys.MapType) {
	tb.Helper()
	var major, minor int
	for i, part := range splitVersion(typ.Since()) {
		if i == 0 {
			major = part
		} else {
			minor = part
		}
	}
	ktest.Kernel(tb, major, minor, "maps of type "+typ.String())
}

func splitVersion(s string) []int {
	parts := []int{0}
	for _, ch := range s {
		if ch == '.' {
			parts = append(parts, 0)
			continue
		}
		parts[len(parts)-1] = 10*parts[len(parts)-1] + int(ch-'0')
	}
	return parts
}

func u32(n uint32) []byte { return binary.NativeEndian.AppendUint32(nil, n) }
func u64(n uint64) []byte { return binary.NativeEndian.AppendUint64(nil, n) }

// want fails the test unless err matches all of the targets; without targets it
// must be nil.
func want(tb testing.TB, err error, targets ...error) {
	tb.Helper()
	if len(targets) == 0 && err != nil {
		tb.Fatal(err)
	}
	for _, target := range targets {
		if !errors.Is(err, target) {
			tb.Fatalf("error is %v, want one that matches %v", err, target)
		}
	}
}

// lookup is the value of a key, which must exist.
func lookup(tb testing.TB, m *Map, key []byte) []byte {
	tb.Helper()
	v, err := m.Lookup(key)
	if err != nil {
		tb.Fatal(err)
	}
	return v
}

// wantU64 compares the value of a key.
func wantU64(tb testing.TB, m *Map, key []byte, value uint64) {
	tb.Helper()
	if got := binary.NativeEndian.Uint64(lookup(tb, m, key)); got != value {
		tb.Fatalf("map %q: value of % x is %d, want %d", m.Name(), key, got, value)
	}
}

// testTypes is BTF with an int, a u64 and a struct of two u64.
type testTypes struct {
	spec          *btf.Spec
	i32, u64, two btf.TypeID
}

func types(tb testing.TB) testTypes {
	tb.Helper()
	var b btf.Builder
	t := testTypes{i32: b.AddInt("int", 4, btf.IntSigned), u64: b.AddInt("unsigned long long", 8, 0)}
	t.two = b.AddStruct("two", 16, btf.Member{Name: "a", Type: t.u64}, btf.Member{Name: "b", Type: t.u64, BitOffset: 64})
	raw, err := b.Bytes(binary.NativeEndian)
	if err != nil {
		tb.Fatal(err)
	}
	if t.spec, err = btf.Parse(raw, nil); err != nil {
		tb.Fatal(err)
	}
	return t
}

// loadBTF gives BTF to the kernel.
func loadBTF(tb testing.TB, s *btf.Spec) int {
	tb.Helper()
	ktest.Root(tb)
	raw := s.Bytes()
	fd, err := sys.BTFLoad(sys.Live(), &sys.BTFLoadAttr{BTF: sys.BytesPtr(raw), Size: uint32(len(raw))})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { fd.Close() })
	return fd.Int()
}

// An instruction of the kernel's, before encoding.
type ins struct {
	op       uint8
	dst, src uint8
	off      int16
	imm      int32
}

// Opcodes used by the tests' programs (RFC 9669).
const (
	opMovImm  = 0xb7
	opMovReg  = 0xbf
	opAddImm  = 0x07
	opCall    = 0x85
	opExit    = 0x95
	opLoadImm = 0x18
	opStoreW  = 0x62 // *(u32 *)(dst + off) = imm
	opStoreDW = 0x7a
	opStxDW   = 0x7b
	opStxW    = 0x63
	opLdxDW   = 0x79
	opLdxW    = 0x61
	opJeqImm  = 0x15
)

// mapFD is the wide load of a map's address.
func mapFD(dst uint8, m *Map) []ins {
	return []ins{{op: opLoadImm, dst: dst, src: 1, imm: int32(m.FD())}, {}}
}

// mapValue is the wide load of the address of an array's first value.
func mapValue(dst uint8, m *Map, off int32) []ins {
	return []ins{{op: opLoadImm, dst: dst, src: 2, imm: int32(m.FD())}, {imm: off}}
}

func code(parts ...[]ins) []ins {
	var all []ins
	for _, p := range parts {
		all = append(all, p...)
	}
	return all
}

func exit(value int32) []ins {
	return []ins{{op: opMovImm, dst: 0, imm: value}, {op: opExit}}
}

// loadProg loads a program and closes it at the end of the test.
func loadProg(tb testing.TB, typ sys.ProgType, insns []ins) *sys.FD {
	tb.Helper()
	return loadProgWith(tb, typ, insns, &sys.ProgLoadAttr{})
}

// loadProgWith is loadProg with more in its argument.
func loadProgWith(tb testing.TB, typ sys.ProgType, insns []ins, attr *sys.ProgLoadAttr) *sys.FD {
	tb.Helper()
	ktest.Root(tb)
	raw := make([]byte, 0, 8*len(insns))
	for _, i := range insns {
		regs := i.src<<4 | i.dst
		if binary.NativeEndian.Uint16([]byte{1, 0}) != 1 {
			regs = i.dst<<4 | i.src
		}
		raw = append(raw, i.op, regs)
		raw = binary.NativeEndian.AppendUint16(raw, uint16(i.off))
		raw = binary.NativeEndian.AppendUint32(raw, uint32(i.imm))
	}
	log := make([]byte, 1<<16)
	attr.ProgType, attr.InsnCount, attr.Insns, attr.License = typ, uint32(len(insns)), sys.BytesPtr(raw), sys.StringPtr("GPL")
	attr.LogLevel, attr.LogSize, attr.LogBuf = 1, uint32(len(log)), sys.BytesPtr(log)
	fd, err := sys.ProgLoad(sys.Live(), attr)
	if err != nil {
		tb.Fatalf("%v\n%s", err, cString(log))
	}
	tb.Cleanup(func() { fd.Close() })
	return fd
}

// run runs a program on a packet and returns its result.
func run(tb testing.TB, prog *sys.FD) uint32 {
	tb.Helper()
	return repeat(tb, prog, 1)
}

func repeat(tb testing.TB, prog *sys.FD, n uint32) uint32 {
	tb.Helper()
	data := make([]byte, 64)
	attr := &sys.ProgTestRunAttr{ProgFD: prog.Num(), DataIn: sys.BytesPtr(data), DataSizeIn: uint32(len(data)), Repeat: n}
	if err := sys.ProgTestRun(sys.Live(), attr); err != nil {
		tb.Fatal(err)
	}
	return attr.RetVal
}
