package pin

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"

	"github.com/lode-bpf/lode/internal/ktest"
	"github.com/lode-bpf/lode/sys"
)

// Directories of any depth are made, with the mode that is asked for whatever
// the umask, and removed again.
func TestKernelOpenDirCreates(t *testing.T) {
	root := bpffs(t)
	ktest.NoFDLeaks(t)
	old := unix.Umask(0o077)
	defer unix.Umask(old)
	d, err := OpenDir(sys.Live(), root+"/a/b/c", DirOptions{Create: true, Mode: 0o755, UID: 12, GID: 34})
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	for _, p := range []string{"/a", "/a/b", "/a/b/c"} {
		var st unix.Stat_t
		must(t, unix.Lstat(root+p, &st))
		if st.Mode != unix.S_IFDIR|0o755 || st.Uid != 12 || st.Gid != 34 {
			t.Errorf("%s: mode %o, owner %d:%d", p, st.Mode, st.Uid, st.Gid)
		}
	}
	if !d.Created() || d.Path() != root+"/a/b/c" {
		t.Errorf("created %v, path %q", d.Created(), d.Path())
	}
	must(t, d.RemoveCreated())
	if left := tree(t, root); left != nil {
		t.Errorf("left behind: %v", left)
	}
	if d.Created() {
		t.Error("still says that it made something")
	}
}

func TestKernelRemoveCreatedKeepsOthers(t *testing.T) {
	root := bpffs(t)
	must(t, os.Mkdir(root+"/a", 0o700))

	d := openDir(t, root+"/a/b/c", DirOptions{Create: true})
	must(t, os.Mkdir(root+"/a/b/other", 0o700), d.RemoveCreated())
	if diff := cmp.Diff([]string{"/a", "/a/b", "/a/b/other"}, tree(t, root)); diff != "" {
		t.Errorf("what others use, -want +got:\n%s", diff)
	}

	d = openDir(t, root+"/x/y", DirOptions{Create: true})
	must(t, os.Rename(root+"/x/y", root+"/z"), os.Mkdir(root+"/x/y", 0o700), d.RemoveCreated())
	if diff := cmp.Diff([]string{"/a", "/a/b", "/a/b/other", "/x", "/x/y", "/z"}, tree(t, root)); diff != "" {
		t.Errorf("a directory of somebody else in the place of ours, -want +got:\n%s", diff)
	}
	if d := openDir(t, root+"/a", DirOptions{Create: true}); d.Created() || d.RemoveCreated() != nil {
		t.Error("a directory that was there counts as made")
	}
}

// Nothing is made if the path cannot be opened in the end.
func TestKernelOpenDirRefuses(t *testing.T) {
	root := bpffs(t)
	outside := t.TempDir()
	must(t, os.Mkdir(root+"/app", 0o700), os.Symlink(root+"/app", outside+"/link"), os.Symlink("app", root+"/link"), os.Symlink("nowhere", root+"/dangling"),
		os.Symlink(outside, root+"/out"), os.Symlink("/", root+"/xdp"), os.Symlink("app", root+"/app/xdp"), os.Symlink("..", root+"/app/up"))
	pinAt(t, openDir(t, root, DirOptions{}), "m", makeMap(t))
	before, beforeOut := tree(t, root), tree(t, outside)
	notExist := func(err error) bool { return errors.Is(err, fs.ErrNotExist) }
	var notBPFFS *NotBPFFSError
	isNotBPFFS := func(err error) bool { return errors.As(err, &notBPFFS) }
	var link *LinkError
	isLink := func(err error) bool { return errors.As(err, &link) }
	var name *NameError
	isName := func(err error) bool { return errors.As(err, &name) }
	isPath := func(err error) bool { var p *PathError; return errors.As(err, &p) }
	for _, tt := range []struct {
		name   string
		path   string
		create bool
		is     func(error) bool
	}{
		{"missing", root + "/x/y", false, notExist},
		{"not on bpffs", outside, true, isNotBPFFS},
		{"not on bpffs, missing", outside + "/new", true, isNotBPFFS},
		{"not on bpffs, missing grandparent", outside + "/new/x/y", true, isNotBPFFS},
		{"not on bpffs, missing, not to be made", outside + "/new", false, notExist},
		{"dot", root + "/a.b", true, isName},
		{"dot in an inner directory", root + "/x/a.b/c", true, isName},
		{"dot in the last of three", root + "/x/y/a.b", true, isName},
		{"dash in front", root + "/x/-y", true, isName},
		{"relative", "sys/fs/bpf", true, isPath},
		{"dot-dot", root + "/../x", true, isPath},
		{"NUL", root + "/a\x00b", true, isPath},
		{"empty", "", true, isPath},
		{"too deep", root + strings.Repeat("/a", 70), true, isPath},
		{"a pin in the path", root + "/m/x", true, isPath},
		{"a pin", root + "/m", true, isPath},
		{"link outside that leads to bpffs", outside + "/link", true, isLink},
		{"link in the path, outside", outside + "/link/x", true, isLink},
		{"link", root + "/link", true, isLink},
		{"link in the path", root + "/link/x", true, isLink},
		{"dangling link", root + "/dangling", true, isLink},
		{"link out of bpffs", root + "/out/x", true, isLink},
		{"link up", root + "/app/up/y", true, isLink},
		{"xdp, but not to tc", root + "/xdp/globals", true, isLink},
		{"xdp, but not at the top", root + "/app/xdp", true, isLink},
	} {
		t.Run(tt.name, func(t *testing.T) {
			ktest.NoFDLeaks(t)
			for _, alias := range []bool{false, true} {
				d, err := OpenDir(sys.Live(), tt.path, DirOptions{Create: tt.create, Aliases: alias})
				if err == nil {
					d.Close()
				}
				if !tt.is(err) {
					t.Errorf("error %v", err)
				}
			}
			if diff := cmp.Diff(before, tree(t, root)); diff != "" {
				t.Errorf("bpffs, -want +got:\n%s", diff)
			}
			if diff := cmp.Diff(beforeOut, tree(t, outside)); diff != "" {
				t.Errorf("outside, -want +got:\n%s", diff)
			}
		})
	}
}

// Another file system inside bpffs is not entered to make something.
func TestKernelOpenDirOtherMount(t *testing.T) {
	root := bpffs(t)
	must(t, os.Mkdir(root+"/sub", 0o700))
	if err := unix.Mount("tmpfs", root+"/sub", "tmpfs", 0, ""); err != nil {
		t.Skip("needs tmpfs:", err)
	}
	defer unix.Unmount(root+"/sub", unix.MNT_DETACH)
	for _, p := range []string{"/sub", "/sub/x"} {
		if d, err := OpenDir(sys.Live(), root+p, DirOptions{Create: true}); err == nil {
			d.Close()
			t.Errorf("%s was opened", p)
		}
	}
	if left := tree(t, root); len(left) != 1 {
		t.Errorf("made: %v", left)
	}
}

// What happens to the path after it was opened does not matter.
func TestKernelDirSwapped(t *testing.T) {
	for name, k := range kernels() {
		t.Run(name, func(t *testing.T) {
			root := bpffs(t)
			must(t, os.Mkdir(root+"/app", 0o700), os.Mkdir(root+"/victim", 0o700))
			victim := openDir(t, root+"/victim", DirOptions{})
			theirs := makeMap(t)
			pinAt(t, victim, "m", theirs)
			d, err := OpenDir(k, root+"/app", DirOptions{})
			if err != nil {
				t.Fatal(err)
			}
			defer d.Close()
			must(t, os.Rename(root+"/app", root+"/aside"), os.Symlink("victim", root+"/app"))
			if _, err := d.Get("m", sys.ObjMap); !errors.Is(err, fs.ErrNotExist) {
				t.Errorf("get: %v", err)
			}
			pinAt(t, d, "mine", makeMap(t))
			must(t, d.Remove("mine"))
			pinAt(t, d, "m", makeMap(t))
			if diff := cmp.Diff([]string{"/app", "/aside", "/aside/m", "/victim", "/victim/m"}, tree(t, root)); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
			got, err := victim.Get("m", sys.ObjMap)
			if own(t, got, err); mapID(t, got) != mapID(t, theirs) {
				t.Error("the other application's pin has changed")
			}
		})
	}
}

// Two that make the same directories at once both get them.
func TestKernelOpenDirRace(t *testing.T) {
	root := bpffs(t)
	for range 50 {
		type result struct {
			d   *Dir
			err error
		}
		results := make(chan result)
		for range 2 {
			go func() {
				d, err := OpenDir(sys.Live(), root+"/a/b/c", DirOptions{Create: true})
				results <- result{d, err}
			}()
		}
		a, b := <-results, <-results
		must(t, a.err, b.err)
		if a.d.stat.Ino != b.d.stat.Ino || len(a.d.made)+len(b.d.made) != 3 {
			t.Fatalf("inodes %d and %d, made %d and %d", a.d.stat.Ino, b.d.stat.Ino, len(a.d.made), len(b.d.made))
		}
		must(t, a.d.RemoveCreated(), b.d.RemoveCreated(), a.d.RemoveCreated(), a.d.Close(), b.d.Close())
		must(t, os.RemoveAll(root+"/a"))
	}
}

// Directories that other users can change are a finding, or an error.
func TestKernelForeign(t *testing.T) {
	for _, tt := range []struct {
		name  string
		owner int
		mode  os.FileMode
		inner bool // it is the parent that is wrong
		want  string
	}{
		{"own", 0, 0o700, false, ""},
		{"others read", 0, 0o755, false, ""},
		{"sticky", 0, 0o777 | os.ModeSticky, false, ""},
		{"everybody", 0, 0o777, false, "other users can rename and remove what is in the directory (mode 777)"},
		{"group", 0, 0o770, false, "other users can rename and remove what is in the directory (mode 770)"},
		{"made before by another user", 12345, 0o700, false, "the directory belongs to user 12345"},
		{"parent", 12345, 0o700, true, "the directory belongs to user 12345"},
		{"parent for everybody", 0, 0o777, true, "other users can rename and remove what is in the directory (mode 777)"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			root := bpffs(t)
			bad, dir := root+"/a", root+"/a"
			must(t, os.Mkdir(bad, 0o700))
			if tt.inner {
				dir = bad + "/b"
				must(t, os.Mkdir(dir, 0o700))
			}
			must(t, os.Chmod(bad, tt.mode), os.Chown(bad, tt.owner, 0))
			var want []Finding
			if tt.want != "" {
				want = []Finding{{bad, tt.want}}
			}
			if diff := cmp.Diff(want, openDir(t, dir, DirOptions{}).Findings()); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
			d, err := OpenDir(sys.Live(), dir, DirOptions{RefuseForeign: true})
			if errors.Is(err, ErrForeign) != (tt.want != "") || err == nil != (tt.want == "") {
				t.Errorf("refused: %v", err)
			}
			if err == nil {
				d.Close()
			}
			if d, err := OpenDir(sys.Live(), dir+"/new/dir", DirOptions{Create: true, RefuseForeign: true}); err == nil {
				d.Close()
			} else if left, _ := filepath.Glob(dir + "/new"); len(left) != 0 {
				t.Error("what was made for a directory that is refused stays")
			}
		})
	}
}
