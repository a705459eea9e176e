package maps

import (
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/lode-bpf/lode/btf"
	"github.com/lode-bpf/lode/elf"
)

// FuzzCollect: any file gives definitions or an error of this package, in
// bounded memory, and definitions that can be normalised, copied and printed.
func FuzzCollect(f *testing.F) {
	paths, _ := filepath.Glob("../testdata/*.bpf*.o")
	for _, p := range paths {
		if b, err := os.ReadFile(p); err == nil && len(b) < 32<<10 {
			f.Add(b)
		}
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		file, err := elf.Parse(b)
		if err != nil {
			return
		}
		types, _, err := btf.ParseELF(file)
		if err != nil && !errors.Is(err, btf.ErrNoBTF) {
			return
		}
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		specs, findings, err := Collect(file, types)
		runtime.ReadMemStats(&after)
		if got, most := after.TotalAlloc-before.TotalAlloc, uint64(8*len(b)+1<<20); got > most {
			t.Errorf("%d bytes allocated for a file of %d", got, len(b))
		}
		var n *NotUnderstoodError
		var d *DefinitionError
		if err != nil && !errors.As(err, &n) && !errors.As(err, &d) {
			t.Errorf("error is a %T: %v", err, err)
		}
		for _, x := range findings {
			_ = x.String()
		}
		for _, s := range specs {
			checkSpec(t, s)
		}
	})
}

// checkSpec uses a definition in every way that needs no kernel.
func checkSpec(t *testing.T, s *Spec) {
	c := Normalize(s.Clone(), Env{CPUs: 3, PageSize: 4096})
	if err := Compatible(s, Info{Type: c.Type, KeySize: c.KeySize, ValueSize: c.ValueSize, MaxEntries: c.MaxEntries, Flags: c.Flags,
		Extra: c.Extra, IfIndex: c.IfIndex, BTF: s.BTF, Value: s.Value}, Env{CPUs: 3, PageSize: 4096}); err != nil {
		t.Errorf("%q is not compatible with itself: %v", s.Name, err)
	}
	if name := KernelName("object", s.Name); len(name) > kernelNameLen {
		t.Errorf("kernel name %q", name)
	}
	for _, v := range s.Vars {
		x, err := s.Variable(v.Name)
		if err != nil {
			t.Errorf("variable %q: %v", v.Name, err)
			continue
		}
		if s.DataSize > 1<<20 {
			continue
		}
		if b, err := x.Bytes(); err == nil {
			_ = x.SetBytes(b)
			_, _ = AppendJSON(nil, s.BTF, v.Type, s.BTF.ByteOrder(), b)
		}
		var n uint64
		_ = x.Get(&n)
		var list []int32
		_ = x.Get(&list)
	}
}
