package pin

import (
	"errors"
	"io/fs"
	"os"
	"slices"
	"strconv"

	"github.com/lode-bpf/lode/conf"
	"github.com/lode-bpf/lode/sys"
)

// EnvMount names the mount point of the bpffs to use, as for tc and ip. It is
// ignored in a process that has rights which the user who set it has not.
const EnvMount = "TC_BPF_MNT"

// DefaultMount is where a bpffs usually is.
const DefaultMount = conf.DefaultBPFFS

// Discover finds the bpffs to pin in: the one that TC_BPF_MNT names, else the one
// at /sys/fs/bpf, else at /bpf, else the first that is mounted anywhere. With
// mount, a missing one is mounted where the first of these would be.
//
// Without any, the error is a *NoMountError.
func Discover(k sys.Kernel, mount bool) (string, error) { return DiscoverAt(k, "", mount) }

// DiscoverAt is Discover where a configuration says at which mount point the
// bpffs is (conf.Config.BPFFS); "" if it does not.
func DiscoverAt(k sys.Kernel, at string, mount bool) (string, error) {
	if at == "" && os.Getuid() == os.Geteuid() && os.Getgid() == os.Getegid() {
		at = os.Getenv(EnvMount)
	}
	try := []string{at}
	if at == "" {
		mounts, err := Mounts()
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return "", err
		}
		try = append([]string{DefaultMount, "/bpf"}, mounts...)
	}
	var reason error
	for _, p := range try {
		err := isBPFFS(k, p)
		if err == nil {
			return p, nil
		}
		if reason == nil {
			reason = err
		}
	}
	if errors.Is(reason, sys.ErrNotSupported) {
		return "", reason
	}
	if mount {
		return try[0], mountBPFFS(k, try[0])
	}
	return "", &NoMountError{Path: try[0], Err: reason, Hint: hiddenHint()}
}

// isBPFFS says why a directory is not in a bpffs.
func isBPFFS(k sys.Kernel, dir string) error {
	d, err := OpenDir(k, dir, DirOptions{})
	if err != nil {
		return err
	}
	return d.Close()
}

// A NoMountError says that there is no bpffs to pin in.
type NoMountError struct {
	Path string // where one is expected
	Err  error  // what is there instead
	Hint string // why one that exists is not seen, if that is known
}

// Error says what is there instead, and what to do.
func (e *NoMountError) Error() string {
	s := "pin: no BPF file system is mounted at " + strconv.Quote(e.Path) + " or elsewhere"
	if e.Hint != "" {
		return s + ": " + e.Hint
	}
	return s + ": mount one (mount -t bpf bpf " + e.Path + "), or let the configuration do it (mount yes)"
}

// Unwrap is what is there instead.
func (e *NoMountError) Unwrap() error { return e.Err }

// hiddenHint explains why a bpffs that the system has cannot be seen here.
func hiddenHint() string {
	own, err := os.ReadFile(mountinfo("thread-self"))
	if err != nil {
		return ""
	}
	first, _ := os.ReadFile(mountinfo("1")) // may be refused; then only what is our own counts
	return explainHidden(string(own), string(first))
}

// explainHidden compares the mounts of this process with those of process 1.
// What "ip netns exec" does is to give the program a name space of mounts of its
// own, in which it takes /sys away with all that is mounted below, and mounts it
// anew.
func explainHidden(own, first string) string {
	_, hidden := parseMountinfo(own)
	if len(hidden) > 0 {
		return "the one at " + strconv.Quote(hidden[0]) + " is hidden by something that was mounted over it"
	}
	theirs, _ := parseMountinfo(first)
	if len(theirs) == 0 {
		return ""
	}
	i := max(0, slices.Index(theirs, DefaultMount))
	return "the system has one at " + strconv.Quote(theirs[i]) + ", but this process does not see it: it runs in a mount name space of its own, " +
		"as under \"ip netns exec\", which mounts /sys anew; enter the network alone (nsenter --net=/run/netns/NAME), or bind the system's bpffs there"
}

// Flags of mount(2), include/uapi/linux/mount.h.
const (
	msBind    = 1 << 12
	msRec     = 1 << 14
	msPrivate = 1 << 18
)

// mountBPFFS mounts a bpffs at a path as tc and ip do: the directory is made if
// it is missing, the mount point is made private, so that the new mount does not
// spread to other name spaces, and only the user who mounts it may use it. A
// path that is not a mount point is bound to itself first.
func mountBPFFS(k sys.Kernel, at string) error {
	failed := func(err error, undo ...error) error {
		e := &PathError{Op: "mount a bpffs on", Path: at, Err: err}
		if errors.Is(err, fs.ErrPermission) {
			e.Hint = "that takes CAP_SYS_ADMIN"
		}
		return errors.Join(append([]error{e}, undo...)...)
	}
	if err := conf.CheckMountPoint(at); err != nil {
		return failed(err)
	}
	err := k.MkdirAt(sys.AT_FDCWD, at, 0o700)
	made := err == nil
	if err != nil && !errors.Is(err, fs.ErrExist) {
		return failed(err)
	}
	bound := false
	err = k.Mount("", at, "none", msPrivate|msRec, "")
	if isErrno(err, sys.EINVAL) {
		if err = k.Mount(at, at, "none", msBind, ""); err == nil {
			bound = true
			err = k.Mount("", at, "none", msPrivate|msRec, "")
		}
	}
	if err == nil {
		err = k.Mount("bpf", at, "bpf", 0, "mode=0700")
	}
	if err == nil {
		return nil
	}
	var undo []error
	if bound {
		undo = append(undo, k.Unmount(at, sys.MNT_DETACH))
	}
	if made {
		undo = append(undo, k.UnlinkAt(sys.AT_FDCWD, at, sys.AT_REMOVEDIR))
	}
	return failed(err, undo...)
}
