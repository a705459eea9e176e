package btf_test

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/lode-bpf/lode/btf"
	"github.com/lode-bpf/lode/elf"
	"github.com/lode-bpf/lode/internal/ktest"
)

// The raw listing is bpftool's, line for line, for the kernel and for every
// object in testdata.
func TestFormatRawIsBpftools(t *testing.T) {
	bpftool := ktest.Tool(t, "bpftool", "bpftool")
	files := objects(t)
	if _, err := os.Stat("/sys/kernel/btf/vmlinux"); err == nil {
		files = append(files, "/sys/kernel/btf/vmlinux")
	}
	for _, path := range files {
		t.Run(filepath.Base(path), func(t *testing.T) {
			s := openBTF(t, path)
			if s == nil {
				return
			}
			want, err := exec.Command(bpftool, "btf", "dump", "file", path, "format", "raw").CombinedOutput()
			if err != nil {
				t.Fatalf("bpftool: %v: %s", err, want)
			}
			var got bytes.Buffer
			if err := s.FormatRaw(&got); err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(want, got.Bytes()) {
				t.Errorf("-bpftool +ours:\n%s", cmp.Diff(string(want[:min(len(want), 1<<16)]), string(got.Bytes()[:min(got.Len(), 1<<16)])))
			}
		})
	}
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
