package pin

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/lode-bpf/lode/sys"
)

// An Entry is one name in a bpffs and what it leads to.
type Entry struct {
	Name string
	Dir  bool // a directory; the fields about the object are zero

	Kind   sys.ObjKind
	ID     uint32
	Type   string // of the map, program or link
	Object string // the name that the kernel has for it

	Mode     uint32 // permission bits
	UID, GID uint32
}

// String is the object in a few words: `map "packets" (hash, id 7)`.
func (e Entry) String() string {
	if e.Dir {
		return "directory"
	}
	s := e.Kind.String()
	if e.Object != "" {
		s += fmt.Sprintf(" %q", e.Object)
	}
	return fmt.Sprintf("%s (%s, id %d)", s, e.Type, e.ID)
}

// examine finds out what a descriptor is.
func examine(k sys.Kernel, fd *sys.FD) (Entry, error) {
	info, err := os.ReadFile("/proc/self/fdinfo/" + strconv.Itoa(fd.Int()))
	if err != nil {
		return Entry{}, err
	}
	has := func(field string) bool { return bytes.Contains(info, []byte("\n"+field+":")) }
	switch {
	case has("map_type"):
		var m sys.MapInfo
		err := sys.ObjGetInfoByFD(k, fd.Int(), &m)
		return Entry{Kind: sys.ObjMap, ID: m.ID, Type: m.Type.String(), Object: m.Name.String()}, err
	case has("link_type"):
		var l sys.LinkInfo
		err := sys.ObjGetInfoByFD(k, fd.Int(), &l)
		return Entry{Kind: sys.ObjLink, ID: l.ID, Type: l.Type.String()}, err
	case has("prog_type"):
		var p sys.ProgInfo
		err := sys.ObjGetInfoByFD(k, fd.Int(), &p)
		return Entry{Kind: sys.ObjProg, ID: p.ID, Type: p.Type.String(), Object: p.Name.String()}, err
	}
	return Entry{}, errors.New("it is neither a map nor a program nor a link")
}

// Stat says what a name in the directory is.
func (d *Dir) Stat(name string) (Entry, error) {
	st, err := d.k.FstatAt(d.fd.Int(), name, sys.AT_SYMLINK_NOFOLLOW)
	if err != nil {
		return Entry{}, &PathError{"examine", path.Join(d.path, name), err}
	}
	e := Entry{Name: name, Dir: true}
	if st.Mode&sys.S_IFMT == sys.S_IFLNK {
		return e, &LinkError{Path: d.path, Element: name}
	}
	if !st.IsDir() {
		fd, found, err := d.open1(name)
		if err != nil {
			return e, err
		}
		if err := fd.Close(); err != nil {
			return e, err
		}
		e = found
	}
	e.Mode, e.UID, e.GID = st.Mode&0o7777, st.UID, st.GID
	return e, nil
}

// Names lists the names in the directory, sorted.
func (d *Dir) Names() ([]string, error) {
	list, err := d.k.ReadDir(d.fd.Int())
	if err != nil {
		return nil, &PathError{"list", d.path, err}
	}
	names := make([]string, len(list))
	for i, e := range list {
		names[i] = e.Name
	}
	slices.SortFunc(names, strings.Compare)
	return names, nil
}

// Sub opens a directory below this one. Without it the error matches
// fs.ErrNotExist.
func (d *Dir) Sub(name string) (*Dir, error) {
	fd, err := d.open(name, true)
	if err != nil {
		return nil, &PathError{"open", path.Join(d.path, name), err}
	}
	return &Dir{k: d.k, fd: fd, path: path.Join(d.path, name)}, nil
}

// RemoveSub removes an empty directory below this one.
func (d *Dir) RemoveSub(name string) error {
	if err := d.k.UnlinkAt(d.fd.Int(), name, sys.AT_REMOVEDIR); err != nil {
		return &PathError{"remove", path.Join(d.path, name), err}
	}
	return nil
}

// maxDepth bounds Walk; bpffs itself has no limit but the length of a path.
const maxDepth = 64

// Walk visits everything below the directory, each directory before what is in
// it, in the order of names. What cannot be examined is visited with the error.
// fn ends the walk by an error, which Walk returns; fs.SkipDir skips a
// directory.
func (d *Dir) Walk(fn func(path string, e Entry, err error) error) error { return d.walkTree(fn, 0) }

func (d *Dir) walkTree(fn func(string, Entry, error) error, depth int) error {
	names, err := d.Names()
	if err != nil {
		return err
	}
	for _, name := range names {
		p := path.Join(d.path, name)
		e, err := d.Stat(name)
		if errors.Is(err, fs.ErrNotExist) {
			continue // removed in between
		}
		e.Name = name
		err = fn(p, e, err)
		if errors.Is(err, fs.SkipDir) && e.Dir {
			continue
		}
		if err != nil {
			return err
		}
		if !e.Dir || depth == maxDepth {
			continue
		}
		sub, err := d.Sub(name)
		if err != nil {
			return err
		}
		err = errors.Join(sub.walkTree(fn, depth+1), sub.Close())
		if err != nil {
			return err
		}
	}
	return nil
}
