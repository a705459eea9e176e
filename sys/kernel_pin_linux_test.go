package sys

import (
	"errors"
	"io/fs"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/lode-bpf/lode/internal/ktest"
)

func openDir(t *testing.T, k Kernel, path string) *FD {
	t.Helper()
	n, err := k.OpenAt(AT_FDCWD, path, OpenHow{Flags: O_DIRECTORY | O_RDONLY, Resolve: RESOLVE_NO_MAGICLINKS})
	if err != nil {
		t.Fatal(err)
	}
	return own(t, NewFD(k, n), nil)
}

func TestKernelPins(t *testing.T) {
	k := kernelTest(t)
	root := ktest.BPFFS(t)
	dir := openDir(t, k, root)
	if st, err := k.Fstatfs(dir.Int()); err != nil || st.Type != BPF_FS_MAGIC {
		t.Fatalf("statfs: %+v, %v", st, err)
	}
	m := hash(t, k, 4)
	path := StringPtr(root + "/m")
	if err := ObjPin(k, &ObjAttr{Pathname: path, BPFFD: m.Num()}); err != nil {
		t.Fatal(err)
	}
	err := ObjPin(k, &ObjAttr{Pathname: path, BPFFD: m.Num()})
	if !errors.Is(err, fs.ErrExist) || !strings.Contains(err.Error(), "BPF_OBJ_PIN of \""+root+"/m\"") {
		t.Errorf("second pin: %v", err)
	}
	got, err := ObjGet(k, &ObjAttr{Pathname: path})
	own(t, got, err)
	var a, b MapInfo
	if err := errors.Join(ObjGetInfoByFD(k, m.Int(), &a), ObjGetInfoByFD(k, got.Int(), &b)); err != nil || a.ID != b.ID {
		t.Errorf("ids %d and %d, %v", a.ID, b.ID, err)
	}
	if st, err := k.FstatAt(dir.Int(), "m", AT_SYMLINK_NOFOLLOW); err != nil || st.Mode != S_IFREG|0o600 || st.IsDir() {
		t.Errorf("stat: %+v, %v", st, err)
	}
	if err := k.MkdirAt(dir.Int(), "app", 0o700); err != nil {
		t.Fatal(err)
	}
	if err := k.RenameAt(dir.Int(), "m", dir.Int(), "app/m", RENAME_NOREPLACE); err != nil {
		t.Error(err)
	}
	if list, err := k.ReadDir(dir.Int()); err != nil || !slices.ContainsFunc(list, func(e DirEntry) bool { return e.Name == "app" && e.Type == DT_DIR && e.Ino != 0 }) {
		t.Errorf("list: %+v, %v", list, err)
	}
	again, _ := k.ReadDir(dir.Int())
	if len(again) == 0 {
		t.Error("a second ReadDir of the same descriptor is empty")
	}
	if err := k.UnlinkAt(dir.Int(), "app", AT_REMOVEDIR); !errors.Is(err, ENOTEMPTY) {
		t.Errorf("rmdir of a directory with a pin: %v", err)
	}
	for _, err := range []error{k.UnlinkAt(dir.Int(), "app/m", 0), k.UnlinkAt(dir.Int(), "app", AT_REMOVEDIR), k.Fchmod(dir.Int(), 0o700), k.Fchown(dir.Int(), 0, 0)} {
		if err != nil {
			t.Error(err)
		}
	}
	if _, err := ObjGet(k, &ObjAttr{Pathname: path}); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("get of a removed pin: %v", err)
	}
}

func TestKernelPinRelative(t *testing.T) {
	k := kernelTest(t)
	if err := Probe(k, FeaturePathFD); err != nil {
		t.Skip(err)
	}
	root := ktest.BPFFS(t)
	dir := openDir(t, k, root)
	m := hash(t, k, 4)
	a := &ObjAttr{Pathname: StringPtr("m"), BPFFD: m.Num(), FileFlags: BPF_F_PATH_FD, PathFD: dir.Num()}
	if err := ObjPin(k, a); err != nil {
		t.Fatal(err)
	}
	got, err := ObjGet(k, &ObjAttr{Pathname: StringPtr("m"), FileFlags: BPF_F_PATH_FD | BPF_F_RDONLY, PathFD: dir.Num()})
	own(t, got, err)
	if err := MapFreeze(k, got.Int()); !errors.Is(err, EPERM) {
		t.Errorf("freeze through a read-only descriptor: %v", err)
	}
}

// A lookup that is confined to a directory does not leave it.
func TestKernelOpenBeneath(t *testing.T) {
	k := kernelTest(t)
	root := ktest.BPFFS(t)
	dir := openDir(t, k, root)
	if err := k.MkdirAt(dir.Int(), "a", 0o700); err != nil {
		t.Fatal(err)
	}
	if err := unix.Symlinkat("/", dir.Int(), "out"); err != nil {
		t.Fatal(err)
	}
	sub := openDir(t, k, root+"/a")
	for _, tt := range []struct {
		path    string
		resolve uint64
		want    Errno
	}{
		{"..", RESOLVE_BENEATH, EXDEV}, {"../out", RESOLVE_BENEATH, EXDEV}, {"/", RESOLVE_BENEATH, EXDEV}, {".", RESOLVE_BENEATH, 0},
		{"../out", RESOLVE_NO_SYMLINKS, ELOOP}, {"../out", 0, 0}, {"../out", RESOLVE_NO_XDEV, EXDEV},
	} {
		fd, err := k.OpenAt(sub.Int(), tt.path, OpenHow{Flags: O_DIRECTORY | O_PATH, Resolve: tt.resolve})
		if ErrnoOf(err) != tt.want {
			t.Errorf("%q with %#x: %v, want %v", tt.path, tt.resolve, err, tt.want)
		}
		if err == nil {
			k.Close(fd)
		}
	}
}

func TestKernelMount(t *testing.T) {
	k := kernelTest(t)
	ktest.BPFFS(t) // skips if this process may not mount
	at := t.TempDir()
	if err := k.Mount("bpf", at, "bpf", MS_NOSUID|MS_NODEV|MS_NOEXEC, "mode=0700"); err != nil {
		t.Fatal(err)
	}
	dir := openDir(t, k, at)
	if st, err := k.FstatAt(dir.Int(), "", AT_EMPTY_PATH); err != nil || st.Mode&^S_ISVTX != S_IFDIR|0o700 {
		t.Errorf("mode %o, %v", st.Mode, err)
	}
	dir.Close()
	if err := k.Unmount(at, MNT_DETACH); err != nil {
		t.Error(err)
	}
	if err := k.Unmount(at, 0); !errors.Is(err, EINVAL) {
		t.Errorf("second unmount: %v", err)
	}
	if err := k.Mount("bpf", at+"/none", "bpf", 0, ""); !errors.Is(err, ENOENT) {
		t.Errorf("mount on nothing: %v", err)
	}
}
