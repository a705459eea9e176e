package sys

import (
	"maps"
	"slices"
	"testing"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/lode-bpf/lode/internal/ktest"
)

// hotMap is a hash with one element.
func hotMap(tb testing.TB) (fd int, key *uint32, value *uint64) {
	tb.Helper()
	ktest.Root(tb)
	m, err := MapCreate(Live(), &MapCreateAttr{MapType: MapTypeHash, KeySize: 4, ValueSize: 8, MaxEntries: 1024})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { m.Close() })
	key, value = new(uint32), new(uint64)
	if err := MapUpdate(m.Int(), unsafe.Pointer(key), unsafe.Pointer(value), 0); err != nil {
		tb.Fatal(err)
	}
	return m.Int(), key, value
}

// hotOperations are the direct calls, each able to run any number of times.
func hotOperations(tb testing.TB) map[string]func() {
	fd, key, value := hotMap(tb)
	k, v := unsafe.Pointer(key), unsafe.Pointer(value)
	missing, batchKeys, batchValues, cursor := uint32(99), make([]uint32, 8), make([]uint64, 8), make([]byte, 8)
	batch := &MapBatchAttr{MapFD: int32(fd), Keys: SlicePtr(batchKeys), Values: SlicePtr(batchValues), OutBatch: BytesPtr(cursor)}
	return map[string]func(){
		"lookup":        func() { MapLookup(fd, k, v, 0) },
		"lookup miss":   func() { MapLookup(fd, unsafe.Pointer(&missing), v, 0) },
		"update":        func() { MapUpdate(fd, k, v, 0) },
		"delete miss":   func() { MapDelete(fd, unsafe.Pointer(&missing)) },
		"next key":      func() { MapNextKey(fd, nil, unsafe.Pointer(&batchKeys[0])) },
		"lookup+delete": func() { MapLookupAndDelete(fd, unsafe.Pointer(&missing), v, 0) },
		"batch":         func() { batch.Count = 8; MapBatch(CmdMapLookupBatch, batch) },
	}
}

func TestKernelHotOperationsDoNotAllocate(t *testing.T) {
	for name, op := range hotOperations(t) {
		if n := testing.AllocsPerRun(100, op); n != 0 {
			t.Errorf("%s allocates %v times", name, n)
		}
	}
	if n := testing.AllocsPerRun(100, func() { bare(ENOTSUPP) }); n != 0 {
		t.Errorf("ENOTSUPP allocates %v times", n)
	}
	fd, _, _ := hotMap(t)
	if n := testing.AllocsPerRun(100, func() {
		var key uint32 // on the stack
		var value uint64
		MapLookup(fd, unsafe.Pointer(&key), unsafe.Pointer(&value), 0)
	}); n != 0 {
		t.Errorf("a lookup with a key and a value on the stack allocates %v times", n)
	}
}

// bareLookup is the system call with nothing around it.
func bareLookup(attr *MapElemAttr) {
	unix.Syscall(unix.SYS_BPF, uintptr(CmdMapLookupElem), uintptr(unsafe.Pointer(attr)), unsafe.Sizeof(*attr))
}

func BenchmarkKernelMapLookup(b *testing.B) {
	fd, key, value := hotMap(b)
	attr := &MapElemAttr{MapFD: int32(fd), Key: UnsafePtr(unsafe.Pointer(key)), Value: UnsafePtr(unsafe.Pointer(value))}
	const block = 1000 // calls of each kind in turn, so that both see the same machine
	var direct, bare float64
	b.ReportAllocs()
	for b.Loop() {
		bare += seconds(func() {
			for range block {
				bareLookup(attr)
			}
		})
		direct += seconds(func() {
			for range block {
				MapLookup(fd, unsafe.Pointer(key), unsafe.Pointer(value), 0)
			}
		})
	}
	n := float64(b.N * block)
	b.ReportMetric(direct/bare, "×syscall")
	b.ReportMetric(direct/n*1e9, "ns/lookup")
	b.ReportMetric(bare/n*1e9, "ns/syscall")
}

func seconds(f func()) float64 {
	var from, to unix.Timespec
	unix.ClockGettime(unix.CLOCK_MONOTONIC, &from)
	f()
	unix.ClockGettime(unix.CLOCK_MONOTONIC, &to)
	return float64(to.Nano()-from.Nano()) / 1e9
}

func BenchmarkKernelMapOperations(b *testing.B) {
	ops := hotOperations(b)
	for _, name := range slices.Sorted(maps.Keys(ops)) {
		op := ops[name]
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				op()
			}
		})
	}
}

// The same through the Kernel interface, for comparison.
func BenchmarkKernelMapLookupElem(b *testing.B) {
	fd, key, value := hotMap(b)
	k := Live()
	b.ReportAllocs()
	for b.Loop() {
		MapLookupElem(k, &MapElemAttr{MapFD: int32(fd), Key: UnsafePtr(unsafe.Pointer(key)), Value: UnsafePtr(unsafe.Pointer(value))})
	}
}
