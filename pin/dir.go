package pin

import (
	"errors"
	"path"
	"slices"
	"strings"

	"github.com/lode-bpf/lode/conf"
	"github.com/lode-bpf/lode/sys"
)

// Magic numbers of file systems (statfs(2)).
const (
	bpffsMagic = 0xcafe4a11
	sysfsMagic = 0x62656572
)

// DirOptions adjusts OpenDir.
type DirOptions struct {
	// Create makes directories that are missing, of any depth, inside the
	// bpffs. Mode are their permission bits (0 means 0700); UID and GID, if
	// not zero, their owner.
	Create   bool
	Mode     uint32
	UID, GID int

	// Aliases makes "xdp" and "ip" at the top of the bpffs what iproute2
	// makes of them: another name of "tc", unless they are directories of
	// their own.
	Aliases bool
}

// A Dir is an open directory in a bpffs. It owns descriptors; Close releases
// them. Methods may be used by several goroutines at once, but for Close and
// RemoveCreated.
type Dir struct {
	k    sys.Kernel
	fd   *sys.FD
	path string
	made []made
}

// A made is a directory that OpenDir had to make.
type made struct {
	parent *sys.FD
	name   string
	ino    uint64
}

// OpenDir opens the directory at an absolute path, which must be in a bpffs: no
// directory is made anywhere else. On failure what was made is removed.
func OpenDir(k sys.Kernel, dir string, opts DirOptions) (*Dir, error) {
	if !path.IsAbs(dir) {
		return nil, &PathError{"open", dir, errors.New("the path is not absolute")}
	}
	d := &Dir{k: k, path: path.Clean(dir)}
	if err := d.walk(opts); err != nil {
		return nil, errors.Join(err, d.RemoveCreated(), d.Close())
	}
	return d, nil
}

// walk opens one element after the other, down from the root.
func (d *Dir) walk(opts DirOptions) error {
	n, err := d.k.OpenAt(sys.AT_FDCWD, "/", sys.OpenHow{Flags: sys.O_DIRECTORY})
	if err != nil {
		return &PathError{"open", d.path, err}
	}
	d.fd = sys.NewFD(d.k, n)
	inside, top := false, false // in a bpffs; in its topmost directory
	for _, element := range elements(d.path) {
		if top && opts.Aliases {
			element = d.alias(element)
		}
		next, err := d.step(element, inside, opts)
		if err != nil {
			return err
		}
		st, err := d.k.Fstatfs(next.Int())
		if err != nil {
			return errors.Join(&PathError{"open", d.path, err}, next.Close())
		}
		was := inside
		inside = st.Type == bpffsMagic
		top = inside && !was
		if n := len(d.made); n == 0 || d.made[n-1].parent != d.fd { // else RemoveCreated needs it
			err = d.fd.Close()
		}
		d.fd = next
		if err != nil {
			return err
		}
	}
	if !inside {
		st, err := d.k.Fstatfs(d.fd.Int())
		if err != nil {
			return &PathError{"open", d.path, err}
		}
		return &NotBPFFSError{d.path, st.Type}
	}
	return nil
}

// alias is "tc" for an element that iproute2 takes for another name of it: "xdp"
// and "ip", if they are missing or are links to it.
func (d *Dir) alias(element string) string {
	if element != "xdp" && element != "ip" {
		return element
	}
	st, err := d.k.FstatAt(d.fd.Int(), element, sys.AT_SYMLINK_NOFOLLOW)
	if sys.ErrnoOf(err) == sys.ENOENT {
		return "tc"
	}
	if err != nil || st.Mode&sys.S_IFMT != sys.S_IFLNK {
		return element
	}
	at, err := d.k.FstatAt(d.fd.Int(), element, 0)
	tc, err2 := d.k.FstatAt(d.fd.Int(), "tc", sys.AT_SYMLINK_NOFOLLOW)
	if err == nil && err2 == nil && at.Dev == tc.Dev && at.Ino == tc.Ino {
		return "tc"
	}
	return element // a link to somewhere else: refused where it is opened
}

func elements(p string) []string {
	if p == "/" {
		return nil
	}
	return strings.Split(p[1:], "/")
}

// step opens an element of the path below the directory that is open, making it
// if need be.
func (d *Dir) step(element string, inside bool, opts DirOptions) (*sys.FD, error) {
	fd, err := d.open(element, inside)
	if err == nil {
		return fd, nil
	}
	switch sys.ErrnoOf(err) {
	case sys.ENOENT:
		if !inside {
			return nil, &NotBPFFSError{Path: d.path}
		}
	case sys.ELOOP, sys.EXDEV:
		return nil, &LinkError{d.path, element, err}
	}
	if sys.ErrnoOf(err) != sys.ENOENT || !opts.Create {
		return nil, &PathError{"open", d.path, err}
	}
	return d.make(element, opts)
}

// open opens a directory below the one that is open. Inside a bpffs no link is
// followed and nothing else that is mounted there entered.
func (d *Dir) open(element string, inside bool) (*sys.FD, error) {
	how := sys.OpenHow{Flags: sys.O_DIRECTORY}
	if inside {
		how.Resolve = sys.RESOLVE_BENEATH | sys.RESOLVE_NO_SYMLINKS | sys.RESOLVE_NO_MAGICLINKS | sys.RESOLVE_NO_XDEV
	}
	n, err := d.k.OpenAt(d.fd.Int(), element, how)
	if err != nil {
		return nil, err
	}
	return sys.NewFD(d.k, n), nil
}

// make makes a directory below the one that is open, and opens it. If somebody
// else is faster, theirs is taken.
func (d *Dir) make(element string, opts DirOptions) (*sys.FD, error) {
	fail := func(err error) (*sys.FD, error) { return nil, &PathError{"make directory", d.path, err} }
	if err := conf.CheckElement(element); err != nil {
		return fail(err)
	}
	mode := opts.Mode
	if mode == 0 {
		mode = 0o700
	}
	err := d.k.MkdirAt(d.fd.Int(), element, mode)
	mine := err == nil
	if err != nil && sys.ErrnoOf(err) != sys.EEXIST {
		return fail(err)
	}
	if mine {
		d.made = append(d.made, made{parent: d.fd, name: element})
	}
	fd, err := d.open(element, true)
	if err != nil {
		return fail(err)
	}
	if !mine {
		return fd, nil
	}
	st, err := d.k.FstatAt(fd.Int(), "", sys.AT_EMPTY_PATH)
	if err == nil {
		d.made[len(d.made)-1].ino = st.Ino
		err = d.k.Fchmod(fd.Int(), mode) // whatever the umask is
	}
	if err == nil && (opts.UID != 0 || opts.GID != 0) {
		err = d.k.Fchown(fd.Int(), opts.UID, opts.GID)
	}
	if err != nil {
		fd.Close()
		return fail(err)
	}
	return fd, nil
}

// RemoveCreated removes the directories that OpenDir made, the innermost first,
// as far as they are empty and still the same. Directories with something in
// them stay: somebody uses them.
func (d *Dir) RemoveCreated() error {
	var errs []error
	for _, m := range slices.Backward(d.made) {
		st, err := d.k.FstatAt(m.parent.Int(), m.name, sys.AT_SYMLINK_NOFOLLOW)
		if err == nil && (m.ino == 0 || st.Ino == m.ino) {
			err = d.k.UnlinkAt(m.parent.Int(), m.name, sys.AT_REMOVEDIR)
		}
		switch sys.ErrnoOf(err) {
		case 0, sys.ENOENT, sys.ENOTEMPTY, sys.EEXIST:
		default:
			errs = append(errs, &PathError{"remove", d.path, err})
		}
		errs = append(errs, m.parent.Close())
	}
	d.made = nil
	return errors.Join(errs...)
}

// Created reports whether OpenDir had to make the directory, or one above it.
func (d *Dir) Created() bool { return len(d.made) > 0 }

// Path is the path that the directory was opened by.
func (d *Dir) Path() string { return d.path }

// Close releases the descriptors. What was made stays; a second Close does
// nothing.
func (d *Dir) Close() error {
	var errs []error
	for _, m := range d.made {
		errs = append(errs, m.parent.Close())
	}
	d.made = nil
	return errors.Join(append(errs, d.fd.Close())...)
}
