package lode_test

import (
	"context"
	"testing"

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

// BenchmarkKernelLoad is a whole load, and only the part of it that is the
// kernel's: the same calls, of which a recording is played back to the loader,
// are left out of the difference.
func BenchmarkKernelLoad(b *testing.B) {
	ktest.Root(b)
	for _, name := range []string{"counter", "core"} {
		b.Run(name, func(b *testing.B) {
			opts := lode.LoadOptions{Env: lode.NewLiveEnv(sys.Live()), Edit: func(o *lode.Object) error {
				for _, m := range o.Maps {
					m.Pin.Mode = lode.PinNever
				}
				return nil
			}}
			b.ReportAllocs()
			for b.Loop() {
				c, err := lode.Load(context.Background(), ktest.ObjectPath(b, name), opts)
				if err != nil {
					b.Fatal(err)
				}
				if err := c.Close(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
