//go:build !linux

package sys

import (
	"errors"
	"io/fs"
)

// An Errno is a Linux error number. On Linux it is syscall.Errno; elsewhere it
// keeps Linux's numbers, so that recordings mean the same everywhere.
type Errno uint32

// Error numbers that bpf(2) and the calls around it return.
const (
	EPERM        Errno = 1
	ENOENT       Errno = 2
	ESRCH        Errno = 3
	EINTR        Errno = 4
	EIO          Errno = 5
	ENXIO        Errno = 6
	E2BIG        Errno = 7
	EBADF        Errno = 9
	EAGAIN       Errno = 11
	ENOMEM       Errno = 12
	EACCES       Errno = 13
	EFAULT       Errno = 14
	EBUSY        Errno = 16
	EEXIST       Errno = 17
	EXDEV        Errno = 18
	ENODEV       Errno = 19
	ENOTDIR      Errno = 20
	EISDIR       Errno = 21
	EINVAL       Errno = 22
	ENFILE       Errno = 23
	EMFILE       Errno = 24
	ENOSPC       Errno = 28
	EROFS        Errno = 30
	ERANGE       Errno = 34
	EDEADLK      Errno = 35
	ENAMETOOLONG Errno = 36
	ENOSYS       Errno = 38
	ENOTEMPTY    Errno = 39
	ELOOP        Errno = 40
	EPROTO       Errno = 71
	EOVERFLOW    Errno = 75
	EMSGSIZE     Errno = 90
	EOPNOTSUPP   Errno = 95
	EADDRINUSE   Errno = 98
	ENOBUFS      Errno = 105
	ETIMEDOUT    Errno = 110
	ESTALE       Errno = 116
)

// Error is the name of the number, such as "ENOENT".
func (e Errno) Error() string { return ErrnoName(e) }

// Is makes errors.Is match the sentinels of io/fs and errors.ErrUnsupported as
// syscall.Errno does.
func (e Errno) Is(target error) bool {
	switch target {
	case fs.ErrPermission:
		return e == EPERM || e == EACCES
	case fs.ErrExist:
		return e == EEXIST || e == ENOTEMPTY
	case fs.ErrNotExist:
		return e == ENOENT
	case errors.ErrUnsupported:
		return e == ENOSYS || e == EOPNOTSUPP
	}
	return false
}
