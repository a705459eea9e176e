package lode_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/lode-bpf/lode"
	"github.com/lode-bpf/lode/internal/ktest"
	"github.com/lode-bpf/lode/maps"
	"github.com/lode-bpf/lode/pin"
	"github.com/lode-bpf/lode/sys"
)

// pinned adds a map that is pinned by name to the object minimal, and loads it.
func pinned(t *testing.T, root string, s maps.Spec) (*lode.Collection, error) {
	t.Helper()
	o := open(t, "minimal")
	if err := o.AddMap(&lode.Map{Spec: s, Pin: lode.Pin{Mode: lode.PinByName}}); err != nil {
		t.Fatal(err)
	}
	c, err := o.Load(context.Background(), lode.LoadOptions{Policy: lode.Policy{PinRoot: root}})
	if err == nil {
		t.Cleanup(func() { c.Close() })
	}
	return c, err
}

// TestKernelReuseChanged loads maps whose definition the kernel or the loader
// changes at creation: the second load takes them for what they are.
func TestKernelReuseChanged(t *testing.T) {
	root := filepath.Join(ktest.BPFFS(t), "app")
	for _, s := range []maps.Spec{
		{Name: "devmap", Type: sys.MapTypeDevMap, KeySize: 4, ValueSize: 4, MaxEntries: 3},
		{Name: "devmap_hash", Type: sys.MapTypeDevMapHash, KeySize: 4, ValueSize: 4, MaxEntries: 3},
		{Name: "lru", Type: sys.MapTypeLRUHash, KeySize: 4, ValueSize: 4, MaxEntries: 101, Flags: sys.BPF_F_NO_COMMON_LRU},
		{Name: "ringbuf", Type: sys.MapTypeRingBuf, MaxEntries: 5000},
		{Name: "perf", Type: sys.MapTypePerfEventArray, KeySize: 4, ValueSize: 4},
		{Name: "rdonly", Type: sys.MapTypeArray, KeySize: 4, ValueSize: 4, MaxEntries: 1, Flags: sys.BPF_F_WRONLY},
	} {
		t.Run(s.Name, func(t *testing.T) {
			if _, err := pinned(t, root, s); err != nil {
				t.Fatal(err)
			}
			c, err := pinned(t, root, s)
			if err != nil {
				t.Fatalf("the second load: %v", err)
			}
			if c.Created(s.Name) {
				t.Error("the pinned map was not reused")
			}
		})
	}
}

// TestKernelPinInTheWay finds something else where a map belongs.
func TestKernelPinInTheWay(t *testing.T) {
	bpffs := ktest.BPFFS(t)
	root := filepath.Join(bpffs, "app")
	hits := maps.Spec{Name: "hits", Type: sys.MapTypeArray, KeySize: 4, ValueSize: 4, MaxEntries: 1}
	c, err := open(t, "minimal").Load(context.Background(), lode.LoadOptions{Edit: func(o *lode.Object) error {
		o.Program("keep").Pin = lode.Pin{Mode: lode.PinPath, Path: root + "/hits"}
		return nil
	}})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	_, err = pinned(t, root, hits)
	var kind *pin.KindError
	if !errors.As(err, &kind) || !strings.Contains(err.Error(), "program") {
		t.Errorf("a program at the map's path: %v", err)
	}
	if err := os.Remove(root + "/hits"); err != nil {
		t.Fatal(err)
	}
	for what, put := range map[string]func(string) error{
		"a directory":     func(p string) error { return os.Mkdir(p, 0o700) },
		"a link":          func(p string) error { return os.Symlink("/etc/passwd", p) },
		"a link to a map": func(p string) error { return os.Symlink(root+"/other", p) },
	} {
		if err := put(root + "/hits"); err != nil {
			t.Fatal(err)
		}
		before := tree(t, bpffs)
		if _, err := pinned(t, root, hits); err == nil {
			t.Errorf("%s at the map's path is not refused", what)
		} else if !strings.Contains(err.Error(), root) {
			t.Errorf("%s at the map's path: the error does not name it: %v", what, err)
		}
		if after := tree(t, bpffs); strings.Join(before, "\n") != strings.Join(after, "\n") {
			t.Errorf("%s at the map's path: %q became %q", what, before, after)
		}
		if err := os.Remove(root + "/hits"); err != nil {
			t.Fatal(err)
		}
	}
}

// TestKernelPinDirectory pins below directories that other loaders fail on.
func TestKernelPinDirectory(t *testing.T) {
	bpffs := ktest.BPFFS(t)
	hits := maps.Spec{Name: "hits", Type: sys.MapTypeArray, KeySize: 4, ValueSize: 4, MaxEntries: 1}
	deep := filepath.Join(bpffs, "a", "b", "c")
	c, err := pinned(t, deep, hits)
	if err != nil {
		t.Fatalf("a directory whose parents are missing: %v", err)
	}
	if err := c.Undo(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Lstat(filepath.Join(bpffs, "a")); err == nil {
		t.Error("Undo left directories that the load made")
	}
	dotted := filepath.Join(t.TempDir(), "with.dot")
	if err := os.Mkdir(dotted, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := sys.Live().Mount("bpf", dotted, "bpf", 0, ""); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := sys.Live().Unmount(dotted, 0); err != nil {
			t.Error(err)
		}
	})
	if c, err = pinned(t, dotted, hits); err != nil {
		t.Errorf("a bpffs below a directory with a dot: %v", err)
	} else if err := c.Undo(); err != nil {
		t.Error(err)
	}
	outside := filepath.Join(t.TempDir(), "new")
	_, err = pinned(t, outside, hits)
	var not *pin.NotBPFFSError
	if !errors.As(err, &not) {
		t.Errorf("a directory that is not in a bpffs: %v", err)
	}
	if _, err := os.Lstat(outside); err == nil {
		t.Error("a directory was made outside of any bpffs")
	}
}

// TestKernelSharedData pins a data section: the variables of the second load
// are those of the first.
func TestKernelSharedData(t *testing.T) {
	root := filepath.Join(ktest.BPFFS(t), "app")
	ktest.NoFDLeaks(t)
	load := func() *lode.Collection {
		t.Helper()
		c, err := lode.Load(context.Background(), ktest.LoadablePath(t, "counter"), lode.LoadOptions{
			Policy: lode.Policy{PinRoot: root},
			Edit: func(o *lode.Object) error {
				o.Map(".data").Pin.Mode = lode.PinByName
				return nil
			},
		})
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	first, second := load(), load()
	defer first.Close()
	defer second.Close()
	if second.Created(".data") {
		t.Fatal("the pinned data section was not reused")
	}
	a, err := first.Variable("reports")
	if err != nil {
		t.Fatal(err)
	}
	if err := a.Set(99); err != nil {
		t.Fatal(err)
	}
	b, err := second.Variable("reports")
	var n uint64
	if err == nil {
		err = b.Get(&n)
	}
	if err != nil || n != 99 {
		t.Errorf("the second load reads %d after the first wrote 99 (%v)", n, err)
	}
}

// TestKernelProgramsOff pins all programs of an object of which one is off.
func TestKernelProgramsOff(t *testing.T) {
	root := filepath.Join(ktest.BPFFS(t), "app")
	c, err := open(t, "counter").Load(context.Background(), lode.LoadOptions{
		Policy: lode.Policy{PinRoot: root, Persist: true},
		Edit:   func(o *lode.Object) error { return o.Only("count_ipv4") },
	})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	list, err := os.ReadDir(filepath.Join(root, "counter-programs"))
	if err != nil || len(list) != 1 || list[0].Name() != "count_ipv4" {
		t.Errorf("pinned are %v (%v), want count_ipv4 alone", list, err)
	}
}
