package prog_test

import (
	"errors"
	"testing"

	"github.com/lode-bpf/lode/internal/ktest"
	"github.com/lode-bpf/lode/prog"
	"github.com/lode-bpf/lode/sys"
)

func BenchmarkCollect(b *testing.B) {
	for _, name := range []string{"minimal", "counter", "sections"} {
		b.Run(name, func(b *testing.B) {
			o := parse(b, ktest.Object(b, name))
			b.ReportAllocs()
			b.SetBytes(int64(o.file.Size()))
			for b.Loop() {
				if _, _, _, err := prog.Collect(o.file, o.btf, o.ext); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// Collect allocates by functions and sections, not by records.
func TestCollectAllocs(t *testing.T) {
	o := parse(t, ktest.Object(t, "core"))
	n := testing.AllocsPerRun(100, func() {
		if _, _, _, err := prog.Collect(o.file, o.btf, o.ext); err != nil {
			t.Fatal(err)
		}
	})
	if n > 48 {
		t.Errorf("%v allocations for 2 programs with %d CO-RE records", n, o.ext.NumCORE())
	}
}

// Finding out what a section name means allocates nothing.
func TestClassifyAllocs(t *testing.T) {
	n := testing.AllocsPerRun(100, func() {
		for _, s := range []string{"socket", "?netfilter", "kprobe/do_nanosleep", "xdp_old", "unknown"} {
			prog.Classify(s, nil, nil)
		}
	})
	if n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// Test runs into memory of the caller's do not allocate by the packet.
func TestKernelRunAllocs(t *testing.T) {
	ktest.Root(t)
	p := load(t, section("tc"), zero)
	r := prog.Run{Data: packet(1500), DataOut: make([]byte, 1500)}
	n := testing.AllocsPerRun(100, func() {
		r.DataOut = r.DataOut[:1500]
		if err := p.Run(&r); err != nil {
			t.Fatal(err)
		}
	})
	if n > 1 {
		t.Errorf("%v allocations", n)
	}
}

func BenchmarkKernelRun(b *testing.B) {
	ktest.Root(b)
	p, err := prog.Load(sys.Live(), section("tc"), prog.Code{Insns: assemble(b, zero)}, prog.LoadOptions{})
	if err != nil {
		b.Fatal(err)
	}
	defer p.Close()
	r := prog.Run{Data: packet(64), DataOut: make([]byte, 64)}
	b.ReportAllocs()
	for b.Loop() {
		r.DataOut = r.DataOut[:64]
		if err := p.Run(&r); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkKernelLoad(b *testing.B) {
	ktest.Root(b)
	c := prog.Code{Insns: assemble(b, zero)}
	b.ReportAllocs()
	for b.Loop() {
		p, err := prog.Load(sys.Live(), section("tc"), c, prog.LoadOptions{})
		if err != nil {
			b.Fatal(err)
		}
		p.Close()
	}
}

func BenchmarkKernelRefused(b *testing.B) {
	ktest.Root(b)
	c := prog.Code{Insns: assemble(b, "r0 = r7\nexit")}
	b.ReportAllocs()
	for b.Loop() {
		_, err := prog.Load(sys.Live(), section("tc"), c, prog.LoadOptions{})
		var e *prog.VerifierError
		if !errors.As(err, &e) {
			b.Fatal(err)
		}
	}
}
