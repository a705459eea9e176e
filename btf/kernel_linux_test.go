package btf_test

import (
	"errors"
	"io/fs"
	"runtime"
	"strings"
	"testing"

	"github.com/lode-bpf/lode/btf"
)

// kernel is the running kernel's BTF.
func kernel(tb testing.TB) *btf.Spec {
	tb.Helper()
	s, err := btf.Kernel()
	if errors.Is(err, btf.ErrNoBTF) {
		tb.Skip("the running kernel has no BTF (CONFIG_DEBUG_INFO_BTF)")
	}
	if err != nil {
		tb.Fatal(err)
	}
	return s
}

// The kernel's BTF is read once for all who use it, and again after all have
// stopped. Names outlive it.
func TestKernelShared(t *testing.T) {
	a, b := kernel(t), kernel(t)
	if a != b {
		t.Error("two copies of the kernel's types")
	}
	task, ok := a.Find("task_struct", btf.KindStruct)
	if !ok {
		t.Fatal("no task_struct")
	}
	off, err := a.OffsetOf("task_struct.comm")
	if err != nil || off == 0 || off > uint64(task.Size()) {
		t.Errorf("task_struct.comm is at %d: %v", off, err)
	}
	if size, err := a.SizeOf(task.ID()); err != nil || size != uint64(task.Size()) {
		t.Errorf("task_struct has %d bytes: %v", size, err)
	}
	name := task.Name()
	a, b, task = nil, nil, btf.Type{}
	runtime.GC()
	runtime.GC()
	if name != "task_struct" {
		t.Errorf("the name became %q", name)
	}
	if again := kernel(t); again.NumTypes() < 1000 {
		t.Errorf("%d types", again.NumTypes())
	}
}

// Every module's types are read on the kernel's.
func TestKernelModules(t *testing.T) {
	base := kernel(t)
	names, err := btf.KernelModules()
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d modules have BTF", len(names))
	for _, name := range names {
		s, err := btf.KernelModule(name)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if s.Base() != base {
			t.Errorf("%s is not on the kernel's types", name)
		}
		if err := s.FormatRaw(new(strings.Builder)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		for typ := range s.Types() {
			if n := typ.Name(); n != "" {
				if f, ok := s.Find(n, typ.Kind()); !ok || f.ID() > typ.ID() && f.ID() >= s.FirstID() {
					t.Errorf("%s: Find(%q) = %d, want %d", name, n, f.ID(), typ.ID())
				}
			}
		}
	}
	if _, err := btf.KernelModule("no_such_module"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a module that is not there: %v", err)
	}
	for _, bad := range []string{"", ".", "..", "../btf/vmlinux", "a/b", "a\x00"} {
		if _, err := btf.KernelModule(bad); !errors.Is(err, btf.ErrNotFound) {
			t.Errorf("KernelModule(%q): %v", bad, err)
		}
	}
	if s, err := btf.KernelModule("vmlinux"); err != nil || s != base {
		t.Errorf("vmlinux as a module: %v", err)
	}
}
