package pin

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"

	"github.com/lode-bpf/lode/internal/ktest"
	"github.com/lode-bpf/lode/sys"
)

func TestKernelPin(t *testing.T) {
	for name, k := range kernels() {
		t.Run(name, func(t *testing.T) {
			root := bpffs(t)
			d, err := OpenDir(k, root+"/app", DirOptions{Create: true})
			if err != nil {
				t.Fatal(err)
			}
			defer d.Close()
			m := makeMap(t)
			if _, err := d.Get("m", sys.ObjMap); !errors.Is(err, fs.ErrNotExist) {
				t.Errorf("get before pin: %v", err)
			}
			if _, err := d.Stat("m"); !errors.Is(err, fs.ErrNotExist) {
				t.Errorf("stat before pin: %v", err)
			}
			must(t, d.Pin("m", m.Int()))
			got, err := d.Get("m", sys.ObjMap)
			if own(t, got, err); mapID(t, got) != mapID(t, m) {
				t.Error("get returned another map")
			}
			if err := d.Pin("m", m.Int()); !errors.Is(err, ErrExists) {
				t.Errorf("second pin: %v", err)
			}
			e, err := d.Stat("m")
			want := Entry{Name: "m", Kind: sys.ObjMap, ID: mapID(t, m), Type: "array", Object: "pin_test", Mode: 0o600}
			if diff := cmp.Diff(want, e); diff != "" || err != nil {
				t.Errorf("stat: %v, -want +got:\n%s", err, diff)
			}
			internal, err := EncodeInternal("obj.rodata")
			must(t, err, d.Pin(internal, m.Int()))
			names, err := d.Names()
			if diff := cmp.Diff([]string{"m", "obj@rodata"}, names); diff != "" || err != nil {
				t.Errorf("names: %v, -want +got:\n%s", err, diff)
			}
			must(t, d.Remove("m"), d.Remove(internal))
			if err := d.Remove("m"); !errors.Is(err, fs.ErrNotExist) {
				t.Errorf("second remove: %v", err)
			}
			must(t, d.RemoveCreated())
			if left := tree(t, root); left != nil {
				t.Errorf("left: %v", left)
			}
		})
	}
}

// A name that is no path element reaches no system call.
func TestKernelPinNames(t *testing.T) {
	root := bpffs(t)
	must(t, os.Mkdir(root+"/app", 0o700), os.Mkdir(root+"/victim", 0o700))
	m := makeMap(t)
	pinAt(t, openDir(t, root+"/victim", DirOptions{}), "m", m)
	counter := &sys.Fault{Kernel: sys.Live()}
	d, err := OpenDir(counter, root+"/app", DirOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	calls := counter.Calls()
	for _, name := range []string{"", ".", "..", "../victim/m", "../m", "/m", "victim/m", "a.b", ".rodata", "a\x00", "m/", "-m", strings.Repeat("a", 129), "\x1b[2J\n", "a b"} {
		_, get := d.Get(name, sys.ObjMap)
		_, replace := d.Replace(name, m.Int(), sys.ObjMap)
		_, sub := d.Sub(name)
		_, _, share := d.GetOrPin(name, sys.ObjMap, newMap)
		for op, err := range map[string]error{"get": get, "pin": d.Pin(name, m.Int()), "replace": replace, "remove": d.Remove(name), "sub": sub, "remove directory": d.RemoveSub(name), "share": share} {
			var bad *NameError
			if !errors.As(err, &bad) {
				t.Errorf("%s of %q: %v", op, name, err)
			}
		}
	}
	if counter.Calls() != calls {
		t.Errorf("%d system calls were made for names that are refused", counter.Calls()-calls)
	}
	if diff := cmp.Diff([]string{"/app", "/victim", "/victim/m"}, tree(t, root)); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// Whatever stands under the name of a map that is wanted: it is named in the
// error, and it stays.
func TestKernelGetOtherKind(t *testing.T) {
	root := bpffs(t)
	d := openDir(t, root, DirOptions{})
	m, p, l := makeMap(t), makeProgram(t, sys.ProgTypeSocketFilter), makeLink(t)
	pinAt(t, d, "map", m)
	pinAt(t, d, "prog", p)
	pinAt(t, d, "link", l)
	must(t, os.Mkdir(root+"/dir", 0o700), os.Symlink("map", root+"/symlink"), os.Symlink("nowhere", root+"/dangling"))
	before := tree(t, root)
	kinds := map[string]string{"map": "map", "prog": "program", "link": "link", "dir": "directory", "symlink": "", "dangling": ""}
	for name, kind := range kinds {
		for _, want := range []sys.ObjKind{sys.ObjMap, sys.ObjProg, sys.ObjLink} {
			fd, err := d.Get(name, want)
			if kind == want.String() {
				own(t, fd, err)
				continue
			}
			var other *KindError
			var link *LinkError
			switch {
			case kind == "" && errors.As(err, &link) && link.Element == name:
			case kind != "" && errors.As(err, &other) && other.Want == want.String() && strings.HasPrefix(other.Have.String(), kind) && strings.Contains(err.Error(), "a "+other.Want+" is wanted there"):
			default:
				t.Errorf("%s as %v: %v", name, want, err)
			}
			_, err = d.Replace(name, m.Int(), want)
			if !errors.As(err, &other) && !errors.As(err, &link) {
				t.Errorf("replace %s as %v: %v", name, want, err)
			}
		}
		if err := d.Pin(name, m.Int()); !errors.Is(err, ErrExists) {
			t.Errorf("pin at %s: %v", name, err)
		}
		calls := 0
		_, _, err := d.GetOrPin(name, sys.ObjProg, func() (*sys.FD, error) { calls++; return newMap() })
		if name != "prog" && (err == nil || calls > 0) {
			t.Errorf("share at %s: %v, made %d", name, err, calls)
		}
	}
	if diff := cmp.Diff(before, tree(t, root)); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// A pin that failed is no reason for the next one to fail.
func TestKernelPinAfterFailure(t *testing.T) {
	d := openDir(t, bpffs(t), DirOptions{})
	first, second := makeMap(t), makeMap(t)
	pinAt(t, d, "a", first)
	if err := d.Pin("a", second.Int()); !errors.Is(err, ErrExists) {
		t.Error(err)
	}
	pinAt(t, d, "b", second)
	pinAt(t, d, "c", second) // and one object may have several names
}

// Every type of map is known for one, and programs and links are not.
func TestKernelKindOf(t *testing.T) {
	ktest.Root(t)
	known := 0
	for typ := range sys.MapTypes() {
		for _, a := range []sys.MapCreateAttr{
			{KeySize: 4, ValueSize: 4, MaxEntries: 1}, {KeySize: 4, ValueSize: 8, MaxEntries: 1}, {ValueSize: 4, MaxEntries: 1}, {MaxEntries: uint32(os.Getpagesize())},
			{KeySize: 8, ValueSize: 4, MaxEntries: 1, MapFlags: sys.BPF_F_NO_PREALLOC}, {MaxEntries: 1, MapFlags: sys.BPF_F_MMAPABLE},
		} {
			a.MapType = typ
			fd, err := sys.MapCreate(sys.Live(), &a)
			if err != nil {
				continue
			}
			known++
			if kind, err := kindOf(sys.Live(), fd.Int()); kind != sys.ObjMap || err != nil {
				t.Errorf("a map of type %v is a %v, %v", typ, kind, err)
			}
			must(t, fd.Close())
			break
		}
	}
	if known < 18 {
		t.Errorf("only %d types of map could be made", known)
	}
	for _, flags := range []uint32{sys.BPF_F_RDONLY, sys.BPF_F_WRONLY} {
		fd, err := sys.MapCreate(sys.Live(), &sys.MapCreateAttr{MapType: sys.MapTypeHash, KeySize: 4, ValueSize: 4, MaxEntries: 1, MapFlags: flags})
		own(t, fd, err)
		if kind, err := kindOf(sys.Live(), fd.Int()); kind != sys.ObjMap || err != nil {
			t.Errorf("a map with flags %#x is a %v, %v", flags, kind, err)
		}
	}
	for _, typ := range []sys.ProgType{sys.ProgTypeSocketFilter, sys.ProgTypeXDP, sys.ProgTypeSchedCls, sys.ProgTypeCgroupSKB} {
		if kind, err := kindOf(sys.Live(), makeProgram(t, typ).Int()); kind != sys.ObjProg || err != nil {
			t.Errorf("a program of type %v is a %v, %v", typ, kind, err)
		}
	}
	if kind, err := kindOf(sys.Live(), makeLink(t).Int()); kind != sys.ObjLink || err != nil {
		t.Errorf("a link is a %v, %v", kind, err)
	}
	if kind, err := kindOf(sys.Live(), -1); err == nil {
		t.Errorf("no descriptor is a %v", kind)
	}
}

// The owner of a directory exchanges a name between his own pin and a symbolic
// link to another application's, as fast as he can: the link is never followed.
func TestKernelGetSwappedLink(t *testing.T) {
	root := bpffs(t)
	must(t, os.Mkdir(root+"/victim", 0o700), os.Mkdir(root+"/dir", 0o700))
	victim, mine := makeMap(t), makeMap(t)
	pinAt(t, openDir(t, root+"/victim", DirOptions{}), "m", victim)
	setup := openDir(t, root+"/dir", DirOptions{})
	pinAt(t, setup, "m", mine)
	must(t, os.Symlink("../victim/m", root+"/dir/l"), os.Chown(root+"/dir", 12345, 0))
	d := openDir(t, root+"/dir", DirOptions{})
	if d.stable(sys.Stat{}) {
		t.Fatal("a directory of another user counts as stable")
	}
	var stop atomic.Bool
	done := make(chan struct{})
	go func() {
		defer close(done)
		for !stop.Load() {
			unix.Renameat2(setup.fd.Int(), "m", setup.fd.Int(), "l", unix.RENAME_EXCHANGE)
		}
	}()
	defer func() { stop.Store(true); <-done }()
	want, got, refused := mapID(t, mine), 0, 0
	for range 4000 {
		fd, err := d.Get("m", sys.ObjMap)
		if err != nil {
			var link *LinkError
			if !errors.As(err, &link) && !errors.Is(err, fs.ErrNotExist) {
				t.Fatal(err)
			}
			refused++
			continue
		}
		if id := mapID(t, fd); id != want {
			t.Fatalf("map %d of another application, want %d", id, want)
		}
		got++
		must(t, fd.Close())
	}
	t.Logf("%d times the pin, %d times refused", got, refused)
}

func TestKernelWalk(t *testing.T) {
	root := bpffs(t)
	ktest.NoFDLeaks(t)
	d, err := OpenDir(sys.Live(), root+"/a/b", DirOptions{Create: true})
	must(t, err)
	m := makeMap(t)
	must(t, d.Pin("m", m.Int()), d.Pin("n@x", m.Int()), d.Close())
	must(t, os.Mkdir(root+"/c", 0o700), os.Symlink("a", root+"/l"))
	d = openDir(t, root, DirOptions{})
	pinAt(t, d, "p", makeProgram(t, sys.ProgTypeXDP))
	var got []string
	visit := func(p string, e Entry, err error) error {
		var link *LinkError
		if errors.As(err, &link) {
			err = nil
		}
		rel, _ := filepath.Rel(root, p)
		if e.Name != filepath.Base(p) {
			t.Errorf("%s is called %q", p, e.Name)
		}
		kind, _, _ := strings.Cut(e.String(), " (")
		if strings.HasSuffix(p, ".debug") { // not every kernel has these
			if kind != "file of user 0" {
				t.Errorf("%s is a %s", p, kind)
			}
			return err
		}
		got = append(got, rel+": "+kind)
		return err
	}
	must(t, d.Walk(visit))
	want := []string{"a: directory", "a/b: directory", `a/b/m: map "pin_test"`, `a/b/n@x: map "pin_test"`, "c: directory", "l: symbolic link of user 0", `p: program "pin_test_prog"`}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	got = nil
	must(t, d.Walk(func(p string, e Entry, err error) error {
		if e.Dir && e.Name == "a" {
			return fs.SkipDir
		}
		return visit(p, e, err)
	}))
	if diff := cmp.Diff(want[4:], got); diff != "" {
		t.Errorf("without a, -want +got:\n%s", diff)
	}
	end := errors.New("end")
	if err := d.Walk(func(p string, e Entry, err error) error {
		if e.Name == "m" {
			return end
		}
		return nil
	}); err != end {
		t.Errorf("the end: %v", err)
	}
}

// A chain of directories deeper than any stack of calls would be walks, up to the
// bound.
func TestKernelWalkDeep(t *testing.T) {
	root := bpffs(t)
	ktest.NoFDLeaks(t)
	fd, err := unix.Open(root, unix.O_PATH|unix.O_DIRECTORY, 0)
	must(t, err)
	for range 3 * maxDepth {
		must(t, unix.Mkdirat(fd, "d", 0o700))
		next, err := unix.Openat(fd, "d", unix.O_PATH|unix.O_DIRECTORY, 0)
		must(t, err, unix.Close(fd))
		fd = next
	}
	must(t, unix.Close(fd))
	n := 0
	must(t, openDir(t, root, DirOptions{}).Walk(func(string, Entry, error) error { n++; return nil }))
	if n < maxDepth || n > maxDepth+4 {
		t.Errorf("%d entries", n)
	}
}

func TestKernelSub(t *testing.T) {
	root := bpffs(t)
	d := openDir(t, root, DirOptions{})
	if _, err := d.Sub("a"); !errors.Is(err, fs.ErrNotExist) {
		t.Error(err)
	}
	must(t, os.Mkdir(root+"/a", 0o700), os.Symlink("a", root+"/l"))
	sub, err := d.Sub("a")
	must(t, err)
	defer sub.Close()
	if sub.Path() != root+"/a" {
		t.Error(sub.Path())
	}
	must(t, sub.Pin("m", makeMap(t).Int()))
	if err := d.RemoveSub("a"); sys.ErrnoOf(err) != sys.ENOTEMPTY {
		t.Error(err)
	}
	must(t, sub.Remove("m"), d.RemoveSub("a"))
	if _, err := d.Sub("l"); err == nil {
		t.Error("a link was followed")
	}
}
