package sys

import (
	"errors"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/lode-bpf/lode/internal/ktest"
)

func TestKernelLinkXDP(t *testing.T) {
	k := kernelTest(t)
	ktest.NetNS(t)
	pass, drop := program(t, k, &trial{typ: ProgTypeXDP, code: ret(2)}), program(t, k, &trial{typ: ProgTypeXDP, code: ret(1)})
	const loopback, skbMode = 1, 1 << 1
	l, err := LinkCreate(k, &LinkCreateAttr{ProgFD: pass.Num(), Target: loopback, AttachType: AttachXDP, Flags: skbMode})
	own(t, l, err)
	var info XDPLinkInfo
	if err := ObjGetInfoByFD(k, l.Int(), &info); err != nil || info.Type != LinkTypeXDP || info.IfIndex != loopback {
		t.Errorf("link info: %+v, %v", info, err)
	}
	if _, err := LinkCreate(k, &LinkCreateAttr{ProgFD: drop.Num(), Target: loopback, AttachType: AttachXDP, Flags: skbMode}); !errors.Is(err, EBUSY) {
		t.Errorf("a second program: %v", err)
	}
	if err := LinkUpdate(k, &LinkUpdateAttr{LinkFD: l.Num(), NewFD: drop.Num(), OldFD: drop.Num(), Flags: BPF_F_REPLACE}); !errors.Is(err, EPERM) {
		t.Errorf("replacing a program that is not there: %v", err)
	}
	if err := LinkUpdate(k, &LinkUpdateAttr{LinkFD: l.Num(), NewFD: drop.Num(), OldFD: pass.Num(), Flags: BPF_F_REPLACE}); err != nil {
		t.Error(err)
	}
	var pi ProgInfo
	if err := errors.Join(ObjGetInfoByFD(k, drop.Int(), &pi), ObjGetInfoByFD(k, l.Int(), &info)); err != nil || info.ProgID != pi.ID {
		t.Errorf("the link has program %d, not %d (%v)", info.ProgID, pi.ID, err)
	}
	byID, err := GetFDByID(k, ObjLink, info.ID, 0)
	own(t, byID, err)
	if ma, mi := ktest.Version(); ma > 5 || mi >= 11 {
		if err := LinkDetach(k, l.Int()); err != nil {
			t.Error(err)
		}
		if err := ObjGetInfoByFD(k, l.Int(), &info); err != nil || info.IfIndex != 0 {
			t.Errorf("after detaching: %+v, %v", info, err)
		}
	}
}

func TestKernelProgAttachCgroup(t *testing.T) {
	k := kernelTest(t)
	dir := openDir(t, k, ktest.Cgroup(t))
	p := program(t, k, &trial{typ: ProgTypeCgroupSKB, attach: AttachCgroupInetEgress, code: ret(1)})
	at := &ProgAttachAttr{Target: dir.Num(), AttachBPFFD: p.Num(), AttachType: AttachCgroupInetEgress, AttachFlags: BPF_F_ALLOW_MULTI}
	if err := ProgAttach(k, at); err != nil {
		t.Fatal(err)
	}
	ids := make([]uint32, 4)
	q := &ProgQueryAttr{Target: dir.Num(), AttachType: AttachCgroupInetEgress, ProgIDs: SlicePtr(ids), Count: 4}
	if err := ProgQuery(k, q); err != nil || q.Count != 1 || q.AttachFlags != BPF_F_ALLOW_MULTI {
		t.Errorf("query: %d programs, flags %#x, %v", q.Count, q.AttachFlags, err)
	}
	var pi ProgInfo
	if err := ObjGetInfoByFD(k, p.Int(), &pi); err != nil || ids[0] != pi.ID {
		t.Errorf("query: program %d, not %d (%v)", ids[0], pi.ID, err)
	}
	at.AttachFlags = 0
	if err := ProgDetach(k, at); err != nil {
		t.Error(err)
	}
	err := ProgDetach(k, at)
	if !errors.Is(err, ENOENT) || !strings.Contains(err.Error(), "hook cgroup_inet_egress") {
		t.Errorf("second detach: %v", err)
	}
	l, err := LinkCreate(k, &LinkCreateAttr{ProgFD: p.Num(), Target: dir.Num(), AttachType: AttachCgroupInetEgress})
	own(t, l, err)
	var info CgroupLinkInfo
	if err := ObjGetInfoByFD(k, l.Int(), &info); err != nil || info.AttachType != AttachCgroupInetEgress || info.CgroupID == 0 {
		t.Errorf("link info: %+v, %v", info, err)
	}
}

func TestKernelRawTracepoint(t *testing.T) {
	k := kernelTest(t)
	p := program(t, k, &trial{typ: ProgTypeRawTracepoint, code: ret(0)})
	l, err := RawTracepointOpen(k, &RawTracepointOpenAttr{Name: StringPtr("sched_switch"), ProgFD: p.Num()})
	own(t, l, err)
	name := make([]byte, 32)
	info := RawTracepointLinkInfo{TPName: BytesPtr(name), TPNameLen: 32}
	if err := ObjGetInfoByFD(k, l.Int(), &info); err != nil || info.Type != LinkTypeRawTracepoint || !strings.HasPrefix(string(name), "sched_switch\x00") {
		t.Errorf("link info: %+v %q, %v", info, name, err)
	}
	buf := make([]byte, 32)
	q := &TaskFDQueryAttr{PID: uint32(unix.Getpid()), FD: uint32(l.Int()), Buf: BytesPtr(buf), BufLen: 32}
	if err := TaskFDQuery(k, q); err != nil || q.FDType != BPF_FD_TYPE_RAW_TRACEPOINT || string(buf[:q.BufLen]) != "sched_switch" {
		t.Errorf("query: %+v %q, %v", q, buf, err)
	}
	_, err = RawTracepointOpen(k, &RawTracepointOpenAttr{Name: StringPtr("no_such"), ProgFD: p.Num()})
	if !errors.Is(err, ENOENT) || !strings.Contains(err.Error(), `tracepoint "no_such"`) {
		t.Errorf("a tracepoint that is not there: %v", err)
	}
}

func TestKernelPerfEventLink(t *testing.T) {
	k := kernelTest(t)
	if err := Probe(k, FeaturePerfLink); err != nil {
		t.Skip(err)
	}
	ev, err := unix.PerfEventOpen(&unix.PerfEventAttr{Type: unix.PERF_TYPE_SOFTWARE, Config: unix.PERF_COUNT_SW_CPU_CLOCK, Sample: 1 << 30}, -1, 0, -1, unix.PERF_FLAG_FD_CLOEXEC)
	if err != nil {
		t.Skip("perf events: ", err)
	}
	event := own(t, NewFD(k, ev), nil)
	p := program(t, k, &trial{typ: ProgTypePerfEvent, code: ret(0)})
	l, err := LinkCreate(k, &LinkCreatePerfEventAttr{ProgFD: p.Num(), Target: event.Num(), AttachType: AttachPerfEvent, BPFCookie: 0xc0c0})
	own(t, l, err)
	var info PerfEventLinkInfo
	if err := ObjGetInfoByFD(k, l.Int(), &info); err != nil || info.Type != LinkTypePerfEvent {
		t.Errorf("link info: %+v, %v", info, err)
	}
	if ktestVersion(6, 9) && (info.PerfEventType != BPF_PERF_EVENT_EVENT || info.Cookie != 0xc0c0) {
		t.Errorf("link info: %+v", info)
	}
}

func ktestVersion(major, minor int) bool {
	ma, mi := ktest.Version()
	return ma > major || ma == major && mi >= minor
}

func TestKernelStreamRead(t *testing.T) {
	k := kernelTest(t)
	p := program(t, k, socketFilter(ret(0)))
	n, err := ProgStreamRead(k, p.Int(), BPF_STREAM_STDOUT, make([]byte, 64))
	if errors.Is(err, EINVAL) && !ktestVersion(6, 17) {
		t.Skip("BPF_PROG_STREAM_READ_BY_FD came with Linux 6.17")
	}
	if n != 0 || err != nil {
		t.Errorf("reading what a program never wrote: %d bytes, %v", n, err)
	}
	if _, err := ProgStreamRead(k, p.Int(), 99, make([]byte, 64)); !errors.Is(err, ENOENT) {
		t.Errorf("a stream that is not there: %v", err)
	}
}

// The commands that need what this test cannot make are refused for that reason.
func TestKernelRefusals(t *testing.T) {
	k := kernelTest(t)
	p := program(t, k, socketFilter(ret(0)))
	m := hash(t, k, 1)
	if _, err := IterCreate(k, p.Int()); !errors.Is(err, EINVAL) {
		t.Errorf("an iterator of a program: %v", err)
	}
	_, err := OpenToken(k, t.TempDir())
	if !errors.Is(err, EINVAL) && !errors.Is(err, EPERM) && !errors.Is(err, EOPNOTSUPP) {
		t.Errorf("a token of a directory that is not bpffs: %v", err)
	}
	if err := ProgAssocStructOps(k, p.Int(), m.Int()); !errors.Is(err, EINVAL) {
		t.Errorf("struct_ops of a hash map: %v", err)
	}
	if _, err := LinkCreate(k, &LinkCreateMapAttr{MapFD: m.Num(), AttachType: AttachStructOps}); !errors.Is(err, EINVAL) {
		t.Errorf("a link of a hash map: %v", err)
	}
}
