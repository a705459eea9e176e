package pin

import (
	"errors"
	"os"
	"path"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"

	"github.com/lode-bpf/lode/sys"
)

// DirOptions say how a directory is opened.
type DirOptions struct {
	// Create makes directories that are missing, of any depth, inside bpffs.
	// Mode are their permission bits, whatever the umask (0 means 0700); UID and
	// GID, if one of them is not zero, their owner.
	Create   bool
	Mode     uint32
	UID, GID int

	// Aliases makes "xdp" and "ip" at the top of the bpffs what iproute2 makes
	// of them, links to "tc": where they are missing "tc" is opened, and with
	// Create the link is made, too. A directory of that name is left as it is.
	Aliases bool

	// RefuseForeign refuses, with ErrForeign, directories in which other users
	// than root and the one of this process can change what is pinned. Without
	// it that is a finding.
	RefuseForeign bool
}

// A Dir is an open directory in a bpffs. All its methods go through its
// descriptor: what somebody does to the path afterwards does not matter. Methods
// may be used by several goroutines at once, but for Close and RemoveCreated.
type Dir struct {
	k        sys.Kernel
	fd       *sys.FD
	path     string
	stat     sys.Stat
	findings []Finding
	made     []made
	noPathFD atomic.Bool // the kernel lacks BPF_F_PATH_FD
}

// A made is a directory, or one of iproute2's links, that OpenDir had to make.
type made struct {
	parent *sys.FD
	name   string
	ino    uint64
	link   bool
}

// maxDepth bounds the directories in a path and below each other.
const maxDepth = 64

const (
	noLinks   = sys.RESOLVE_NO_SYMLINKS | sys.RESOLVE_NO_MAGICLINKS
	beneath   = sys.RESOLVE_BENEATH | noLinks
	openFlags = sys.O_PATH | sys.O_DIRECTORY
)

// OpenDir opens a directory by its absolute path, in which no symbolic link but
// iproute2's are followed. It must be in a bpffs, and nothing is made anywhere
// else. The caller closes it. On failure what was made is removed.
//
// The error matches fs.ErrNotExist if the directory does not exist and is not to
// be made. It is a *NotBPFFSError if the directory is, or would be, elsewhere,
// and a *LinkError if there is a link in the path.
func OpenDir(k sys.Kernel, dir string, opts DirOptions) (*Dir, error) {
	if !path.IsAbs(dir) || strings.IndexByte(dir, 0) >= 0 || slices.Contains(strings.Split(dir, "/"), "..") {
		return nil, &PathError{Op: "open", Path: dir, Err: errors.New("it is not an absolute path without \"..\"")}
	}
	d := &Dir{k: k, path: path.Clean(dir)}
	err := d.open(opts)
	if err == nil {
		err = d.check(opts)
	}
	if err != nil {
		return nil, errors.Join(err, d.RemoveCreated(), d.Close())
	}
	return d, nil
}

// open opens the path at once if it can, and else element by element.
func (d *Dir) open(opts DirOptions) error {
	n, err := d.k.OpenAt(sys.AT_FDCWD, d.path, sys.OpenHow{Flags: openFlags, Resolve: noLinks})
	switch {
	case err == nil:
		d.fd = sys.NewFD(d.k, n)
		return nil
	case isErrno(err, sys.ELOOP, sys.ENOENT, sys.EPERM): // EPERM: a dot in a name, or more than that
		return d.walk(opts)
	case isErrno(err, sys.ENOTDIR):
		return &PathError{Op: "open", Path: d.path, Err: err, Hint: "something that is not a directory stands in the path"}
	}
	return &PathError{Op: "open", Path: d.path, Err: err}
}

// Path is the path that the directory was opened by.
func (d *Dir) Path() string { return d.path }

// Created reports whether OpenDir had to make the directory, or one above it.
func (d *Dir) Created() bool { return len(d.made) > 0 }

// Findings are what is odd about the directory: who else could change what is
// pinned in it.
func (d *Dir) Findings() []Finding { return d.findings }

// Close releases the descriptors. What was made stays; a second Close does
// nothing.
func (d *Dir) Close() error { return errors.Join(d.forget(), d.fd.Close()) }

// RemoveCreated removes what OpenDir made, the innermost first, as far as it is
// empty and still the same. Directories with something in them stay: somebody
// uses them.
func (d *Dir) RemoveCreated() error {
	var errs []error
	for _, m := range slices.Backward(d.made) {
		st, err := d.k.FstatAt(m.parent.Int(), m.name, sys.AT_SYMLINK_NOFOLLOW)
		if err == nil && st.Ino == m.ino {
			flags := sys.AT_REMOVEDIR
			if m.link {
				flags = 0
			}
			err = d.k.UnlinkAt(m.parent.Int(), m.name, flags)
		}
		if err != nil && !isErrno(err, sys.ENOENT, sys.ENOTEMPTY, sys.EEXIST) {
			errs = append(errs, &PathError{Op: "remove", Path: d.path, Err: err})
		}
	}
	return errors.Join(append(errs, d.forget())...)
}

// forget closes what is needed to remove what OpenDir made.
func (d *Dir) forget() error {
	var errs []error
	for _, m := range d.made {
		errs = append(errs, m.parent.Close())
	}
	d.made = nil
	return errors.Join(errs...)
}

// check asks the descriptor what it is, and of every directory from there to the
// top of the bpffs, who can change it.
func (d *Dir) check(opts DirOptions) error {
	fs, err := d.k.Fstatfs(d.fd.Int())
	if err == nil && fs.Type != sys.BPF_FS_MAGIC {
		return &NotBPFFSError{Path: d.path, At: d.path, Type: fs.Type}
	}
	if err == nil {
		d.stat, err = d.k.FstatAt(d.fd.Int(), "", sys.AT_EMPTY_PATH)
	}
	if err != nil {
		return &PathError{Op: "open", Path: d.path, Err: err}
	}
	up, at, st := "..", d.path, d.stat
	for depth := 0; depth < maxDepth; depth++ {
		if text := foreign(st); text != "" {
			if opts.RefuseForeign {
				return &PathError{Op: "open", Path: at, Err: ErrForeign, Hint: text}
			}
			d.findings = append(d.findings, Finding{at, text})
		}
		above, err := d.k.FstatAt(d.fd.Int(), up, 0)
		if err != nil {
			return &PathError{Op: "open", Path: path.Dir(at), Err: err}
		}
		if above.Dev != st.Dev || above.Ino == st.Ino {
			break // st is the top of the bpffs
		}
		up, at, st = up+"/..", path.Dir(at), above
	}
	return nil
}

// foreign says why other users could change what is in a directory, or "".
func foreign(st sys.Stat) string {
	switch {
	case !trusted(st.UID):
		return "the directory belongs to user " + strconv.FormatUint(uint64(st.UID), 10)
	case st.Mode&(sys.S_IWGRP|sys.S_IWOTH) != 0 && st.Mode&sys.S_ISVTX == 0:
		return "other users can rename and remove what is in the directory (mode " + strconv.FormatUint(uint64(st.Mode&0o7777), 8) + ")"
	}
	return ""
}

// trusted says whether a user can be relied on as this process can: root, and
// the user of the process.
func trusted(uid uint32) bool { return uid == 0 || int(uid) == os.Geteuid() }
