package sys

import "syscall"

// An Errno is a Linux error number. On Linux it is syscall.Errno, so that
// errors.Is works with the constants of syscall and x/sys/unix and with
// fs.ErrNotExist, fs.ErrPermission and fs.ErrExist.
type Errno = syscall.Errno

// Error numbers that bpf(2) and the calls around it return.
const (
	EPERM        = syscall.EPERM
	ENOENT       = syscall.ENOENT
	ESRCH        = syscall.ESRCH
	EINTR        = syscall.EINTR
	EIO          = syscall.EIO
	ENXIO        = syscall.ENXIO
	E2BIG        = syscall.E2BIG
	EBADF        = syscall.EBADF
	EAGAIN       = syscall.EAGAIN
	ENOMEM       = syscall.ENOMEM
	EACCES       = syscall.EACCES
	EFAULT       = syscall.EFAULT
	EBUSY        = syscall.EBUSY
	EEXIST       = syscall.EEXIST
	EXDEV        = syscall.EXDEV
	ENODEV       = syscall.ENODEV
	ENOTDIR      = syscall.ENOTDIR
	EISDIR       = syscall.EISDIR
	EINVAL       = syscall.EINVAL
	ENFILE       = syscall.ENFILE
	EMFILE       = syscall.EMFILE
	ENOSPC       = syscall.ENOSPC
	EROFS        = syscall.EROFS
	ERANGE       = syscall.ERANGE
	EDEADLK      = syscall.EDEADLK
	ENAMETOOLONG = syscall.ENAMETOOLONG
	ENOSYS       = syscall.ENOSYS
	ENOTEMPTY    = syscall.ENOTEMPTY
	ELOOP        = syscall.ELOOP
	EOVERFLOW    = syscall.EOVERFLOW
	EPROTO       = syscall.EPROTO
	EMSGSIZE     = syscall.EMSGSIZE
	EOPNOTSUPP   = syscall.EOPNOTSUPP
	EADDRINUSE   = syscall.EADDRINUSE
	ENOBUFS      = syscall.ENOBUFS
	ETIMEDOUT    = syscall.ETIMEDOUT
	ESTALE       = syscall.ESTALE
)
