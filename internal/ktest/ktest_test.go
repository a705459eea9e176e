package ktest_test

import (
	"net"
	"os"
	"strings"
	"testing"

	"github.com/lode-bpf/lode/internal/ktest"
)

func TestKernelBPFFS(t *testing.T) {
	ktest.NoFDLeaks(t)
	var dir string
	t.Run("mounted", func(t *testing.T) {
		dir = ktest.BPFFS(t)
		if strings.Contains(dir, ".") {
			t.Errorf("path %s has a dot", dir)
		}
		if err := os.Mkdir(dir+"/a", 0o700); err != nil {
			t.Error(err)
		}
		if err := os.WriteFile(dir+"/b", nil, 0o600); err == nil {
			t.Error("a BPF file system took an ordinary file")
		}
	})
	if dir == "" {
		t.Skip("the subtest says what is lacking")
	}
	if _, err := os.Stat(dir); !os.IsNotExist(err) {
		t.Errorf("after cleanup: %s: %v", dir, err)
	}
}

func TestKernelVeth(t *testing.T) {
	ktest.NoFDLeaks(t)
	ktest.NetNS(t)
	ktest.Veth(t, "left", "right")
	devices, err := net.Interfaces()
	if err != nil {
		t.Fatal(err)
	}
	up := make(map[string]bool)
	for _, d := range devices {
		up[d.Name] = d.Flags&net.FlagUp != 0
	}
	for _, name := range []string{"lo", "left", "right"} {
		if !up[name] {
			t.Errorf("device %s is not up; devices: %v", name, up)
		}
	}
	if len(up) != 3 {
		t.Logf("further devices in a new namespace: %v", up)
	}
}

func TestKernelCgroup(t *testing.T) {
	dir := ktest.Cgroup(t)
	if _, err := os.Stat(dir + "/cgroup.procs"); err != nil {
		t.Error(err)
	}
}

func TestKernelTracefs(t *testing.T) {
	dir := ktest.Tracefs(t)
	if _, err := os.Stat(dir + "/events"); err != nil {
		t.Error(err)
	}
}

func TestKernelSkips(t *testing.T) {
	major, minor := ktest.Version()
	if major < 5 {
		t.Skip("needs Linux 5.10 or newer")
	}
	ktest.Kernel(t, major, minor, "what every kernel of its own version has")
	if skipped := skips(t, func(t *testing.T) { ktest.Kernel(t, major+1, 0, "a feature to come") }); !skipped {
		t.Error("a newer kernel was asked for, and the test ran")
	}
}

// skips reports whether f skips the test that it is given.
func skips(t *testing.T, f func(t *testing.T)) (skipped bool) {
	t.Run("inner", func(t *testing.T) {
		defer func() { skipped = t.Skipped() }()
		f(t)
	})
	return skipped
}
