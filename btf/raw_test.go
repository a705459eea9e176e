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
	bpftool := ktest.Tool(t, "bpftool", "bpftool")
	for _, path := range withKernel(objects(t)) {
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
