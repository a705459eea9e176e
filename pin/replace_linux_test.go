package pin

import (
	"errors"
	"io/fs"
	"strconv"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/lode-bpf/lode/sys"
)

func TestKernelReplace(t *testing.T) {
	for name, k := range kernels() {
		t.Run(name, func(t *testing.T) {
			root := bpffs(t)
			d, err := OpenDir(k, root, DirOptions{})
			must(t, err)
			defer d.Close()
			first, second := makeMap(t), makeMap(t)
			if _, err := d.Replace("m", second.Int(), sys.ObjMap); !errors.Is(err, fs.ErrNotExist) {
				t.Errorf("replace of nothing: %v", err)
			}
			pinAt(t, d, "m", first)
			is := func(want *sys.FD) {
				t.Helper()
				got, err := d.Get("m", sys.ObjMap)
				if own(t, got, err); mapID(t, got) != mapID(t, want) {
					t.Errorf("map %d, want %d", mapID(t, got), mapID(t, want))
				}
				if diff := cmp.Diff([]string{"/m"}, tree(t, root)); diff != "" {
					t.Errorf("-want +got:\n%s", diff)
				}
			}
			old, err := d.Replace("m", second.Int(), sys.ObjMap)
			own(t, old, err)
			if mapID(t, old) != mapID(t, first) {
				t.Error("the old one that is returned is another")
			}
			is(second)
			must(t, d.Restore("m", old))
			is(first)
		})
	}
}

// Whoever opens the name at any time gets one of the two.
func TestKernelReplaceIsAtomic(t *testing.T) {
	for name, k := range kernels() {
		t.Run(name, func(t *testing.T) {
			root := bpffs(t)
			d, err := OpenDir(k, root, DirOptions{})
			must(t, err)
			defer d.Close()
			maps := []*sys.FD{makeMap(t), makeMap(t)}
			ids := []uint32{mapID(t, maps[0]), mapID(t, maps[1])}
			pinAt(t, d, "m", maps[0])
			var stop atomic.Bool
			failed := make(chan error)
			go func() {
				reader, err := OpenDir(sys.Live(), root, DirOptions{})
				for err == nil && !stop.Load() {
					var fd *sys.FD
					if fd, err = reader.Get("m", sys.ObjMap); err == nil {
						var info sys.MapInfo
						err = errors.Join(sys.ObjGetInfoByFD(sys.Live(), fd.Int(), &info), fd.Close())
						if info.ID != ids[0] && info.ID != ids[1] {
							err = errors.New("map " + strconv.Itoa(int(info.ID)))
						}
					}
				}
				failed <- errors.Join(err, reader.Close())
			}()
			for i := range 500 {
				old, err := d.Replace("m", maps[1-i%2].Int(), sys.ObjMap)
				must(t, err, old.Close())
			}
			stop.Store(true)
			must(t, <-failed)
		})
	}
}

// Names that a killed process left behind are in nobody's way, until there are
// too many.
func TestKernelReplaceLeftovers(t *testing.T) {
	root := bpffs(t)
	d := openDir(t, root, DirOptions{})
	m := makeMap(t)
	for i := range maxSwaps - 1 {
		pinAt(t, d, swapPrefix+strconv.Itoa(i), m)
	}
	pinAt(t, d, "m", m)
	before := tree(t, root)
	old, err := d.Replace("m", makeMap(t).Int(), sys.ObjMap)
	own(t, old, err)
	if diff := cmp.Diff(before, tree(t, root)); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	pinAt(t, d, swapPrefix+strconv.Itoa(maxSwaps-1), m)
	if _, err := d.Replace("m", m.Int(), sys.ObjMap); err == nil {
		t.Error("there is no name left")
	}
}
