package lode_test

import (
	"path/filepath"
	"testing"

	"github.com/lode-bpf/lode/internal/ktest"
	"github.com/lode-bpf/lode/maps"
	"github.com/lode-bpf/lode/sys"
)

// TestKernelMigrate runs the example that replaces a pinned map and carries its
// entries over.
func TestKernelMigrate(t *testing.T) {
	root := filepath.Join(ktest.BPFFS(t), "app")
	ktest.NoFDLeaks(t)
	c, err := counter(t, root, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	run(t, c, "count", frame(0x88b5))
	if err := migrate(ktest.LoadablePath(t, "counter"), root); err != nil {
		t.Fatal(err)
	}
	m, err := maps.FromPin(sys.Live(), filepath.Join(root, "packets"), 0)
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	if m.MaxEntries() != 4096 || packetsOf(t, m, 0x88b5) != 1 {
		t.Errorf("the new map has %d entries and counts %d packets, want 4096 and the old one's 1", m.MaxEntries(), packetsOf(t, m, 0x88b5))
	}
}
