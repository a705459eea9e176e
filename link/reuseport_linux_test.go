package link

import (
	"errors"
	"testing"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/lode-bpf/lode/internal/ktest"
	"github.com/lode-bpf/lode/sys"
)

// Of two sockets with one address, the program chooses which gets the packets.
func TestKernelSKReuseportSelects(t *testing.T) {
	k := kernelTest(t)
	ktest.NetNS(t)
	group, to := reuseportGroup(t, unix.SOCK_DGRAM)
	m := socketMap(t, sys.MapTypeReuseportSockArray, group[1])
	code := insn(nil, 0xbf, 6, 1, 0, 0) // r6 = ctx
	code = selectSocket(code, m, 0)
	p := loadCode(t, sys.ProgLoadAttr{ProgType: sys.ProgTypeSKReuseport, ExpectedAttachType: sys.AttachSKReuseportSelect}, code)
	l, err := SKReuseport(k, p.Int(), group[0])
	own(t, l, err)
	const packets = 32 // each from another port: the kernel's own choice would hit both
	for range packets {
		if err := unix.Sendto(newSocket(t, unix.AF_INET, unix.SOCK_DGRAM), []byte("x"), 0, to); err != nil {
			t.Fatal(err)
		}
	}
	var got [2]int
	for i, fd := range group {
		for {
			if _, _, err := unix.Recvfrom(fd, make([]byte, 4), unix.MSG_DONTWAIT); err != nil {
				break
			}
			got[i]++
		}
	}
	if got != [2]int{0, packets} {
		t.Errorf("the sockets got %v packets, want all of %d at the second", got, packets)
	}
}

// A connection that waits at a socket which is closed moves to the one that the program
// chooses, instead of being reset.
func TestKernelSKReuseportMigrates(t *testing.T) {
	k := kernelTest(t)
	need(t, sys.AttachTypeFeature(sys.AttachSKReuseportSelectOrMigrate))
	ktest.NetNS(t)
	group, to := reuseportGroup(t, unix.SOCK_STREAM)
	m := socketMap(t, sys.MapTypeReuseportSockArray, group[0])
	key, value := uint32(1), uint64(group[1])
	if err := sys.MapUpdate(m.Int(), unsafe.Pointer(&key), unsafe.Pointer(&value), 0); err != nil {
		t.Fatal(err)
	}
	const migratingSK = 48                                // in struct sk_reuseport_md
	code := insn(nil, 0xbf, 6, 1, 0, 0)                   // r6 = ctx
	code = insn(code, 0x79, 2, 6, migratingSK, 0)         // r2 = ctx->migrating_sk
	first := selectSocket(nil, m, 0)                      // a new connection
	code = insn(code, 0x55, 2, 0, int16(len(first)/8), 0) // if r2 != 0 goto second
	code = selectSocket(append(code, first...), m, 1)
	p := loadCode(t, sys.ProgLoadAttr{ProgType: sys.ProgTypeSKReuseport, ExpectedAttachType: sys.AttachSKReuseportSelectOrMigrate}, code)
	l, err := SKReuseport(k, p.Int(), group[1])
	own(t, l, err)
	client := newSocket(t, unix.AF_INET, unix.SOCK_STREAM)
	if err := unix.Connect(client, to); err != nil {
		t.Fatal(err)
	}
	if n := waiting(t, group[1], 0); n != 0 {
		t.Fatal("the connection waits at the second socket before the first is closed")
	}
	if err := unix.Shutdown(group[0], unix.SHUT_RD); err != nil { // no longer a listener
		t.Fatal(err)
	}
	if n := waiting(t, group[1], 5000); n != 1 {
		t.Fatal("the connection did not move to the second socket")
	}
	conn, _, err := unix.Accept4(group[1], unix.SOCK_CLOEXEC)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(conn)
	if _, err := unix.Write(client, []byte("moved")); err != nil {
		t.Errorf("the moved connection: %v", err)
	}
	b := make([]byte, 8)
	if n, err := unix.Read(conn, b); err != nil || string(b[:n]) != "moved" {
		t.Errorf("the moved connection: %q, %v", b[:max(n, 0)], err)
	}
}

// reuseportGroup is two sockets that share an address; of streams, they listen.
func reuseportGroup(t *testing.T, typ int) (group [2]int, to *unix.SockaddrInet4) {
	t.Helper()
	to = &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}
	for i := range group {
		group[i] = newSocket(t, unix.AF_INET, typ)
		err := errors.Join(unix.SetsockoptInt(group[i], unix.SOL_SOCKET, unix.SO_REUSEPORT, 1), unix.Bind(group[i], to))
		if typ == unix.SOCK_STREAM {
			err = errors.Join(err, unix.Listen(group[i], 4))
		}
		if err != nil {
			t.Fatal(err)
		}
		sa, err := unix.Getsockname(group[0])
		if err != nil {
			t.Fatal(err)
		}
		to.Port = sa.(*unix.SockaddrInet4).Port
	}
	return group, to
}

// selectSocket chooses the socket of a slot of a map and ends the program, whose context
// is in r6.
func selectSocket(code []byte, m *sys.FD, slot int32) []byte {
	code = insn(code, 0x62, 10, 0, -4, slot) // *(u32 *)(r10 -4) = slot
	code = insn(code, 0xbf, 3, 10, 0, 0)     // r3 = r10
	code = insn(code, 0x07, 3, 0, 0, -4)     // r3 += -4
	code = insn(code, 0x18, 2, 1, 0, m.Num())
	code = insn(code, 0, 0, 0, 0, 0)
	code = insn(code, 0xbf, 1, 6, 0, 0)
	code = insn(code, 0xb7, 4, 0, 0, 0)
	code = insn(code, 0x85, 0, 0, 0, fnSelectReusport)
	code = insn(code, 0xb7, 0, 0, 0, 1) // SK_PASS
	return insn(code, 0x95, 0, 0, 0, 0)
}
