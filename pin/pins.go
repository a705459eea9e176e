package pin

import (
	"errors"
	"io/fs"
	"path"

	"github.com/lode-bpf/lode/sys"
)

func (d *Dir) join(name string) string { return path.Join(d.path, name) }

// errorOf is a *PathError about a name in the directory.
func (d *Dir) errorOf(op, name string, err error) error {
	return &PathError{Op: op, Path: d.join(name), Err: err}
}

// Pin gives a map, program or link a name. If the name is taken, by whatever it
// may be, the error matches ErrExists.
func (d *Dir) Pin(name string, fd int) error {
	err := CheckElement(name)
	if err == nil {
		err = d.byName(name, func(a *sys.ObjAttr) error {
			a.BPFFD = int32(fd)
			return sys.ObjPin(d.k, a)
		})
	}
	if err != nil {
		return d.errorOf("pin", name, err)
	}
	return nil
}

// byName makes BPF_OBJ_PIN or BPF_OBJ_GET for a name in the directory: through
// its descriptor, or before Linux 6.5, which brought BPF_F_PATH_FD, by way of
// that in /proc.
func (d *Dir) byName(name string, call func(*sys.ObjAttr) error) error {
	if !d.noPathFD.Load() {
		err := call(&sys.ObjAttr{Pathname: sys.StringPtr(name), FileFlags: sys.BPF_F_PATH_FD, PathFD: d.fd.Num()})
		if !isErrno(err, sys.EINVAL) {
			return err
		}
	}
	err := call(&sys.ObjAttr{Pathname: sys.StringPtr(procPath(d.fd) + "/" + name)})
	if !isErrno(err, sys.EINVAL) {
		d.noPathFD.Store(true)
	}
	return err
}

// Get opens what is pinned as name, which must be of the kind that is wanted.
// The caller owns the descriptor. Without such a name the error matches
// fs.ErrNotExist; something else at that name is a *KindError, a symbolic link a
// *LinkError.
func (d *Dir) Get(name string, kind sys.ObjKind) (*sys.FD, error) {
	if err := CheckElement(name); err != nil {
		return nil, d.errorOf("get", name, err)
	}
	fd, e, err := d.open1(name)
	if err != nil {
		return nil, err
	}
	wrong := func() error { return &KindError{d.join(name), kind.String(), e} }
	if fd == nil {
		return nil, wrong()
	}
	have, err := kindOf(d.k, fd.Int())
	if err == nil && have == kind {
		return fd, nil
	}
	if err == nil {
		err = e.describe(d.k, fd.Int())
	}
	if err != nil {
		err = d.errorOf("get", name, err)
	} else {
		err = wrong()
	}
	return nil, errors.Join(err, fd.Close())
}

// open1 opens whatever is pinned as name; nil if that is no object.
//
// The kernel would follow a symbolic link here. So the name is looked at first.
// That is enough if nobody else can put something else there until it is opened;
// otherwise the file itself is held while it is opened.
func (d *Dir) open1(name string) (*sys.FD, Entry, error) {
	if err := checkListed(name); err != nil {
		return nil, Entry{}, d.errorOf("get", name, err)
	}
	st, err := d.k.FstatAt(d.fd.Int(), name, sys.AT_SYMLINK_NOFOLLOW)
	if err != nil {
		return nil, Entry{}, d.errorOf("get", name, err)
	}
	e, object := entryOf(name, st)
	switch {
	case e.isLink():
		return nil, e, &LinkError{Path: d.path, Element: name}
	case !object:
		return nil, e, nil
	case !d.stable(st):
		return d.openHeld(name)
	}
	var fd *sys.FD
	err = d.byName(name, func(a *sys.ObjAttr) (err error) {
		fd, err = sys.ObjGet(d.k, a)
		return err
	})
	if err != nil {
		return nil, e, d.errorOf("get", name, err)
	}
	return fd, e, nil
}

// openHeld is open1 in a directory that other users can change.
func (d *Dir) openHeld(name string) (*sys.FD, Entry, error) {
	n, err := d.k.OpenAt(d.fd.Int(), name, sys.OpenHow{Flags: sys.O_PATH | sys.O_NOFOLLOW, Resolve: beneath | sys.RESOLVE_NO_XDEV})
	if err != nil {
		return nil, Entry{Name: name}, d.errorOf("get", name, err)
	}
	file := sys.NewFD(d.k, n)
	st, err := d.k.FstatAt(n, "", sys.AT_EMPTY_PATH)
	e, object := entryOf(name, st)
	var fd *sys.FD
	if err == nil && object {
		fd, err = sys.ObjGet(d.k, &sys.ObjAttr{Pathname: sys.StringPtr(procPath(file))})
	}
	if err = errors.Join(err, file.Close()); err != nil {
		return nil, e, errors.Join(d.errorOf("get", name, err), fd.Close())
	}
	if e.isLink() { // O_PATH opens the link itself
		return nil, e, &LinkError{Path: d.path, Element: name}
	}
	return fd, e, nil
}

// checkListed accepts, beside good names, those of the files that every bpffs
// has, and of whatever else can stand in a directory, but no path.
func checkListed(name string) error {
	if name == "" || name == "." || name == ".." {
		return CheckElement(name)
	}
	for i := 0; i < len(name); i++ {
		if name[i] == '/' || name[i] == 0 {
			return CheckElement(name)
		}
	}
	return nil
}

// stable says whether only root and this process's user can put something else
// in the place of an entry: others cannot write the directory, or it is sticky
// and the entry is not theirs.
func (d *Dir) stable(entry sys.Stat) bool {
	if !trusted(d.stat.UID) {
		return false
	}
	return d.stat.Mode&(sys.S_IWGRP|sys.S_IWOTH) == 0 || d.stat.Mode&sys.S_ISVTX != 0 && trusted(entry.UID)
}

// Remove removes a name. The object lives on as long as anything else holds it.
func (d *Dir) Remove(name string) error {
	err := CheckElement(name)
	if err == nil {
		err = d.k.UnlinkAt(d.fd.Int(), name, 0)
	}
	if err != nil {
		return d.errorOf("remove", name, err)
	}
	return nil
}

// maxTries is how often GetOrPin starts anew when others pin and remove the name
// at the same time.
const maxTries = 16

// GetOrPin opens the map, program or link of that name, or makes one with create
// and pins it. If somebody else pins first, the new one is closed and his is
// opened: any number of processes that do so at once end with the same object.
// created tells which it was; whether an object that was there is fit for its
// purpose is for the caller to see. The caller owns the descriptor.
func (d *Dir) GetOrPin(name string, kind sys.ObjKind, create func() (*sys.FD, error)) (fd *sys.FD, created bool, err error) {
	for try := 0; try < maxTries; try++ {
		if fd, err = d.Get(name, kind); !errors.Is(err, fs.ErrNotExist) {
			return fd, false, err
		}
		if fd, err = create(); err != nil {
			return nil, false, err
		}
		if err = d.Pin(name, fd.Int()); err == nil {
			return fd, true, nil
		}
		if cerr := fd.Close(); cerr != nil || !errors.Is(err, ErrExists) {
			return nil, false, errors.Join(err, cerr)
		}
	}
	return nil, false, d.errorOf("pin", name, ErrRaced)
}
