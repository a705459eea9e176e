package link

import (
	"errors"
	"testing"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/lode-bpf/lode/internal/ktest"
	"github.com/lode-bpf/lode/sys"
)

// Helpers of the kernel that the programs below call (enum bpf_func_id).
const (
	fnMapLookup      = 1
	fnSelectReusport = 82
	fnSkRelease      = 86
	fnSkAssign       = 124
)

// loadCode loads given instructions.
func loadCode(t *testing.T, attr sys.ProgLoadAttr, code []byte) *sys.FD {
	t.Helper()
	log := make([]byte, 16<<10)
	attr.Insns, attr.InsnCount, attr.License = sys.BytesPtr(code), uint32(len(code)/8), sys.StringPtr("GPL")
	attr.LogBuf, attr.LogSize, attr.LogLevel = sys.BytesPtr(log), uint32(len(log)), 1
	p, err := sys.ProgLoad(sys.Live(), &attr)
	if err != nil {
		t.Fatalf("%v\n%s", err, log)
	}
	t.Cleanup(func() { p.Close() })
	return p
}

// socketMap is a map of two sockets, with one in slot 0.
func socketMap(t *testing.T, typ sys.MapType, socket int) *sys.FD {
	t.Helper()
	m, err := sys.MapCreate(sys.Live(), &sys.MapCreateAttr{MapType: typ, KeySize: 4, ValueSize: 8, MaxEntries: 2})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { m.Close() })
	key, value := uint32(0), uint64(socket)
	if err := sys.MapUpdate(m.Int(), unsafe.Pointer(&key), unsafe.Pointer(&value), 0); err != nil {
		t.Fatal(err)
	}
	return m
}

// keyZero stores 0 on the stack and points r2 to it, and r1 to the map.
func keyZero(code []byte, m *sys.FD) []byte {
	code = insn(code, 0x62, 10, 0, -4, 0)     // *(u32 *)(r10 -4) = 0
	code = insn(code, 0xbf, 2, 10, 0, 0)      // r2 = r10
	code = insn(code, 0x07, 2, 0, 0, -4)      // r2 += -4
	code = insn(code, 0x18, 1, 1, 0, m.Num()) // r1 = map
	return insn(code, 0, 0, 0, 0, 0)
}

// listen is a socket that waits for connections, and its port.
func listen(t *testing.T) (fd, port int) {
	t.Helper()
	fd = newSocket(t, unix.AF_INET, unix.SOCK_STREAM)
	if err := errors.Join(unix.Bind(fd, &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}), unix.Listen(fd, 4)); err != nil {
		t.Fatal(err)
	}
	sa, err := unix.Getsockname(fd)
	if err != nil {
		t.Fatal(err)
	}
	return fd, sa.(*unix.SockaddrInet4).Port
}

func dial(t *testing.T, port int) error {
	t.Helper()
	fd := newSocket(t, unix.AF_INET, unix.SOCK_STREAM)
	return unix.Connect(fd, &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}, Port: port})
}

// A connection to a port on which nobody listens ends at the socket that the program
// chooses.
func TestKernelSKLookupSteers(t *testing.T) {
	k := kernelTest(t)
	ktest.NetNS(t)
	fd, port := listen(t)
	other := port ^ 1
	if err := dial(t, other); !errors.Is(err, unix.ECONNREFUSED) {
		t.Fatalf("somebody listens on the other port: %v", err)
	}
	m := socketMap(t, sys.MapTypeSockMap, fd)
	code := insn(nil, 0xbf, 6, 1, 0, 0) // r6 = r1
	code = keyZero(code, m)
	code = insn(code, 0x85, 0, 0, 0, fnMapLookup)
	code = insn(code, 0x15, 0, 0, 8, 0) // if r0 == 0 goto pass
	code = insn(code, 0xbf, 7, 0, 0, 0) // r7 = r0
	code = insn(code, 0xbf, 1, 6, 0, 0)
	code = insn(code, 0xbf, 2, 7, 0, 0)
	code = insn(code, 0xb7, 3, 0, 0, 0)
	code = insn(code, 0x85, 0, 0, 0, fnSkAssign)
	code = insn(code, 0xbf, 1, 7, 0, 0)
	code = insn(code, 0x85, 0, 0, 0, fnSkRelease)
	code = insn(code, 0x05, 0, 0, 0, 0)
	code = insn(code, 0xb7, 0, 0, 0, 1) // pass: r0 = SK_PASS
	code = insn(code, 0x95, 0, 0, 0, 0)
	p := loadCode(t, sys.ProgLoadAttr{ProgType: sys.ProgTypeSKLookup, ExpectedAttachType: sys.AttachSKLookup}, code)
	ns, err := unix.Open("/proc/thread-self/ns/net", unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(ns)
	l, err := NetNS(k, p.Int(), ns, sys.AttachSKLookup)
	own(t, l, err)
	if err := dial(t, other); err != nil {
		t.Fatalf("the connection was not steered: %v", err)
	}
	conn, from, err := unix.Accept4(fd, unix.SOCK_CLOEXEC)
	if err != nil {
		t.Fatal(err)
	}
	local, _ := unix.Getsockname(conn)
	unix.Close(conn)
	if got := local.(*unix.SockaddrInet4).Port; got != other {
		t.Errorf("the accepted connection from %v has port %d, want %d", from, got, other)
	}
	if err := l.Close(); err != nil {
		t.Error(err)
	}
	if err := dial(t, other); !errors.Is(err, unix.ECONNREFUSED) {
		t.Errorf("after Close: %v", err)
	}
}

// A verdict program on a socket map drops what a socket receives.
func TestKernelSKSKBVerdict(t *testing.T) {
	for _, hook := range []sys.AttachType{sys.AttachSKSKBVerdict, sys.AttachSKSKBStreamVerdict} {
		t.Run(hook.String(), func(t *testing.T) {
			need(t, sys.AttachTypeFeature(hook))
			skbVerdict(t, hook)
		})
	}
}

func skbVerdict(t *testing.T, hook sys.AttachType) {
	k := kernelTest(t)
	ktest.NetNS(t)
	a, b := tcpPair(t)
	m, err := sys.MapCreate(k, &sys.MapCreateAttr{MapType: sys.MapTypeSockMap, KeySize: 4, ValueSize: 8, MaxEntries: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	var parser *counter
	if hook == sys.AttachSKSKBStreamVerdict { // these come in pairs: one cuts the stream into messages
		parser = loadType(t, sys.ProgTypeSKSKB, sys.AttachSKSKBStreamParser, 4)
		l, err := SockMap(k, parser.fd(), m.Int(), sys.AttachSKSKBStreamParser)
		own(t, l, err)
	}
	const drop = 0
	p := loadType(t, sys.ProgTypeSKSKB, hook, drop)
	l, err := SockMap(k, p.fd(), m.Int(), hook)
	own(t, l, err)
	key, value := uint32(0), uint64(b)
	if err := sys.MapUpdate(m.Int(), unsafe.Pointer(&key), unsafe.Pointer(&value), 0); err != nil {
		t.Fatal(err)
	}
	if _, err := unix.Write(a, []byte("gone")); err != nil {
		t.Fatal(err)
	}
	if n, err := unix.Poll([]unix.PollFd{{Fd: int32(b), Events: unix.POLLIN}}, 200); n != 0 || err != nil || p.runs(t) == 0 {
		t.Errorf("the dropped bytes: poll %d, %v after %d runs", n, err, p.runs(t))
	}
	if parser != nil && parser.runs(t) == 0 {
		t.Error("the parser did not run")
	}
}

// At the egress the program sees what leaves.
func TestKernelTCXEgress(t *testing.T) {
	k := kernelTest(t)
	hook := sys.AttachTCXEgress
	need(t, sys.AttachTypeFeature(hook))
	ktest.NetNS(t)
	u := newUDP(t)
	const drop = 2
	p := loadType(t, sys.ProgTypeSchedCls, hook, drop)
	l, err := TCX(k, p.fd(), loopback, hook, Anchor{})
	own(t, l, err)
	if u.arrives(t) || p.runs(t) == 0 {
		t.Errorf("the packet left after %d runs", p.runs(t))
	}
	if err := l.Close(); err != nil || !u.arrives(t) {
		t.Errorf("after Close: %v", err)
	}
}
