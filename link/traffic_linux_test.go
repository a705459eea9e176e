package link

import (
	"errors"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/lode-bpf/lode/internal/ktest"
	"github.com/lode-bpf/lode/sys"
)

// A road is a way for packets past one hook.
type road struct {
	name   string
	typ    sys.ProgType
	hook   sys.AttachType
	pass   int32 // verdict
	needed sys.Feature
	attach func(prog int) (*Link, error)
	send   func() bool // one packet; whether it arrived
}

// roads are the hooks whose program can be replaced without a gap.
func roads(t *testing.T, k sys.Kernel) []road {
	dir := ktest.Cgroup(t)
	join(t, dir)
	u := newUDP(t)
	udp := func() bool { return u.arrivesWithin(t, 5000) }
	generic := XDPOptions{IfIndex: loopback, Mode: XDPGeneric}
	ingress, tcx := sys.AttachCgroupInetIngress, sys.AttachTCXIngress
	list := []road{
		{"xdp", sys.ProgTypeXDP, 0, xdpPass, 0, func(prog int) (*Link, error) { return XDP(k, prog, generic) }, udp},
		{"xdp netlink", sys.ProgTypeXDP, 0, xdpPass, 0, func(prog int) (*Link, error) { return XDPNetlink(k, prog, generic) }, udp},
		{"tcx", sys.ProgTypeSchedCls, tcx, 0, sys.AttachTypeFeature(tcx), func(prog int) (*Link, error) { return TCX(k, prog, loopback, tcx, Anchor{}) }, udp},
		{"tc", sys.ProgTypeSchedCls, 0, 0, 0, func(prog int) (*Link, error) {
			return TC(k, prog, TCOptions{IfIndex: loopback, Direction: TCIngress})
		}, udp},
		{"cgroup", sys.ProgTypeCgroupSKB, ingress, 1, 0, func(prog int) (*Link, error) { return Cgroup(k, prog, dir, ingress, Anchor{}) }, udp},
		{"cgroup attach", sys.ProgTypeCgroupSKB, ingress, 1, 0, func(prog int) (*Link, error) {
			return CgroupAttach(k, prog, dir, ingress, sys.BPF_F_ALLOW_MULTI)
		}, udp},
	}
	if sys.Probe(k, sys.AttachTypeFeature(sys.AttachNetkitPrimary)) == nil {
		n := newNetkit(t, k)
		from, to := packetSocket(t, n.primary), packetSocket(t, n.peer)
		list = append(list, road{"netkit", sys.ProgTypeSchedCls, sys.AttachNetkitPrimary, netkitPass, 0, func(prog int) (*Link, error) {
			return Netkit(k, prog, n.primary, sys.AttachNetkitPrimary, Anchor{})
		}, func() bool { return passes(t, from, to, n.primary, 5000) }})
	}
	return list
}

// While packets pass, one program takes the place of the other: each packet is seen by
// one of the two, and none is lost.
func TestKernelUpdateUnderTraffic(t *testing.T) {
	k := kernelTest(t)
	ktest.NetNS(t)
	for _, r := range roads(t, k) {
		if r.needed != 0 && !has(r.needed) {
			t.Logf("%s: not here: %v", r.name, sys.Probe(k, r.needed))
			continue
		}
		one, two := loadType(t, r.typ, r.hook, r.pass), loadType(t, r.typ, r.hook, r.pass)
		l, err := r.attach(one.fd())
		if err != nil && r.name == "tc" && errors.Is(err, unix.ENOENT) {
			t.Logf("tc: not here: %v", err)
			continue
		}
		own(t, l, err)
		stop, done := make(chan bool), make(chan [2]uint64)
		go r.drive(stop, done)
		const each = 100 // packets that each program is to see at least
		updates := 0
		for ; one.runs(t) < each || two.runs(t) < each; updates++ {
			next, present := two, one
			if updates%2 == 1 {
				next, present = one, two
			}
			update := func() error { return l.Update(next.fd()) }
			if updates%3 == 0 {
				update = func() error { return l.Replace(next.fd(), present.fd()) }
			}
			if err := update(); err != nil {
				t.Errorf("%s: update %d: %v", r.name, updates, err)
				break
			}
		}
		close(stop)
		packets := <-done
		if seen := one.runs(t) + two.runs(t); packets[0] != packets[1] || seen < packets[0] {
			t.Errorf("%s: of %d packets %d arrived and the programs saw %d during %d updates", r.name, packets[0], packets[1], seen, updates)
		}
		if err := l.Close(); err != nil {
			t.Errorf("%s: %v", r.name, err)
		}
	}
}

// drive sends packets until it is told to stop; then it says how many, and how many
// arrived.
func (r road) drive(stop chan bool, done chan [2]uint64) {
	var packets [2]uint64
	for {
		select {
		case <-stop:
			done <- packets
			return
		default:
		}
		packets[0]++
		if r.send() {
			packets[1]++
		}
	}
}
