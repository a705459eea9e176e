package link

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/lode-bpf/lode/internal/ktest"
	"github.com/lode-bpf/lode/sys"
)

// remains is what attaching could leave behind in the kernel: qdiscs and filters of the
// namespace, probe events of this package, programs on hooks without a link, elements
// of the maps for USDT.
func remains(t *testing.T) (list []string) {
	t.Helper()
	k := sys.Live()
	for _, q := range qdiscs(t, k) {
		list = append(list, "qdisc "+q)
	}
	for _, d := range []TCDirection{TCIngress, TCEgress} {
		for _, f := range filters(t, d) {
			list = append(list, d.String()+" "+f)
		}
	}
	for _, file := range []string{"kprobe_events", "uprobe_events"} {
		text, err := readTrace(k, file)
		if err != nil && !errors.Is(err, sys.ENOENT) { // a kernel without such events
			t.Fatal(err)
		}
		for line := range strings.Lines(text) {
			if strings.Contains(line, legacyGroup+"/") {
				list = append(list, line)
			}
		}
	}
	return append(list, fmt.Sprintf("xdp %v", xdpPrograms(k, loopback)))
}

// filters lists the classic filters of the loopback device: priority, handle and program.
func filters(t *testing.T, d TCDirection) (list []string) {
	t.Helper()
	f := tcFilter{o: TCOptions{IfIndex: loopback}}
	answers, err := send(sys.Live(), f.tcMessage(rtmGetTFilter, nlmDump, 0, uint32(d), 0), 0)
	if err != nil {
		return nil // no clsact qdisc
	}
	for _, a := range answers {
		m := message(a)
		body := fixed(m, tcEnd)
		if id := attributeU32(attribute(body, tcaOptions), tcaBPFID); id != 0 {
			list = append(list, fmt.Sprintf("filter %x handle %x program %d", m[32:36], m[24:28], id))
		}
	}
	return list
}

// sweep lets each call of an attach fail in turn, with each of a few error numbers, and
// looks for what is left. Other programs hold what they held before.
func sweep(t *testing.T, a attachment) {
	t.Helper()
	k := sys.Live()
	count := &sys.Fault{Kernel: k}
	l, err := a.attach(count)
	if err != nil {
		t.Errorf("%s: %v", a.name, err)
		return
	}
	calls := count.Calls()
	if err := l.Close(); err != nil {
		t.Errorf("%s: %v", a.name, err)
	}
	before := remains(t)
	for n := 1; n <= calls; n++ {
		for _, e := range []sys.Errno{sys.EPERM, sys.ENOMEM, sys.EINTR} {
			op := ""
			l, err := a.attach(&sys.Fault{Kernel: k, N: n, Errno: e, OnCall: func(i int, o string) {
				if i == n {
					op = o
				}
			}})
			if err == nil { // the call was a question with another way to answer it
				err = l.Close()
			} else if sys.ErrnoOf(err) != e {
				t.Errorf("%s: call %d (%s) failed with %v, the attach with %v", a.name, n, op, e, err)
			} else {
				err = nil
			}
			if err != nil {
				t.Errorf("%s: call %d (%s) failed with %v; then closing: %v", a.name, n, op, e, err)
			}
			if diff := cmp.Diff(before, remains(t)); diff != "" {
				t.Fatalf("%s: call %d (%s) failed with %v and left (-before +after):\n%s", a.name, n, op, e, diff)
			}
		}
	}
	if l, err := a.attach(k); err != nil {
		t.Errorf("%s: after all of that: %v", a.name, err)
	} else if err := l.Close(); err != nil {
		t.Errorf("%s: after all of that: %v", a.name, err)
	}
}

// Whichever call of an attach fails, nothing of it is left: no program on its hook, no
// qdisc, no probe event, and no descriptor, for which every test of this package looks.
func TestKernelFault(t *testing.T) {
	list := attachments(t)
	for _, a := range list {
		sweep(t, a)
	}
	for _, want := range []string{"xdp", "cgroup", "socket filter", "raw tracepoint"} {
		if !slices.ContainsFunc(list, func(a attachment) bool { return a.name == want }) {
			t.Errorf("%s was not tried", want)
		}
	}
}

// A qdisc that somebody else made stays, with its filters, whatever happens to a filter
// that is attached beside them.
func TestKernelFaultBesideOthers(t *testing.T) {
	k := kernelTest(t)
	ktest.NetNS(t)
	ktest.Tracefs(t)
	theirs, ours := loadType(t, sys.ProgTypeSchedCls, 0, 0), loadType(t, sys.ProgTypeSchedCls, 0, 0)
	f := tcFilter{k: k, o: TCOptions{IfIndex: loopback}}
	if err := f.makeQdisc(); err != nil {
		t.Skip("no clsact qdisc: ", err)
	}
	tc := attachment{"tc", func(k sys.Kernel) (*Link, error) {
		return TC(k, ours.fd(), TCOptions{IfIndex: loopback, Direction: TCIngress})
	}}
	empty := remains(t)
	sweep(t, tc)
	if diff := cmp.Diff(empty, remains(t)); diff != "" {
		t.Errorf("their qdisc without filters (-before +after):\n%s", diff)
	}
	for _, d := range []TCDirection{TCIngress, TCEgress} {
		l, err := TC(k, theirs.fd(), TCOptions{IfIndex: loopback, Direction: d, Priority: 9, Handle: 5, Name: "theirs"})
		own(t, l, err)
	}
	full := remains(t)
	sweep(t, tc)
	if diff := cmp.Diff(full, remains(t)); diff != "" || cmp.Equal(empty, full) {
		t.Errorf("their qdisc with filters (-before +after):\n%s", diff)
	}
}
