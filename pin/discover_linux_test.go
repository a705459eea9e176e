package pin

import (
	"errors"
	"io/fs"
	"os"
	"runtime"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/lode-bpf/lode/internal/ktest"
	"github.com/lode-bpf/lode/sys"
)

// inMountNS runs a part of a test on a thread in a mount name space of its own,
// which ends with that thread.
func inMountNS(t *testing.T, f func()) {
	t.Helper()
	ktest.BPFFS(t) // skips if this process may not mount
	t.Setenv(EnvMount, "")
	done := make(chan struct{})
	go func() {
		defer close(done)
		runtime.LockOSThread() // never unlocked: the thread ends
		if err := unix.Unshare(unix.CLONE_NEWNS | unix.CLONE_FS); err != nil {
			t.Error("a mount name space:", err)
			return
		}
		if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
			t.Error("a private mount:", err)
			return
		}
		f()
	}()
	<-done
}

func TestKernelDiscover(t *testing.T) {
	root := bpffs(t)
	inMountNS(t, func() {
		k := sys.Live()
		t.Setenv(EnvMount, root)
		if got, err := Discover(k, false); got != root || err != nil {
			t.Errorf("by environment: %q, %v", got, err)
		}
		if got, err := DiscoverAt(k, root, false); got != root || err != nil {
			t.Errorf("by configuration: %q, %v", got, err)
		}
		dir := t.TempDir()
		t.Setenv(EnvMount, dir) // only that is looked at
		_, err := Discover(k, false)
		var none *NoMountError
		var not *NotBPFFSError
		if !errors.As(err, &none) || none.Path != dir || !errors.As(err, &not) {
			t.Errorf("not a bpffs: %v", err)
		}
		mounts, err := Mounts()
		if err != nil || !slices.Contains(mounts, root) {
			t.Errorf("mounts %q, %v", mounts, err)
		}
	})
}

// Any bpffs is found if there is none at the usual places, whatever is in its
// path.
func TestKernelDiscoverElsewhere(t *testing.T) {
	inMountNS(t, func() {
		emptySys(t)
		dir := t.TempDir() + "/a.b c\\d\te"
		must(t, os.Mkdir(dir, 0o700))
		if mounts, err := Mounts(); err != nil || slices.Contains(mounts, DefaultMount) {
			t.Fatalf("mounts %q, %v", mounts, err)
		}
		for _, p := range mustMounts(t) {
			must(t, unix.Unmount(p, unix.MNT_DETACH))
		}
		if _, err := Discover(sys.Live(), false); err == nil {
			t.Fatal("a bpffs where there is none")
		}
		must(t, unix.Mount("bpf", dir, "bpf", 0, ""))
		defer unix.Unmount(dir, unix.MNT_DETACH)
		if got, err := Discover(sys.Live(), false); got != dir || err != nil {
			t.Errorf("%q, %v", got, err)
		}
		// A dot in the path of the mount point is no obstacle.
		d, err := OpenDir(sys.Live(), dir+"/app", DirOptions{Create: true})
		must(t, err, d.RemoveCreated(), d.Close())
	})
}

func mustMounts(t *testing.T) []string {
	t.Helper()
	mounts, err := Mounts()
	must(t, err)
	return mounts
}

// emptySys does what "ip netns exec" does: /sys is taken away and mounted anew.
func emptySys(t *testing.T) {
	t.Helper()
	if err := unix.Unmount("/sys", unix.MNT_DETACH); err != nil {
		t.Skip("needs to unmount /sys:", err)
	}
	if err := unix.Mount("sysfs", "/sys", "sysfs", 0, ""); err != nil {
		t.Skip("needs to mount /sys:", err)
	}
}

// Under "ip netns exec" the system's bpffs is not there, and the error says why.
func TestKernelDiscoverHidden(t *testing.T) {
	first, err := os.ReadFile(mountinfo("1"))
	if err != nil {
		t.Skip("needs to read the mounts of process 1:", err)
	}
	if seen, _ := parseMountinfo(string(first)); len(seen) == 0 {
		t.Skip("needs a system with a bpffs of its own")
	}
	inMountNS(t, func() {
		emptySys(t)
		for _, p := range mustMounts(t) {
			must(t, unix.Unmount(p, unix.MNT_DETACH))
		}
		_, err = Discover(sys.Live(), false)
		var none *NoMountError
		if !errors.As(err, &none) || !strings.Contains(err.Error(), "ip netns exec") {
			t.Errorf("error %v", err)
		}
	})
}

// A bpffs is mounted on a directory that is made for it or that exists, without
// the mount being seen elsewhere.
func TestKernelDiscoverMounts(t *testing.T) {
	for _, exists := range []bool{true, false} {
		t.Run("", func(t *testing.T) {
			inMountNS(t, func() {
				at := t.TempDir() + "/bpf"
				if exists {
					must(t, os.Mkdir(at, 0o755))
				}
				got, err := DiscoverAt(sys.Live(), at, true)
				if got != at || err != nil {
					t.Errorf("%q, %v", got, err)
					return
				}
				st, err := os.Stat(at)
				must(t, err, isBPFFS(sys.Live(), at))
				if st.Mode().Perm() != 0o700 {
					t.Errorf("mode %v", st.Mode())
				}
				if again, err := DiscoverAt(sys.Live(), at, true); again != at || err != nil {
					t.Errorf("again: %q, %v", again, err)
				}
				must(t, unix.Unmount(at, 0), unix.Unmount(at, unix.MNT_DETACH))
				if _, err := DiscoverAt(sys.Live(), at+"/x/y", true); !errors.Is(err, fs.ErrNotExist) {
					t.Errorf("missing parent: %v", err)
				}
			})
		})
	}
}

// A mount that fails leaves no directory and no bind mount.
func TestKernelMountFails(t *testing.T) {
	inMountNS(t, func() {
		dir := t.TempDir()
		count := &sys.Fault{Kernel: sys.Live()}
		_, err := DiscoverAt(count, dir+"/bpf", true)
		must(t, err, unix.Unmount(dir+"/bpf", 0), unix.Unmount(dir+"/bpf", unix.MNT_DETACH), os.Remove(dir+"/bpf"))
		for n := 1; n <= count.Calls(); n++ {
			_, err := DiscoverAt(&sys.Fault{Kernel: sys.Live(), N: n, Errno: sys.EPERM}, dir+"/bpf", true)
			if err == nil {
				must(t, unix.Unmount(dir+"/bpf", 0), unix.Unmount(dir+"/bpf", unix.MNT_DETACH), os.Remove(dir+"/bpf"))
				continue
			}
			if left, _ := os.ReadDir(dir); len(left) > 0 {
				t.Fatalf("call %d: %v; left %v", n, err, left)
			}
		}
	})
}
