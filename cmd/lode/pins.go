package main

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/lode-bpf/lode"
	"github.com/lode-bpf/lode/conf"
	"github.com/lode-bpf/lode/pin"
	"github.com/lode-bpf/lode/prog"
	"github.com/lode-bpf/lode/sys"
)

// unload removes what a load pinned in a directory, and the directory if that
// empties it. In a directory of its own that is everything; at the top of a
// bpffs, where everybody's pins are, it is the directories of programs that a
// load makes and the maps that these programs use.
func unload(e *env) error {
	if len(e.args) == 0 {
		return usage("want a directory in a bpffs")
	}
	for _, dir := range e.args {
		if err := e.unload(dir); err != nil {
			return err
		}
	}
	return nil
}

func (e *env) unload(dir string) error {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return err
	}
	mounts, err := pin.Mounts()
	if err != nil {
		return err
	}
	d, err := pin.OpenDir(sys.Live(), dir, pin.DirOptions{})
	if err != nil {
		return err
	}
	u := unloader{env: e, shared: slices.Contains(mounts, dir), used: map[uint32]bool{}}
	if err := errors.Join(u.directory(d), d.Close()); err != nil {
		return err
	}
	if empty, err := removeIfEmpty(dir); err != nil {
		return err
	} else if empty && !u.shared {
		fmt.Fprintf(e.out, "removed %s: empty directory\n", dir)
	}
	if u.removed == 0 {
		fmt.Fprintf(e.out, "nothing that a load made is pinned in %s\n", dir)
	}
	return nil
}

// An unloader removes pins and says so.
type unloader struct {
	*env
	shared  bool            // others pin in the directory, too
	used    map[uint32]bool // ids of maps that removed programs use
	removed int
}

func (u *unloader) directory(d *pin.Dir) error {
	names, err := d.Names()
	if err != nil {
		return err
	}
	for _, name := range names {
		var err error
		switch {
		case strings.HasSuffix(name, lode.LinksSuffix):
			err = u.objects(d, name, sys.ObjLink)
		case strings.HasSuffix(name, lode.TailCallsSuffix):
			err = u.objects(d, name, sys.ObjMap)
		case strings.HasSuffix(name, lode.ProgramsSuffix):
			err = u.objects(d, name, sys.ObjProg)
		}
		if err != nil {
			return err
		}
	}
	for _, name := range names {
		if conf.CheckElement(name) != nil {
			continue // the kernel's own, such as maps.debug
		}
		what, err := d.Stat(name)
		if errors.Is(err, fs.ErrNotExist) {
			continue // a directory of programs that is gone by now
		}
		if err != nil {
			return err
		}
		if what.Dir || u.shared && !(what.Kind == sys.ObjMap && u.used[what.ID]) {
			continue
		}
		if err := u.remove(d, name, what); err != nil {
			return err
		}
	}
	return nil
}

func (u *unloader) remove(d *pin.Dir, name string, what pin.Entry) error {
	if err := d.Remove(name); err != nil {
		return err
	}
	u.removed++
	_, err := fmt.Fprintf(u.out, "removed %s: %s\n", path.Join(d.Path(), name), what)
	return err
}

// objects removes a directory of programs, and notes which maps they use, or of
// links or program arrays.
func (u *unloader) objects(parent *pin.Dir, name string, kind sys.ObjKind) error {
	d, err := parent.Sub(name)
	if err != nil {
		return err
	}
	defer d.Close()
	names, err := d.Names()
	if err != nil {
		return err
	}
	for _, n := range names {
		what, err := d.Stat(n)
		if err != nil {
			return err
		}
		if what.Dir || what.Kind != kind {
			continue
		}
		if kind == sys.ObjProg {
			if err := u.note(d, n); err != nil {
				return err
			}
		}
		if err := u.remove(d, n, what); err != nil {
			return err
		}
	}
	if err := parent.RemoveSub(name); err != nil && sys.ErrnoOf(err) != sys.ENOTEMPTY {
		return err
	}
	return nil
}

// note remembers the maps of a pinned program.
func (u *unloader) note(d *pin.Dir, name string) error {
	fd, err := d.Get(name, sys.ObjProg)
	if err != nil {
		return err
	}
	p, err := prog.FromFD(sys.Live(), fd)
	if err != nil {
		return err
	}
	defer p.Close()
	info, err := p.Info()
	for _, id := range info.MapIDs {
		u.used[id] = true
	}
	return err
}

// removeIfEmpty removes a directory that has nothing in it, unless it is the top
// of its bpffs.
func removeIfEmpty(dir string) (bool, error) {
	parent, err := pin.OpenDir(sys.Live(), path.Dir(dir), pin.DirOptions{})
	var outside *pin.NotBPFFSError
	if errors.As(err, &outside) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	defer parent.Close()
	err = parent.RemoveSub(path.Base(dir))
	if sys.ErrnoOf(err) == sys.ENOTEMPTY {
		return false, nil
	}
	return err == nil, err
}
