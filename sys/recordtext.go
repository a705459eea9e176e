package sys

import (
	"strconv"
	"strings"
)

// The text of the calls that are not bpf(2), the same for recording and replaying.

type flagName struct {
	bit  uint64
	name string
}

var (
	openFlags = []flagName{{O_WRONLY, "wronly"}, {O_RDWR, "rdwr"}, {O_DIRECTORY, "directory"}, {O_NOFOLLOW, "nofollow"},
		{O_NONBLOCK, "nonblock"}, {O_PATH, "path"}, {O_CLOEXEC, "cloexec"}}
	resolveFlags = []flagName{{RESOLVE_NO_XDEV, "no_xdev"}, {RESOLVE_NO_MAGICLINKS, "no_magiclinks"},
		{RESOLVE_NO_SYMLINKS, "no_symlinks"}, {RESOLVE_BENEATH, "beneath"}, {RESOLVE_IN_ROOT, "in_root"}, {RESOLVE_CACHED, "cached"}}
	renameFlags = []flagName{{RENAME_NOREPLACE, "noreplace"}, {RENAME_EXCHANGE, "exchange"}}
	atFlags     = []flagName{{AT_EMPTY_PATH, "empty_path"}, {AT_REMOVEDIR, "removedir"}, {AT_SYMLINK_NOFOLLOW, "symlink_nofollow"}}
)

// flagText is " name=a|b", or "" for zero.
func flagText(name string, v uint64, names []flagName) string {
	var out []string
	for _, f := range names {
		if v&f.bit != 0 {
			out = append(out, f.name)
			v &^= f.bit
		}
	}
	if v != 0 {
		out = append(out, "0x"+strconv.FormatUint(v, 16))
	}
	if out == nil {
		return ""
	}
	return " " + name + "=" + strings.Join(out, "|")
}

func octal(v uint32) string { return "0" + strconv.FormatUint(uint64(v), 8) }

func (t *tape) at(op string, dir int, path string) string {
	return op + " dir=" + t.fd(dir) + " path=" + quote(path)
}

func (t *tape) openAt(dir int, path string, how OpenHow) string {
	s := t.at("openat2", dir, path) + flagText("flags", how.Flags, openFlags)
	if how.Mode != 0 {
		s += " mode=" + octal(uint32(how.Mode))
	}
	return s + flagText("resolve", how.Resolve, resolveFlags)
}

func (t *tape) mkdirAt(dir int, path string, mode uint32) string {
	return t.at("mkdirat", dir, path) + " mode=" + octal(mode)
}

func (t *tape) unlinkAt(dir int, path string, flags int) string {
	return t.at("unlinkat", dir, path) + flagText("flags", uint64(flags), atFlags)
}

func (t *tape) symlinkAt(target string, dir int, path string) string {
	return t.at("symlinkat", dir, path) + " target=" + quote(target)
}

func (t *tape) renameAt(oldDir int, oldPath string, newDir int, newPath string, flags uint) string {
	return t.at("renameat2", oldDir, oldPath) + " newdir=" + t.fd(newDir) + " newpath=" + quote(newPath) +
		flagText("flags", uint64(flags), renameFlags)
}

func (t *tape) fstatAt(dir int, path string, flags int) string {
	return t.at("fstatat", dir, path) + flagText("flags", uint64(flags), atFlags)
}

// stat prints what FstatAt found. The device and inode become symbols; sizes are
// kept of regular files only.
func (t *tape) stat(st Stat) string {
	s := "mode=" + octal(st.Mode) + " uid=" + strconv.FormatUint(uint64(st.UID), 10) + " gid=" + strconv.FormatUint(uint64(st.GID), 10) +
		" dev=" + t.symbol("dev", "dev", int64(st.Dev)) + " ino=" + t.symbol("ino of "+strconv.FormatUint(st.Dev, 10), "ino", int64(st.Ino))
	if st.Mode&S_IFMT == S_IFREG {
		s += " size=" + strconv.FormatInt(st.Size, 10)
	}
	return s
}

func (t *tape) fchmod(fd int, mode uint32) string {
	return "fchmod " + t.fd(fd) + " mode=" + octal(mode)
}

func (t *tape) fchown(fd, uid, gid int) string {
	return "fchown " + t.fd(fd) + " uid=" + strconv.Itoa(uid) + " gid=" + strconv.Itoa(gid)
}

func mountText(source, target, fstype string, flags uintptr, data string) string {
	return "mount source=" + quote(source) + " target=" + quote(target) + " type=" + quote(fstype) +
		" flags=0x" + strconv.FormatUint(uint64(flags), 16) + " data=" + quote(data)
}

func unmountText(target string, flags int) string {
	return "umount2 target=" + quote(target) + " flags=" + strconv.Itoa(flags)
}

func (t *tape) mmap(fd int, offset int64, length, prot, flags int) string {
	return "mmap " + t.fd(fd) + " offset=" + strconv.FormatInt(offset, 10) + " length=" + strconv.Itoa(length) +
		" prot=" + strconv.Itoa(prot) + " flags=" + strconv.Itoa(flags)
}

// duplicated names a descriptor that came from Dup: it is of the same kind.
func (t *tape) duplicated(from, to int) string {
	kind, _, _ := strings.Cut(t.fd(from), "#")
	sh, isMap := t.shapes[from]
	s := t.opened(kind, to)
	if isMap {
		t.shapes[to] = sh
	}
	return s
}
