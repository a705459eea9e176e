//go:build !linux

package sys

const onLinux = false

// Constants of the calls in [Kernel]: Linux's on most of its architectures.
const (
	AT_FDCWD            = -100
	AT_EMPTY_PATH       = 0x1000
	AT_REMOVEDIR        = 0x200
	AT_SYMLINK_NOFOLLOW = 0x100

	O_RDONLY    = 0
	O_WRONLY    = 1
	O_RDWR      = 2
	O_DIRECTORY = 0o200000
	O_NOFOLLOW  = 0o400000
	O_NONBLOCK  = 0o4000
	O_PATH      = 0o10000000
	O_CLOEXEC   = 0o2000000
)

// Flags of Mmap.
const (
	PROT_READ  = 1
	PROT_WRITE = 2
	MAP_SHARED = 1
)

// Requests of perf events for [Ioctl].
const (
	PERF_EVENT_IOC_ENABLE  = 0x2400
	PERF_EVENT_IOC_DISABLE = 0x2401
	PERF_EVENT_IOC_SET_BPF = 0x40042408
)
