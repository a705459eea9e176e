package link

import (
	"errors"
	"testing"

	"github.com/lode-bpf/lode/internal/ktest"
	"github.com/lode-bpf/lode/sys"
)

func TestKernelAuto(t *testing.T) {
	k := kernelTest(t)
	ktest.Tracefs(t)
	getpgid := sys.SyscallPrefix() + "getpgid"
	for _, tt := range []struct {
		name   string
		typ    sys.ProgType
		attach sys.AttachType
		target Target
	}{
		{"raw_tracepoint/sys_enter", sys.ProgTypeRawTracepoint, 0, Target{Kind: "raw-tracepoint", Name: "sys_enter"}},
		{"tracepoint/raw_syscalls/sys_enter", sys.ProgTypeTracepoint, 0, Target{Kind: "tracepoint", Category: "raw_syscalls", Name: "sys_enter"}},
		{"kprobe/getpgid", sys.ProgTypeKprobe, 0, Target{Kind: "kprobe", Function: getpgid}},
		{"kretprobe/getpgid", sys.ProgTypeKprobe, 0, Target{Kind: "kprobe", Function: getpgid, Return: true}},
		{"ksyscall/getpgid", sys.ProgTypeKprobe, 0, Target{Kind: "ksyscall", Name: "getpgid"}},
		{"kprobe.multi/*getpgid", sys.ProgTypeKprobe, sys.AttachTraceKprobeMulti, Target{Kind: "kprobe-multi", Pattern: "__*_sys_getpg?d"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if tt.target.Kind == "kprobe-multi" {
				need(t, sys.AttachTypeFeature(sys.AttachTraceKprobeMulti))
			}
			c := loadType(t, tt.typ, tt.attach, 0)
			tt.target.AttachType = tt.attach
			l, err := Auto(k, c.fd(), tt.target)
			if errors.Is(err, sys.ENOENT) || errors.Is(err, sys.EPERM) || errors.Is(err, sys.ENODEV) || errors.Is(err, sys.EOPNOTSUPP) {
				t.Skip("not here: ", err)
			}
			fires(t, c, l, err, poke)
		})
	}
}

// Whichever call of an attach fails, before or after it took effect, nothing stays
// attached and no descriptor open.
func TestKernelFault(t *testing.T) {
	k := kernelTest(t)
	ktest.Tracefs(t)
	ktest.NetNS(t)
	dir := ktest.Cgroup(t)
	xdp := loadType(t, sys.ProgTypeXDP, 0, xdpPass)
	skb := loadType(t, sys.ProgTypeCgroupSKB, sys.AttachCgroupInetEgress, 1)
	raw := loadType(t, sys.ProgTypeRawTracepoint, 0, 0)
	tp := loadType(t, sys.ProgTypeTracepoint, 0, 0)
	kp := loadType(t, sys.ProgTypeKprobe, 0, 0)
	filter := loadType(t, sys.ProgTypeSocketFilter, 0, 1)
	u := newUDP(t)
	o := XDPOptions{IfIndex: loopback, Mode: XDPGeneric}
	for name, attach := range map[string]func(k sys.Kernel) (*Link, error){
		"xdp":         func(k sys.Kernel) (*Link, error) { return XDP(k, xdp.fd(), o) },
		"xdp netlink": func(k sys.Kernel) (*Link, error) { return XDPNetlink(k, xdp.fd(), o) },
		"cgroup": func(k sys.Kernel) (*Link, error) {
			return Cgroup(k, skb.fd(), dir, sys.AttachCgroupInetEgress, Anchor{})
		},
		"cgroup attach": func(k sys.Kernel) (*Link, error) {
			return CgroupAttach(k, skb.fd(), dir, sys.AttachCgroupInetEgress, 0)
		},
		"raw":        func(k sys.Kernel) (*Link, error) { return RawTracepoint(k, raw.fd(), "sys_enter", 0) },
		"tracepoint": func(k sys.Kernel) (*Link, error) { return Tracepoint(k, tp.fd(), "raw_syscalls", "sys_enter", 0) },
		"kprobe": func(k sys.Kernel) (*Link, error) {
			return Kprobe(k, kp.fd(), KprobeOptions{Symbol: sys.SyscallPrefix() + "getpgid"})
		},
		"kprobe tracefs": func(k sys.Kernel) (*Link, error) {
			return Kprobe(k, kp.fd(), KprobeOptions{Symbol: sys.SyscallPrefix() + "getpgid", Legacy: true})
		},
		"socket": func(k sys.Kernel) (*Link, error) { return SocketFilter(k, filter.fd(), u.recv) },
	} {
		count := &sys.Fault{Kernel: k}
		l, err := attach(count)
		if err != nil {
			t.Logf("%s: not here: %v", name, err)
			continue
		}
		total := count.Calls()
		if err := l.Close(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		for n := 1; n <= total; n++ {
			f := &sys.Fault{Kernel: k, N: n, Errno: sys.ENOMEM}
			l, err := attach(f)
			if err == nil { // the call was a question with another way to answer it
				err = l.Close()
				if err != nil {
					t.Errorf("%s, call %d: %v", name, n, err)
				}
			}
			if l, err = attach(k); err != nil {
				t.Errorf("%s: after call %d failed: %v", name, n, err)
			} else if err := l.Close(); err != nil {
				t.Errorf("%s: after call %d failed: %v", name, n, err)
			}
		}
	}
}
