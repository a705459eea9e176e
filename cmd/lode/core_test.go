package main

import (
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/lode-bpf/lode/btf"
)

// TestCore is objects that some kernels do not suit: exit status 1.
func TestCore(t *testing.T) {
	for name, args := range map[string][]string{
		"core_matrix.txt":    {"--btf", object(t, "core_target.bpf.o"), "--btf", recordedEnv(t), object(t, "core_matrix.bpf.o"), object(t, "core_ambiguous.bpf.o"), object(t, "minimal.bpf.o")},
		"core_ambiguous.txt": {"--btf", object(t, "core_target.bpf.o"), "--details", object(t, "core_ambiguous.bpf.o")},
		"core.json":          {"--btf", object(t, "core_target.bpf.o"), "--json", object(t, "core_ambiguous.bpf.o")},
	} {
		t.Run(name, func(t *testing.T) {
			status, out, errOut := cli(append([]string{"core"}, args...)...)
			if status != 1 || !strings.Contains(errOut, "combinations have relocations that are missing") {
				t.Errorf("status %d, %s", status, errOut)
			}
			golden(t, name, out)
		})
	}
}

// TestMinimalTypes relocates against the least that an object needs, as against
// everything.
func TestMinimalTypes(t *testing.T) {
	small := filepath.Join(t.TempDir(), "small.btf")
	status, out, errOut := cli("btf", "min", "-o", small, object(t, "core_target.bpf.o"), object(t, "core_matrix.bpf.o"))
	if status != 0 || !strings.Contains(out, small) {
		t.Fatalf("status %d, %s", status, errOut)
	}
	_, full, _ := cli("core", object(t, "core_matrix.bpf.o"), "--btf", object(t, "core_target.bpf.o"))
	_, least, _ := cli("core", object(t, "core_matrix.bpf.o"), "--btf", small)
	if tail(full) != tail(least) {
		t.Errorf("against everything:\n%sagainst the least:\n%s", full, least)
	}
}

// tail is a table without its head.
func tail(s string) string {
	_, rest, _ := strings.Cut(s, "\n")
	return strings.Join(strings.Fields(rest), " ")
}

// TestEnvRecord records this kernel and relocates against the recording.
func TestEnvRecord(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("needs Linux: a recording is of the running kernel")
	}
	if _, err := btf.Kernel(); err != nil {
		t.Skipf("needs the kernel's types: %v", err)
	}
	file := filepath.Join(t.TempDir(), "here.env")
	status, _, errOut := cli("env", "record", file, object(t, "core.bpf.o"))
	if status != 0 {
		t.Fatalf("status %d, %s", status, errOut)
	}
	if st, err := os.Stat(file); err != nil || st.Size() < 100<<10 {
		t.Errorf("%v, %v", st, err)
	}
	_, live, _ := cli("disasm", "--env", "live", object(t, "core.bpf.o"))
	status, recorded, errOut := cli("disasm", "--env", file, object(t, "core.bpf.o"))
	if status != 0 || live != recorded {
		t.Errorf("status %d, %s\nlive:\n%s\nrecorded:\n%s", status, errOut, live, recorded)
	}
	if status, out, errOut := cli("env", "show", file); status != 0 || !strings.Contains(out, "KERNEL") {
		t.Errorf("status %d, %s%s", status, out, errOut)
	}
}
