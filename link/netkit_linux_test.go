package link

import (
	"errors"
	"slices"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/lode-bpf/lode/internal/ktest"
	"github.com/lode-bpf/lode/sys"
)

// A netkit is a pair of devices: what is sent at one end arrives at the other, if the
// programs let it.
type netkit struct{ primary, peer int }

const netkitPass, netkitDrop = 0, 2

// newNetkit makes a pair in layer-3 mode, both ends up.
func newNetkit(t *testing.T, k sys.Kernel) netkit {
	t.Helper()
	const ifName, linkInfo, infoKind = 3, 18, 1
	m := newMessage(rtmNewLink, nlmCreate|nlmExcl).u32(0, 0, 0, 0).attrString(ifName, "primary0").
		attr(linkInfo|nlaNested, message(nil).attrString(infoKind, "netkit"))
	if _, err := send(k, m, 0); errors.Is(err, sys.EOPNOTSUPP) {
		t.Skip("no netkit devices (CONFIG_NETKIT): ", err)
	} else if err != nil {
		t.Fatal(err)
	}
	var n netkit
	for name, index := range map[string]*int{"primary0": &n.primary, "nk0": &n.peer} { // the second as the kernel names it
		var err error
		if *index, err = InterfaceIndex(k, name); err != nil {
			t.Fatal(err)
		}
		up := linkMessage(rtmNewLink, *index)
		copy(up[24:], message(nil).u32(unix.IFF_UP, unix.IFF_UP))
		if _, err := send(k, up, 0); err != nil {
			t.Fatal(err)
		}
	}
	n.settle(t)
	return n
}

// settle waits until packets pass: the kernel drops them until it has seen both ends
// come up.
func (n netkit) settle(t *testing.T) {
	t.Helper()
	for _, ends := range [][2]int{{n.primary, n.peer}, {n.peer, n.primary}} {
		from, to := packetSocket(t, ends[0]), packetSocket(t, ends[1])
		for i := 0; !passes(t, from, to, ends[0], 10); i++ {
			if i == 1000 {
				t.Fatal("no packet passes from one end to the other")
			}
			time.Sleep(time.Millisecond)
		}
	}
}

const etherIPv4 = 0x0800

// swapped is a number in network byte order.
func swapped(n uint16) uint16 {
	if message(nil).u32(1)[0] == 1 {
		return n<<8 | n>>8
	}
	return n
}

// packetSocket is a socket that gets the IPv4 packets of a device.
func packetSocket(t *testing.T, dev int) int {
	t.Helper()
	s := newSocket(t, unix.AF_PACKET, unix.SOCK_DGRAM|unix.SOCK_NONBLOCK)
	if err := unix.Bind(s, &unix.SockaddrLinklayer{Protocol: swapped(etherIPv4), Ifindex: dev}); err != nil {
		t.Fatal(err)
	}
	return s
}

// passes sends one packet out at a device and says whether it comes in at the other end.
func passes(t *testing.T, from, to, dev, milliseconds int) bool {
	header := make([]byte, 20)
	header[0] = 0x45
	if err := unix.Sendto(from, header, 0, &unix.SockaddrLinklayer{Protocol: swapped(etherIPv4), Ifindex: dev}); err != nil {
		return false
	}
	for waiting(t, to, milliseconds) == 1 {
		_, sa, err := unix.Recvfrom(to, make([]byte, 64), 0)
		ll, ok := sa.(*unix.SockaddrLinklayer)
		if err == nil && ok && ll.Pkttype != unix.PACKET_OUTGOING {
			return true
		}
	}
	return false
}

// A program at either end decides about what is sent there, and not about what is sent at
// the other one.
func TestKernelNetkit(t *testing.T) {
	for _, hook := range []sys.AttachType{sys.AttachNetkitPrimary, sys.AttachNetkitPeer} {
		t.Run(hook.String(), func(t *testing.T) {
			k := kernelTest(t)
			need(t, sys.AttachTypeFeature(hook))
			ktest.NetNS(t)
			n := newNetkit(t, k)
			here, there := n.primary, n.peer
			if hook == sys.AttachNetkitPeer {
				here, there = there, here
			}
			a, b := packetSocket(t, here), packetSocket(t, there)
			c := loadType(t, sys.ProgTypeSchedCls, sys.AttachNetkitPrimary, netkitDrop)
			l, err := Netkit(k, c.fd(), n.primary, hook, Anchor{})
			own(t, l, err)
			if passes(t, a, b, here, 200) || c.runs(t) == 0 {
				t.Errorf("a packet passed that the program drops, after %d runs", c.runs(t))
			}
			runs := c.runs(t)
			if !passes(t, b, a, there, 5000) || c.runs(t) != runs {
				t.Error("the program decided about a packet of the other end")
			}
			if h, err := Query(k, n.primary, hook); err != nil || !slices.Equal(h.Programs, []uint32{c.id(t)}) {
				t.Errorf("query: %+v, %v", h, err)
			}
			if info, err := l.Info(); err != nil || info.Type != sys.LinkTypeNetkit || info.AttachType != hook || info.IfIndex == 0 {
				t.Errorf("info: %+v, %v", info, err)
			}
			if err := l.Close(); err != nil || !passes(t, a, b, here, 5000) {
				t.Errorf("after Close: %v", err)
			}
		})
	}
}

// The kernel asks the flow dissector of the namespace about packets that a process makes
// itself: where the transport header is.
func TestKernelFlowDissector(t *testing.T) {
	k := kernelTest(t)
	ktest.NetNS(t)
	ns, err := unix.Open("/proc/thread-self/ns/net", unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(ns)
	s := newSocket(t, unix.AF_PACKET, unix.SOCK_DGRAM)
	packet := func() {
		header := make([]byte, 28)
		header[0] = 0x45
		if err := unix.Sendto(s, header, 0, &unix.SockaddrLinklayer{Protocol: swapped(etherIPv4), Ifindex: loopback}); err != nil {
			t.Fatal(err)
		}
	}
	const ok = 0
	d := loadType(t, sys.ProgTypeFlowDissector, sys.AttachFlowDissector, ok)
	l, err := NetNS(k, d.fd(), ns, sys.AttachFlowDissector)
	own(t, l, err)
	var taken *TakenError
	_, err = NetNS(k, d.fd(), ns, sys.AttachFlowDissector)
	if !errors.As(err, &taken) || !slices.Equal(taken.Programs, []uint32{d.id(t)}) {
		t.Errorf("a second flow dissector: %v", err)
	}
	fires(t, d, l, nil, packet)
}
