package link

import (
	"encoding/binary"
	"testing"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/lode-bpf/lode/internal/ktest"
	"github.com/lode-bpf/lode/sys"
)

// kernelTest skips without bpf(2) and fails if the test leaves a descriptor open.
func kernelTest(t *testing.T) sys.Kernel {
	t.Helper()
	ktest.Root(t)
	ktest.NoFDLeaks(t)
	stop := sys.TrackFDs()
	t.Cleanup(func() {
		for _, fd := range stop() {
			t.Errorf("descriptor %d is still open; opened at\n%s", fd.Num, fd.Stack)
		}
	})
	return sys.Live()
}

// need skips on a kernel that lacks a feature.
func need(t *testing.T, f sys.Feature) {
	t.Helper()
	if err := sys.Probe(sys.Live(), f); err != nil {
		t.Skip(err)
	}
}

// own fails the test or closes the link at its end.
func own(t *testing.T, l *Link, err error) *Link {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := l.Close(); err != nil {
			t.Error(err)
		}
	})
	return l
}

// A counter is a program that counts how often it runs.
type counter struct {
	prog, values *sys.FD
}

func (c *counter) fd() int { return c.prog.Int() }

// runs is the number of runs so far.
func (c *counter) runs(t *testing.T) uint64 {
	t.Helper()
	var key uint32
	var value uint64
	if err := sys.MapLookup(c.values.Int(), unsafe.Pointer(&key), unsafe.Pointer(&value), 0); err != nil {
		t.Fatal(err)
	}
	return value
}

func (c *counter) id(t *testing.T) uint32 {
	t.Helper()
	var info sys.ProgInfo
	if err := sys.ObjGetInfoByFD(sys.Live(), c.fd(), &info); err != nil {
		t.Fatal(err)
	}
	return info.ID
}

// insn appends one instruction slot.
func insn(c []byte, op, dst, src uint8, off int16, imm int32) []byte {
	regs := dst | src<<4
	if binary.NativeEndian.Uint16([]byte{0, 1}) == 1 {
		regs = dst<<4 | src
	}
	c = append(c, op, regs)
	c = binary.NativeEndian.AppendUint16(c, uint16(off))
	return binary.NativeEndian.AppendUint32(c, uint32(imm))
}

// load loads a counter that returns ret. attr has what else the program needs.
func load(t *testing.T, attr sys.ProgLoadAttr, ret int32) *counter {
	t.Helper()
	k := sys.Live()
	m, err := sys.MapCreate(k, &sys.MapCreateAttr{MapType: sys.MapTypeArray, KeySize: 4, ValueSize: 8, MaxEntries: 1})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { m.Close() })
	code := insn(nil, 0x18, 1, 2, 0, m.Num()) // r1 = address of the value
	code = insn(code, 0, 0, 0, 0, 0)
	code = insn(code, 0xb7, 2, 0, 0, 1)   // r2 = 1
	code = insn(code, 0xdb, 1, 2, 0, 0)   // lock *(u64 *)r1 += r2
	code = insn(code, 0xb7, 0, 0, 0, ret) // r0 = ret
	code = insn(code, 0x95, 0, 0, 0, 0)   // exit
	log := make([]byte, 16<<10)
	attr.Insns, attr.InsnCount, attr.License = sys.BytesPtr(code), uint32(len(code)/8), sys.StringPtr("GPL")
	attr.LogBuf, attr.LogSize, attr.LogLevel = sys.BytesPtr(log), uint32(len(log)), 1
	p, err := sys.ProgLoad(k, &attr)
	if err != nil {
		t.Fatalf("%v\n%s", err, log)
	}
	t.Cleanup(func() { p.Close() })
	return &counter{p, m}
}

func loadType(t *testing.T, typ sys.ProgType, a sys.AttachType, ret int32) *counter {
	t.Helper()
	return load(t, sys.ProgLoadAttr{ProgType: typ, ExpectedAttachType: a}, ret)
}

// An udp is a pair of sockets on the loopback device.
type udp struct {
	send, recv int
	to         unix.SockaddrInet4
}

func newUDP(t *testing.T) *udp {
	t.Helper()
	u := &udp{send: -1, recv: -1, to: unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}}
	for _, s := range []*int{&u.send, &u.recv} {
		fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { unix.Close(fd) })
		*s = fd
	}
	if err := unix.Bind(u.recv, &u.to); err != nil {
		t.Fatal(err)
	}
	sa, err := unix.Getsockname(u.recv)
	if err != nil {
		t.Fatal(err)
	}
	u.to.Port = sa.(*unix.SockaddrInet4).Port
	return u
}

// arrives sends a packet and says whether it comes. On the loopback device it is
// there, or dropped, when the system call returns or a softirq later.
func (u *udp) arrives(t *testing.T) bool {
	t.Helper()
	return u.arrivesWithin(t, 200)
}

func (u *udp) arrivesWithin(t *testing.T, milliseconds int) bool {
	t.Helper()
	if err := unix.Sendto(u.send, []byte("x"), 0, &u.to); err != nil {
		return false
	}
	if waiting(t, u.recv, milliseconds) != 1 {
		return false
	}
	n, _, err := unix.Recvfrom(u.recv, make([]byte, 16), 0)
	return n == 1 && err == nil
}

// waiting is 1 if a socket has something to read, or a connection to accept, within a
// time.
func waiting(t *testing.T, fd, milliseconds int) int {
	t.Helper()
	for {
		n, err := unix.Poll([]unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}, milliseconds)
		if err != unix.EINTR {
			return n
		}
	}
}
