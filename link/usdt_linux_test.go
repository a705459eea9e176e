package link

import (
	"errors"
	"os/exec"
	"runtime"
	"testing"
	"unsafe"

	"github.com/google/go-cmp/cmp"

	"github.com/lode-bpf/lode/sys"
)

// A process passes the probe: the program runs with its register, the kernel has
// counted the semaphore up, and the spec says where the arguments are.
func TestKernelUSDT(t *testing.T) {
	k := kernelTest(t)
	machine := ownMachine(t)
	path := writeProgram(t, machine.program(machine.usdt))
	specs, ips := usdtMaps(t)
	u, err := NewUSDTSpecs(k, specs.Int(), ips.Int())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := NewUSDTSpecs(k, ips.Int(), ips.Int()); err == nil {
		t.Error("a map of another size is taken for specs")
	}
	for _, multi := range []bool{false, true} {
		a := sys.AttachType(0)
		if multi {
			if sys.Probe(k, sys.AttachTypeFeature(sys.AttachTraceUprobeMulti)) != nil {
				continue
			}
			a = sys.AttachTraceUprobeMulti
		}
		c := loadArgument(t, a, machine.argReg)
		l, err := u.Attach(c.fd(), USDTOptions{Path: path, Provider: "test", Name: "hit", Cookie: 99, Multi: multi})
		if errors.Is(err, sys.ENOENT) || errors.Is(err, sys.EPERM) || errors.Is(err, sys.EOPNOTSUPP) {
			t.Skip("no uprobes here: ", err)
		}
		own(t, l, err)
		if code := exitCode(t, path); code != 1 {
			t.Errorf("multi %t: the semaphore is %d", multi, code)
		}
		if got := c.runs(t); got != 42 {
			t.Errorf("multi %t: the argument is %d", multi, got)
		}
		key, value := uint32(0), make([]byte, usdtSpecSize)
		args, _ := parseUSDTArgs(runtime.GOARCH, machine.args)
		if err := sys.MapLookup(specs.Int(), unsafe.Pointer(&key), unsafe.Pointer(&value[0]), 0); err != nil || !cmp.Equal(value, usdtSpec(args, 99)) {
			t.Errorf("spec: %x, %v", value, err)
		}
		if err := l.Close(); err != nil {
			t.Error(err)
		}
		if code := exitCode(t, path); code != 0 {
			t.Errorf("multi %t: the semaphore is %d after Close", multi, code)
		}
		var first uint64
		if err := sys.MapNextKey(ips.Int(), nil, unsafe.Pointer(&first)); err != sys.ENOENT {
			t.Errorf("an address is left: %#x, %v", first, err)
		}
	}
	archived := zipFile(t, machine.program(machine.usdt)) + "!/lib/probed"
	inArchive, err := u.Attach(loadArgument(t, 0, machine.argReg).fd(), USDTOptions{Path: archived, Provider: "test", Name: "hit"})
	own(t, inArchive, err)
	var missing *SymbolError
	if _, err := u.Attach(0, USDTOptions{Path: path, Provider: "test", Name: "miss"}); !errors.As(err, &missing) {
		t.Errorf("no such probe: %v", err)
	}
}

// usdtMaps are the maps of usdt.bpf.h, with room for two.
func usdtMaps(t *testing.T) (specs, ips *sys.FD) {
	t.Helper()
	for _, m := range []struct {
		fd   **sys.FD
		attr sys.MapCreateAttr
	}{
		{&specs, sys.MapCreateAttr{MapType: sys.MapTypeArray, KeySize: 4, ValueSize: usdtSpecSize, MaxEntries: 2}},
		{&ips, sys.MapCreateAttr{MapType: sys.MapTypeHash, KeySize: 8, ValueSize: 4, MaxEntries: 2}},
	} {
		fd, err := sys.MapCreate(sys.Live(), &m.attr)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { fd.Close() })
		*m.fd = fd
	}
	return specs, ips
}

// loadArgument loads a program that keeps the register of the first argument.
func loadArgument(t *testing.T, a sys.AttachType, register int16) *counter {
	t.Helper()
	k := sys.Live()
	m, err := sys.MapCreate(k, &sys.MapCreateAttr{MapType: sys.MapTypeArray, KeySize: 4, ValueSize: 8, MaxEntries: 1})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { m.Close() })
	code := insn(nil, 0x79, 6, 1, register, 0) // r6 = the register
	code = insn(code, 0x18, 1, 2, 0, m.Num())
	code = insn(code, 0, 0, 0, 0, 0)
	code = insn(code, 0x7b, 1, 6, 0, 0) // *(u64 *)r1 = r6
	code = insn(code, 0xb7, 0, 0, 0, 0)
	code = insn(code, 0x95, 0, 0, 0, 0)
	p, err := sys.ProgLoad(k, &sys.ProgLoadAttr{ProgType: sys.ProgTypeKprobe, ExpectedAttachType: a, Insns: sys.BytesPtr(code),
		InsnCount: uint32(len(code) / 8), License: sys.StringPtr("GPL")})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.Close() })
	return &counter{p, m}
}

func exitCode(t *testing.T, path string) int {
	t.Helper()
	cmd := exec.Command(path)
	var exit *exec.ExitError
	if err := cmd.Run(); err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return cmd.ProcessState.ExitCode()
}
