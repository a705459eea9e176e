package pin

import (
	"errors"
	"path"
	"strings"

	"github.com/lode-bpf/lode/sys"
)

// A walker opens a path one element at a time, and makes what is missing.
type walker struct {
	d    *Dir
	opts DirOptions
	cur  *sys.FD
	at   string // path of cur
	in   bool   // cur is in a bpffs
}

// walk opens d.path where it cannot be opened at once: something is missing, or
// there is a link in it. It leaves the descriptor in d.fd, and in d.made what it
// made, even if it fails.
func (d *Dir) walk(opts DirOptions) error {
	n, err := d.k.OpenAt(sys.AT_FDCWD, "/", sys.OpenHow{Flags: openFlags, Resolve: noLinks})
	if err != nil {
		return &PathError{Op: "open", Path: "/", Err: err}
	}
	w := walker{d: d, opts: opts, cur: sys.NewFD(d.k, n), at: "/"}
	elements := strings.Split(d.path[1:], "/")
	if len(elements) > maxDepth {
		return errors.Join(&PathError{Op: "open", Path: d.path, Err: errors.New("the path has too many elements")}, w.cur.Close())
	}
	for i := range elements {
		if err := w.step(elements[i:]); err != nil {
			return errors.Join(err, w.cur.Close())
		}
	}
	d.fd = w.cur
	return nil
}

// step goes down to the first of the elements that are left.
func (w *walker) step(left []string) error {
	e := left[0]
	next, err := w.open(e)
	switch {
	case err == nil:
		return w.enter(e, next)
	case isErrno(err, sys.ELOOP):
		return w.followLink(e)
	case isErrno(err, sys.EXDEV):
		return &LinkError{Path: w.d.path, Element: e, Err: err}
	case isErrno(err, sys.EPERM) && w.in && CheckName(e) != nil:
		return &PathError{Op: "open", Path: w.d.path, Err: CheckName(e)}
	case !isErrno(err, sys.ENOENT):
		return &PathError{Op: "open", Path: path.Join(w.at, e), Err: err}
	case !w.in:
		return &NotBPFFSError{Path: w.d.path, At: w.at}
	}
	if w.opts.Aliases && isAlias(e) {
		top, terr := w.isTop()
		if terr != nil {
			return terr
		}
		if top {
			return w.openAlias(left)
		}
	}
	return w.makeStep(left, err)
}

// open opens an element of the current directory. Inside a bpffs another file
// system that is mounted there is not entered.
func (w *walker) open(e string) (*sys.FD, error) {
	how := sys.OpenHow{Flags: openFlags, Resolve: beneath}
	if w.in {
		how.Resolve |= sys.RESOLVE_NO_XDEV
	}
	n, err := w.d.k.OpenAt(w.cur.Int(), e, how)
	if err != nil {
		return nil, err
	}
	return sys.NewFD(w.d.k, n), nil
}

// enter goes down to next, which the element e is.
func (w *walker) enter(e string, next *sys.FD) error {
	if !w.in {
		fs, err := w.d.k.Fstatfs(next.Int())
		if err != nil {
			return errors.Join(&PathError{Op: "open", Path: path.Join(w.at, e), Err: err}, next.Close())
		}
		w.in = fs.Type == sys.BPF_FS_MAGIC
	}
	old := w.cur
	w.cur, w.at = next, path.Join(w.at, e)
	if n := len(w.d.made); n > 0 && w.d.made[n-1].parent == old {
		return nil // it stays open to remove what was made in it
	}
	return old.Close()
}

// makeStep makes the first of the elements that are left, all of which are
// missing, and goes there; missing is the error that says so.
func (w *walker) makeStep(left []string, missing error) error {
	if err := w.mayMake(left, missing); err != nil {
		return err
	}
	next, err := w.makeDir(left[0])
	if err != nil {
		return err
	}
	return w.enter(left[0], next)
}

// mayMake says why directories are not made: nobody asked for it, or one of the
// names is bad, in which case not even those in front of it are made.
func (w *walker) mayMake(left []string, missing error) error {
	if !w.opts.Create {
		return &PathError{Op: "open", Path: path.Join(w.at, left[0]), Err: missing}
	}
	for _, e := range left {
		if err := CheckName(e); err != nil {
			return &PathError{Op: "make directory", Path: w.d.path, Err: err}
		}
	}
	return nil
}

// makeDir makes a directory in the current one and opens it. If somebody else is
// faster, his is opened.
func (w *walker) makeDir(e string) (*sys.FD, error) {
	k, at := w.d.k, path.Join(w.at, e)
	mode := w.opts.Mode
	if mode == 0 {
		mode = 0o700
	}
	err := k.MkdirAt(w.cur.Int(), e, mode&0o777)
	if isErrno(err, sys.EEXIST) {
		next, err := w.open(e)
		if isErrno(err, sys.ELOOP) {
			return nil, &LinkError{Path: w.d.path, Element: e, Err: err}
		}
		if err != nil {
			return nil, &PathError{Op: "open", Path: at, Err: err}
		}
		return next, nil
	}
	if err != nil {
		return nil, &PathError{Op: "make directory", Path: at, Err: err}
	}
	next, st, err := w.openMade(e, mode)
	if err != nil {
		return nil, errors.Join(&PathError{Op: "make directory", Path: at, Err: err}, k.UnlinkAt(w.cur.Int(), e, sys.AT_REMOVEDIR))
	}
	w.d.made = append(w.d.made, made{parent: w.cur, name: e, ino: st.Ino})
	return next, nil
}

// openMade opens the directory that was just made and gives it its mode, of
// which the umask took away, and its owner. Should somebody have put another in
// its place, that belongs to another user and is not touched.
func (w *walker) openMade(e string, mode uint32) (*sys.FD, sys.Stat, error) {
	k := w.d.k
	how := sys.OpenHow{Flags: sys.O_RDONLY | sys.O_DIRECTORY, Resolve: beneath | sys.RESOLVE_NO_XDEV}
	n, err := k.OpenAt(w.cur.Int(), e, how)
	if err != nil {
		return nil, sys.Stat{}, err
	}
	fd := sys.NewFD(k, n)
	st, err := k.FstatAt(n, "", sys.AT_EMPTY_PATH)
	switch {
	case err != nil:
	case !trusted(st.UID):
		err = ErrRaced
	case st.Mode&0o7777 != mode:
		err = k.Fchmod(n, mode)
	}
	if err == nil && (w.opts.UID != 0 || w.opts.GID != 0) {
		err = k.Fchown(n, w.opts.UID, w.opts.GID)
	}
	if err != nil {
		return nil, st, errors.Join(err, fd.Close())
	}
	return fd, st, nil
}
