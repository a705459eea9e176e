package link

import (
	"errors"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/lode-bpf/lode/internal/ktest"
	"github.com/lode-bpf/lode/sys"
)

// A program of another type is refused everywhere with a TypeError that names it and
// what is wanted, and nothing is attached.
func TestKernelWrongType(t *testing.T) {
	k := kernelTest(t)
	ktest.Tracefs(t)
	ktest.NetNS(t)
	dir := ktest.Cgroup(t)
	wrong := load(t, sys.ProgLoadAttr{ProgType: sys.ProgTypeLWTXmit, ProgName: sys.NewObjName("stranger")}, 0).fd()
	u := newUDP(t)
	m, err := sys.MapCreate(k, &sys.MapCreateAttr{MapType: sys.MapTypeSockMap, KeySize: 4, ValueSize: 4, MaxEntries: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	ns, err := unix.Open("/proc/thread-self/ns/net", unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(ns)
	egress := sys.AttachCgroupInetEgress
	for name, attach := range map[string]func() (*Link, error){
		"xdp":            func() (*Link, error) { return XDP(k, wrong, XDPOptions{IfIndex: loopback, Mode: XDPGeneric}) },
		"xdp netlink":    func() (*Link, error) { return XDPNetlink(k, wrong, XDPOptions{IfIndex: loopback, Mode: XDPGeneric}) },
		"tc":             func() (*Link, error) { return TC(k, wrong, TCOptions{IfIndex: loopback, Direction: TCIngress}) },
		"tcx":            func() (*Link, error) { return TCX(k, wrong, loopback, sys.AttachTCXIngress, Anchor{}) },
		"netfilter":      func() (*Link, error) { return Netfilter(k, wrong, NetfilterOptions{Protocol: NFProtoIPv4}) },
		"cgroup":         func() (*Link, error) { return Cgroup(k, wrong, dir, egress, Anchor{}) },
		"cgroup attach":  func() (*Link, error) { return CgroupAttach(k, wrong, dir, egress, 0) },
		"sk_lookup":      func() (*Link, error) { return NetNS(k, wrong, ns, sys.AttachSKLookup) },
		"sockmap":        func() (*Link, error) { return SockMap(k, wrong, m.Int(), sys.AttachSKMsgVerdict) },
		"socket filter":  func() (*Link, error) { return SocketFilter(k, wrong, u.recv) },
		"raw tracepoint": func() (*Link, error) { return RawTracepoint(k, wrong, "sys_enter", 0) },
		"tracepoint":     func() (*Link, error) { return Tracepoint(k, wrong, "raw_syscalls", "sys_enter", 0) },
		"tracing":        func() (*Link, error) { return Tracing(k, wrong, sys.AttachTraceFentry, 0) },
		"freplace":       func() (*Link, error) { return Freplace(k, wrong, -1, 0) },
		"iterator":       func() (*Link, error) { return Iter(k, wrong, IterOptions{}) },
		"kprobe":         func() (*Link, error) { return Kprobe(k, wrong, KprobeOptions{Symbol: sys.SyscallPrefix() + "getpgid"}) },
	} {
		l, err := attach()
		if err == nil {
			t.Errorf("%s: attached", name)
			l.Close()
			continue
		}
		var e *TypeError
		var absent *sys.NotSupported
		switch {
		case errors.As(err, &absent):
			t.Log(err)
		case !errors.As(err, &e) || e.Type != sys.ProgTypeLWTXmit || e.Name != "stranger":
			t.Errorf("%s: %v", name, err)
		case !strings.Contains(err.Error(), `program "stranger" is of type lwt_xmit, want `):
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Who holds a hook is told by number and name.
func TestKernelTakenByName(t *testing.T) {
	k := kernelTest(t)
	ktest.NetNS(t)
	o := XDPOptions{IfIndex: loopback, Mode: XDPGeneric}
	holder := load(t, sys.ProgLoadAttr{ProgType: sys.ProgTypeXDP, ProgName: sys.NewObjName("holder")}, xdpPass)
	l, err := XDP(k, holder.fd(), o)
	own(t, l, err)
	_, err = XDP(k, loadType(t, sys.ProgTypeXDP, 0, xdpPass).fd(), o)
	if err == nil || !strings.Contains(err.Error(), ` "holder": `) {
		t.Errorf("%v", err)
	}
}
