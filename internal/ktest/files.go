package ktest

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// ObjectPath returns the path of testdata/NAME.bpf.o, looked for in the working directory (of a test: the folder of its
// package) and in every directory above it. For the big-endian form of an object use NAME.bpfeb; a name that ends in ".o"
// is taken as it stands. A missing object fails the test: all of them are part of the repository.
func ObjectPath(tb testing.TB, name string) string {
	tb.Helper()
	file := name
	switch {
	case strings.HasSuffix(name, ".o"):
	case strings.HasSuffix(name, ".bpfeb"):
		file += ".o"
	default:
		file += ".bpf.o"
	}
	dir, err := os.Getwd()
	if err != nil {
		tb.Fatalf("ktest: working directory: %v", err)
	}
	for start := dir; ; dir = filepath.Dir(dir) {
		path := filepath.Join(dir, "testdata", file)
		if info, err := os.Stat(path); err == nil && info.Mode().IsRegular() {
			return path
		}
		if dir == filepath.Dir(dir) {
			tb.Fatalf("ktest: no testdata/%s in %s or above; testdata/build makes it from its C source", file, start)
		}
	}
}

// Object returns the bytes of testdata/NAME.bpf.o, as ObjectPath finds it. The caller owns the slice.
func Object(tb testing.TB, name string) []byte {
	tb.Helper()
	b, err := os.ReadFile(ObjectPath(tb, name))
	if err != nil {
		tb.Fatalf("ktest: %v", err)
	}
	return b
}

// Tool returns the path of a program, or skips the test naming the Debian package that has it. It looks where $PATH says
// and, because an ordinary user's $PATH often lacks them, in the directories for administration.
func Tool(tb testing.TB, name, debianPackage string) string {
	tb.Helper()
	if path, err := exec.LookPath(name); err == nil {
		return path
	}
	for _, dir := range []string{"/usr/local/sbin", "/usr/sbin", "/sbin"} {
		path := filepath.Join(dir, name)
		if info, err := os.Stat(path); err == nil && info.Mode().IsRegular() && info.Mode()&0o111 != 0 {
			return path
		}
	}
	tb.Skipf("needs the program %s: apt-get install %s", name, debianPackage)
	return ""
}

// LibxdpObjects returns the paths of the BPF objects of Debian's package libxdp1, sorted, or skips the test where it is
// not installed. They are objects that nobody of this project wrote.
func LibxdpObjects(tb testing.TB) []string {
	tb.Helper()
	for _, pattern := range []string{"/usr/lib/*/bpf/*.o", "/usr/lib/bpf/*.o", "/usr/lib64/bpf/*.o"} {
		if found, _ := filepath.Glob(pattern); len(found) > 0 {
			return found
		}
	}
	tb.Skip("needs the objects of libxdp: apt-get install libxdp1")
	return nil
}
