package sys

import "strconv"

// ENOTSUPP is a number of the kernel's own that bpf(2) lets out where it means
// EOPNOTSUPP.
const ENOTSUPP Errno = 524

// errnoNames are the numbers that recordings know by name.
var errnoNames = [...]struct {
	n    Errno
	name string
}{
	{EPERM, "EPERM"}, {ENOENT, "ENOENT"}, {ESRCH, "ESRCH"}, {EINTR, "EINTR"}, {EIO, "EIO"}, {ENXIO, "ENXIO"},
	{E2BIG, "E2BIG"}, {EBADF, "EBADF"}, {EAGAIN, "EAGAIN"}, {ENOMEM, "ENOMEM"}, {EACCES, "EACCES"}, {EFAULT, "EFAULT"},
	{EBUSY, "EBUSY"}, {EEXIST, "EEXIST"}, {EXDEV, "EXDEV"}, {ENODEV, "ENODEV"}, {ENOTDIR, "ENOTDIR"}, {EISDIR, "EISDIR"},
	{EINVAL, "EINVAL"}, {ENFILE, "ENFILE"}, {EMFILE, "EMFILE"}, {ENOSPC, "ENOSPC"}, {EROFS, "EROFS"}, {ERANGE, "ERANGE"},
	{EDEADLK, "EDEADLK"}, {ENAMETOOLONG, "ENAMETOOLONG"}, {ENOSYS, "ENOSYS"}, {ENOTEMPTY, "ENOTEMPTY"}, {ELOOP, "ELOOP"}, {EOVERFLOW, "EOVERFLOW"},
	{EPROTO, "EPROTO"}, {EMSGSIZE, "EMSGSIZE"}, {EOPNOTSUPP, "EOPNOTSUPP"}, {EADDRINUSE, "EADDRINUSE"}, {ENOBUFS, "ENOBUFS"}, {ETIMEDOUT, "ETIMEDOUT"},
	{ESTALE, "ESTALE"}, {ENOTSUPP, "ENOTSUPP"},
}

// ErrnoName is the name of an error number, such as "ENOENT", or "errno(N)".
func ErrnoName(e Errno) string {
	for _, r := range errnoNames {
		if r.n == e {
			return r.name
		}
	}
	return "errno(" + strconv.FormatUint(uint64(e), 10) + ")"
}

// ParseErrno is the inverse of ErrnoName.
func ParseErrno(s string) (Errno, bool) {
	for _, r := range errnoNames {
		if r.name == s {
			return r.n, true
		}
	}
	if len(s) > len("errno()") && s[:6] == "errno(" && s[len(s)-1] == ')' {
		n, err := strconv.ParseUint(s[6:len(s)-1], 10, 12)
		return Errno(n), err == nil
	}
	return 0, false
}
