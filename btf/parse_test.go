package btf

import (
	"os"
	"slices"
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

// What is odd but harmless is said, and the types are read.
func TestFindings(t *testing.T) {
	long := newHeader(blob("\x00i\x00", 1, kindWord(KindInt, 0), 4, 32))
	long = append(long[:headerLenNew:headerLenNew], append([]byte{1, 0, 0, 0}, long[headerLenNew:]...)...)
	putLE(long[4:], headerLenNew+4)
	for _, tt := range []struct {
		name string
		in   []byte
		want []int64
	}{
		{"nothing odd", blob("\x00i\x00", 1, kindWord(KindInt, 0), 4, 32), nil},
		{"a header longer than known", long, []int64{headerLenNew}},
		{"bytes at the end", append(blob("\x00i\x00", 1, kindWord(KindInt, 0), 4, 32), 0, 0), []int64{headerLen + 19}},
	} {
		s := parsed(t, tt.in)
		var at []int64
		for _, f := range s.Findings() {
			at = append(at, f.Offset)
		}
		if !slices.Equal(at, tt.want) || s.Type(1).Name() != "i" {
			t.Errorf("%s: findings %+v, want at %v", tt.name, s.Findings(), tt.want)
		}
	}
}
