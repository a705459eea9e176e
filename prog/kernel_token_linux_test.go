package prog_test

import (
	"errors"
	"net"
	"strconv"
	"strings"
	"testing"

	"github.com/lode-bpf/lode/internal/ktest"
	"github.com/lode-bpf/lode/prog"
	"github.com/lode-bpf/lode/sys"
)

// With a token, a process that has no rights of its own loads a program and runs it.
func TestKernelToken(t *testing.T) {
	ktest.NoFDLeaks(t)
	ktest.Delegated(t, func(t *testing.T, bpffs int) {
		token, err := sys.OpenToken(sys.Live(), "/proc/self/fd/"+strconv.Itoa(bpffs))
		if err != nil {
			t.Fatal(err)
		}
		defer token.Close()
		code := prog.Code{Insns: assemble(t, "r0 = 2\nexit")}
		if _, err := prog.Load(sys.Live(), section("xdp"), code, prog.LoadOptions{}); !errors.Is(err, sys.EPERM) || !strings.Contains(err.Error(), "without a BPF token") {
			t.Errorf("without the token: %v", err)
		}
		p, err := prog.Load(sys.Live(), section("xdp"), code, prog.LoadOptions{Token: token.Int()})
		if err != nil {
			t.Fatal(err)
		}
		defer p.Close()
		if verdict, _, err := p.Test(packet(64)); err != nil || verdict != 2 {
			t.Errorf("test run: %d, %v", verdict, err)
		}
		_, err = prog.Load(sys.Live(), section("xdp"), prog.Code{Insns: assemble(t, "r0 = r7\nexit")}, prog.LoadOptions{Token: token.Int()})
		var refused *prog.VerifierError
		if !errors.As(err, &refused) || refused.Index != 0 {
			t.Errorf("a bad program with a token: %v", err)
		}
	})
}

// A program may be bound to a device without being run by it, and then uses what the
// device's driver tells; offloading it needs hardware, which the error says.
func TestKernelDevice(t *testing.T) {
	ktest.NetNS(t)
	ktest.NoFDLeaks(t)
	lo, err := net.InterfaceByName("lo")
	if err != nil {
		t.Fatal(err)
	}
	code := prog.Code{Insns: assemble(t, "r0 = 2\nexit")}
	t.Run("bound", func(t *testing.T) {
		ktest.Kernel(t, 6, 3, "programs bound to a device")
		ktest.NetNS(t)
		ktest.Veth(t, "bound0", "bound1")
		veth, err := net.InterfaceByName("bound0")
		if err != nil {
			t.Fatal(err)
		}
		other, err := net.InterfaceByName("bound1")
		if err != nil {
			t.Fatal(err)
		}
		s := section("xdp")
		s.IfIndex, s.Flags = uint32(veth.Index), sys.BPF_F_XDP_DEV_BOUND_ONLY
		p, err := prog.Load(sys.Live(), s, code, prog.LoadOptions{})
		if err != nil {
			t.Fatal(err)
		}
		defer p.Close()
		attach := func(index int) error {
			l, err := sys.LinkCreate(sys.Live(), &sys.LinkCreateAttr{ProgFD: int32(p.FD()), Target: int32(index), AttachType: sys.AttachXDP})
			l.Close()
			return err
		}
		if err := attach(veth.Index); err != nil {
			t.Errorf("to its device: %v", err)
		}
		if err := attach(other.Index); !errors.Is(err, sys.EINVAL) {
			t.Errorf("to another device: %v", err)
		}
	})
	for name, c := range map[string]struct {
		section string
		index   int
	}{"no offload": {"xdp", lo.Index}, "no device": {"xdp", 1 << 30}, "another type": {"socket", lo.Index}} {
		s := section(c.section)
		s.IfIndex = uint32(c.index)
		_, err := prog.Load(sys.Live(), s, code, prog.LoadOptions{})
		var e *prog.LoadError
		if !errors.As(err, &e) || !strings.Contains(err.Error(), "network device "+strconv.Itoa(c.index)) {
			t.Errorf("%s: %v", name, err)
		}
	}
	t.Run("offloaded", func(t *testing.T) {
		ktest.NetNS(t)
		s := section("xdp")
		s.IfIndex = ktest.Netdevsim(t)
		p, err := prog.Load(sys.Live(), s, code, prog.LoadOptions{})
		if err != nil {
			t.Fatal(err)
		}
		defer p.Close()
		if info, err := p.Info(); err != nil || info.IfIndex != s.IfIndex {
			t.Errorf("info: %+v, %v", info, err)
		}
	})
}
