package maps

import (
	"context"
	"encoding/binary"
	"syscall"
	"testing"
	"time"
	"unsafe"

	"github.com/lode-bpf/lode/sys"
)

// bareLookup is the system call alone.
func bareLookup(fd int, key, value *byte) bool {
	const sysBPFLookup = 1
	attr := struct {
		fd         uint32
		_          uint32
		key, value uint64
		flags      uint64
	}{fd: uint32(fd), key: uint64(uintptr(unsafe.Pointer(key))), value: uint64(uintptr(unsafe.Pointer(value)))}
	_, _, errno := syscall.Syscall(sysBPF, sysBPFLookup, uintptr(unsafe.Pointer(&attr)), unsafe.Sizeof(attr))
	return errno == 0
}

const sysBPF = 321 // on amd64

// BenchmarkKernelLookup is a lookup in a hash of 1024 entries, beside the bare
// system call.
func BenchmarkKernelLookup(b *testing.B) {
	m := newMapOf(b, &Spec{Type: sys.MapTypeHash, KeySize: 4, ValueSize: 8, MaxEntries: 1024})
	key, value := u32(1), u64(1)
	want(b, m.Update(key, value, 0))
	b.Run("bare", func(b *testing.B) {
		if unsafe.Sizeof(uintptr(0)) != 8 || !bareLookup(m.FD(), &key[0], &value[0]) {
			b.Skip("the number of the system call is that of amd64")
		}
		fd := m.FD()
		for b.Loop() {
			bareLookup(fd, &key[0], &value[0])
		}
	})
	b.Run("ratio", func(b *testing.B) {
		if unsafe.Sizeof(uintptr(0)) != 8 || !bareLookup(m.FD(), &key[0], &value[0]) {
			b.Skip("the number of the system call is that of amd64")
		}
		// In turns, so that both see the same machine.
		var bare, ours time.Duration
		fd := m.FD()
		const turn = 200
		for range max(1, b.N/turn) {
			start := time.Now()
			for range turn {
				bareLookup(fd, &key[0], &value[0])
			}
			middle := time.Now()
			for range turn {
				_ = m.LookupInto(key, value, 0)
			}
			bare, ours = bare+middle.Sub(start), ours+time.Since(middle)
		}
		b.ReportMetric(float64(ours)/float64(bare), "ours/bare")
	})
	b.Run("map", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if m.LookupInto(key, value, 0) != nil {
				b.Fatal("gone")
			}
		}
	})
	b.Run("typed", func(b *testing.B) {
		b.ReportAllocs()
		t, err := NewTyped[uint32, uint64](m)
		want(b, err)
		for b.Loop() {
			if _, err := t.Get(1); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("miss", func(b *testing.B) {
		b.ReportAllocs()
		absent := u32(2)
		for b.Loop() {
			if m.LookupInto(absent, value, 0) == nil {
				b.Fatal("found")
			}
		}
	})
	b.Run("update", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if m.Update(key, value, 0) != nil {
				b.Fatal("refused")
			}
		}
	})
}

// BenchmarkKernelIterate walks a hash of 1,000,000 entries of 12 bytes.
func BenchmarkKernelIterate(b *testing.B) {
	const size = 1_000_000
	m := newMapOf(b, &Spec{Type: sys.MapTypeHash, KeySize: 4, ValueSize: 8, MaxEntries: size})
	keys, values := make([]byte, 0, 4*size), make([]byte, 8*size)
	for i := range uint32(size) {
		keys = binary.NativeEndian.AppendUint32(keys, i)
	}
	if _, err := m.UpdateBatch(keys, values, 0); err != nil {
		b.Fatal(err)
	}
	walk := func(b *testing.B, e *Entries) {
		b.ReportAllocs()
		b.SetBytes(size * 12)
		for b.Loop() {
			n := 0
			for range e.All() {
				n++
			}
			if want(b, e.Err()); n != size {
				b.Fatalf("%d entries, want %d", n, size)
			}
		}
		b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/size, "ns/entry")
	}
	b.Run("batches", func(b *testing.B) { walk(b, m.Entries()) })
	b.Run("keys", func(b *testing.B) { walk(b, m.Entries().BatchSize(0)) })
	b.Run("bare", func(b *testing.B) {
		for b.Loop() {
			key, value := make([]byte, 4), make([]byte, 8)
			n := 0
			for err := m.Next(nil, key); err == nil; err = m.Next(key, key) {
				if m.LookupInto(key, value, 0) == nil {
					n++
				}
			}
			if n != size {
				b.Fatalf("%d entries, want %d", n, size)
			}
		}
		b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/size, "ns/entry")
	})
}

// BenchmarkKernelRingBuf reads samples of 32 bytes from a ring of 16 MiB that a
// program fills while the clock stands.
func BenchmarkKernelRingBuf(b *testing.B) {
	const ring = 16 << 20
	m := newMapOf(b, &Spec{Type: sys.MapTypeRingBuf, MaxEntries: ring})
	r, err := NewRingReader(m)
	want(b, err)
	defer r.Close()
	prog := emitter(b, m, 32, 1) // BPF_RB_NO_WAKEUP
	const fill = ring / 40
	for name, read := range map[string]func() int{
		"drain": func() int {
			n := 0
			for s := range r.Drain() {
				n += len(s) / 32
			}
			return n
		},
		"poll": func() int {
			var samples [256][]byte
			total := 0
			for n := r.Poll(samples[:]); n > 0; n = r.Poll(samples[:]) {
				total += n
				r.Release()
			}
			return total
		},
		"all": func() int {
			n := 0
			for s, err := range r.All(context.Background()) {
				if err != nil {
					b.Fatal(err)
				}
				if n += len(s) / 32; n == fill {
					break
				}
			}
			return n
		},
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(32)
			for n := 0; n < b.N; {
				b.StopTimer()
				repeat(b, prog, fill)
				b.StartTimer()
				n += read()
			}
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds()/1e6, "Msamples/s")
		})
	}
}
