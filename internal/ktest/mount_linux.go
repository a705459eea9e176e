package ktest

import (
	"bufio"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// BPFFS mounts a new BPF file system in a directory of its own, whose path has no dots, and returns that path. At cleanup it
// is unmounted with everything pinned in it. It calls Root.
func BPFFS(tb testing.TB) string {
	tb.Helper()
	Root(tb)
	return mountNew(tb, "bpf", "the BPF file system", "CONFIG_BPF_SYSCALL")
}

// Cgroup returns the path of a new, empty cgroup of the unified hierarchy (version 2), removed at cleanup. Where the system
// has that hierarchy mounted the cgroup is made there, elsewhere it is mounted for the test.
func Cgroup(tb testing.TB) string {
	tb.Helper()
	needAdmin(tb, "a cgroup")
	root := mountedAt("cgroup2")
	if root == "" {
		root = mountNew(tb, "cgroup2", "cgroups of version 2", "CONFIG_CGROUPS")
	}
	dir, err := os.MkdirTemp(root, "lode-test-")
	if err != nil {
		tb.Fatalf("ktest: cgroup: %v", err)
	}
	tb.Cleanup(func() {
		if err := unix.Rmdir(dir); err != nil {
			tb.Errorf("ktest: cgroup %s cannot be removed: %v", dir, err)
		}
	})
	return dir
}

// Tracefs returns the path of a mounted tracefs: the system's, or one mounted for the test.
func Tracefs(tb testing.TB) string {
	tb.Helper()
	needAdmin(tb, "tracefs")
	if dir := mountedAt("tracefs"); dir != "" {
		return dir
	}
	return mountNew(tb, "tracefs", "tracefs", "CONFIG_TRACING")
}

// mountNew mounts a file system of the type in a new directory and undoes both at cleanup.
func mountNew(tb testing.TB, fstype, what, config string) string {
	tb.Helper()
	needAdmin(tb, "mounting "+what)
	dir, err := os.MkdirTemp("", "lode-test-"+fstype+"-")
	if err != nil {
		tb.Fatalf("ktest: %v", err)
	}
	tb.Cleanup(func() {
		if err := unix.Rmdir(dir); err != nil {
			tb.Errorf("ktest: %s cannot be removed: %v", dir, err)
		}
	})
	if strings.Contains(dir, ".") {
		if dir, err = filepath.EvalSymlinks(dir); err != nil || strings.Contains(dir, ".") {
			tb.Fatalf("ktest: the directory for temporary files has a dot in its path (%s): set TMPDIR to another", dir)
		}
	}
	if err := unix.Mount(fstype, dir, fstype, 0, ""); err != nil {
		skipIfMissing(tb, err, what, config)
		if errors.Is(err, unix.EPERM) {
			tb.Skipf("needs to mount %s, which is refused (container or user namespace): %v", what, err)
		}
		tb.Fatalf("ktest: mount %s on %s: %v", fstype, dir, err)
	}
	tb.Cleanup(func() {
		// Detached: a descriptor that a failing test left open must not keep the mount in everybody's view.
		if err := unix.Unmount(dir, unix.MNT_DETACH); err != nil {
			tb.Errorf("ktest: unmount %s: %v", dir, err)
		}
	})
	return dir
}

// mountedAt returns where a file system of the type is mounted, or "". The format of the table is that of
// proc_pid_mountinfo(5): the mount point is the fifth field, the type follows the separator " - ".
func mountedAt(fstype string) string {
	f, err := os.Open("/proc/self/mountinfo")
	if err != nil {
		return ""
	}
	defer f.Close()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		mount, source, ok := strings.Cut(lines.Text(), " - ")
		fields := strings.Fields(mount)
		if !ok || len(fields) < 5 || !strings.HasPrefix(source, fstype+" ") {
			continue
		}
		if fields[3] == "/" && !strings.Contains(fields[4], `\`) { // the whole file system, at a path without escapes
			return fields[4]
		}
	}
	return ""
}
