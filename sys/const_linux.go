package sys

import "golang.org/x/sys/unix"

const onLinux = true

// Constants of the calls in [Kernel].
const (
	AT_FDCWD            = unix.AT_FDCWD
	AT_EMPTY_PATH       = unix.AT_EMPTY_PATH
	AT_REMOVEDIR        = unix.AT_REMOVEDIR
	AT_SYMLINK_NOFOLLOW = unix.AT_SYMLINK_NOFOLLOW

	O_RDONLY    = unix.O_RDONLY
	O_WRONLY    = unix.O_WRONLY
	O_RDWR      = unix.O_RDWR
	O_DIRECTORY = unix.O_DIRECTORY
	O_NOFOLLOW  = unix.O_NOFOLLOW
	O_NONBLOCK  = unix.O_NONBLOCK
	O_PATH      = unix.O_PATH
	O_CLOEXEC   = unix.O_CLOEXEC
)

// Flags of Mmap.
const (
	PROT_READ  = unix.PROT_READ
	PROT_WRITE = unix.PROT_WRITE
	MAP_SHARED = unix.MAP_SHARED
)

// Requests of perf events for [Ioctl].
const (
	PERF_EVENT_IOC_ENABLE  = unix.PERF_EVENT_IOC_ENABLE
	PERF_EVENT_IOC_DISABLE = unix.PERF_EVENT_IOC_DISABLE
	PERF_EVENT_IOC_SET_BPF = unix.PERF_EVENT_IOC_SET_BPF
)
