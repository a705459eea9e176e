package maps

import (
	"bytes"
	"encoding/binary"
	"errors"
	"testing"

	"github.com/lode-bpf/lode/sys"
)

// TestKernelPerCPU: each CPU has its own value.
func TestKernelPerCPU(t *testing.T) {
	for _, typ := range []sys.MapType{sys.MapTypePerCPUHash, sys.MapTypePerCPUArray, sys.MapTypeLRUPerCPUHash} {
		t.Run(typ.String(), func(t *testing.T) {
			m := newMapOf(t, &Spec{Type: typ, KeySize: 4, ValueSize: 4, MaxEntries: 4})
			cpus, err := sys.PossibleCPUs()
			want(t, err)
			if m.CPUs() != cpus || m.ElemSize() != 8*cpus {
				t.Fatalf("%d CPUs, %d bytes, want %d and %d", m.CPUs(), m.ElemSize(), cpus, 8*cpus)
			}
			values := make([][]byte, cpus)
			for i := range values {
				values[i] = u32(uint32(100 + i))
			}
			want(t, m.UpdatePerCPU(u32(1), values, sys.BPF_ANY))
			got, err := m.LookupPerCPU(u32(1))
			want(t, err)
			for i := range got {
				if !bytes.Equal(got[i], values[i]) {
					t.Errorf("CPU %d has % x, want % x", i, got[i], values[i])
				}
			}
			want(t, m.Update(u32(1), u32(1), sys.BPF_ANY), ErrSize)
			want(t, m.UpdatePerCPU(u32(1), values[:cpus-1], sys.BPF_ANY), ErrSize)
			one := make([]byte, 4)
			want(t, m.LookupCPU(u32(1), cpus-1, one))
			if !bytes.Equal(one, values[cpus-1]) {
				t.Errorf("CPU %d has % x, want % x", cpus-1, one, values[cpus-1])
			}
			want(t, m.LookupCPU(u32(1), cpus, one), ErrRange)
			want(t, m.UpdateCPU(u32(1), cpus, one), ErrRange)
		})
	}
}

// TestKernelOneCPU: the value of one CPU is set without those of the others, one by
// one and in batches, and so are all from one value; older kernels say no.
func TestKernelOneCPU(t *testing.T) {
	cpus, err := sys.PossibleCPUs()
	want(t, err)
	for _, typ := range []sys.MapType{sys.MapTypePerCPUHash, sys.MapTypePerCPUArray, sys.MapTypeLRUPerCPUHash} {
		t.Run(typ.String(), func(t *testing.T) {
			m := newMapOf(t, &Spec{Type: typ, KeySize: 4, ValueSize: 4, MaxEntries: 4})
			want(t, m.Update(u32(1), replicate(u32(100), cpus), sys.BPF_ANY))
			err := m.UpdateCPU(u32(1), cpus-1, u32(7))
			if !atLeast(7, 0) {
				var lacks *sys.NotSupported
				if want(t, err, errors.ErrUnsupported, sys.EINVAL); !errors.As(err, &lacks) || lacks.Since != "7.0" {
					t.Errorf("this kernel cannot, and the error is %v", err)
				}
				wantPerCPU(t, m, 1, replicate(u32(100), cpus))
				return
			}
			want(t, err)
			all := replicate(u32(100), cpus)
			copy(all[8*(cpus-1):], u32(7))
			wantPerCPU(t, m, 1, all)
			if typ != sys.MapTypePerCPUArray {
				want(t, m.UpdateCPU(u32(3), 0, u32(5)))
				all := make([]byte, m.ElemSize())
				copy(all, u32(5))
				wantPerCPU(t, m, 3, all)
				want(t, m.Delete(u32(3)))
			}
			want(t, m.Update(u32(1), u32(9), sys.BPF_F_ALL_CPUS))
			wantPerCPU(t, m, 1, replicate(u32(9), cpus))

			flags := uint64(cpus-1)<<32 | sys.BPF_F_CPU
			n, err := m.UpdateBatch(append(u32(1), u32(2)...), append(u32(11), u32(12)...), flags)
			if want(t, err); n != 2 {
				t.Errorf("%d of 2 set", n)
			}
			for key := range uint32(2) {
				one := make([]byte, 4)
				want(t, m.LookupCPU(u32(key+1), cpus-1, one))
				if !bytes.Equal(one, u32(key+11)) {
					t.Errorf("key %d has % x, want %d", key+1, one, key+11)
				}
			}
			got := map[uint32]uint32{}
			keys, values := make([]byte, 4*4), make([]byte, 4*4)
			for c := (Cursor{}); !c.Done(); {
				n, err := m.LookupBatch(&c, keys, values, flags)
				want(t, err)
				for i := range n {
					got[binary.NativeEndian.Uint32(keys[4*i:])] = binary.NativeEndian.Uint32(values[4*i:])
				}
			}
			if got[1] != 11 || got[2] != 12 {
				t.Errorf("a batch has %v, want 11 and 12 for 1 and 2", got)
			}
		})
	}
}

// wantPerCPU compares the values of all CPUs.
func wantPerCPU(t *testing.T, m *Map, key uint32, want []byte) {
	t.Helper()
	if got := lookup(t, m, u32(key)); !bytes.Equal(got, want) {
		t.Errorf("key %d has % x, want % x", key, got, want)
	}
}
