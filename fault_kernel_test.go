package lode_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/lode-bpf/lode"
	"github.com/lode-bpf/lode/internal/ktest"
	"github.com/lode-bpf/lode/maps"
	"github.com/lode-bpf/lode/sys"
)

// counter loads the object counter below root, with every program pinned.
func counter(t testing.TB, root string, k sys.Kernel) (*lode.Collection, error) {
	t.Helper()
	return lode.Load(context.Background(), ktest.LoadablePath(t, "counter"), lode.LoadOptions{
		Policy: lode.Policy{PinRoot: root, Persist: true}, Kernel: k,
	})
}

// tree lists everything below a directory of a bpffs, with the ids of objects.
func tree(t testing.TB, root string) []string {
	t.Helper()
	var out []string
	err := filepath.WalkDir(root, func(p string, d os.DirEntry, err error) error {
		if err == nil && p != root {
			out = append(out, fmt.Sprintf("%s %v", p[len(root):], d.IsDir()))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// descriptors lists the open descriptors of this process.
func descriptors(t testing.TB) []string {
	t.Helper()
	list, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, e := range list {
		to, err := os.Readlink("/proc/self/fd/" + e.Name())
		if err == nil {
			out = append(out, e.Name()+" "+to)
		}
	}
	slices.Sort(out)
	return out
}

// TestKernelFaults breaks a load off at every call that it makes, with every
// error that matters: nothing may be left of it.
func TestKernelFaults(t *testing.T) {
	bpffs := ktest.BPFFS(t)
	root := filepath.Join(bpffs, "app")
	empty := tree(t, bpffs)
	count := &sys.Fault{Kernel: sys.Live()}
	c, err := counter(t, root, count)
	if err != nil {
		t.Fatal(err)
	}
	calls := count.Calls()
	if err := c.Undo(); err != nil {
		t.Fatal(err)
	}
	t.Logf("a load makes %d calls", calls)
	if diff := cmp.Diff(empty, tree(t, bpffs)); diff != "" {
		t.Fatalf("after Undo: -want +got:\n%s", diff)
	}
	before := descriptors(t)
	for _, errno := range []sys.Errno{sys.EPERM, sys.ENOMEM, sys.EEXIST, sys.EINTR} {
		survived := 0
		for n := 1; n <= calls; n++ {
			var op string
			f := &sys.Fault{Kernel: sys.Live(), N: n, Errno: errno, OnCall: func(i int, o string) {
				if i == n {
					op = o
				}
			}}
			c, err := counter(t, root, f)
			if err == nil {
				survived++
				err = c.Undo()
				if err != nil {
					t.Fatalf("call %d (%s) with %v: undo: %v", n, op, errno, err)
				}
			}
			if diff := cmp.Diff(empty, tree(t, bpffs)); diff != "" {
				t.Fatalf("call %d (%s) with %v: -want +got:\n%s (error %v)", n, op, errno, diff, err)
			}
			if diff := cmp.Diff(before, descriptors(t)); diff != "" {
				t.Fatalf("call %d (%s) with %v: descriptors -before +after:\n%s", n, op, errno, diff)
			}
		}
		t.Logf("%v: %d of %d loads succeeded all the same", errno, survived, calls)
	}
}

// TestKernelFaultsReuse breaks off loads that reuse a pinned map and replace
// pinned programs: what was there stays as it was.
func TestKernelFaultsReuse(t *testing.T) {
	bpffs := ktest.BPFFS(t)
	root := filepath.Join(bpffs, "app")
	count := &sys.Fault{Kernel: sys.Live()}
	first, err := counter(t, root, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer first.Close()
	key, value := make([]byte, 4), make([]byte, 16)
	value[0] = 42
	if err := first.Map("packets").Update(key, value, 0); err != nil {
		t.Fatal(err)
	}
	state := func() []string { return append(tree(t, bpffs), pinnedState(t, root, key)...) }
	want := state()
	c, err := counter(t, root, count)
	if err != nil {
		t.Fatal(err)
	}
	calls := count.Calls()
	if c.Created("packets") {
		t.Error("the pinned map was not reused")
	}
	if err := c.Undo(); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, state()); diff != "" {
		t.Fatalf("after Undo: -want +got:\n%s", diff)
	}
	before := descriptors(t)
	for n := 1; n <= calls; n++ {
		f := &sys.Fault{Kernel: sys.Live(), N: n, Errno: sys.ENOMEM}
		c, err := counter(t, root, f)
		if err == nil {
			if err := c.Undo(); err != nil {
				t.Fatalf("call %d: undo: %v", n, err)
			}
		}
		if diff := cmp.Diff(want, state()); diff != "" {
			t.Fatalf("call %d: -want +got:\n%s\n%v", n, diff, err)
		}
		if diff := cmp.Diff(before, descriptors(t)); diff != "" {
			t.Fatalf("call %d: descriptors -before +after:\n%s", n, diff)
		}
	}
}

// pinnedState is what the pins of the object counter lead to, and the contents
// of its map.
func pinnedState(t testing.TB, root string, key []byte) []string {
	t.Helper()
	m, err := maps.FromPin(sys.Live(), filepath.Join(root, "packets"), 0)
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	info, err := m.Info()
	if err != nil {
		t.Fatal(err)
	}
	v, err := m.Lookup(key)
	if err != nil {
		t.Fatal(err)
	}
	out := []string{fmt.Sprintf("map %d: %x", info.ID, v)}
	for _, p := range []string{"count", "count_ipv4", "count_other"} {
		fd, err := sys.ObjGet(sys.Live(), &sys.ObjAttr{Pathname: sys.StringPtr(filepath.Join(root, "counter-programs", p))})
		if err != nil {
			t.Fatal(err)
		}
		var i sys.ProgInfo
		if err := sys.ObjGetInfoByFD(sys.Live(), fd.Int(), &i); err != nil {
			t.Fatal(err)
		}
		fd.Close()
		out = append(out, fmt.Sprintf("%s %d", p, i.ID))
	}
	return out
}
