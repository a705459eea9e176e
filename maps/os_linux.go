package maps

import (
	"os"
	"syscall"
	"unsafe"

	"github.com/lode-bpf/lode/sys"
)

// pollable makes a file of a descriptor that the Go runtime waits on, so that a
// goroutine that waits holds no thread. It takes the descriptor.
func pollable(fd *sys.FD, name string) (*os.File, error) {
	n := fd.Int()
	if err := syscall.SetNonblock(n, true); err != nil {
		fd.Close()
		return nil, os.NewSyscallError("fcntl(F_SETFL)", err)
	}
	return os.NewFile(uintptr(fd.Release()), name), nil
}

// perfEventAttr is struct perf_event_attr in its first version
// (PERF_ATTR_SIZE_VER0, include/uapi/linux/perf_event.h).
type perfEventAttr struct {
	typ, size    uint32
	config       uint64
	samplePeriod uint64
	sampleType   uint64
	readFormat   uint64
	flags        uint64
	wakeup       uint32
	bpType       uint32
	config1      uint64
}

const (
	perfTypeSoftware   = 1
	perfCountBPFOutput = 10
	perfSampleRaw      = 1 << 10
	perfFlagFDCloexec  = 1 << 3
)

// openPerfOutput opens the event that programs write their output for one CPU
// to, with a wakeup once watermark bytes are waiting.
func openPerfOutput(cpu int, watermark uint32) (*sys.FD, error) {
	flags := uint64(1) << 14 // the bit field watermark
	if nativeEndian.Uint16([]byte{1, 0}) != 1 {
		flags = 1 << (63 - 14) // bit fields count from the other end
	}
	attr := perfEventAttr{typ: perfTypeSoftware, config: perfCountBPFOutput, sampleType: perfSampleRaw,
		samplePeriod: 1, flags: flags, wakeup: max(1, watermark)}
	attr.size = uint32(unsafe.Sizeof(attr))
	fd, _, errno := syscall.Syscall6(syscall.SYS_PERF_EVENT_OPEN, uintptr(unsafe.Pointer(&attr)), ^uintptr(0), uintptr(cpu),
		^uintptr(0), perfFlagFDCloexec, 0)
	if errno != 0 {
		return nil, os.NewSyscallError("perf_event_open", errno)
	}
	return sys.NewFD(sys.Live(), int(fd)), nil
}

// enablePerf starts or stops an event.
func enablePerf(fd int, on bool) error {
	request := uintptr(sys.PERF_EVENT_IOC_DISABLE)
	if on {
		request = sys.PERF_EVENT_IOC_ENABLE
	}
	if _, _, errno := syscall.Syscall(syscall.SYS_IOCTL, uintptr(fd), request, 0); errno != 0 {
		return os.NewSyscallError("ioctl(PERF_EVENT_IOC_ENABLE)", errno)
	}
	return nil
}

// openEpoll makes a descriptor that is readable when one of the others is.
func openEpoll(fds []int) (*sys.FD, error) {
	n, err := syscall.EpollCreate1(syscall.EPOLL_CLOEXEC)
	if err != nil {
		return nil, os.NewSyscallError("epoll_create1", err)
	}
	ep := sys.NewFD(sys.Live(), n)
	for _, fd := range fds {
		event := syscall.EpollEvent{Events: syscall.EPOLLIN, Fd: int32(fd)}
		if err := syscall.EpollCtl(n, syscall.EPOLL_CTL_ADD, fd, &event); err != nil {
			ep.Close()
			return nil, os.NewSyscallError("epoll_ctl", err)
		}
	}
	return ep, nil
}

// drainEpoll takes the pending events of an epoll descriptor, so that the next
// one wakes its waiter again.
func drainEpoll(fd int) {
	var events [16]syscall.EpollEvent
	// An error leaves the events pending, which costs one wakeup too many.
	_, _ = syscall.EpollWait(fd, events[:], 0)
}
