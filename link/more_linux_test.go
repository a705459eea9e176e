package link

import (
	"errors"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/lode-bpf/lode/btf"
	"github.com/lode-bpf/lode/internal/ktest"
	"github.com/lode-bpf/lode/sys"
)

// A program in the place of a kernel function's return value.
func TestKernelModifyReturn(t *testing.T) {
	k := kernelTest(t)
	const enoent = 2
	c := loadTracing(t, sys.ProgTypeTracing, sys.AttachModifyReturn, kernelFunc(t, "security_inode_mkdir"), -enoent)
	dir := t.TempDir() + "/x"
	l, err := Tracing(k, c.fd(), sys.AttachModifyReturn, 0)
	own(t, l, err)
	if err := os.Mkdir(dir, 0o700); !errors.Is(err, unix.ENOENT) || c.runs(t) == 0 {
		t.Errorf("mkdir: %v after %d runs", err, c.runs(t))
	}
	if err := errors.Join(l.Close(), os.Mkdir(dir, 0o700)); err != nil {
		t.Errorf("after Close: %v", err)
	}
}

func TestKernelTracingMulti(t *testing.T) {
	k := kernelTest(t)
	need(t, sys.AttachTypeFeature(sys.AttachTraceFentryMulti))
	ids := []uint32{kernelFunc(t, sys.SyscallPrefix()+"getpgid"), kernelFunc(t, sys.SyscallPrefix()+"getsid")}
	slices.Sort(ids)
	c := loadType(t, sys.ProgTypeTracing, sys.AttachTraceFentryMulti, 0)
	l, err := TracingMulti(k, c.fd(), sys.AttachTraceFentryMulti, TracingMultiOptions{IDs: ids, Cookies: []uint64{1, 2}})
	fires(t, c, l, err, poke)
}

func TestKernelUprobeSession(t *testing.T) {
	k := kernelTest(t)
	need(t, sys.AttachTypeFeature(sys.AttachTraceUprobeSession))
	machine := ownMachine(t)
	path := writeProgram(t, machine.program(machine.usdt))
	c := loadType(t, sys.ProgTypeKprobe, sys.AttachTraceUprobeSession, 0)
	l, err := UprobeMulti(k, c.fd(), UprobeMultiOptions{Path: path, Offsets: []uint64{machine.probeAt}, Session: true})
	fires(t, c, l, err, func() { exitCode(t, path) })
}

// The stock tools of the system show what is attached.
func TestKernelStockTools(t *testing.T) {
	k := kernelTest(t)
	tc, ip := ktest.Tool(t, "tc", "iproute2"), ktest.Tool(t, "ip", "iproute2")
	ktest.NetNS(t)
	f, x := loadType(t, sys.ProgTypeSchedCls, 0, 0), loadType(t, sys.ProgTypeXDP, 0, xdpPass)
	lf, err := TC(k, f.fd(), TCOptions{IfIndex: loopback, Direction: TCEgress, Priority: 7, Handle: 3, Name: "shown"})
	own(t, lf, err)
	lx, err := XDPNetlink(k, x.fd(), XDPOptions{IfIndex: loopback, Mode: XDPGeneric})
	own(t, lx, err)
	run := func(name string, args ...string) string {
		out, err := exec.Command(name, args...).CombinedOutput()
		if err != nil {
			t.Errorf("%s %v: %v\n%s", name, args, err, out)
		}
		return string(out)
	}
	if out := run(tc, "filter", "show", "dev", "lo", "egress"); !strings.Contains(out, "pref 7 bpf") || !strings.Contains(out, "handle 0x3 shown direct-action") ||
		!strings.Contains(out, "id "+strconv.Itoa(int(f.id(t)))) {
		t.Errorf("tc shows %q", out)
	}
	if out := run(ip, "link", "show", "dev", "lo"); !strings.Contains(out, "xdpgeneric") || !strings.Contains(out, "prog/xdp id "+strconv.Itoa(int(x.id(t)))) {
		t.Errorf("ip shows %q", out)
	}
}

// A program is put in the place of a function of another one.
func TestKernelFreplace(t *testing.T) {
	k := kernelTest(t)
	if err := sys.Probe(k, sys.ProgTypeFeature(sys.ProgTypeExt)); err != nil {
		t.Skip(err)
	}
	ktest.NetNS(t)
	b := freplaceBTF(t, k)
	defer b.Close()
	// int main(ctx) { return sub(ctx); } int sub(ctx) { return XDP_DROP; }
	target := insn(nil, 0x85, 0, 1, 0, 1)
	target = insn(target, 0x95, 0, 0, 0, 0)
	target = insn(target, 0xb7, 0, 0, 0, xdpDrop)
	target = insn(target, 0x95, 0, 0, 0, 0)
	main := loadWithFuncs(t, &sys.ProgLoadAttr{ProgType: sys.ProgTypeXDP}, target, b, []uint32{0, 4, 2, 5})
	run := func() uint32 {
		a := &sys.ProgTestRunAttr{ProgFD: main.Num(), DataIn: sys.BytesPtr(make([]byte, 64)), DataSizeIn: 64}
		if err := sys.ProgTestRun(k, a); err != nil {
			t.Fatal(err)
		}
		return a.RetVal
	}
	pass := insn(insn(nil, 0xb7, 0, 0, 0, xdpPass), 0x95, 0, 0, 0, 0)
	ext := loadWithFuncs(t, &sys.ProgLoadAttr{ProgType: sys.ProgTypeExt, AttachFD: main.Num(), AttachBTFID: 5}, pass, b, []uint32{0, 5})
	if got := run(); got != xdpDrop {
		t.Fatalf("the target returns %d", got)
	}
	l, err := Freplace(k, ext.Int(), -1, 0)
	own(t, l, err)
	if got := run(); got != xdpPass {
		t.Errorf("with the replacement the target returns %d", got)
	}
	if _, err := Freplace(k, ext.Int(), main.Int(), 5); !errors.Is(err, sys.EBUSY) && !errors.Is(err, sys.EINVAL) {
		t.Errorf("a second replacement: %v", err)
	}
	if err := l.Close(); err != nil || run() != xdpDrop {
		t.Errorf("after Close: %v", err)
	}
}

// freplaceBTF describes int main(struct xdp_md *) and int sub(struct xdp_md *) as
// types 4 and 5.
func freplaceBTF(t *testing.T, k sys.Kernel) *sys.FD {
	t.Helper()
	const str = "\x00int\x00xdp_md\x00ctx\x00main\x00sub\x00"
	types := message(nil).u32(
		1, 1<<24, 4, 1<<24|32, // 1: int
		5, 4<<24, 0, // 2: struct xdp_md, empty
		0, 2<<24, 2, // 3: pointer to it
		16, 12<<24|1, 6, // 4: main, global, of type 6
		21, 12<<24|1, 6, // 5: sub, global
		0, 13<<24|1, 1, 12, 3) // 6: int (struct xdp_md *ctx)
	blob := message(nil).u32(0x0001eb9f, 24, 0, uint32(len(types)), uint32(len(types)), uint32(len(str)))
	blob = append(append(blob, types...), str...)
	if _, err := btf.Parse(blob, nil); err != nil {
		t.Fatal(err)
	}
	fd, err := sys.BTFLoad(k, &sys.BTFLoadAttr{BTF: sys.BytesPtr(blob), Size: uint32(len(blob))})
	if err != nil {
		t.Fatal(err)
	}
	return fd
}

func loadWithFuncs(t *testing.T, a *sys.ProgLoadAttr, code []byte, b *sys.FD, funcs []uint32) *sys.FD {
	t.Helper()
	log := make([]byte, 8<<10)
	a.Insns, a.InsnCount, a.License = sys.BytesPtr(code), uint32(len(code)/8), sys.StringPtr("GPL")
	a.ProgBTFFD, a.FuncInfo, a.FuncInfoCount, a.FuncInfoRecSize = b.Num(), sys.UnsafePtr(unsafe.Pointer(&funcs[0])), uint32(len(funcs)/2), 8
	a.LogBuf, a.LogSize, a.LogLevel = sys.BytesPtr(log), uint32(len(log)), 1
	fd, err := sys.ProgLoad(sys.Live(), a)
	if err != nil {
		t.Fatalf("%v\n%s", err, log)
	}
	t.Cleanup(func() { fd.Close() })
	return fd
}
