package sys

import (
	"bytes"
	"encoding/binary"
	"strconv"
	"unsafe"

	"golang.org/x/sys/unix"
)

func callError(op, subject string, err error) error {
	return &Error{Op: op, Subject: subject, Errno: ErrnoOf(err)}
}

// pathError quotes a path: it may come from an object file.
func pathError(op, path string, err error) error {
	return callError(op, quote(path), err)
}

// OpenAt is openat2(2). A scoped lookup that lost a race with a rename is made
// again a few times, as the kernel asks for with EAGAIN.
func (live) OpenAt(dir int, path string, how OpenHow) (int, error) {
	h := unix.OpenHow{Flags: how.Flags | unix.O_CLOEXEC, Mode: how.Mode, Resolve: how.Resolve}
	var fd int
	var err error
	for attempt := 0; attempt < maxAttempts; attempt++ {
		fd, err = unix.Openat2(dir, path, &h)
		if err != unix.EAGAIN && err != unix.EINTR {
			break
		}
	}
	if err != nil {
		return -1, pathError("openat2", path, err)
	}
	if fd > 2 {
		return fd, nil
	}
	up, err := unix.FcntlInt(uintptr(fd), unix.F_DUPFD_CLOEXEC, 3)
	unix.Close(fd)
	if err != nil {
		return -1, pathError("openat2", path, err)
	}
	return up, nil
}

// MkdirAt is mkdirat(2).
func (live) MkdirAt(dir int, path string, mode uint32) error {
	if err := unix.Mkdirat(dir, path, mode); err != nil {
		return pathError("mkdirat", path, err)
	}
	return nil
}

// UnlinkAt is unlinkat(2).
func (live) UnlinkAt(dir int, path string, flags int) error {
	if err := unix.Unlinkat(dir, path, flags); err != nil {
		return pathError("unlinkat", path, err)
	}
	return nil
}

// SymlinkAt is symlinkat(2).
func (live) SymlinkAt(target string, dir int, path string) error {
	if err := unix.Symlinkat(target, dir, path); err != nil {
		return pathError("symlinkat", path, err)
	}
	return nil
}

// RenameAt is renameat2(2).
func (live) RenameAt(oldDir int, oldPath string, newDir int, newPath string, flags uint) error {
	if err := unix.Renameat2(oldDir, oldPath, newDir, newPath, flags); err != nil {
		return callError("renameat2", quote(oldPath)+" to "+quote(newPath), err)
	}
	return nil
}

// FstatAt is fstatat(2).
func (live) FstatAt(dir int, path string, flags int) (Stat, error) {
	var st unix.Stat_t
	if err := unix.Fstatat(dir, path, &st, flags); err != nil {
		return Stat{}, pathError("fstatat", path, err)
	}
	return Stat{Dev: uint64(st.Dev), Ino: st.Ino, Mode: st.Mode, UID: st.Uid, GID: st.Gid, Size: st.Size}, nil
}

// Fstatfs is fstatfs(2).
func (live) Fstatfs(fd int) (Statfs, error) {
	var st unix.Statfs_t
	for attempt := 0; ; attempt++ {
		err := unix.Fstatfs(fd, &st)
		if err == nil {
			return Statfs{Type: uint32(st.Type), Flags: uint64(st.Flags)}, nil
		}
		if err != unix.EINTR || attempt == maxAttempts {
			return Statfs{}, callError("fstatfs", "", err)
		}
	}
}

// Fchmod is fchmod(2).
func (live) Fchmod(fd int, mode uint32) error {
	if err := unix.Fchmod(fd, mode); err != nil {
		return callError("fchmod", "", err)
	}
	return nil
}

// Fchown is fchown(2).
func (live) Fchown(fd, uid, gid int) error {
	if err := unix.Fchown(fd, uid, gid); err != nil {
		return callError("fchown", "", err)
	}
	return nil
}

// Mount is mount(2).
func (live) Mount(source, target, fstype string, flags uintptr, data string) error {
	if err := unix.Mount(source, target, fstype, flags, data); err != nil {
		return pathError("mount", target, err)
	}
	return nil
}

// Unmount is umount2(2).
func (live) Unmount(target string, flags int) error {
	if err := unix.Unmount(target, flags); err != nil {
		return pathError("umount2", target, err)
	}
	return nil
}

// Mmap maps a descriptor.
func (live) Mmap(fd int, offset int64, length, prot, flags int) ([]byte, error) {
	b, err := unix.Mmap(fd, offset, length, prot, flags)
	if err != nil {
		return nil, callError("mmap", strconv.Itoa(length)+" bytes", err)
	}
	return b, nil
}

// Munmap takes what Mmap returned.
func (live) Munmap(b []byte) error {
	if err := unix.Munmap(b); err != nil {
		return callError("munmap", "", err)
	}
	return nil
}

// ReadDir lists an open directory.
func (live) ReadDir(fd int) ([]DirEntry, error) {
	if _, err := unix.Seek(fd, 0, unix.SEEK_SET); err != nil {
		return nil, callError("lseek", "directory", err)
	}
	var out []DirEntry
	buf := make([]byte, 8<<10)
	for {
		n, err := unix.Getdents(fd, buf)
		if err == unix.EINTR {
			continue
		}
		if err != nil {
			return nil, callError("getdents64", "directory", err)
		}
		if n == 0 {
			return out, nil
		}
		out = appendEntries(out, buf[:n])
	}
}

// appendEntries decodes struct linux_dirent64: inode and offset of 64 bits, record
// length of 16, type of 8, then the name with a NUL.
func appendEntries(out []DirEntry, b []byte) []DirEntry {
	const header = int(unsafe.Offsetof(unix.Dirent{}.Name))
	for len(b) > header {
		size := int(binary.NativeEndian.Uint16(b[16:]))
		if size <= header || size > len(b) {
			break
		}
		name, _, _ := bytes.Cut(b[header:size], []byte{0})
		if s := string(name); s != "." && s != ".." {
			out = append(out, DirEntry{Name: s, Ino: binary.NativeEndian.Uint64(b), Type: b[18]})
		}
		b = b[size:]
	}
	return out
}
