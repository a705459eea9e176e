package pin

import (
	"errors"
	"path"
	"strconv"

	"github.com/lode-bpf/lode/sys"
)

// At the top of a bpffs iproute2 has a directory "tc", and "xdp" and "ip" are
// symbolic links to it, so that programs of all three types share their maps.
// These are the only links that are followed, and that by opening "tc" itself
// after the link has turned out to lead there.
const aliased = "tc"

func isAlias(e string) bool { return e == "xdp" || e == "ip" }

// isTop says whether the current directory is the top of a bpffs.
func (w *walker) isTop() (bool, error) {
	here, err := w.d.k.FstatAt(w.cur.Int(), "", sys.AT_EMPTY_PATH)
	if err != nil {
		return false, &PathError{Op: "open", Path: w.at, Err: err}
	}
	above, err := w.d.k.FstatAt(w.cur.Int(), "..", 0)
	if err != nil {
		return false, &PathError{Op: "open", Path: path.Dir(w.at), Err: err}
	}
	return w.in && here.Dev != above.Dev, nil
}

// followLink goes where a symbolic link in the current directory leads, if it is
// one of iproute2's. Any other is a *LinkError.
func (w *walker) followLink(e string) error {
	refused := &LinkError{Path: w.d.path, Element: e, Err: sys.ELOOP}
	if !isAlias(e) {
		return refused
	}
	if top, err := w.isTop(); err != nil || !top {
		return errors.Join(refused, err)
	}
	target, err := w.open(aliased)
	if err != nil {
		return refused
	}
	tc, err := w.d.k.FstatAt(target.Int(), "", sys.AT_EMPTY_PATH)
	if err == nil {
		var at sys.Stat
		at, err = w.d.k.FstatAt(w.cur.Int(), e, 0)
		if err == nil && at.Dev == tc.Dev && at.Ino == tc.Ino {
			return w.enter(e, target)
		}
	}
	return errors.Join(refused, target.Close())
}

// openAlias goes to "tc" in place of the first of the elements that are left, a
// link that is missing. With Create both are made as needed.
func (w *walker) openAlias(left []string) error {
	target, err := w.open(aliased)
	if isErrno(err, sys.ENOENT) {
		if err := w.mayMake(left, err); err != nil {
			return err
		}
		if target, err = w.makeDir(aliased); err != nil {
			return err
		}
	}
	if err != nil {
		return &PathError{Op: "open", Path: path.Join(w.at, aliased), Err: err}
	}
	if w.opts.Create {
		err = w.link(left[0])
	}
	return errors.Join(err, w.enter(left[0], target))
}

// link makes a link to "tc" in the current directory. If somebody else is faster,
// it is his.
func (w *walker) link(e string) error {
	at := path.Join(w.at, e)
	err := w.d.k.SymlinkAt(aliased, w.cur.Int(), e)
	if isErrno(err, sys.EEXIST) {
		return nil
	}
	if err != nil {
		return &PathError{Op: "link", Path: at, Err: err}
	}
	st, err := w.d.k.FstatAt(w.cur.Int(), e, sys.AT_SYMLINK_NOFOLLOW)
	if err != nil {
		return errors.Join(&PathError{Op: "link", Path: at, Err: err}, w.d.k.UnlinkAt(w.cur.Int(), e, 0))
	}
	w.d.made = append(w.d.made, made{parent: w.cur, name: e, ino: st.Ino, link: true})
	return nil
}

// procPath is a path to what a descriptor is open on, whatever has been renamed.
func procPath(fd *sys.FD) string { return "/proc/self/fd/" + strconv.Itoa(fd.Int()) }
