package pin

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/lode-bpf/lode/internal/ktest"
	"github.com/lode-bpf/lode/sys"
)

// work does everything that a load does to pins, and takes it back if a part of
// it fails.
func work(k sys.Kernel, root string, fresh *sys.FD, opts DirOptions) (err error) {
	d, err := OpenDir(k, root+"/xdp/a/b", opts)
	if err != nil {
		return err
	}
	undo := []func() error{d.Close, d.RemoveCreated}
	defer func() {
		if err == nil {
			err = d.Close()
			return
		}
		for i := len(undo) - 1; i >= 0; i-- {
			err = errors.Join(err, undo[i]())
		}
	}()
	if err = d.Pin("new", fresh.Int()); err != nil {
		return err
	}
	undo = append(undo, func() error { return d.Remove("new") })
	top, err := OpenDir(k, root, DirOptions{})
	if err != nil {
		return err
	}
	undo = append(undo, top.Close)
	fd, err := top.Get("m", sys.ObjMap)
	if err != nil {
		return err
	}
	if err = fd.Close(); err != nil {
		return err
	}
	old, err := top.Replace("m", fresh.Int(), sys.ObjMap)
	if err != nil {
		return err
	}
	return errors.Join(old.Close(), top.Close())
}

// Whichever call fails, and with what error: nothing is left, and what was there
// is there. Calls that undo a failure do not fail here, only the one does.
func TestKernelFaults(t *testing.T) {
	for _, aliases := range []bool{false, true} {
		opts := DirOptions{Create: true, Mode: 0o751, UID: 1, GID: 1, Aliases: aliases}
		root := bpffs(t)
		d := openDir(t, root, DirOptions{})
		original, fresh := makeMap(t), makeMap(t)
		pinAt(t, d, "m", original)
		before := tree(t, root)

		ops := []string{""}
		count := &sys.Fault{Kernel: sys.Live(), OnCall: func(_ int, op string) { ops = append(ops, op) }}
		must(t, work(count, root, fresh, opts))
		if aliases != slices.Contains(ops, "symlinkat") {
			t.Errorf("with aliases %v the calls are %v", aliases, ops)
		}
		must(t, os.RemoveAll(root+"/xdp"), os.RemoveAll(root+"/tc"), d.Restore("m", original))
		for n := 1; n <= count.Calls(); n++ {
			errnos := []sys.Errno{sys.EPERM, sys.ENOMEM, sys.EINTR, sys.EEXIST}
			if aliases {
				errnos = errnos[:1]
			}
			for _, errno := range errnos {
				op := ops[n]
				fault := &sys.Fault{Kernel: sys.Live(), N: n, Errno: errno}
				t.Run(fmt.Sprintf("%d-%s-%s", n, op, sys.ErrnoName(errno)), func(t *testing.T) {
					ktest.NoFDLeaks(t)
					err := work(fault, root, fresh, opts)
					if err == nil {
						must(t, os.RemoveAll(root+"/xdp"), os.RemoveAll(root+"/tc"), d.Restore("m", original))
						return // a call that may fail: another way was taken
					}
					if diff := cmp.Diff(before, tree(t, root)); diff != "" {
						t.Errorf("%v\nleft, -want +got:\n%s", err, diff)
					}
					got, err := d.Get("m", sys.ObjMap)
					if own(t, got, err); mapID(t, got) != mapID(t, original) {
						t.Error("the pin that was there is another map now")
					}
				})
			}
		}
	}
}

// What was recorded once is what happens again, and a replay needs no kernel.
func TestKernelRecord(t *testing.T) {
	ktest.Kernel(t, 6, 5, "pins relative to a descriptor, which a recording can have by name")
	root := bpffs(t)
	session := func(k sys.Kernel) error {
		d, err := OpenDir(k, root+"/a/b", DirOptions{Create: true})
		if err != nil {
			return err
		}
		m, created, err := d.GetOrPin("m", sys.ObjMap, func() (*sys.FD, error) {
			return sys.MapCreate(k, &sys.MapCreateAttr{MapType: sys.MapTypeHash, KeySize: 4, ValueSize: 4, MaxEntries: 1})
		})
		if err != nil || !created {
			return errors.Join(err, errors.New("nothing was created"))
		}
		old, err := d.Replace("m", m.Int(), sys.ObjMap)
		_, serr := d.Stat("m")
		return errors.Join(err, serr, old.Close(), d.Remove("m"), m.Close(), d.RemoveCreated(), d.Close())
	}
	var texts [2]strings.Builder
	for i := range texts {
		r := sys.NewRecorder(sys.Live(), &texts[i])
		must(t, session(r), r.Err())
	}
	if diff := cmp.Diff(texts[0].String(), texts[1].String()); diff != "" {
		t.Errorf("-first +second:\n%s", diff)
	}
	replay, err := sys.NewReplay(strings.NewReader(texts[0].String()))
	must(t, err)
	must(t, session(replay), replay.Finish())
	if _, err := os.Lstat(root + "/a"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("left: %v", err)
	}
}
