package pin

import (
	"errors"
	"io/fs"
	"path"
	"slices"

	"github.com/lode-bpf/lode/sys"
)

// Names lists the names in the directory, sorted.
func (d *Dir) Names() ([]string, error) {
	how := sys.OpenHow{Flags: sys.O_RDONLY | sys.O_DIRECTORY, Resolve: beneath | sys.RESOLVE_NO_XDEV}
	n, err := d.k.OpenAt(d.fd.Int(), ".", how)
	if err != nil {
		return nil, &PathError{Op: "list", Path: d.path, Err: err}
	}
	fd := sys.NewFD(d.k, n)
	list, err := d.k.ReadDir(n)
	if err = errors.Join(err, fd.Close()); err != nil {
		return nil, &PathError{Op: "list", Path: d.path, Err: err}
	}
	names := make([]string, len(list))
	for i, e := range list {
		names[i] = e.Name
	}
	slices.Sort(names)
	return names, nil
}

// Sub opens a directory below this one. Without it the error matches
// fs.ErrNotExist.
func (d *Dir) Sub(name string) (*Dir, error) {
	if err := CheckElement(name); err != nil {
		return nil, d.errorOf("open", name, err)
	}
	n, err := d.k.OpenAt(d.fd.Int(), name, sys.OpenHow{Flags: openFlags, Resolve: beneath | sys.RESOLVE_NO_XDEV})
	if err != nil {
		return nil, d.errorOf("open", name, err)
	}
	s := &Dir{k: d.k, fd: sys.NewFD(d.k, n), path: d.join(name)}
	if s.stat, err = d.k.FstatAt(n, "", sys.AT_EMPTY_PATH); err != nil {
		return nil, errors.Join(d.errorOf("open", name, err), s.Close())
	}
	return s, nil
}

// RemoveSub removes an empty directory below this one.
func (d *Dir) RemoveSub(name string) error {
	err := CheckElement(name)
	if err == nil {
		err = d.k.UnlinkAt(d.fd.Int(), name, sys.AT_REMOVEDIR)
	}
	if err != nil {
		return d.errorOf("remove", name, err)
	}
	return nil
}

// A level is a directory in which Walk is at work.
type level struct {
	dir  *Dir
	left []string // names that are still to be visited
}

// Walk visits everything below the directory, each directory before what is in
// it, in the order of names. What cannot be examined is visited with the error;
// links are visited, not followed, and other mounts not entered. fn ends the
// walk by an error, which Walk returns; fs.SkipDir skips a directory.
func (d *Dir) Walk(fn func(path string, e Entry, err error) error) error {
	names, err := d.Names()
	if err != nil {
		return err
	}
	stack := []level{{d, names}}
	for len(stack) > 0 && err == nil {
		top := &stack[len(stack)-1]
		if len(top.left) == 0 {
			if len(stack) > 1 {
				err = top.dir.Close()
			}
			stack = stack[:len(stack)-1]
			continue
		}
		name := top.left[0]
		top.left = top.left[1:]
		var next level
		if next, err = top.dir.visit(name, fn, len(stack) < maxDepth); next.dir != nil {
			stack = append(stack, next)
		}
	}
	for i := 1; i < len(stack); i++ {
		if cerr := stack[i].dir.Close(); err == nil {
			err = cerr
		}
	}
	return err
}

// visit tells fn about one name, and opens it if it is a directory to go into.
func (d *Dir) visit(name string, fn func(string, Entry, error) error, enter bool) (level, error) {
	e, err := d.Stat(name)
	if errors.Is(err, fs.ErrNotExist) {
		return level{}, nil // removed in between
	}
	err = fn(path.Join(d.path, name), e, err)
	if err == fs.SkipDir && e.Dir || err == nil && !(e.Dir && enter) {
		return level{}, nil
	}
	if err != nil {
		return level{}, err
	}
	sub, err := d.Sub(name)
	if errors.Is(err, fs.ErrNotExist) {
		return level{}, nil
	}
	if err != nil {
		return level{}, err
	}
	names, err := sub.Names()
	if err != nil {
		return level{}, errors.Join(err, sub.Close())
	}
	return level{sub, names}, nil
}
