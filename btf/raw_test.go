package btf_test

import (
	"bytes"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/lode-bpf/lode/internal/ktest"
)

// The raw listing is bpftool's, line for line, for the kernel and for every
// object in testdata.
func TestFormatRawIsBpftools(t *testing.T) {
	for _, path := range withKernel(objects(t)) {
		t.Run(filepath.Base(path), func(t *testing.T) {
			s := openBTF(t, path)
			if s == nil {
				return
			}
			want := bpftoolRaw(t, path)
			var got bytes.Buffer
			if err := s.FormatRaw(&got); err != nil {
				t.Fatal(err)
			}
			if want != got.String() {
				t.Errorf("-bpftool +ours:\n%s", cmp.Diff(want[:min(len(want), 1<<16)], got.String()[:min(got.Len(), 1<<16)]))
			}
		})
	}
}

// bpftoolRaw is bpftool's listing of a file.
func bpftoolRaw(tb testing.TB, path string, more ...string) string {
	tb.Helper()
	bpftool := ktest.Tool(tb, "bpftool", "bpftool")
	args := append(more, "btf", "dump", "file", path, "format", "raw")
	out, err := exec.Command(bpftool, args...).CombinedOutput()
	if err != nil {
		tb.Fatalf("bpftool: %v: %s", err, out)
	}
	return string(out)
}
