package link

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/google/go-cmp/cmp"

	"github.com/lode-bpf/lode/internal/ktest"
	"github.com/lode-bpf/lode/sys"
)

const (
	loopback = 1
	xdpDrop  = 1
	xdpPass  = 2
)

func TestKernelXDP(t *testing.T) {
	k := kernelTest(t)
	ktest.NetNS(t)
	u := newUDP(t)
	pass, drop := loadType(t, sys.ProgTypeXDP, 0, xdpPass), loadType(t, sys.ProgTypeXDP, 0, xdpDrop)
	o := XDPOptions{IfIndex: loopback, Mode: XDPGeneric}
	l, err := XDP(k, pass.fd(), o)
	own(t, l, err)
	if !u.arrives(t) || pass.runs(t) == 0 {
		t.Errorf("the packet did not pass, or the program did not run (%d)", pass.runs(t))
	}
	_, err = XDP(k, drop.fd(), o)
	var taken *TakenError
	if !errors.As(err, &taken) || !slices.Equal(taken.Programs, []uint32{pass.id(t)}) || !strings.Contains(err.Error(), "xdp on interface 1") {
		t.Errorf("a second program: %v", err)
	}
	if err := l.Replace(drop.fd(), drop.fd()); !errors.Is(err, sys.EPERM) {
		t.Errorf("replacing what is not there: %v", err)
	}
	if err := l.Replace(drop.fd(), pass.fd()); err != nil {
		t.Error(err)
	}
	if u.arrives(t) || drop.runs(t) == 0 {
		t.Error("the packet passed the program that drops it")
	}
	info, err := l.Info()
	if err != nil || info.Type != sys.LinkTypeXDP || info.ProgID != drop.id(t) || info.IfIndex != loopback || info.AttachType != sys.AttachXDP {
		t.Errorf("info: %+v, %v", info, err)
	}
	if s, err := XDPQuery(k, loopback); err != nil || s.Generic != drop.id(t) {
		t.Errorf("query: %+v, %v", s, err)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	if !u.arrives(t) {
		t.Error("the program still drops after Close")
	}
	if err := l.Update(pass.fd()); err != ErrClosed {
		t.Errorf("update after Close: %v", err)
	}
}

func TestKernelXDPNetlink(t *testing.T) {
	k := kernelTest(t)
	ktest.NetNS(t)
	u := newUDP(t)
	pass, drop := loadType(t, sys.ProgTypeXDP, 0, xdpPass), loadType(t, sys.ProgTypeXDP, 0, xdpDrop)
	o := XDPOptions{IfIndex: loopback, Mode: XDPGeneric}
	l, err := XDPNetlink(k, drop.fd(), o)
	own(t, l, err)
	if u.arrives(t) || drop.runs(t) == 0 {
		t.Error("the packet passed")
	}
	_, err = XDPNetlink(k, pass.fd(), o)
	var taken *TakenError
	if !errors.As(err, &taken) || !slices.Equal(taken.Programs, []uint32{drop.id(t)}) {
		t.Errorf("a second program: %v", err)
	}
	if err := l.Replace(pass.fd(), pass.fd()); !errors.Is(err, sys.EEXIST) {
		t.Errorf("replacing what is not there: %v", err)
	}
	if err := l.Update(pass.fd()); err != nil {
		t.Error(err)
	}
	if !u.arrives(t) || pass.runs(t) == 0 {
		t.Error("the packet did not pass")
	}
	if err := l.Pin("/nowhere"); !errors.Is(err, errors.ErrUnsupported) {
		t.Errorf("pin: %v", err)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	if s, err := XDPQuery(k, loopback); err != nil || s != (XDPState{}) {
		t.Errorf("after Close: %+v, %v", s, err)
	}
}

func TestKernelNoInterface(t *testing.T) {
	k := kernelTest(t)
	ktest.NetNS(t)
	x, c := loadType(t, sys.ProgTypeXDP, 0, xdpPass), loadType(t, sys.ProgTypeSchedCls, 0, 0)
	const none = 4000
	for name, err := range map[string]error{
		"xdp":         onlyErr(XDP(k, x.fd(), XDPOptions{IfIndex: none})),
		"xdp netlink": onlyErr(XDPNetlink(k, x.fd(), XDPOptions{IfIndex: none})),
		"tc":          onlyErr(TC(k, c.fd(), TCOptions{IfIndex: none, Direction: TCIngress})),
		"index":       onlyErr(InterfaceIndex(k, "nothing")),
	} {
		if !errors.Is(err, sys.ENODEV) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if n, err := InterfaceIndex(k, "lo"); n != loopback || err != nil {
		t.Errorf("lo: %d, %v", n, err)
	}
}

func onlyErr[T any](_ T, err error) error { return err }

// qdiscs lists the kinds of the qdiscs of the loopback device.
func qdiscs(t *testing.T, k sys.Kernel) (kinds []string) {
	t.Helper()
	answers, err := send(k, newMessage(rtmGetQdisc, nlmDump).u32(0, loopback, 0, 0, 0), 0)
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range answers {
		kinds = append(kinds, strings.TrimRight(string(attribute(fixed(a, tcEnd), tcaKind)), "\x00"))
	}
	return kinds
}

func TestKernelTC(t *testing.T) {
	k := kernelTest(t)
	ktest.NetNS(t)
	const ok, shot = 0, 2
	u := newUDP(t)
	pass, drop := loadType(t, sys.ProgTypeSchedCls, 0, ok), loadType(t, sys.ProgTypeSchedCls, 0, shot)
	o := TCOptions{IfIndex: loopback, Direction: TCIngress, Name: "first"}
	l, err := TC(k, pass.fd(), o)
	if errors.Is(err, sys.ENOENT) || errors.Is(err, sys.EOPNOTSUPP) {
		t.Skip("no clsact qdisc or bpf classifier: ", err)
	}
	own(t, l, err)
	if !slices.Contains(qdiscs(t, k), "clsact") {
		t.Errorf("qdiscs: %v", qdiscs(t, k))
	}
	if !u.arrives(t) || pass.runs(t) == 0 {
		t.Error("the packet did not pass, or the program did not run")
	}
	second, err := TC(k, drop.fd(), TCOptions{IfIndex: loopback, Direction: TCEgress})
	own(t, second, err)
	if u.arrives(t) || drop.runs(t) == 0 {
		t.Error("the packet passed the second filter")
	}
	if err := second.Replace(pass.fd(), pass.fd()); !errors.Is(err, sys.ENOENT) {
		t.Errorf("replacing what is not there: %v", err)
	}
	if err := second.Replace(pass.fd(), drop.fd()); err != nil {
		t.Error(err)
	}
	if !u.arrives(t) {
		t.Error("the packet did not pass the replaced filter")
	}
	if err := l.Close(); err != nil { // the second filter keeps the qdisc
		t.Error(err)
	}
	runs := pass.runs(t)
	if !u.arrives(t) || pass.runs(t) == runs {
		t.Error("the second filter is gone with the first")
	}
	if err := second.Close(); err != nil {
		t.Error(err)
	}
}

// A filter that cannot be attached leaves no qdisc, and neither does the last one.
func TestKernelTCLeavesNothing(t *testing.T) {
	k := kernelTest(t)
	ktest.NetNS(t)
	before := qdiscs(t, k)
	wrong := loadType(t, sys.ProgTypeXDP, 0, xdpPass)
	if _, err := TC(k, wrong.fd(), TCOptions{IfIndex: loopback, Direction: TCIngress}); !errors.Is(err, sys.EINVAL) {
		t.Skip("no clsact qdisc or bpf classifier: ", err)
	}
	if diff := cmp.Diff(before, qdiscs(t, k)); diff != "" {
		t.Errorf("after a failure (-before +after):\n%s", diff)
	}
	right := loadType(t, sys.ProgTypeSchedCls, 0, 0)
	l, err := TC(k, right.fd(), TCOptions{IfIndex: loopback, Direction: TCIngress})
	own(t, l, err)
	if err := l.Close(); err != nil {
		t.Error(err)
	}
	if diff := cmp.Diff(before, qdiscs(t, k)); diff != "" {
		t.Errorf("after Close (-before +after):\n%s", diff)
	}
	for _, n := range []int{1, 2, 3} { // every call that can fail
		for _, after := range []bool{false, true} {
			f := &sys.Fault{Kernel: k, N: n, Errno: sys.ENOMEM, After: after}
			if l, err := TC(f, right.fd(), TCOptions{IfIndex: loopback, Direction: TCIngress}); err == nil {
				l.Close()
			} else if left := qdiscs(t, k); !after && !cmp.Equal(before, left) {
				t.Errorf("call %d failed and left %v", n, left)
			} else if after {
				send(k, newMessage(rtmDelQdisc, 0).u32(0, loopback, tcClsactHandle, tcClsactParent, 0), 0)
			}
		}
	}
}

func TestKernelTCX(t *testing.T) {
	k := kernelTest(t)
	need(t, sys.AttachTypeFeature(sys.AttachTCXIngress))
	ktest.NetNS(t)
	u := newUDP(t)
	const next, drop = -1, 2
	a, b := loadType(t, sys.ProgTypeSchedCls, sys.AttachTCXIngress, next), loadType(t, sys.ProgTypeSchedCls, sys.AttachTCXIngress, drop)
	last, err := TCX(k, a.fd(), loopback, sys.AttachTCXIngress, Anchor{})
	own(t, last, err)
	first, err := TCX(k, b.fd(), loopback, sys.AttachTCXIngress, Anchor{Before: true, FD: a.fd()})
	own(t, first, err)
	h, err := Query(k, loopback, sys.AttachTCXIngress)
	if err != nil || !slices.Equal(h.Programs, []uint32{b.id(t), a.id(t)}) || len(h.Links) != 2 || h.Revision == 0 {
		t.Errorf("query: %+v, %v", h, err)
	}
	if u.arrives(t) || b.runs(t) == 0 || a.runs(t) != 0 {
		t.Errorf("runs: %d before %d", b.runs(t), a.runs(t))
	}
	if _, err := TCX(k, a.fd(), loopback, sys.AttachTCXEgress, Anchor{Revision: h.Revision + 7}); !errors.Is(err, sys.ESTALE) {
		t.Errorf("an old revision: %v", err)
	}
	if err := first.Close(); err != nil {
		t.Error(err)
	}
	if !u.arrives(t) || a.runs(t) == 0 {
		t.Error("the packet did not pass after Close")
	}
	info, err := last.Info()
	if err != nil || info.Type != sys.LinkTypeTCX || info.AttachType != sys.AttachTCXIngress || info.IfIndex != loopback {
		t.Errorf("info: %+v, %v", info, err)
	}
}

func TestKernelNetfilter(t *testing.T) {
	k := kernelTest(t)
	need(t, sys.ProgTypeFeature(sys.ProgTypeNetfilter))
	ktest.NetNS(t)
	u := newUDP(t)
	p := loadType(t, sys.ProgTypeNetfilter, sys.AttachNetfilter, 0) // drop
	o := NetfilterOptions{Protocol: NFProtoIPv4, Hook: NFLocalIn, Priority: -128}
	l, err := Netfilter(k, p.fd(), o)
	own(t, l, err)
	if u.arrives(t) || p.runs(t) == 0 {
		t.Error("the packet passed")
	}
	var taken *TakenError
	if _, err := Netfilter(k, p.fd(), o); !errors.As(err, &taken) {
		t.Errorf("the same priority: %v", err)
	}
	if err := l.Close(); err != nil || !u.arrives(t) {
		t.Errorf("after Close: %v", err)
	}
}

func TestKernelNetNS(t *testing.T) {
	k := kernelTest(t)
	ktest.NetNS(t)
	ns, err := unix.Open("/proc/thread-self/ns/net", unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(ns)
	const drop, pass = 0, 1
	u := newUDP(t)
	p := loadType(t, sys.ProgTypeSKLookup, sys.AttachSKLookup, drop)
	l, err := NetNS(k, p.fd(), ns, sys.AttachSKLookup)
	own(t, l, err)
	if u.arrives(t) || p.runs(t) == 0 {
		t.Error("the lookup found a socket")
	}
	info, err := l.Info()
	if err != nil || info.Type != sys.LinkTypeNetNS || info.AttachType != sys.AttachSKLookup {
		t.Errorf("info: %+v, %v", info, err)
	}
	if err := l.Detach(); ktestAtLeast(5, 11) && err != nil {
		t.Error(err)
	}
	if ktestAtLeast(5, 11) && !u.arrives(t) {
		t.Error("the packet did not arrive after Detach")
	}
}

func ktestAtLeast(major, minor int) bool {
	ma, mi := ktest.Version()
	return ma > major || ma == major && mi >= minor
}
