//go:build !linux

package sys

// Live is the running kernel. This system is not Linux: every call fails with an
// *Error that matches [ErrNotSupported].
func Live() Kernel { return live{} }

type live struct{}

func unsupported(op string) error {
	return &Error{Op: op, Errno: ENOSYS, Hint: "bpf(2) exists on Linux only"}
}

func (live) BPF(cmd Cmd, attr Attr) (int, error) {
	err := bpfError(cmd, attr, ENOSYS)
	err.Hint = "bpf(2) exists on Linux only"
	return -1, err
}

func (live) OpenAt(int, string, OpenHow) (int, error)            { return -1, unsupported("openat2") }
func (live) MkdirAt(int, string, uint32) error                   { return unsupported("mkdirat") }
func (live) UnlinkAt(int, string, int) error                     { return unsupported("unlinkat") }
func (live) SymlinkAt(string, int, string) error                 { return unsupported("symlinkat") }
func (live) RenameAt(int, string, int, string, uint) error       { return unsupported("renameat2") }
func (live) FstatAt(int, string, int) (Stat, error)              { return Stat{}, unsupported("fstatat") }
func (live) Fstatfs(int) (Statfs, error)                         { return Statfs{}, unsupported("fstatfs") }
func (live) ReadDir(int) ([]DirEntry, error)                     { return nil, unsupported("getdents64") }
func (live) Fchmod(int, uint32) error                            { return unsupported("fchmod") }
func (live) Fchown(int, int, int) error                          { return unsupported("fchown") }
func (live) Mount(string, string, string, uintptr, string) error { return unsupported("mount") }
func (live) Unmount(string, int) error                           { return unsupported("umount2") }
func (live) Mmap(int, int64, int, int, int) ([]byte, error)      { return nil, unsupported("mmap") }
func (live) Munmap([]byte) error                                 { return unsupported("munmap") }
func (live) RaiseMemlock() error                                 { return unsupported("prlimit") }
func (live) Dup(int) (int, error)                                { return -1, unsupported("fcntl") }
func (live) Close(int) error                                     { return unsupported("close") }
