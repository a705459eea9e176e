package sys

import (
	"runtime"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Live is the running kernel.
func Live() Kernel { return live{} }

type live struct{}

// bpf is the bare system call: no retry, no allocation.
func bpf(cmd Cmd, attr unsafe.Pointer, size uintptr) (int, Errno) {
	r, _, e := unix.Syscall(unix.SYS_BPF, uintptr(cmd), uintptr(attr), size)
	return int(r), e
}

func bpfCommon(cmd Cmd, attr unsafe.Pointer, size uintptr, common *CommonAttr) (int, Errno) {
	r, _, e := unix.Syscall6(unix.SYS_BPF, uintptr(cmd|CmdCommonAttrs), uintptr(attr), size,
		uintptr(unsafe.Pointer(common)), unsafe.Sizeof(*common), 0)
	return int(r), e
}

// maxAttempts is how often a command is made that the kernel broke off for a
// signal: EAGAIN of BPF_PROG_LOAD, EINTR of BPF_PROG_TEST_RUN.
const maxAttempts = 5

// BPF makes one command, again where the kernel asks for it.
func (live) BPF(cmd Cmd, attr Attr) (int, error) {
	p, l := attr.raw()
	common, _ := attr.(*WithCommon)
	var n int
	var e Errno
	for attempt := 1; ; attempt++ {
		if common != nil {
			n, e = bpfCommon(cmd, p, l.size, common.Common)
		} else {
			n, e = bpf(cmd, p, l.size)
		}
		if e == 0 || attempt == maxAttempts || !again(cmd, attr, e) {
			break
		}
	}
	runtime.KeepAlive(attr)
	if e != 0 {
		err := bpfError(cmd, attr, e)
		err.Hint = hint(cmd, attr, e)
		return -1, err
	}
	if returnsFD(cmd) {
		return moveUp(cmd, attr, n)
	}
	return n, nil
}

// again says whether the kernel broke a command off without having done it.
func again(cmd Cmd, attr Attr, e Errno) bool {
	switch cmd {
	case CmdProgLoad:
		return e == EAGAIN
	case CmdProgTestRun:
		t, ok := attr.(*ProgTestRunAttr)
		return e == EINTR && ok && t.Flags&BPF_F_TEST_XDP_LIVE_FRAMES == 0
	}
	return false
}

// moveUp moves a descriptor that landed on standard input, output or error,
// because the process was started without them, to a number above these.
func moveUp(cmd Cmd, attr Attr, fd int) (int, error) {
	if fd > 2 {
		return fd, nil
	}
	up, err := unix.FcntlInt(uintptr(fd), unix.F_DUPFD_CLOEXEC, 3)
	unix.Close(fd)
	if err != nil {
		return -1, bpfError(cmd, attr, ErrnoOf(err))
	}
	return up, nil
}

// Dup makes another descriptor of the same object.
func (live) Dup(fd int) (int, error) {
	n, err := unix.FcntlInt(uintptr(fd), unix.F_DUPFD_CLOEXEC, 3)
	if err != nil {
		return -1, callError("fcntl(F_DUPFD_CLOEXEC)", "", err)
	}
	return n, nil
}

// Close closes fd.
func (live) Close(fd int) error {
	if err := unix.Close(fd); err != nil && err != unix.EINTR {
		return callError("close", "", err)
	}
	return nil
}

// RaiseMemlock lifts RLIMIT_MEMLOCK, as far as the hard limit allows without
// CAP_SYS_RESOURCE.
func (live) RaiseMemlock() error {
	lim := unix.Rlimit{Cur: unix.RLIM_INFINITY, Max: unix.RLIM_INFINITY}
	err := unix.Prlimit(0, unix.RLIMIT_MEMLOCK, &lim, nil)
	if err == nil {
		return nil
	}
	var have unix.Rlimit
	if unix.Prlimit(0, unix.RLIMIT_MEMLOCK, nil, &have) == nil && have.Cur < have.Max {
		lim = unix.Rlimit{Cur: have.Max, Max: have.Max}
		if unix.Prlimit(0, unix.RLIMIT_MEMLOCK, &lim, nil) == nil {
			return nil
		}
	}
	return callError("prlimit(RLIMIT_MEMLOCK)", "", err)
}
