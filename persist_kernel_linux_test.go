package lode_test

import (
	"context"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/lode-bpf/lode"
	"github.com/lode-bpf/lode/internal/ktest"
	"github.com/lode-bpf/lode/link"
	"github.com/lode-bpf/lode/maps"
	"github.com/lode-bpf/lode/sys"
)

// TestKernelPersistTailCalls closes a collection whose program array nobody else
// holds: without Persist the kernel empties it, with Persist it stays as it was.
func TestKernelPersistTailCalls(t *testing.T) {
	root := filepath.Join(ktest.BPFFS(t), "app")
	ktest.NoFDLeaks(t)
	var id [2]uint32
	for i := range id { // the second load takes the place of the first
		c, err := lode.Load(context.Background(), ktest.LoadablePath(t, "counter"), lode.LoadOptions{Policy: lode.Policy{PinRoot: root, Persist: true}})
		if err != nil {
			t.Fatal(err)
		}
		info, err := c.Map("stages").Info()
		if err != nil {
			t.Fatal(err)
		}
		if err := c.Close(); err != nil {
			t.Fatal(err)
		}
		stages, err := maps.FromPin(sys.Live(), filepath.Join(root, "counter"+lode.TailCallsSuffix, "stages"), 0)
		if err != nil {
			t.Fatal(err)
		}
		now, err := stages.Info()
		if err != nil {
			t.Fatal(err)
		}
		if id[i] = now.ID; id[i] != info.ID {
			t.Errorf("load %d: the array with id %d is pinned, want %d", i+1, now.ID, info.ID)
		}
		if _, err := stages.Lookup(make([]byte, 4)); err != nil {
			t.Errorf("load %d: the program array is empty: %v", i+1, err)
		}
		if err := stages.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if id[0] == id[1] {
		t.Error("the second load left the first one's array in place")
	}
}

// TestKernelPersistLinks attaches, closes everything, and sees the program run on;
// then a load that is taken back ends what it made, and nothing else.
func TestKernelPersistLinks(t *testing.T) {
	root := filepath.Join(ktest.BPFFS(t), "app")
	ktest.NoFDLeaks(t)
	pinned := filepath.Join(root, "tracing"+lode.LinksSuffix, "raw_tracepoint")
	load := func() *lode.Collection {
		t.Helper()
		c, err := lode.Load(context.Background(), ktest.ObjectPath(t, "tracing"), lode.LoadOptions{
			Policy: lode.Policy{PinRoot: root, Persist: true, Attach: link.Auto},
			Edit:   func(o *lode.Object) error { return o.Only("raw_tracepoint") },
		})
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	programOf := func() uint32 {
		t.Helper()
		l, err := link.FromPin(sys.Live(), pinned)
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		info, err := l.Info()
		if err != nil {
			t.Fatal(err)
		}
		return info.ProgID
	}
	c := load()
	data := c.Take(".bss")
	if data == nil {
		t.Fatal("the object has no .bss")
	}
	defer data.Close()
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	before := hits(t, data, "raw")
	if _, err := unix.Getpgid(0); err != nil {
		t.Fatal(err)
	}
	if hits(t, data, "raw") == before {
		t.Error("the program stopped when the collection was closed")
	}
	first := programOf()
	again := load()
	if programOf() == first {
		t.Error("the second load left the first one's link in place")
	}
	if err := again.Undo(); err != nil {
		t.Fatal(err)
	}
	if now := programOf(); now != first {
		t.Errorf("after Undo of the second load the link of program %d is pinned, want the first one's %d", now, first)
	}
}
