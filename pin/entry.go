package pin

import (
	"errors"
	"io/fs"
	"strconv"
	"strings"

	"github.com/lode-bpf/lode/sys"
)

// An Entry is a name in bpffs and what it leads to.
type Entry struct {
	Name string
	Dir  bool   // a directory
	File string // what it is if it is neither a directory nor an object: "file", "symbolic link"; or "object" of another user

	Kind   sys.ObjKind // of an object, as the fields below
	ID     uint32
	Type   string // "hash", "xdp", "cgroup"
	Object string // the name that the kernel has for it: at most 15 bytes

	Mode     uint32 // permission bits
	UID, GID uint32
}

// String is the object in a few words: `map "packets" (hash, id 7)`.
func (e Entry) String() string {
	switch {
	case e.Dir:
		return "directory"
	case e.File != "":
		return e.File + " of user " + strconv.FormatUint(uint64(e.UID), 10)
	}
	s := e.Kind.String()
	if e.Object != "" {
		s += " " + strconv.Quote(e.Object)
	}
	return s + " (" + e.Type + ", id " + strconv.FormatUint(uint64(e.ID), 10) + ")"
}

// fileLink is the File of a symbolic link.
const fileLink = "symbolic link"

func (e Entry) isLink() bool { return e.File == fileLink }

// entryOf is what stat tells of a name. object says that it may be an object.
func entryOf(name string, st sys.Stat) (e Entry, object bool) {
	e = Entry{Name: name, Mode: st.Mode & 0o7777, UID: st.UID, GID: st.GID}
	switch st.Mode & sys.S_IFMT {
	case sys.S_IFDIR:
		e.Dir = true
	case sys.S_IFREG:
		return e, true
	case sys.S_IFLNK:
		e.File = fileLink
	default:
		e.File = "file"
	}
	return e, false
}

// kindOf tells maps, programs and links apart. BPF_OBJ_GET_INFO_BY_FD does not:
// it answers for any of them. So a command of each kind is made that can only
// fail, and fails differently if the descriptor is of another kind.
func kindOf(k sys.Kernel, fd int) (sys.ObjKind, error) {
	// A lookup of no elements: EINVAL unless it is a map, of whatever type. EPERM
	// is a descriptor that is only for writing.
	err := sys.MapLookupBatch(k, &sys.MapBatchAttr{MapFD: int32(fd)})
	if err == nil || isErrno(err, sys.ENOTSUPP, sys.EOPNOTSUPP, sys.EPERM) {
		return sys.ObjMap, nil
	}
	if !isErrno(err, sys.EINVAL) {
		return 0, err
	}
	// The program is looked at before the map, which is none: EBADF.
	err = sys.ProgBindMap(k, fd, -1)
	if isErrno(err, sys.EBADF) {
		return sys.ObjProg, nil
	}
	if isErrno(err, sys.EINVAL) {
		return sys.ObjLink, nil // nothing else can be pinned
	}
	return 0, err
}

// describe fills in what the kernel knows of an open object.
func (e *Entry) describe(k sys.Kernel, fd int) error {
	kind, err := kindOf(k, fd)
	if err != nil {
		return err
	}
	e.Kind = kind
	switch kind {
	case sys.ObjMap:
		var info sys.MapInfo
		err = sys.ObjGetInfoByFD(k, fd, &info)
		e.ID, e.Type, e.Object = info.ID, info.Type.String(), info.Name.String()
	case sys.ObjProg:
		var info sys.ProgInfo
		err = sys.ObjGetInfoByFD(k, fd, &info)
		e.ID, e.Type, e.Object = info.ID, info.Type.String(), info.Name.String()
	default:
		var info sys.LinkInfo
		err = sys.ObjGetInfoByFD(k, fd, &info)
		e.ID, e.Type = info.ID, info.Type.String()
	}
	return err
}

// Stat says what a name in the directory is. An object that this process may not
// open is one of another user; a symbolic link is a *LinkError beside the Entry.
func (d *Dir) Stat(name string) (Entry, error) {
	fd, e, err := d.open1(name)
	var link *LinkError
	switch {
	case errors.As(err, &link):
		return e, err
	case err == nil && fd == nil:
		return e, nil
	case err == nil:
		err = errors.Join(e.describe(d.k, fd.Int()), fd.Close())
	case errors.Is(err, fs.ErrPermission):
		// Another user's, or one of the files that bpffs has of its own, whose
		// names have a dot.
		e.File, err = "object", nil
		if strings.Contains(name, ".") {
			e.File = "file"
		}
	}
	if err != nil {
		return e, d.errorOf("list", name, err)
	}
	return e, nil
}
