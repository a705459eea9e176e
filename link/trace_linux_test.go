package link

import (
	"errors"
	"os"
	"reflect"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/lode-bpf/lode/btf"
	"github.com/lode-bpf/lode/internal/ktest"
	"github.com/lode-bpf/lode/sys"
)

// poke makes the system call that the tracing tests look for.
func poke() { unix.Getpgid(0) }

// fires attaches, makes the event happen, detaches and makes it happen again.
func fires(t *testing.T, c *counter, l *Link, err error, event func()) {
	t.Helper()
	own(t, l, err)
	event()
	if c.runs(t) == 0 {
		t.Errorf("%s: the program did not run", l)
	}
	if err := l.Close(); err != nil {
		t.Errorf("%s: %v", l, err)
	}
	runs := c.runs(t)
	event()
	if got := c.runs(t); got != runs {
		t.Errorf("%s: the program ran %d times after Close", l, got-runs)
	}
}

func TestKernelRawTracepoint(t *testing.T) {
	k := kernelTest(t)
	c := loadType(t, sys.ProgTypeRawTracepoint, 0, 0)
	l, err := RawTracepoint(k, c.fd(), "sys_enter", 0)
	own(t, l, err)
	if info, err := l.Info(); err != nil || info.Name != "sys_enter" || info.Type != sys.LinkTypeRawTracepoint {
		t.Errorf("info: %+v, %v", info, err)
	}
	fires(t, c, l, nil, poke)
	if _, err := RawTracepoint(k, c.fd(), "nothing", 0); !errors.Is(err, os.ErrNotExist) || !strings.Contains(err.Error(), `"nothing"`) {
		t.Errorf("no such tracepoint: %v", err)
	}
}

func TestKernelTracepoint(t *testing.T) {
	k := kernelTest(t)
	ktest.Tracefs(t)
	c := loadType(t, sys.ProgTypeTracepoint, 0, 0)
	l, err := Tracepoint(k, c.fd(), "raw_syscalls", "sys_enter", 0)
	if errors.Is(err, sys.ENODEV) || errors.Is(err, sys.EOPNOTSUPP) {
		t.Skip(err)
	}
	fires(t, c, l, err, poke)
	if _, err := Tracepoint(k, c.fd(), "sched", "nothing", 0); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("no such tracepoint: %v", err)
	}
	var bad *NameError
	if _, err := Tracepoint(k, c.fd(), "../kprobes", "x", 0); !errors.As(err, &bad) {
		t.Errorf("a path: %v", err)
	}
}

func TestKernelPerfEvent(t *testing.T) {
	k := kernelTest(t)
	n, err := k.Call(&sys.PerfEventOpen{Type: unix.PERF_TYPE_SOFTWARE, Config: unix.PERF_COUNT_SW_CPU_CLOCK, SamplePeriod: 100_000, CPU: -1})
	if err != nil {
		t.Skip(err)
	}
	event := sys.NewFD(k, n)
	defer event.Close()
	c := loadType(t, sys.ProgTypePerfEvent, 0, 0)
	l, err := PerfEvent(k, c.fd(), event.Int(), 0)
	own(t, l, err)
	sum := 0
	for i := 0; i < 1<<30 && c.runs(t) == 0; i++ {
		sum += i
	}
	if c.runs(t) == 0 {
		t.Error("the program did not run", sum)
	}
}

func TestKernelKprobe(t *testing.T) {
	k := kernelTest(t)
	ktest.Tracefs(t)
	c := loadType(t, sys.ProgTypeKprobe, 0, 0)
	symbol := sys.SyscallPrefix() + "getpgid"
	l, err := Kprobe(k, c.fd(), KprobeOptions{Symbol: symbol})
	if errors.Is(err, sys.ENOENT) || errors.Is(err, sys.EOPNOTSUPP) || errors.Is(err, sys.EPERM) {
		t.Skip("no kprobes here: ", err)
	}
	fires(t, c, l, err, poke)
	for _, ret := range []bool{false, true} {
		for _, legacy := range []bool{false, true} {
			c := loadType(t, sys.ProgTypeKprobe, 0, 0)
			l, err := Kprobe(k, c.fd(), KprobeOptions{Symbol: symbol, Return: ret, Legacy: legacy})
			fires(t, c, l, err, poke)
		}
	}
	c = loadType(t, sys.ProgTypeKprobe, 0, 0)
	l, err = Ksyscall(k, c.fd(), "getpgid", false, 0)
	fires(t, c, l, err, poke)

	var missing *SymbolError
	for _, legacy := range []bool{false, true} {
		_, err := Kprobe(k, c.fd(), KprobeOptions{Symbol: "no_such_function", Legacy: legacy})
		if !errors.As(err, &missing) || missing.Symbol != "no_such_function" {
			t.Errorf("a function that is not there: %v", err)
		}
	}
	wrong := loadType(t, sys.ProgTypeXDP, 0, 2)
	if _, err := Kprobe(k, wrong.fd(), KprobeOptions{Symbol: symbol, Legacy: true}); !errors.Is(err, sys.EINVAL) {
		t.Errorf("a program of another type: %v", err)
	}
	if events, err := readTrace(k, "kprobe_events"); err != nil || strings.Contains(events, legacyGroup+"/") {
		t.Errorf("left behind: %q, %v", events, err)
	}
	var bad *NameError
	if _, err := Kprobe(k, c.fd(), KprobeOptions{Symbol: "x\np:y z", Legacy: true}); !errors.As(err, &bad) {
		t.Errorf("a command for a name: %v", err)
	}
}

func TestKernelKprobeMulti(t *testing.T) {
	k := kernelTest(t)
	need(t, sys.AttachTypeFeature(sys.AttachTraceKprobeMulti))
	c := loadType(t, sys.ProgTypeKprobe, sys.AttachTraceKprobeMulti, 0)
	symbols := []string{sys.SyscallPrefix() + "getpgid", sys.SyscallPrefix() + "getpid"}
	l, err := KprobeMulti(k, c.fd(), KprobeMultiOptions{Symbols: symbols, Cookies: []uint64{1, 2}})
	fires(t, c, l, err, poke)
	var missing *SymbolError
	if _, err := KprobeMulti(k, c.fd(), KprobeMultiOptions{Symbols: append(symbols[:2:2], "no_such_function")}); !errors.As(err, &missing) || missing.Symbol != "no_such_function" {
		t.Errorf("a function that is not there: %v", err)
	}
	var count *CountError
	for _, o := range []KprobeMultiOptions{{}, {Symbols: symbols, Cookies: []uint64{1}}, {Symbols: symbols, Addrs: []uint64{1, 2}}} {
		if _, err := KprobeMulti(k, c.fd(), o); !errors.As(err, &count) {
			t.Errorf("%+v: %v", o, err)
		}
	}
	if sys.Probe(k, sys.AttachTypeFeature(sys.AttachTraceKprobeSession)) == nil {
		c := loadType(t, sys.ProgTypeKprobe, sys.AttachTraceKprobeSession, 0)
		l, err := KprobeMulti(k, c.fd(), KprobeMultiOptions{Symbols: symbols[:1], Session: true})
		own(t, l, err)
		poke()
		if got := c.runs(t); got != 2 {
			t.Errorf("a session ran %d times for one call", got)
		}
	}
}

//go:noinline
func traced(n int) { sink = n*3 + 1 }

var sink int

// tracedOffset is where the function above stands in this executable.
func tracedOffset(t *testing.T) (path string, offset uint64) {
	t.Helper()
	addr := uint64(reflect.ValueOf(traced).Pointer())
	maps, err := os.ReadFile("/proc/self/maps")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(maps)) {
		f := strings.Fields(line)
		from, to, _ := strings.Cut(f[0], "-")
		lo, _ := strconv.ParseUint(from, 16, 64)
		hi, _ := strconv.ParseUint(to, 16, 64)
		if len(f) >= 6 && lo <= addr && addr < hi {
			off, _ := strconv.ParseUint(f[2], 16, 64)
			return f[5], addr - lo + off
		}
	}
	t.Fatal("the function is in no file")
	return "", 0
}

func TestKernelUprobe(t *testing.T) {
	k := kernelTest(t)
	path, offset := tracedOffset(t)
	call := func() { traced(os.Getpid()) }
	c := loadType(t, sys.ProgTypeKprobe, 0, 0)
	l, err := Uprobe(k, c.fd(), UprobeOptions{Path: path, Offset: offset})
	if errors.Is(err, sys.ENOENT) || errors.Is(err, sys.EOPNOTSUPP) || errors.Is(err, sys.EPERM) {
		t.Skip("no uprobes here: ", err)
	}
	fires(t, c, l, err, call)
	c = loadType(t, sys.ProgTypeKprobe, 0, 0)
	l, err = Uprobe(k, c.fd(), UprobeOptions{Path: path, Offset: offset, PID: os.Getpid()})
	fires(t, c, l, err, call)
	if _, err := Uprobe(k, c.fd(), UprobeOptions{Path: "/no/such/file", Offset: 1}); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("no such file: %v", err)
	}
	var missing *SymbolError
	if _, err := Uprobe(k, c.fd(), UprobeOptions{Path: path, Symbol: "no_such_function"}); !errors.As(err, &missing) {
		t.Errorf("no such function: %v", err)
	}
	if sys.Probe(k, sys.AttachTypeFeature(sys.AttachTraceUprobeMulti)) != nil {
		return
	}
	c = loadType(t, sys.ProgTypeKprobe, sys.AttachTraceUprobeMulti, 0)
	l, err = UprobeMulti(k, c.fd(), UprobeMultiOptions{Path: path, Offsets: []uint64{offset}, Cookies: []uint64{7}})
	own(t, l, err)
	if info, err := l.Info(); err != nil || info.Type != sys.LinkTypeUprobeMulti || ktestAtLeast(6, 8) && info.Name != path {
		t.Errorf("info: %+v, %v", info, err)
	}
	fires(t, c, l, nil, call)
}

// kernelFunc is the id of a function in the kernel's BTF.
func kernelFunc(t *testing.T, name string) uint32 {
	t.Helper()
	spec, err := btf.Kernel()
	if err != nil {
		t.Skip("the kernel has no BTF: ", err)
	}
	f, ok := spec.Find(name, btf.KindFunc)
	if !ok {
		t.Skipf("the kernel has no function %s", name)
	}
	return uint32(f.ID())
}

// loadTracing loads a program with a target, or skips where that is forbidden.
func loadTracing(t *testing.T, typ sys.ProgType, a sys.AttachType, target uint32, ret int32) *counter {
	t.Helper()
	if err := sys.Probe(sys.Live(), sys.AttachTypeFeature(a)); err != nil {
		t.Skip(err)
	}
	return load(t, sys.ProgLoadAttr{ProgType: typ, ExpectedAttachType: a, AttachBTFID: target}, ret)
}

func TestKernelTracing(t *testing.T) {
	for _, a := range []sys.AttachType{sys.AttachTraceFentry, sys.AttachTraceFexit, sys.AttachTraceFsession} {
		t.Run(a.String(), func(t *testing.T) {
			k := kernelTest(t)
			c := loadTracing(t, sys.ProgTypeTracing, a, kernelFunc(t, sys.SyscallPrefix()+"getpgid"), 0)
			l, err := Tracing(k, c.fd(), a, 0)
			fires(t, c, l, err, poke)
		})
	}
}

func TestKernelTPBTF(t *testing.T) {
	k := kernelTest(t)
	spec, err := btf.Kernel()
	if err != nil {
		t.Skip("the kernel has no BTF: ", err)
	}
	target, ok := spec.Find("btf_trace_sys_enter", btf.KindTypedef)
	if !ok {
		t.Skip("the kernel has no tracepoint sys_enter")
	}
	c := load(t, sys.ProgLoadAttr{ProgType: sys.ProgTypeTracing, ExpectedAttachType: sys.AttachTraceRawTP, AttachBTFID: uint32(target.ID())}, 0)
	l, err := Tracing(k, c.fd(), sys.AttachTraceRawTP, 0)
	fires(t, c, l, err, poke)
}

func TestKernelLSM(t *testing.T) {
	k := kernelTest(t)
	const eperm = 1
	c := loadTracing(t, sys.ProgTypeLSM, sys.AttachLSMMac, kernelFunc(t, "bpf_lsm_inode_mkdir"), -eperm)
	active, err := os.ReadFile("/sys/kernel/security/lsm")
	if err == nil && !strings.Contains(string(active), "bpf") {
		t.Skip("the kernel runs without the BPF security module")
	}
	dir := t.TempDir() + "/x"
	l, err := Tracing(k, c.fd(), sys.AttachLSMMac, 0)
	own(t, l, err)
	if err := os.Mkdir(dir, 0o700); !errors.Is(err, os.ErrPermission) || c.runs(t) == 0 {
		if c.runs(t) == 0 && !ktestAtLeast(6, 1) {
			t.Skip("the security module is not active")
		}
		t.Errorf("mkdir: %v after %d runs", err, c.runs(t))
	}
	if err := l.Close(); err != nil {
		t.Error(err)
	}
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Errorf("after Close: %v", err)
	}
}

func TestKernelIter(t *testing.T) {
	k := kernelTest(t)
	c := load(t, sys.ProgLoadAttr{ProgType: sys.ProgTypeTracing, ExpectedAttachType: sys.AttachTraceIter, AttachBTFID: kernelFunc(t, "bpf_iter_task")}, 0)
	l, err := Iter(k, c.fd(), IterOptions{})
	own(t, l, err)
	pass, err := l.Open()
	if err != nil {
		t.Fatal(err)
	}
	defer pass.Close()
	if n, err := unix.Read(pass.Int(), make([]byte, 16)); n != 0 || err != nil || c.runs(t) == 0 {
		t.Errorf("read %d bytes, %v; the program ran %d times", n, err, c.runs(t))
	}
	if info, err := l.Info(); err != nil || info.Name != "task" {
		t.Errorf("info: %+v, %v", info, err)
	}
	if !ktestAtLeast(6, 1) {
		return
	}
	all := c.runs(t)
	one, err := Iter(k, c.fd(), IterOptions{TID: uint32(unix.Gettid())})
	own(t, one, err)
	second, err := one.Open()
	if err != nil {
		t.Fatal(err)
	}
	defer second.Close()
	unix.Read(second.Int(), make([]byte, 16))
	if got := c.runs(t) - all; got == 0 || got >= all {
		t.Errorf("for one thread the program ran %d times, for all %d", got, all)
	}
}

func TestKernelPinnedLink(t *testing.T) {
	k := kernelTest(t)
	root := ktest.BPFFS(t)
	ktest.NetNS(t)
	pass, drop := loadType(t, sys.ProgTypeXDP, 0, xdpPass), loadType(t, sys.ProgTypeXDP, 0, xdpDrop)
	u := newUDP(t)
	l, err := XDP(k, drop.fd(), XDPOptions{IfIndex: loopback, Mode: XDPGeneric})
	own(t, l, err)
	if err := l.Pin(root + "/l"); err != nil {
		t.Fatal(err)
	}
	if err := l.Close(); err != nil {
		t.Error(err)
	}
	if u.arrives(t) {
		t.Error("the pinned link ended with Close")
	}
	again, err := FromPin(k, root+"/l")
	own(t, again, err)
	if err := again.Update(pass.fd()); err != nil || !u.arrives(t) {
		t.Errorf("update of the pinned link: %v", err)
	}
	found := false
	for info, err := range All(k) {
		if err != nil {
			t.Fatal(err)
		}
		found = found || info.Type == sys.LinkTypeXDP && info.ProgID == pass.id(t)
	}
	if !found {
		t.Error("the link is not in the list of all")
	}
	if err := os.Remove(root + "/l"); err != nil {
		t.Error(err)
	}
	if _, err := FromPin(k, root+"/l"); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a pin that is gone: %v", err)
	}
}
