package btf_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"unsafe"

	"github.com/lode-bpf/lode/btf"
	"github.com/lode-bpf/lode/elf"
	"github.com/lode-bpf/lode/internal/ktest"
)

// bpfNumber is the number of bpf(2), which package syscall does not have.
var bpfNumber = map[string]uintptr{"386": 357, "amd64": 321, "arm": 386, "arm64": 280, "loong64": 280, "ppc64": 361, "ppc64le": 361, "riscv64": 280, "s390x": 351}[runtime.GOARCH]

// loadBTF gives BTF to the kernel (BPF_BTF_LOAD) and returns the verifier's log.
func loadBTF(b []byte) (string, error) {
	log := make([]byte, 1<<20)
	attr := struct {
		btf, log       uint64
		size, logSize  uint32
		level, written uint32
	}{uint64(uintptr(unsafe.Pointer(&b[0]))), uint64(uintptr(unsafe.Pointer(&log[0]))), uint32(len(b)), uint32(len(log)), 1, 0}
	fd, _, errno := syscall.Syscall(bpfNumber, 18, uintptr(unsafe.Pointer(&attr)), unsafe.Sizeof(attr))
	runtime.KeepAlive(b)
	text, _, _ := bytes.Cut(log, []byte{0})
	if errno != 0 {
		return string(text), errno
	}
	return string(text), syscall.Close(int(fd))
}

// The kernel accepts what Loadable makes of every object.
func TestKernelLoadable(t *testing.T) {
	ktest.Root(t)
	for _, path := range objects(t) {
		if strings.HasPrefix(filepath.Base(path), "linked_") {
			continue // to be linked with one another first
		}
		t.Run(filepath.Base(path), func(t *testing.T) {
			b, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			f, err := elf.Parse(b)
			if err != nil {
				t.Fatal(err)
			}
			s, _, err := btf.ParseELF(f)
			if errors.Is(err, btf.ErrNoBTF) {
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			all := btf.FeatureFunc<<9 - 1
			for _, missing := range []btf.Features{0, all &^ btf.FeatureFunc, all, btf.FeatureEnum64, btf.FeatureDatasec | btf.FeatureDeclTag} {
				missing |= lacking()
				out, err := s.Loadable(btf.LoadableOptions{ELF: f, Missing: missing})
				if err != nil {
					t.Fatal(missing, err)
				}
				if s.ByteOrder().Uint16([]byte{1, 0}) != binary.NativeEndian.Uint16([]byte{1, 0}) {
					continue
				}
				if log, err := loadBTF(out); err != nil {
					t.Errorf("missing %v: %v\n%s", missing, err, tail(log, 12))
				}
			}
		})
	}
}

func tail(s string, n int) string {
	lines := strings.Split(strings.TrimSpace(s), "\n")
	return strings.Join(lines[max(0, len(lines)-n):], "\n")
}

// lacking are the features that the running kernel is too old for.
func lacking() (f btf.Features) {
	major, minor := ktest.Version()
	for _, since := range []struct {
		major, minor int
		feature      btf.Features
	}{
		{5, 13, btf.FeatureFloat}, {5, 16, btf.FeatureDeclTag}, {5, 17, btf.FeatureTypeTag},
		{6, 0, btf.FeatureEnum64}, {6, 9, btf.FeatureQmarkDatasec}, {7, 1, btf.FeatureLayout},
	} {
		if major < since.major || major == since.major && minor < since.minor {
			f |= since.feature
		}
	}
	return f
}
