package btf_test

import (
	"bytes"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/lode-bpf/lode/btf"
	"github.com/lode-bpf/lode/elf"
	"github.com/lode-bpf/lode/internal/ktest"
)

// objects are the object files of testdata, of both byte orders.
func objects(tb testing.TB) []string {
	tb.Helper()
	dir := filepath.Dir(ktest.ObjectPath(tb, "minimal"))
	names, err := filepath.Glob(filepath.Join(dir, "*.bpf*.o"))
	if err != nil || len(names) == 0 {
		tb.Fatal("no objects in ", dir, err)
	}
	return names
}

// kernelFile is the file that has the running kernel's BTF.
func kernelFile(tb testing.TB) string {
	tb.Helper()
	files := withKernel(nil)
	if len(files) == 0 {
		tb.Skip("the running kernel shows no BTF in /sys/kernel/btf/vmlinux")
	}
	return files[0]
}

// withKernel adds the kernel's BTF to files, if it shows it.
func withKernel(files []string) []string {
	if _, err := os.Stat("/sys/kernel/btf/vmlinux"); err == nil {
		files = append(files, "/sys/kernel/btf/vmlinux")
	}
	return files
}

// openBTF reads the types of an object file or of a file with nothing but
// BTF; nil if it has none.
func openBTF(tb testing.TB, path string) *btf.Spec {
	tb.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		tb.Fatal(err)
	}
	if !bytes.HasPrefix(b, []byte("\x7fELF")) {
		s, err := btf.Parse(b, nil)
		if err != nil {
			tb.Fatal(err)
		}
		return s
	}
	f, err := elf.Parse(b)
	if err != nil {
		tb.Fatal(err)
	}
	s, _, err := btf.ParseELF(f)
	if errors.Is(err, btf.ErrNoBTF) {
		return nil
	}
	if err != nil {
		tb.Fatal(err)
	}
	return s
}

var update = flag.Bool("update", false, "write the golden files anew")

// golden compares with a file in testdata, or writes it.
func golden(tb testing.TB, name string, got []byte) {
	tb.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.MkdirAll("testdata", 0o755); err != nil {
			tb.Fatal(err)
		}
		if err := os.WriteFile(path, got, 0o644); err != nil {
			tb.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		tb.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		tb.Errorf("-want +got (go test ./btf -update writes it anew):\n%s", diff)
	}
}
