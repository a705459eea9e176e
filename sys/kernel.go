package sys

import "unsafe"

// A Kernel is everything that loading an object does to the system: bpf(2) and
// the calls on directories and pins around it. [Live] is the running kernel;
// [Recorder], [Fault] and [Replay] stand in front of it or in its place.
//
// Descriptors and error numbers are those of the system: a method returns a
// descriptor that its caller owns, close-on-exec and above 2, and fails with an
// *Error. Implementations are safe for concurrent use.
type Kernel interface {
	// BPF is bpf(2). The result is a descriptor for the commands that return
	// one and 0 for the others.
	BPF(cmd Cmd, attr Attr) (int, error)

	// OpenAt is openat2(2); path is relative to dir, which may be AT_FDCWD.
	OpenAt(dir int, path string, how OpenHow) (int, error)
	// MkdirAt is mkdirat(2).
	MkdirAt(dir int, path string, mode uint32) error
	// UnlinkAt is unlinkat(2): with AT_REMOVEDIR it removes a directory.
	UnlinkAt(dir int, path string, flags int) error
	// SymlinkAt is symlinkat(2): path, relative to dir, becomes a symbolic
	// link with the text target.
	SymlinkAt(target string, dir int, path string) error
	// RenameAt is renameat2(2): flags are RENAME_NOREPLACE and RENAME_EXCHANGE.
	RenameAt(oldDir int, oldPath string, newDir int, newPath string, flags uint) error
	// FstatAt is fstatat(2): with an empty path and AT_EMPTY_PATH it is about dir itself.
	FstatAt(dir int, path string, flags int) (Stat, error)
	// Fstatfs is fstatfs(2).
	Fstatfs(fd int) (Statfs, error)
	// ReadDir lists an open directory from its beginning, without "." and
	// "..", in no particular order.
	ReadDir(fd int) ([]DirEntry, error)
	// Fchmod is fchmod(2).
	Fchmod(fd int, mode uint32) error
	// Fchown is fchown(2).
	Fchown(fd, uid, gid int) error
	// Mount is mount(2).
	Mount(source, target, fstype string, flags uintptr, data string) error
	// Unmount is umount2(2).
	Unmount(target string, flags int) error

	// Mmap maps length bytes of fd from offset; the memory ends with Munmap.
	Mmap(fd int, offset int64, length, prot, flags int) ([]byte, error)
	// Munmap takes what Mmap returned.
	Munmap(b []byte) error

	// Call makes one of the calls that attaching needs besides bpf(2).
	Call(c Call) (int, error)

	// RaiseMemlock lifts RLIMIT_MEMLOCK. See [PrepareMemlock].
	RaiseMemlock() error

	// Dup makes another descriptor of the same object.
	Dup(fd int) (int, error)
	// Close closes fd. It is never interrupted and never retried: fd is gone
	// whatever it returns.
	Close(fd int) error
}

// An Attr is the argument of a bpf(2) command: a pointer to one of the *Attr
// structs of this package, or a [WithCommon].
type Attr interface {
	raw() (unsafe.Pointer, *layout)
}

// WithCommon adds the argument that all commands share on kernels that have
// BPF_COMMON_ATTRS (7.2): a log for commands that have none of their own.
type WithCommon struct {
	Attr
	Common *CommonAttr
}

// An OpenHow is struct open_how of openat2(2).
type OpenHow struct {
	Flags   uint64 // O_*; O_CLOEXEC is always added
	Mode    uint64
	Resolve uint64 // RESOLVE_*
}

// A Stat is what FstatAt reports.
type Stat struct {
	Dev, Ino uint64
	Mode     uint32 // S_IFMT type and permission bits
	UID, GID uint32
	Size     int64
}

// IsDir says whether it is a directory.
func (s Stat) IsDir() bool { return s.Mode&S_IFMT == S_IFDIR }

// A Statfs is what Fstatfs reports.
type Statfs struct {
	Type  uint32 // magic number of the file system
	Flags uint64 // ST_*
}

// A DirEntry is one name in a directory.
type DirEntry struct {
	Name string // as the kernel has it: any bytes but '/' and NUL
	Ino  uint64
	Type uint8 // DT_*
}
