package sys

import "sync"

// A Fault passes calls on to a kernel and lets one of them fail. Calls are
// counted from 1 in the order in which they are made. Close and Munmap are neither
// counted nor failed: they always take effect in a real kernel, too.
//
// To test every way in which a load can break off, make it once to learn the
// number of its calls, then once for each of them:
//
//	count := &sys.Fault{Kernel: sys.Live()}
//	load(count)
//	for n := 1; n <= count.Calls(); n++ {
//		load(&sys.Fault{Kernel: sys.Live(), N: n, Errno: sys.ENOMEM})
//	}
type Fault struct {
	Kernel Kernel // where calls go
	N      int    // the call that fails; 0: none
	Errno  Errno  // its error

	// After makes the call first and reports the failure although it took
	// effect, as a signal or a lost reply would. A descriptor or mapping that
	// the call returned is closed: its caller cannot know of it.
	After bool

	// OnCall, if set, is told about each counted call before it is made.
	OnCall func(n int, op string)

	mu    sync.Mutex
	calls int
}

// Calls is the number of calls so far.
func (f *Fault) Calls() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.calls
}

// hit counts a call and says whether it is the one.
func (f *Fault) hit(op string) bool {
	f.mu.Lock()
	f.calls++
	n := f.calls
	f.mu.Unlock()
	if f.OnCall != nil {
		f.OnCall(n, op)
	}
	return n == f.N
}

// plain makes a call that has no result.
func (f *Fault) plain(op string, call func() error) error {
	if !f.hit(op) {
		return call()
	}
	if f.After {
		if err := call(); err != nil {
			return err
		}
	}
	return &Error{Op: op, Errno: f.Errno}
}

// descriptor makes a call that returns a descriptor.
func (f *Fault) descriptor(op string, call func() (int, error)) (int, error) {
	n := -1
	err := f.plain(op, func() (err error) {
		n, err = call()
		return err
	})
	if err != nil && n >= 0 {
		f.Kernel.Close(n)
		n = -1
	}
	return n, err
}

// BPF makes a command or lets it fail.
func (f *Fault) BPF(cmd Cmd, attr Attr) (int, error) {
	call := func() (int, error) { return f.Kernel.BPF(cmd, attr) }
	var n int
	var err error
	if returnsFD(cmd) {
		n, err = f.descriptor(cmdName(cmd), call)
	} else {
		err = f.plain(cmdName(cmd), func() (err error) { n, err = call(); return err })
	}
	if e, ok := err.(*Error); ok && e.Subject == "" {
		e.Cmd, e.Subject = cmd, subject(attr)
	}
	return n, err
}

// OpenAt makes the call or lets it fail.
func (f *Fault) OpenAt(dir int, path string, how OpenHow) (int, error) {
	return f.descriptor("openat2", func() (int, error) { return f.Kernel.OpenAt(dir, path, how) })
}

// MkdirAt makes the call or lets it fail.
func (f *Fault) MkdirAt(dir int, path string, mode uint32) error {
	return f.plain("mkdirat", func() error { return f.Kernel.MkdirAt(dir, path, mode) })
}

// UnlinkAt makes the call or lets it fail.
func (f *Fault) UnlinkAt(dir int, path string, flags int) error {
	return f.plain("unlinkat", func() error { return f.Kernel.UnlinkAt(dir, path, flags) })
}

// SymlinkAt makes the call or lets it fail.
func (f *Fault) SymlinkAt(target string, dir int, path string) error {
	return f.plain("symlinkat", func() error { return f.Kernel.SymlinkAt(target, dir, path) })
}

// RenameAt makes the call or lets it fail.
func (f *Fault) RenameAt(oldDir int, oldPath string, newDir int, newPath string, flags uint) error {
	return f.plain("renameat2", func() error { return f.Kernel.RenameAt(oldDir, oldPath, newDir, newPath, flags) })
}

// FstatAt makes the call or lets it fail.
func (f *Fault) FstatAt(dir int, path string, flags int) (st Stat, err error) {
	err = f.plain("fstatat", func() (err error) { st, err = f.Kernel.FstatAt(dir, path, flags); return err })
	return st, err
}

// Fstatfs makes the call or lets it fail.
func (f *Fault) Fstatfs(fd int) (st Statfs, err error) {
	err = f.plain("fstatfs", func() (err error) { st, err = f.Kernel.Fstatfs(fd); return err })
	return st, err
}

// ReadDir makes the call or lets it fail.
func (f *Fault) ReadDir(fd int) (list []DirEntry, err error) {
	err = f.plain("getdents64", func() (err error) { list, err = f.Kernel.ReadDir(fd); return err })
	return list, err
}

// Fchmod makes the call or lets it fail.
func (f *Fault) Fchmod(fd int, mode uint32) error {
	return f.plain("fchmod", func() error { return f.Kernel.Fchmod(fd, mode) })
}

// Fchown makes the call or lets it fail.
func (f *Fault) Fchown(fd, uid, gid int) error {
	return f.plain("fchown", func() error { return f.Kernel.Fchown(fd, uid, gid) })
}

// Mount makes the call or lets it fail.
func (f *Fault) Mount(source, target, fstype string, flags uintptr, data string) error {
	return f.plain("mount", func() error { return f.Kernel.Mount(source, target, fstype, flags, data) })
}

// Unmount makes the call or lets it fail.
func (f *Fault) Unmount(target string, flags int) error {
	return f.plain("umount2", func() error { return f.Kernel.Unmount(target, flags) })
}

// Mmap makes the call or lets it fail.
func (f *Fault) Mmap(fd int, offset int64, length, prot, flags int) (b []byte, err error) {
	err = f.plain("mmap", func() (err error) { b, err = f.Kernel.Mmap(fd, offset, length, prot, flags); return err })
	if err != nil && b != nil {
		f.Kernel.Munmap(b)
		b = nil
	}
	return b, err
}

// Munmap makes the call; it never fails here.
func (f *Fault) Munmap(b []byte) error { return f.Kernel.Munmap(b) }

// RaiseMemlock makes the call or lets it fail.
func (f *Fault) RaiseMemlock() error { return f.plain("prlimit", f.Kernel.RaiseMemlock) }

// Dup makes the call or lets it fail.
func (f *Fault) Dup(fd int) (int, error) {
	return f.descriptor("fcntl(F_DUPFD_CLOEXEC)", func() (int, error) { return f.Kernel.Dup(fd) })
}

// Close makes the call; it never fails here.
func (f *Fault) Close(fd int) error { return f.Kernel.Close(fd) }
