package ktest

import (
	"bytes"
	"encoding/binary"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
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

// LibbpfTools cuts the BPF objects out of the programs of Debian's package libbpf-tools and returns the paths of the
// copies; none if it is not installed. They are made by dozens of people for the kernels of ten years.
func LibbpfTools(tb testing.TB) (paths []string) {
	tb.Helper()
	list, err := os.ReadFile("/var/lib/dpkg/info/libbpf-tools.list")
	if err != nil {
		return nil
	}
	dir := tb.TempDir()
	for path := range strings.Lines(string(list)) {
		path = strings.TrimSpace(path)
		if filepath.Dir(path) != "/usr/sbin" {
			continue
		}
		b, err := os.ReadFile(path)
		if err != nil {
			tb.Fatal(err)
		}
		for object, rest := cutObject(b); object != nil; object, rest = cutObject(rest) {
			to := filepath.Join(dir, filepath.Base(path)+"."+strconv.Itoa(len(paths))+".o")
			if err := os.WriteFile(to, object, 0o600); err != nil {
				tb.Fatal(err)
			}
			paths = append(paths, to)
		}
	}
	return paths
}

// cutObject returns the first BPF object in b and what follows it. Its section headers come last, as LLVM writes them.
func cutObject(b []byte) (object, rest []byte) {
	const machineBPF = 247
	le := binary.LittleEndian
	for {
		i := bytes.Index(b, []byte("\x7fELF\x02\x01"))
		if i < 0 || len(b)-i < 64 {
			return nil, nil
		}
		b = b[i:]
		end := le.Uint64(b[40:]) + uint64(le.Uint16(b[58:]))*uint64(le.Uint16(b[60:]))
		if le.Uint16(b[18:]) == machineBPF && end <= uint64(len(b)) {
			return b[:end], b[end:]
		}
		b = b[1:]
	}
}
