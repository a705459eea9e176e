package sys

import (
	"encoding/binary"
	"runtime"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Call makes a call.
func (live) Call(c Call) (int, error) {
	n, err := c.do()
	if err == nil && c.opens() != "" && n <= 2 {
		up, errUp := unix.FcntlInt(uintptr(n), unix.F_DUPFD_CLOEXEC, 3)
		unix.Close(n)
		n, err = up, errUp
	}
	if err != nil {
		e := &Error{Op: c.op(), Subject: c.subject(), Errno: ErrnoOf(err)}
		e.Hint = callHint(c, e.Errno)
		return -1, e
	}
	return n, nil
}

func callHint(c Call, e Errno) string {
	if e != EPERM && e != EACCES {
		return ""
	}
	held, ok := effectiveCaps(readProc("/proc/thread-self/status"))
	lacks := func(c capability) bool { return ok && held&(1<<c) == 0 }
	var missing capability
	switch c.(type) {
	case *PerfEventOpen, *Ioctl:
		if lacks(capSysAdmin) { // CAP_PERFMON is enough, but for uprobes of some kernels
			missing = capSysAdmin
			if lacks(capPerfmon) {
				missing = capPerfmon
			}
		}
	case *Netlink, *SetSockOpt:
		if lacks(capNetAdmin) {
			missing = capNetAdmin
		}
	}
	if missing == 0 {
		return ""
	}
	return "the process lacks " + missing.String()
}

func (c *PerfEventOpen) do() (int, error) {
	const disabled, frequency = unix.PerfBitDisabled, unix.PerfBitFreq
	a := unix.PerfEventAttr{Type: c.Type, Size: uint32(unsafe.Sizeof(unix.PerfEventAttr{})), Config: c.Config,
		Ext2: c.Config2, Sample: c.SamplePeriod, Bits: disabled}
	if c.Frequency {
		a.Bits |= frequency
	}
	var name *byte
	if c.Name != "" {
		var err error
		if name, err = unix.BytePtrFromString(c.Name); err != nil {
			return -1, EINVAL
		}
		a.Ext1 = uint64(uintptr(unsafe.Pointer(name)))
	}
	var pin runtime.Pinner // Ext1 is a number to the garbage collector
	if name != nil {
		pin.Pin(name)
		defer pin.Unpin()
	}
	n, err := unix.PerfEventOpen(&a, c.PID, c.CPU, -1, unix.PERF_FLAG_FD_CLOEXEC)
	return n, err
}

func (c *Ioctl) do() (int, error) {
	for {
		n, _, e := unix.Syscall(unix.SYS_IOCTL, uintptr(c.FD), uintptr(c.Request), uintptr(c.Arg))
		if e == 0 {
			return int(n), nil
		}
		if e != EINTR {
			return -1, e
		}
	}
}

func (c *SetSockOpt) do() (int, error) {
	return 0, unix.SetsockoptInt(c.FD, c.Level, c.Name, int(c.Value))
}

// maxFile bounds what ReadFile reads.
const maxFile = 64 << 20

func (c *ReadFile) do() (n int, err error) {
	c.Data, err = readFile(c.Path, maxFile)
	return len(c.Data), err
}

func (c *WriteFile) do() (int, error) {
	fd, err := openFile(c.Path, unix.O_WRONLY|unix.O_APPEND)
	if err != nil {
		return -1, err
	}
	defer unix.Close(fd)
	for {
		n, err := unix.Write(fd, []byte(c.Data)) // a command: in one piece
		if err != unix.EINTR {
			return n, err
		}
	}
}

func openFile(path string, flags int) (int, error) {
	for {
		fd, err := unix.Open(path, flags|unix.O_CLOEXEC|unix.O_NOCTTY, 0)
		if err != unix.EINTR {
			return fd, err
		}
	}
}

// netlinkSequence is the number of the one request on a socket.
const netlinkSequence = 1

func (c *Netlink) do() (int, error) {
	if len(c.Message) < unix.SizeofNlMsghdr {
		return -1, EINVAL
	}
	fd, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC, c.Protocol)
	if err != nil {
		return -1, err
	}
	defer unix.Close(fd)
	if err := unix.Bind(fd, &unix.SockaddrNetlink{Family: unix.AF_NETLINK}); err != nil {
		return -1, err
	}
	unix.SetsockoptInt(fd, unix.SOL_NETLINK, unix.NETLINK_EXT_ACK, 1) // explanations: 4.12, and only nice to have
	unix.SetsockoptInt(fd, unix.SOL_NETLINK, unix.NETLINK_CAP_ACK, 1)
	e := binary.NativeEndian
	m := append([]byte(nil), c.Message...)
	e.PutUint32(m, uint32(len(m)))
	e.PutUint16(m[6:], e.Uint16(m[6:])|unix.NLM_F_REQUEST|unix.NLM_F_ACK)
	e.PutUint32(m[8:], netlinkSequence)
	if err := unix.Sendto(fd, m, 0, &unix.SockaddrNetlink{Family: unix.AF_NETLINK}); err != nil {
		return -1, err
	}
	c.Answers = nil
	buf := make([]byte, 64<<10)
	for {
		n, _, err := unix.Recvfrom(fd, buf, 0)
		if err == unix.EINTR {
			continue
		}
		if err != nil {
			return -1, err
		}
		if finished, err := c.take(buf[:n]); finished {
			return len(c.Answers), err
		}
	}
}

// take sorts the messages of one datagram; true after the last.
func (c *Netlink) take(b []byte) (bool, error) {
	e := binary.NativeEndian
	for len(b) >= unix.SizeofNlMsghdr {
		size := int(e.Uint32(b))
		if size < unix.SizeofNlMsghdr || size > len(b) {
			return true, EPROTO
		}
		m := b[:size]
		b = b[min((size+3)&^3, len(b)):]
		if e.Uint32(m[8:]) != netlinkSequence {
			continue
		}
		switch e.Uint16(m[4:]) {
		case unix.NLMSG_ERROR:
			if len(m) < unix.SizeofNlMsghdr+4 {
				return true, EPROTO
			}
			code := -int32(e.Uint32(m[unix.SizeofNlMsghdr:]))
			if code == 0 {
				return true, nil
			}
			c.Explanation = explanation(m)
			return true, Errno(code)
		case unix.NLMSG_DONE:
			return true, nil
		default:
			c.Answers = append(c.Answers, append([]byte(nil), m...))
		}
	}
	return false, nil
}

// explanation finds the text of an extended acknowledgement: attributes behind the
// error number and the header of the request (NLM_F_CAPPED).
func explanation(m []byte) string {
	const extAckTLVs, messageAttr = 0x200, 1
	e := binary.NativeEndian
	if e.Uint16(m[6:])&extAckTLVs == 0 {
		return ""
	}
	for b := m[min(unix.SizeofNlMsghdr+4+unix.SizeofNlMsghdr, len(m)):]; len(b) >= 4; {
		size := int(e.Uint16(b))
		if size < 4 || size > len(b) {
			return ""
		}
		if e.Uint16(b[2:]) == messageAttr && size > 5 {
			return string(b[4 : size-1])
		}
		b = b[min((size+3)&^3, len(b)):]
	}
	return ""
}
