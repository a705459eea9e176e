package btf

import (
	"os"
	"testing"
)

// vmlinux is the BTF of the running kernel.
func vmlinux(tb testing.TB) []byte {
	tb.Helper()
	b, err := os.ReadFile("/sys/kernel/btf/vmlinux")
	if err != nil {
		tb.Skip("the running kernel shows no BTF: ", err)
	}
	return b
}

func parsed(tb testing.TB, b []byte) *Spec {
	tb.Helper()
	s, err := Parse(b, nil)
	if err != nil {
		tb.Fatal(err)
	}
	return s
}

// Every named type of the kernel is found by its name, and nothing that comes
// before it has the same name and kind.
func TestKernelFind(t *testing.T) {
	s := parsed(t, vmlinux(t))
	for typ := range s.Types() {
		n := typ.Name()
		if n == "" || !typ.Kind().known() {
			continue
		}
		if f, ok := s.Find(n, typ.Kind()); !ok || f.ID() > typ.ID() {
			t.Fatalf("Find(%q, %v) = %d, %v, want at most %d", n, typ.Kind(), f.ID(), ok, typ.ID())
		}
	}
}
