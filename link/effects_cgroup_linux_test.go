package link

import (
	"errors"
	"io"
	"os"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/lode-bpf/lode/internal/ktest"
	"github.com/lode-bpf/lode/sys"
)

// A corner is one family's sockets for the hooks of a cgroup: a receiver that stands
// on an address, and the address.
type corner struct {
	family int
	recv   int
	to     unix.Sockaddr
	any    unix.Sockaddr // an address to bind to
}

func newSocket(t *testing.T, family, typ int) int {
	t.Helper()
	fd, err := unix.Socket(family, typ|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { unix.Close(fd) })
	return fd
}

func newCorner(t *testing.T, any unix.Sockaddr) *corner {
	t.Helper()
	c := &corner{any: any}
	switch any.(type) {
	case *unix.SockaddrInet4:
		c.family = unix.AF_INET
	case *unix.SockaddrInet6:
		c.family = unix.AF_INET6
	default:
		c.family = unix.AF_UNIX
	}
	c.recv = newSocket(t, c.family, unix.SOCK_DGRAM)
	if err := unix.Bind(c.recv, any); err != nil {
		t.Skip("no such addresses here: ", err)
	}
	var err error
	if c.to, err = unix.Getsockname(c.recv); err != nil {
		t.Fatal(err)
	}
	return c
}

// with runs f with a socket of the family.
func (c *corner) with(typ int, f func(fd int) error) error {
	fd, err := unix.Socket(c.family, typ|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	return f(fd)
}

func (c *corner) open() error { return c.with(unix.SOCK_DGRAM, func(int) error { return nil }) }

func (c *corner) bind() error {
	return c.with(unix.SOCK_DGRAM, func(fd int) error { return unix.Bind(fd, c.any) })
}

func (c *corner) connect() error {
	return c.with(unix.SOCK_DGRAM, func(fd int) error { return unix.Connect(fd, c.to) })
}

func (c *corner) send() error {
	return c.with(unix.SOCK_DGRAM, func(fd int) error {
		if err := unix.Sendto(fd, []byte("x"), 0, c.to); err != nil {
			return err
		}
		c.drain()
		return nil
	})
}

func (c *corner) drain() {
	for {
		if _, _, err := unix.Recvfrom(c.recv, make([]byte, 8), unix.MSG_DONTWAIT); err != nil {
			return
		}
	}
}

// receive takes what a socket with an address sent: only then there is a sender to
// rewrite.
func (c *corner) receive() error {
	return c.with(unix.SOCK_DGRAM, func(fd int) error {
		if c.family != unix.AF_UNIX {
			if err := unix.Bind(fd, c.any); err != nil {
				return err
			}
		} else if err := unix.Bind(fd, &unix.SockaddrUnix{}); err != nil { // the kernel chooses
			return err
		}
		if err := unix.Sendto(fd, []byte("x"), 0, c.to); err != nil {
			return err
		}
		_, _, err := unix.Recvfrom(c.recv, make([]byte, 8), unix.MSG_DONTWAIT) // it is there: delivery on this machine is done by Sendto
		return err
	})
}

func (c *corner) sockName() error {
	_, err := unix.Getsockname(c.recv)
	return err
}

func (c *corner) peerName() error {
	return c.with(unix.SOCK_DGRAM, func(fd int) error {
		if err := unix.Connect(fd, c.to); err != nil {
			return err
		}
		_, err := unix.Getpeername(fd)
		return err
	})
}

func (c *corner) option() error {
	_, err := unix.GetsockoptInt(c.recv, unix.SOL_SOCKET, unix.SO_RCVBUF)
	return err
}

func (c *corner) setOption() error {
	return unix.SetsockoptInt(c.recv, unix.SOL_SOCKET, unix.SO_RCVBUF, 8192)
}

// tcp makes a connection.
func (c *corner) tcp() error {
	return c.with(unix.SOCK_STREAM, func(l int) error {
		if err := errors.Join(unix.Bind(l, c.any), unix.Listen(l, 1)); err != nil {
			return err
		}
		to, err := unix.Getsockname(l)
		if err != nil {
			return err
		}
		return c.with(unix.SOCK_STREAM, func(fd int) error { return unix.Connect(fd, to) })
	})
}

func readFile(name string) func(*corner) error {
	return func(*corner) error {
		f, err := os.Open(name)
		if err != nil {
			return err
		}
		defer f.Close()
		_, err = f.Read(make([]byte, 1))
		if errors.Is(err, io.EOF) {
			err = nil
		}
		return err
	}
}

// Every hook of a cgroup: a program that allows is run by its event, one that
// refuses, put in its place by Update, makes the event fail, and after Close the event
// happens again without a program.
func TestKernelCgroupHooks(t *testing.T) {
	kernelTest(t)
	dir := ktest.Cgroup(t)
	join(t, dir)
	four, six, local := &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}, &unix.SockaddrInet6{Addr: [16]byte{15: 1}}, &unix.SockaddrUnix{}
	const never, always = false, true // may the program refuse?
	for _, h := range []struct {
		typ     sys.ProgType
		hook    sys.AttachType
		at      unix.Sockaddr
		event   func(*corner) error
		refuses bool
	}{
		{sys.ProgTypeCgroupSKB, sys.AttachCgroupInetEgress, four, (*corner).send, always},
		{sys.ProgTypeCgroupSKB, sys.AttachCgroupInetIngress, four, (*corner).send, never}, // refused packets vanish
		{sys.ProgTypeCgroupSock, sys.AttachCgroupInetSockCreate, four, (*corner).open, always},
		{sys.ProgTypeCgroupSock, sys.AttachCgroupInetSockRelease, four, (*corner).open, never},
		{sys.ProgTypeCgroupSock, sys.AttachCgroupInet4PostBind, four, (*corner).bind, always},
		{sys.ProgTypeCgroupSock, sys.AttachCgroupInet6PostBind, six, (*corner).bind, always},
		{sys.ProgTypeCgroupSockAddr, sys.AttachCgroupInet4Bind, four, (*corner).bind, always},
		{sys.ProgTypeCgroupSockAddr, sys.AttachCgroupInet6Bind, six, (*corner).bind, always},
		{sys.ProgTypeCgroupSockAddr, sys.AttachCgroupInet4Connect, four, (*corner).connect, always},
		{sys.ProgTypeCgroupSockAddr, sys.AttachCgroupInet6Connect, six, (*corner).connect, always},
		{sys.ProgTypeCgroupSockAddr, sys.AttachCgroupUnixConnect, local, (*corner).connect, always},
		{sys.ProgTypeCgroupSockAddr, sys.AttachCgroupUDP4SendMsg, four, (*corner).send, always},
		{sys.ProgTypeCgroupSockAddr, sys.AttachCgroupUDP6SendMsg, six, (*corner).send, always},
		{sys.ProgTypeCgroupSockAddr, sys.AttachCgroupUnixSendMsg, local, (*corner).send, always},
		{sys.ProgTypeCgroupSockAddr, sys.AttachCgroupUDP4RecvMsg, four, (*corner).receive, never},
		{sys.ProgTypeCgroupSockAddr, sys.AttachCgroupUDP6RecvMsg, six, (*corner).receive, never},
		{sys.ProgTypeCgroupSockAddr, sys.AttachCgroupUnixRecvMsg, local, (*corner).receive, never},
		{sys.ProgTypeCgroupSockAddr, sys.AttachCgroupInet4GetPeerName, four, (*corner).peerName, never},
		{sys.ProgTypeCgroupSockAddr, sys.AttachCgroupInet6GetPeerName, six, (*corner).peerName, never},
		{sys.ProgTypeCgroupSockAddr, sys.AttachCgroupUnixGetPeerName, local, (*corner).peerName, never},
		{sys.ProgTypeCgroupSockAddr, sys.AttachCgroupInet4GetSockName, four, (*corner).sockName, never},
		{sys.ProgTypeCgroupSockAddr, sys.AttachCgroupInet6GetSockName, six, (*corner).sockName, never},
		{sys.ProgTypeCgroupSockAddr, sys.AttachCgroupUnixGetSockName, local, (*corner).sockName, never},
		{sys.ProgTypeSockOps, sys.AttachCgroupSockOps, four, (*corner).tcp, never},
		{sys.ProgTypeCgroupDevice, sys.AttachCgroupDevice, four, readFile("/dev/null"), always},
		{sys.ProgTypeCgroupSysctl, sys.AttachCgroupSysctl, four, readFile("/proc/sys/net/ipv4/ip_forward"), always},
		{sys.ProgTypeCgroupSockOpt, sys.AttachCgroupGetSockOpt, four, (*corner).option, always},
		{sys.ProgTypeCgroupSockOpt, sys.AttachCgroupSetSockOpt, four, (*corner).setOption, always},
	} {
		t.Run(h.hook.String(), func(t *testing.T) {
			need(t, sys.AttachTypeFeature(h.hook))
			ktest.NetNS(t) // of the goroutine of this test, and so are the sockets
			c := newCorner(t, h.at)
			cgroupHook(t, dir, h.typ, h.hook, func() error { return h.event(c) }, h.refuses)
		})
	}
}

func cgroupHook(t *testing.T, dir string, typ sys.ProgType, hook sys.AttachType, event func() error, refuses bool) {
	const refuse, allow = 0, 1
	k := sys.Live()
	if err := event(); err != nil {
		t.Skip("the event does not happen here even without a program: ", err)
	}
	p := loadType(t, typ, hook, allow)
	l, err := Cgroup(k, p.fd(), dir, hook, Anchor{})
	own(t, l, err)
	if err := event(); err != nil || p.runs(t) == 0 {
		t.Errorf("with a program that allows: %v after %d runs", err, p.runs(t))
	}
	last := p
	if refuses {
		last = loadType(t, typ, hook, refuse)
		if err := l.Replace(last.fd(), p.fd()); err != nil {
			t.Fatal(err)
		}
		if err := event(); !errors.Is(err, sys.EPERM) || last.runs(t) == 0 {
			t.Errorf("with a program that refuses: %v after %d runs", err, last.runs(t))
		}
	}
	if info, err := l.Info(); err != nil || info.AttachType != hook || info.ProgID != last.id(t) {
		t.Errorf("info: %+v, %v", info, err)
	}
	if err := l.Close(); err != nil {
		t.Error(err)
	}
	runs := last.runs(t)
	if err := event(); err != nil || last.runs(t) != runs {
		t.Errorf("after Close: %v, and %d more runs", err, last.runs(t)-runs)
	}
}

// A security hook that only counts for the processes of one cgroup.
func TestKernelLSMCgroup(t *testing.T) {
	k := kernelTest(t)
	dir := ktest.Cgroup(t)
	const refuse = 0
	c := loadTracing(t, sys.ProgTypeLSM, sys.AttachLSMCgroup, kernelFunc(t, "bpf_lsm_socket_create"), refuse)
	open := func() error {
		fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
		if err == nil {
			unix.Close(fd)
		}
		return err
	}
	l, err := Cgroup(k, c.fd(), dir, sys.AttachLSMCgroup, Anchor{})
	own(t, l, err)
	if err := open(); err != nil || c.runs(t) != 0 {
		t.Errorf("outside of the cgroup: %v after %d runs", err, c.runs(t))
	}
	join(t, dir)
	if err := open(); !errors.Is(err, sys.EPERM) || c.runs(t) == 0 {
		t.Errorf("in the cgroup: %v after %d runs", err, c.runs(t))
	}
	if err := l.Close(); err != nil {
		t.Error(err)
	}
	if err := open(); err != nil {
		t.Errorf("after Close: %v", err)
	}
}

// The order of programs on a cgroup can be chosen: links are put beside links.
func TestKernelCgroupOrder(t *testing.T) {
	k := kernelTest(t)
	ktest.Kernel(t, 6, 17, "the order of programs on a cgroup")
	dir := ktest.Cgroup(t)
	const pass = 1
	hook := sys.AttachCgroupInetEgress
	a, b := loadType(t, sys.ProgTypeCgroupSKB, hook, pass), loadType(t, sys.ProgTypeCgroupSKB, hook, pass)
	l, err := Cgroup(k, a.fd(), dir, hook, Anchor{})
	own(t, l, err)
	m, err := Cgroup(k, b.fd(), dir, hook, Anchor{Before: true, Link: true, FD: l.FD()})
	own(t, m, err)
	fd, err := openDir(k, dir)
	if err != nil {
		t.Fatal(err)
	}
	defer fd.Close()
	h, err := Query(k, fd.Int(), hook)
	if err != nil || len(h.Programs) != 2 || h.Programs[0] != b.id(t) || h.Programs[1] != a.id(t) {
		t.Errorf("%+v, %v; want %d before %d", h, err, b.id(t), a.id(t))
	}
}
