package link

import (
	"errors"
	"runtime"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/lode-bpf/lode/internal/ktest"
	"github.com/lode-bpf/lode/sys"
)

// A function of a file is probed where it begins, where it returns, and at both: by
// one event and by many.
func TestKernelUprobeReturns(t *testing.T) {
	k := kernelTest(t)
	machine := ownMachine(t)
	path := writeProgram(t, machine.program(machine.call))
	if code := exitCode(t, path); code != 0 {
		t.Fatalf("without a probe the program exits with %d", code)
	}
	run := func() { exitCode(t, path) }
	for _, ret := range []bool{false, true} {
		c := loadType(t, sys.ProgTypeKprobe, 0, 0)
		l, err := Uprobe(k, c.fd(), UprobeOptions{Path: path, Offset: machine.functionAt, Return: ret})
		if errors.Is(err, sys.ENOENT) || errors.Is(err, sys.EOPNOTSUPP) || errors.Is(err, sys.EPERM) {
			t.Skip("no uprobes here: ", err)
		}
		fires(t, c, l, err, run)
		if got := c.runs(t); got != 1 {
			t.Errorf("return %t: %d runs for one call", ret, got)
		}
	}
	for _, m := range []struct {
		hook sys.AttachType
		o    UprobeMultiOptions
		runs uint64
	}{
		{sys.AttachTraceUprobeMulti, UprobeMultiOptions{}, 1},
		{sys.AttachTraceUprobeMulti, UprobeMultiOptions{Return: true}, 1},
		{sys.AttachTraceUprobeSession, UprobeMultiOptions{Session: true}, 2},
	} {
		if err := sys.Probe(k, sys.AttachTypeFeature(m.hook)); err != nil {
			t.Log(err)
			continue
		}
		c := loadType(t, sys.ProgTypeKprobe, m.hook, 0)
		m.o.Path, m.o.Offsets = path, []uint64{machine.functionAt}
		l, err := UprobeMulti(k, c.fd(), m.o)
		fires(t, c, l, err, run)
		if got := c.runs(t); got != m.runs {
			t.Errorf("%s, return %t: %d runs for one call, want %d", m.hook, m.o.Return, got, m.runs)
		}
	}
}

func TestKernelKprobeMultiReturns(t *testing.T) {
	k := kernelTest(t)
	need(t, sys.AttachTypeFeature(sys.AttachTraceKprobeMulti))
	c := loadType(t, sys.ProgTypeKprobe, sys.AttachTraceKprobeMulti, 0)
	l, err := KprobeMulti(k, c.fd(), KprobeMultiOptions{Symbols: []string{sys.SyscallPrefix() + "getpgid"}, Return: true})
	fires(t, c, l, err, poke)
}

// loadCookie loads a program that keeps its cookie.
func loadCookie(t *testing.T, attr sys.ProgLoadAttr) *counter {
	t.Helper()
	m, err := sys.MapCreate(sys.Live(), &sys.MapCreateAttr{MapType: sys.MapTypeArray, KeySize: 4, ValueSize: 8, MaxEntries: 1})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { m.Close() })
	code := insn(nil, 0x85, 0, 0, 0, int32(getAttachCookie))
	code = insn(code, 0x18, 1, 2, 0, m.Num())
	code = insn(code, 0, 0, 0, 0, 0)
	code = insn(code, 0x7b, 1, 0, 0, 0) // *(u64 *)r1 = r0
	code = insn(code, 0xb7, 0, 0, 0, 0)
	code = insn(code, 0x95, 0, 0, 0, 0)
	return &counter{loadCode(t, attr, code), m}
}

// A program learns by its cookie which of its attachments it runs for.
func TestKernelCookies(t *testing.T) {
	k := kernelTest(t)
	ktest.Tracefs(t)
	const cookie = 0x1234_5678_9abc_def0
	getpgid := sys.SyscallPrefix() + "getpgid"
	kprobe := sys.ProgLoadAttr{ProgType: sys.ProgTypeKprobe}
	multi := sys.ProgLoadAttr{ProgType: sys.ProgTypeKprobe, ExpectedAttachType: sys.AttachTraceKprobeMulti}
	for _, c := range []struct {
		name         string
		major, minor int
		need         sys.Feature
		load         func() sys.ProgLoadAttr
		attach       func(prog int) (*Link, error)
	}{
		{"tracepoint", 5, 15, 0, func() sys.ProgLoadAttr { return sys.ProgLoadAttr{ProgType: sys.ProgTypeTracepoint} },
			func(prog int) (*Link, error) { return Tracepoint(k, prog, "raw_syscalls", "sys_enter", cookie) }},
		{"kprobe", 5, 15, 0, func() sys.ProgLoadAttr { return kprobe },
			func(prog int) (*Link, error) { return Kprobe(k, prog, KprobeOptions{Symbol: getpgid, Cookie: cookie}) }},
		{"kprobe tracefs", 5, 15, 0, func() sys.ProgLoadAttr { return kprobe },
			func(prog int) (*Link, error) {
				return Kprobe(k, prog, KprobeOptions{Symbol: getpgid, Cookie: cookie, Legacy: true})
			}},
		{"ksyscall", 5, 15, 0, func() sys.ProgLoadAttr { return kprobe },
			func(prog int) (*Link, error) { return Ksyscall(k, prog, "getpgid", true, cookie) }},
		{"kprobe.multi", 5, 18, sys.AttachTypeFeature(sys.AttachTraceKprobeMulti), func() sys.ProgLoadAttr { return multi },
			func(prog int) (*Link, error) {
				return KprobeMulti(k, prog, KprobeMultiOptions{Symbols: []string{getpgid}, Cookies: []uint64{cookie}})
			}},
		{"fentry", 5, 19, 0, func() sys.ProgLoadAttr {
			return sys.ProgLoadAttr{ProgType: sys.ProgTypeTracing, ExpectedAttachType: sys.AttachTraceFentry, AttachBTFID: kernelFunc(t, getpgid)}
		}, func(prog int) (*Link, error) { return Tracing(k, prog, sys.AttachTraceFentry, cookie) }},
		{"raw tracepoint", 6, 10, 0, func() sys.ProgLoadAttr { return sys.ProgLoadAttr{ProgType: sys.ProgTypeRawTracepoint} },
			func(prog int) (*Link, error) { return RawTracepoint(k, prog, "sys_enter", cookie) }},
	} {
		t.Run(c.name, func(t *testing.T) {
			if c.name == "fentry" {
				need(t, sys.AttachTypeFeature(sys.AttachTraceFentry))
			}
			if c.need != 0 {
				need(t, c.need)
			}
			if !ktestAtLeast(c.major, c.minor) {
				l, err := c.attach(load(t, c.load(), 0).fd())
				var absent *sys.NotSupported
				if !errors.As(err, &absent) {
					t.Errorf("before Linux %d.%d: %v", c.major, c.minor, err)
				}
				if err == nil {
					l.Close()
				}
				return
			}
			p := loadCookie(t, c.load())
			l, err := c.attach(p.fd())
			if errors.Is(err, sys.ENOENT) || errors.Is(err, sys.EPERM) || errors.Is(err, sys.EOPNOTSUPP) {
				t.Skip("not here: ", err)
			}
			own(t, l, err)
			poke()
			if err := l.Close(); err != nil {
				t.Error(err)
			}
			if got := p.runs(t); got != cookie {
				t.Errorf("the cookie is %#x, want %#x", got, uint64(cookie))
			}
		})
	}
}

// A program on a perf event of one thread runs for what that does.
func TestKernelPerfEventCookie(t *testing.T) {
	k := kernelTest(t)
	ktest.Kernel(t, 5, 15, "cookies")
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	n, err := k.Call(&sys.PerfEventOpen{Type: unix.PERF_TYPE_SOFTWARE, Config: unix.PERF_COUNT_SW_PAGE_FAULTS, SamplePeriod: 1, PID: unix.Gettid(), CPU: -1})
	if err != nil {
		t.Skip("no perf events here: ", err)
	}
	event := sys.NewFD(k, n)
	defer event.Close()
	p := loadCookie(t, sys.ProgLoadAttr{ProgType: sys.ProgTypePerfEvent})
	const cookie = 77
	l, err := PerfEvent(k, p.fd(), event.Int(), cookie)
	own(t, l, err)
	b, err := unix.Mmap(-1, 0, 1<<20, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_ANON)
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(b); i += 4096 { // each a fault
		b[i] = 1
	}
	if err := unix.Munmap(b); err != nil {
		t.Error(err)
	}
	if got := p.runs(t); got != cookie {
		t.Errorf("the cookie is %d", got)
	}
}

func TestKernelTracingMultiOthers(t *testing.T) {
	for _, m := range []struct {
		hook sys.AttachType
		runs uint64
	}{{sys.AttachTraceFexitMulti, 1}, {sys.AttachTraceFsessionMulti, 2}} {
		t.Run(m.hook.String(), func(t *testing.T) {
			k := kernelTest(t)
			need(t, sys.AttachTypeFeature(m.hook))
			c := loadType(t, sys.ProgTypeTracing, m.hook, 0)
			l, err := TracingMulti(k, c.fd(), m.hook, TracingMultiOptions{IDs: []uint32{kernelFunc(t, sys.SyscallPrefix()+"getpgid")}})
			fires(t, c, l, err, poke)
			if got := c.runs(t); got < m.runs {
				t.Errorf("%d runs for a call, want %d at least", got, m.runs)
			}
		})
	}
}
