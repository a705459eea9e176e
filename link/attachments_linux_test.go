package link

import (
	"errors"
	"runtime"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/lode-bpf/lode/btf"
	"github.com/lode-bpf/lode/internal/ktest"
	"github.com/lode-bpf/lode/sys"
)

// An attachment is one way to attach, with a program that fits. It can be made and
// closed any number of times.
type attachment struct {
	name   string
	attach func(k sys.Kernel) (*Link, error)
}

// attachments are the ways to attach that this kernel has, in namespaces and a cgroup
// of the test.
func attachments(t *testing.T) []attachment {
	t.Helper()
	k := kernelTest(t)
	ktest.Tracefs(t)
	ktest.NetNS(t)
	var here []attachment
	for _, a := range append(append(netAttachments(t), traceAttachments(t)...), typedAttachments(t)...) {
		l, err := a.attach(k)
		var absent *sys.NotSupported
		switch {
		case err == nil:
			if err := l.Close(); err != nil {
				t.Errorf("%s: %v", a.name, err)
			}
			here = append(here, a)
		case errors.As(err, &absent), errors.Is(err, sys.ENOENT), errors.Is(err, sys.EOPNOTSUPP), errors.Is(err, sys.EPERM), errors.Is(err, sys.ENODEV):
			t.Logf("%s: not here: %v", a.name, err)
		default:
			t.Errorf("%s: %v", a.name, err)
		}
	}
	return here
}

// has says whether the kernel has a feature.
func has(f sys.Feature) bool { return sys.Probe(sys.Live(), f) == nil }

func netAttachments(t *testing.T) []attachment {
	dir := ktest.Cgroup(t)
	xdp, cls := loadType(t, sys.ProgTypeXDP, 0, xdpPass).fd(), loadType(t, sys.ProgTypeSchedCls, 0, 0).fd()
	egress := sys.AttachCgroupInetEgress
	skb := loadType(t, sys.ProgTypeCgroupSKB, egress, 1).fd()
	lookup := loadType(t, sys.ProgTypeSKLookup, sys.AttachSKLookup, 1).fd()
	dissector := loadType(t, sys.ProgTypeFlowDissector, sys.AttachFlowDissector, 0).fd()
	filter, msg := loadType(t, sys.ProgTypeSocketFilter, 0, 1).fd(), loadType(t, sys.ProgTypeSKMsg, sys.AttachSKMsgVerdict, 1).fd()
	u := newUDP(t)
	m := socketMap(t, sys.MapTypeReuseportSockArray, reuseport(t))
	group := reuseport(t)
	choose := loadCode(t, sys.ProgLoadAttr{ProgType: sys.ProgTypeSKReuseport}, selectSocket(insn(nil, 0xbf, 6, 1, 0, 0), m, 0)).Int()
	sockets, err := sys.MapCreate(sys.Live(), &sys.MapCreateAttr{MapType: sys.MapTypeSockMap, KeySize: 4, ValueSize: 4, MaxEntries: 1})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { sockets.Close() })
	ns, err := unix.Open("/proc/thread-self/ns/net", unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { unix.Close(ns) })
	generic := XDPOptions{IfIndex: loopback, Mode: XDPGeneric}
	list := []attachment{
		{"xdp", func(k sys.Kernel) (*Link, error) { return XDP(k, xdp, generic) }},
		{"xdp netlink", func(k sys.Kernel) (*Link, error) { return XDPNetlink(k, xdp, generic) }},
		{"tc", func(k sys.Kernel) (*Link, error) {
			return TC(k, cls, TCOptions{IfIndex: loopback, Direction: TCIngress})
		}},
		{"tcx", func(k sys.Kernel) (*Link, error) { return TCX(k, cls, loopback, sys.AttachTCXIngress, Anchor{}) }},
		{"cgroup", func(k sys.Kernel) (*Link, error) { return Cgroup(k, skb, dir, egress, Anchor{}) }},
		{"cgroup attach", func(k sys.Kernel) (*Link, error) { return CgroupAttach(k, skb, dir, egress, 0) }},
		{"sk_lookup", func(k sys.Kernel) (*Link, error) { return NetNS(k, lookup, ns, sys.AttachSKLookup) }},
		{"flow dissector", func(k sys.Kernel) (*Link, error) { return NetNS(k, dissector, ns, sys.AttachFlowDissector) }},
		{"sockmap", func(k sys.Kernel) (*Link, error) { return SockMap(k, msg, sockets.Int(), sys.AttachSKMsgVerdict) }},
		{"socket filter", func(k sys.Kernel) (*Link, error) { return SocketFilter(k, filter, u.recv) }},
		{"sk_reuseport", func(k sys.Kernel) (*Link, error) { return SKReuseport(k, choose, group) }},
	}
	if has(sys.AttachTypeFeature(sys.AttachNetkitPrimary)) {
		n := newNetkit(t, sys.Live())
		list = append(list, attachment{"netkit", func(k sys.Kernel) (*Link, error) {
			return Netkit(k, cls, n.primary, sys.AttachNetkitPrimary, Anchor{})
		}})
	}
	if has(sys.ProgTypeFeature(sys.ProgTypeNetfilter)) {
		p := loadType(t, sys.ProgTypeNetfilter, sys.AttachNetfilter, 1).fd()
		list = append(list, attachment{"netfilter", func(k sys.Kernel) (*Link, error) {
			return Netfilter(k, p, NetfilterOptions{Protocol: NFProtoIPv4, Hook: NFLocalIn, Priority: 7})
		}})
	}
	return list
}

// reuseport is a socket that shares its address.
func reuseport(t *testing.T) int {
	group, _ := reuseportGroup(t, unix.SOCK_DGRAM)
	return group[0]
}

func traceAttachments(t *testing.T) []attachment {
	raw, tp, kp := loadType(t, sys.ProgTypeRawTracepoint, 0, 0).fd(), loadType(t, sys.ProgTypeTracepoint, 0, 0).fd(), loadType(t, sys.ProgTypeKprobe, 0, 0).fd()
	getpgid := sys.SyscallPrefix() + "getpgid"
	path, offset := tracedOffset(t)
	list := []attachment{
		{"raw tracepoint", func(k sys.Kernel) (*Link, error) { return RawTracepoint(k, raw, "sys_enter", 0) }},
		{"tracepoint", func(k sys.Kernel) (*Link, error) { return Tracepoint(k, tp, "raw_syscalls", "sys_enter", 0) }},
		{"kprobe", func(k sys.Kernel) (*Link, error) { return Kprobe(k, kp, KprobeOptions{Symbol: getpgid}) }},
		{"kretprobe", func(k sys.Kernel) (*Link, error) { return Kprobe(k, kp, KprobeOptions{Symbol: getpgid, Return: true}) }},
		{"kprobe tracefs", func(k sys.Kernel) (*Link, error) {
			return Kprobe(k, kp, KprobeOptions{Symbol: getpgid, Legacy: true})
		}},
		{"uprobe", func(k sys.Kernel) (*Link, error) { return Uprobe(k, kp, UprobeOptions{Path: path, Offset: offset}) }},
	}
	if has(sys.AttachTypeFeature(sys.AttachTraceKprobeMulti)) {
		p := loadType(t, sys.ProgTypeKprobe, sys.AttachTraceKprobeMulti, 0).fd()
		list = append(list, attachment{"kprobe.multi", func(k sys.Kernel) (*Link, error) {
			return KprobeMulti(k, p, KprobeMultiOptions{Symbols: []string{getpgid}})
		}})
	}
	if has(sys.AttachTypeFeature(sys.AttachTraceUprobeMulti)) {
		p := loadType(t, sys.ProgTypeKprobe, sys.AttachTraceUprobeMulti, 0).fd()
		list = append(list, attachment{"uprobe.multi", func(k sys.Kernel) (*Link, error) {
			return UprobeMulti(k, p, UprobeMultiOptions{Path: path, Offsets: []uint64{offset}})
		}})
	}
	if m, ok := machines[runtime.GOARCH]; ok {
		probed := writeProgram(t, m.program(m.usdt))
		specs, ips := usdtMaps(t)
		list = append(list, attachment{"usdt", func(k sys.Kernel) (*Link, error) {
			u, err := NewUSDTSpecs(k, specs.Int(), ips.Int())
			if err != nil {
				return nil, err
			}
			return u.Attach(kp, USDTOptions{Path: probed, Provider: "test", Name: "hit"})
		}})
	}
	return list
}

// typedAttachments are those of programs that are loaded with a target by its type.
func typedAttachments(t *testing.T) []attachment {
	if _, err := btf.Kernel(); err != nil {
		t.Log("no fentry, LSM, iterators and struct_ops: ", err)
		return nil
	}
	var list []attachment
	target := map[sys.AttachType]string{sys.AttachTraceFentry: sys.SyscallPrefix() + "getpgid", sys.AttachLSMMac: "bpf_lsm_inode_mkdir"}
	for hook, name := range target {
		if !has(sys.AttachTypeFeature(hook)) || !ktestAtLeast(5, 13) { // older ones attach such a program once only
			t.Logf("%s: not here", hook)
			continue
		}
		typ := sys.ProgTypeTracing
		if hook == sys.AttachLSMMac {
			typ = sys.ProgTypeLSM
		}
		p := loadTracing(t, typ, hook, kernelFunc(t, name), 0).fd()
		list = append(list, attachment{hook.String(), func(k sys.Kernel) (*Link, error) { return Tracing(k, p, hook, 0) }})
	}
	iterator := load(t, sys.ProgLoadAttr{ProgType: sys.ProgTypeTracing, ExpectedAttachType: sys.AttachTraceIter, AttachBTFID: kernelFunc(t, "bpf_iter_task")}, 0).fd()
	list = append(list, attachment{"iterator", func(k sys.Kernel) (*Link, error) { return Iter(k, iterator, IterOptions{}) }})
	if has(sys.AttachTypeFeature(sys.AttachStructOps)) {
		m, _ := congestionControl(t, "lode_fault")
		list = append(list, attachment{"struct_ops", func(k sys.Kernel) (*Link, error) { return StructOps(k, m.Int()) }})
	}
	return list
}
