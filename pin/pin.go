package pin

import (
	"errors"
	"io/fs"
	"path"
	"strconv"

	"github.com/lode-bpf/lode/conf"
	"github.com/lode-bpf/lode/sys"
)

// Get opens what is pinned as name, which must be of the kind that is wanted.
// The caller owns the descriptor. Without such a name the error matches
// fs.ErrNotExist; something else at that name is a *KindError.
func (d *Dir) Get(name string, kind sys.ObjKind) (*sys.FD, error) {
	fd, e, err := d.open1(name)
	if err != nil {
		return nil, err
	}
	if e.Kind != kind {
		return nil, errors.Join(&KindError{path.Join(d.path, name), kind.String(), e}, fd.Close())
	}
	return fd, nil
}

// open1 opens whatever is pinned as name.
func (d *Dir) open1(name string) (*sys.FD, Entry, error) {
	if err := conf.CheckElement(name); err != nil {
		return nil, Entry{}, err
	}
	var fd *sys.FD
	err := d.byName(name, func(a *sys.ObjAttr) (err error) {
		fd, err = sys.ObjGet(d.k, a)
		return err
	})
	if err != nil {
		return nil, Entry{}, &PathError{"get", path.Join(d.path, name), d.explain(name, err)}
	}
	e, err := examine(d.k, fd)
	if err != nil {
		return nil, e, errors.Join(&PathError{"get", path.Join(d.path, name), err}, fd.Close())
	}
	e.Name = name
	return fd, e, nil
}

// explain says what stands at a name that cannot be opened as a BPF object.
func (d *Dir) explain(name string, err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return err
	}
	st, serr := d.k.FstatAt(d.fd.Int(), name, sys.AT_SYMLINK_NOFOLLOW)
	switch {
	case serr != nil:
		return err
	case st.IsDir():
		return errors.Join(errIsDir, err)
	case st.Mode&sys.S_IFMT == sys.S_IFLNK:
		return &LinkError{d.path, name, err}
	}
	return err
}

var errIsDir = errors.New("it is a directory")

// Pin gives a map, program or link a name. If the name is taken, the error
// matches fs.ErrExist.
func (d *Dir) Pin(name string, fd int) error {
	err := conf.CheckElement(name)
	if err == nil {
		err = d.byName(name, func(a *sys.ObjAttr) error {
			a.BPFFD = int32(fd)
			return sys.ObjPin(d.k, a)
		})
	}
	if err != nil {
		return &PathError{"pin", path.Join(d.path, name), err}
	}
	return nil
}

// byName makes a call about a name in the directory, through the directory's
// descriptor: by path_fd where the kernel has it (6.5), else through /proc.
func (d *Dir) byName(name string, call func(*sys.ObjAttr) error) error {
	a := &sys.ObjAttr{Pathname: sys.StringPtr(name), FileFlags: sys.BPF_F_PATH_FD, PathFD: d.fd.Num()}
	err := call(a)
	if sys.ErrnoOf(err) != sys.EINVAL {
		return err
	}
	return call(&sys.ObjAttr{Pathname: sys.StringPtr("/proc/self/fd/" + strconv.Itoa(d.fd.Int()) + "/" + name)})
}

// Remove removes a name. The object lives on as long as anything else holds it.
func (d *Dir) Remove(name string) error {
	err := conf.CheckElement(name)
	if err == nil {
		err = d.k.UnlinkAt(d.fd.Int(), name, 0)
	}
	if err != nil {
		return &PathError{"remove", path.Join(d.path, name), err}
	}
	return nil
}

// Replace puts an object in the place of one of the same kind: at every moment
// the name leads to one of the two. It returns the old one, which the caller
// closes; Restore puts it back.
func (d *Dir) Replace(name string, fd int, kind sys.ObjKind) (old *sys.FD, err error) {
	if old, err = d.Get(name, kind); err != nil {
		return nil, err
	}
	if err := d.swap(name, fd); err != nil {
		return nil, errors.Join(err, old.Close())
	}
	return old, nil
}

// Restore puts an object back under its name.
func (d *Dir) Restore(name string, old *sys.FD) error { return d.swap(name, old.Int()) }

// swap pins an object under a name of its own and renames it over the old name,
// which rename(2) does in one moment.
func (d *Dir) swap(name string, fd int) error {
	for try := 0; ; try++ {
		temp := name[:min(len(name), 100)] + "-new" + strconv.Itoa(try)
		err := d.Pin(temp, fd)
		if errors.Is(err, fs.ErrExist) && try < 64 {
			continue // another loader's, or left behind by one that was killed
		}
		if err != nil {
			return err
		}
		if err := d.k.RenameAt(d.fd.Int(), temp, d.fd.Int(), name, 0); err != nil {
			return errors.Join(&PathError{"replace", path.Join(d.path, name), err}, d.Remove(temp))
		}
		return nil
	}
}

// GetOrPin opens the map, program or link of that name, or makes one with create
// and pins it. Any number of processes that do so at once end with the same
// object. created tells which it was. The caller owns the descriptor.
func (d *Dir) GetOrPin(name string, kind sys.ObjKind, create func() (*sys.FD, error)) (fd *sys.FD, created bool, err error) {
	for try := 0; ; try++ {
		if fd, err = d.Get(name, kind); !errors.Is(err, fs.ErrNotExist) {
			return fd, false, err
		}
		if fd, err = create(); err != nil {
			return nil, false, err
		}
		err = d.Pin(name, fd.Int())
		if err == nil {
			return fd, true, nil
		}
		if cerr := fd.Close(); cerr != nil || !errors.Is(err, fs.ErrExist) || try == 16 {
			return nil, false, errors.Join(err, cerr)
		}
	}
}
