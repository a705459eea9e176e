package lode_test

import (
	"context"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/lode-bpf/lode"
	"github.com/lode-bpf/lode/internal/ktest"
	"github.com/lode-bpf/lode/sys"
)

// BenchmarkParse takes an object apart.
func BenchmarkParse(b *testing.B) {
	for _, name := range []string{"counter", "core", "sections"} {
		b.Run(name, func(b *testing.B) {
			data := ktest.Object(b, name)
			b.SetBytes(int64(len(data)))
			b.ReportAllocs()
			for b.Loop() {
				if _, err := lode.Parse(data, lode.ParseOptions{Name: name}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkPlan relocates and plans an object that is open, without a kernel.
func BenchmarkPlan(b *testing.B) {
	o := open(b, "counter")
	b.ReportAllocs()
	for b.Loop() {
		r, err := o.Relocate(nil)
		if err != nil {
			b.Fatal(err)
		}
		if _, err := r.Plan(lode.Policy{}); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkKernelLoad is a whole load, "cold" with the kernel's types and
// features still to be found out, "warm" with what the process knows by then. Beside the
// time that passes, much of which the kernel waits in (a map of maps, for
// one), it reports the processor time spent in user space and in the kernel.
func BenchmarkKernelLoad(b *testing.B) {
	ktest.Root(b)
	for _, name := range []string{"counter", "core"} {
		for _, warm := range []bool{false, true} {
			b.Run(name+map[bool]string{false: "/cold", true: "/warm"}[warm], func(b *testing.B) {
				env := lode.NewLiveEnv(sys.Live())
				path := ktest.ObjectPath(b, name)
				b.ReportAllocs()
				before := usage(b)
				for b.Loop() {
					if !warm {
						env = lode.NewLiveEnv(sys.Live())
					}
					c, err := lode.Load(context.Background(), path, lode.LoadOptions{Env: env, Edit: unpinned})
					if err != nil {
						b.Fatal(err)
					}
					if err := c.Close(); err != nil {
						b.Fatal(err)
					}
				}
				after := usage(b)
				b.ReportMetric(float64(after[0]-before[0])/float64(b.N), "user-ns/op")
				b.ReportMetric(float64(after[1]-before[1])/float64(b.N), "kernel-ns/op")
			})
		}
	}
}

// unpinned keeps a load away from bpffs.
func unpinned(o *lode.Object) error {
	for _, m := range o.Maps {
		m.Pin.Mode = lode.PinNever
	}
	return nil
}

// usage is the processor time of this process in user space and in the kernel.
func usage(b *testing.B) [2]int64 {
	var r unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &r); err != nil {
		b.Fatal(err)
	}
	return [2]int64{unix.TimevalToNsec(r.Utime), unix.TimevalToNsec(r.Stime)}
}
