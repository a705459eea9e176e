package prog_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/lode-bpf/lode/btf"
	"github.com/lode-bpf/lode/insn"
	"github.com/lode-bpf/lode/internal/ktest"
	"github.com/lode-bpf/lode/prog"
	"github.com/lode-bpf/lode/sys"
)

// assemble is the instructions of a text.
func assemble(tb testing.TB, text string) []insn.Instruction {
	tb.Helper()
	insns, err := insn.Assemble(text, insn.Verifier)
	if err != nil {
		tb.Fatal(err)
	}
	return insns
}

// section is the definition of a program as a section name gives it.
func section(name string) *prog.Spec {
	c := prog.Classify(name, nil, nil)
	r := c.Rule
	return &prog.Spec{
		Name: "test", Section: name, Type: r.Type, AttachType: r.AttachType, Flags: r.Flags, AttachKind: r.AttachKind, AttachTarget: c.Arg,
		AttachTypeNeeded: r.AttachTypeNeeded, AttachTypeOptional: r.AttachTypeOptional, NeedsTarget: r.NeedsTarget, License: "GPL", AutoLoad: true,
	}
}

// needs skips the test on kernels without the program's type and hook.
func needs(t *testing.T, s *prog.Spec) {
	t.Helper()
	for what, since := range map[string]string{s.Type.String(): s.Type.Since(), s.AttachType.String(): s.AttachType.Since()} {
		var major, minor int
		if n, _ := fmt.Sscanf(since, "%d.%d", &major, &minor); n == 2 {
			ktest.Kernel(t, major, minor, "programs "+what)
		}
	}
}

// load loads a program of a section until the test ends. A kernel that lacks
// what it needs skips the test.
func load(t *testing.T, s *prog.Spec, text string) *prog.Program {
	t.Helper()
	c := prog.Code{Insns: assemble(t, text)}
	if s.NeedsTarget {
		target, err := prog.FindTarget(s, kernelBTF(t), nil)
		if err != nil {
			t.Fatal(err)
		}
		c.AttachBTFID = uint32(target.TypeID)
	}
	p, err := prog.Load(sys.Live(), s, c, prog.LoadOptions{})
	var absent *sys.NotSupported
	if errors.As(err, &absent) {
		t.Skipf("%v", absent)
	}
	if s.NeedsTarget && errors.Is(err, sys.EPERM) {
		t.Skipf("needs a kernel that lets root hook its functions: %v", err)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.Close() })
	return p
}

func kernelBTF(tb testing.TB) *btf.Spec {
	tb.Helper()
	b, err := btf.Kernel()
	if errors.Is(err, btf.ErrNoBTF) {
		tb.Skipf("needs the kernel's BTF (CONFIG_DEBUG_INFO_BTF): %v", err)
	}
	if err != nil {
		tb.Fatal(err)
	}
	return b
}

// packet is a UDP packet of n bytes.
func packet(n int) []byte {
	b := make([]byte, n)
	copy(b, "\x02\x00\x00\x00\x00\x01\x02\x00\x00\x00\x00\x02\x08\x00\x45\x00")
	b[17] = byte(n - 14)
	copy(b[22:], "\x40\x11\x00\x00\x0a\x00\x00\x01\x0a\x00\x00\x02\x00\x07\x00\x09")
	return b
}

// words are numbers as the kernel has them in memory.
func words[T uint32 | uint64](list ...T) []byte {
	b, err := binary.Append(nil, binary.NativeEndian, list)
	if err != nil {
		panic(err) // numbers have a size
	}
	return b
}

const (
	pass   = "r0 = 1\nexit"
	zero   = "r0 = 0\nexit"
	skbLen = "r0 = *(u32 *)(r1 +0)\nexit" // struct __sk_buff.len
)

// Every program type that a kernel loads, and what a test run of it yields.
func TestKernelTypes(t *testing.T) {
	ktest.Root(t)
	const none = -1 // the kernel cannot run the type
	later := map[string]struct {
		major, minor int
		what         string
	}{
		"xdp.frags":             {5, 18, "BPF_F_XDP_HAS_FRAGS"},
		"uprobe.s//bin/sh:main": {6, 0, "uprobe programs that sleep"},
		"flow_dissector":        {6, 1, "test runs of flow dissectors that return the program's own value"},
	}
	for _, c := range []struct {
		section string
		text    string
		run     prog.Run
		want    int
	}{
		{"socket", skbLen, prog.Run{Data: packet(64)}, 50},
		{"tc", skbLen, prog.Run{Data: packet(64)}, 64},
		{"tcx/ingress", skbLen, prog.Run{Data: packet(64)}, 64},
		{"netkit/peer", skbLen, prog.Run{Data: packet(64)}, 64},
		{"action", skbLen, prog.Run{Data: packet(64)}, 64},
		{"xdp", "r2 = *(u32 *)(r1 +4)\nr3 = *(u32 *)(r1 +0)\nr2 -= r3\nr0 = r2\nexit", prog.Run{Data: packet(64)}, 64},
		{"xdp.frags", "r0 = 2\nexit", prog.Run{Data: packet(64)}, 2},
		{"xdp/devmap", "r0 = 2\nexit", prog.Run{}, none},
		{"xdp/cpumap", "r0 = 2\nexit", prog.Run{}, none},
		{"cgroup_skb/ingress", pass, prog.Run{Data: packet(64)}, 1},
		{"cgroup_skb/egress", pass, prog.Run{Data: packet(64)}, 1},
		{"cgroup/skb", pass, prog.Run{Data: packet(64)}, 1},
		{"lwt_in", skbLen, prog.Run{Data: packet(64)}, 50},
		{"lwt_out", skbLen, prog.Run{Data: packet(64)}, 50},
		{"lwt_xmit", skbLen, prog.Run{Data: packet(64)}, 50},
		{"lwt_seg6local", skbLen, prog.Run{Data: packet(64)}, 50},
		{"flow_dissector", zero, prog.Run{Data: packet(64)}, 0},
		{"sk_lookup", pass, prog.Run{Context: append(words[uint32](0, 0, 2, 17), make([]byte, 56)...)}, 1},
		{"syscall", "r0 = *(u32 *)(r1 +4)\nexit", prog.Run{Context: words[uint32](0, 42)}, 42},
		{"raw_tp/sys_enter", "r0 = *(u64 *)(r1 +8)\nexit", prog.Run{Context: words[uint64](0, 9)}, 9},
		{"raw_tp.w/nbd_send_request", zero, prog.Run{}, none},
		{"netfilter", pass, prog.Run{Data: packet(64)[14:]}, 1},
		{"kprobe/do_nanosleep", zero, prog.Run{}, none},
		{"kprobe.multi/do_nano*", zero, prog.Run{}, none},
		{"uprobe.multi//bin/sh:main", zero, prog.Run{}, none},
		{"uprobe.s//bin/sh:main", zero, prog.Run{}, none},
		{"tp/sched/sched_switch", zero, prog.Run{}, none},
		{"perf_event", zero, prog.Run{}, none},
		{"sockops", pass, prog.Run{}, none},
		{"sk_skb/stream_parser", zero, prog.Run{}, none},
		{"sk_skb/stream_verdict", pass, prog.Run{}, none},
		{"sk_skb/verdict", pass, prog.Run{}, none},
		{"sk_msg", pass, prog.Run{}, none},
		{"sk_reuseport", pass, prog.Run{}, none},
		{"sk_reuseport/migrate", pass, prog.Run{}, none},
		{"lirc_mode2", zero, prog.Run{}, none},
		{"cgroup/dev", pass, prog.Run{}, none},
		{"cgroup/sysctl", pass, prog.Run{}, none},
		{"cgroup/getsockopt", pass, prog.Run{}, none},
		{"cgroup/setsockopt", pass, prog.Run{}, none},
		{"cgroup/sock_create", pass, prog.Run{}, none},
		{"cgroup/sock_release", pass, prog.Run{}, none},
		{"cgroup/post_bind4", pass, prog.Run{}, none},
		{"cgroup/post_bind6", pass, prog.Run{}, none},
		{"cgroup/bind4", pass, prog.Run{}, none},
		{"cgroup/connect6", pass, prog.Run{}, none},
		{"cgroup/connect_unix", pass, prog.Run{}, none},
		{"cgroup/sendmsg4", pass, prog.Run{}, none},
		{"cgroup/recvmsg6", pass, prog.Run{}, none},
		{"cgroup/getpeername4", pass, prog.Run{}, none},
		{"cgroup/getsockname_unix", pass, prog.Run{}, none},
		{"tp_btf/sched_switch", zero, prog.Run{}, none},
		{"iter/bpf_map", zero, prog.Run{}, none},
		{"iter.s/task", zero, prog.Run{}, none},
		{"lsm/file_open", zero, prog.Run{}, none},
		{"lsm_cgroup/socket_bind", pass, prog.Run{}, none},
		{"fentry/bpf_fentry_test1", zero, prog.Run{}, none},
		{"fexit/bpf_fentry_test1", zero, prog.Run{}, none},
		{"fmod_ret/security_file_open", zero, prog.Run{}, none},
	} {
		t.Run(strings.ReplaceAll(c.section, "/", ":"), func(t *testing.T) {
			ktest.NoFDLeaks(t)
			s := section(c.section)
			needs(t, s)
			if n, ok := later[c.section]; ok {
				ktest.Kernel(t, n.major, n.minor, n.what)
			}
			p := load(t, s, c.text)
			info, err := p.Info()
			if err != nil {
				t.Fatal(err)
			}
			if info.Type != s.Type || info.Name != "test" || info.ID == 0 || !info.GPL || p.Type() != s.Type {
				t.Errorf("info: %+v", info)
			}
			if c.want == none {
				if err := p.Run(&c.run); err == nil {
					t.Logf("this kernel runs it: %d", c.run.Return)
				} else if !errors.Is(err, errors.ErrUnsupported) && !errors.Is(err, sys.EINVAL) && !errors.Is(err, sys.EFAULT) {
					t.Errorf("test run: %v", err)
				}
				return
			}
			t.Run("run", func(t *testing.T) {
				err := p.Run(&c.run)
				if errors.Is(err, errors.ErrUnsupported) {
					t.Skipf("needs a kernel that has test runs of %v", s.Type)
				}
				if err != nil || int(c.run.Return) != c.want {
					t.Errorf("test run: %d, %v; want %d", c.run.Return, err, c.want)
				}
			})
		})
	}
}

// A struct_ops program is loaded with the kernel's structure and the number of
// the member that it implements.
func TestKernelStructOps(t *testing.T) {
	ktest.Root(t)
	ktest.NoFDLeaks(t)
	spec := kernelBTF(t)
	ops, ok := spec.Find("tcp_congestion_ops", btf.KindStruct)
	if !ok {
		t.Skip("needs struct tcp_congestion_ops in the kernel's BTF")
	}
	s := section("struct_ops/ssthresh")
	for i, m := range ops.Members() {
		if m.Name == "ssthresh" {
			s.AttachType = sys.AttachType(i)
		}
	}
	if _, err := prog.Load(sys.Live(), s, prog.Code{Insns: assemble(t, "r0 = 2\nexit")}, prog.LoadOptions{}); err == nil || !strings.Contains(err.Error(), "no struct_ops variable refers to it") {
		t.Errorf("without a structure: %v", err)
	}
	p, err := prog.Load(sys.Live(), s, prog.Code{Insns: assemble(t, "r0 = 2\nexit"), AttachBTFID: uint32(ops.ID())}, prog.LoadOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	if p.Type() != sys.ProgTypeStructOps {
		t.Errorf("type %v", p.Type())
	}
}

// What a program does to a packet and to its context is seen, and a buffer that
// is too short is not silently cut.
func TestKernelRun(t *testing.T) {
	ktest.Root(t)
	ktest.NoFDLeaks(t)
	p := load(t, section("xdp"), `
		r6 = r1
		r2 = -4
		call bpf_xdp_adjust_head
		r0 = 0
		r2 = *(u32 *)(r6 +0)
		r3 = *(u32 *)(r6 +4)
		r4 = r2
		r4 += 4
		if r4 > r3 goto out
		*(u32 *)(r2 +0) = 0x01010101
		r0 = 2
	out:
		exit`)
	in := packet(64)
	verdict, out, err := p.Test(in)
	if err != nil || verdict != 2 {
		t.Fatalf("verdict %d, %v", verdict, err)
	}
	if d := cmp.Diff(append([]byte{1, 1, 1, 1}, in...), out); d != "" {
		t.Errorf("packet (-want +got):\n%s", d)
	}
	r := prog.Run{Data: in, DataOut: make([]byte, 10)}
	if err := p.Run(&r); !errors.Is(err, sys.ENOSPC) || r.Room != 68 || len(r.DataOut) != 10 {
		t.Errorf("short buffer: %v, room %d, %d bytes", err, r.Room, len(r.DataOut))
	}
	r = prog.Run{Data: in, Repeat: 1000}
	if err := p.Run(&r); err != nil || r.Return != 2 {
		t.Errorf("repeat: %d, %v", r.Return, err)
	}
	if d, err := p.Benchmark(1000, prog.Run{Data: in}); err != nil || d < 0 {
		t.Errorf("benchmark: %v, %v", d, err)
	}

	q := load(t, section("tc"), "r2 = *(u32 *)(r1 +8)\nr2 += 1\n*(u32 *)(r1 +8) = r2\nr0 = r2\nexit") // mark
	ctx := make([]byte, 192)
	binary.NativeEndian.PutUint32(ctx[8:], 41)
	before := bytes.Clone(ctx)
	r = prog.Run{Data: in, Context: ctx, ContextOut: make([]byte, 192)}
	if err := q.Run(&r); err != nil || r.Return != 42 || binary.NativeEndian.Uint32(r.ContextOut[8:]) != 42 || !bytes.Equal(ctx, before) {
		t.Errorf("context: %d, %v, % x → % x", r.Return, err, ctx[8:12], r.ContextOut[8:12])
	}
	if err := q.Run(&prog.Run{Data: in[:3]}); !errors.Is(err, sys.EINVAL) {
		t.Errorf("a packet without a header: %v", err)
	}
	if err := q.Run(&prog.Run{Data: in, Repeat: -1}); !errors.Is(err, sys.EINVAL) {
		t.Errorf("negative repeat: %v", err)
	}
	q.Close()
	if err := q.Run(&prog.Run{Data: in}); !errors.Is(err, sys.EBADF) {
		t.Errorf("closed program: %v", err)
	}
}

// With live frames packets are sent for real.
func TestKernelLiveFrames(t *testing.T) {
	ktest.Root(t)
	ktest.Kernel(t, 5, 18, "XDP test runs with live frames")
	p := load(t, section("xdp"), "r0 = 1\nexit") // XDP_DROP
	r := prog.Run{Data: packet(64), Repeat: 100, Flags: sys.BPF_F_TEST_XDP_LIVE_FRAMES, BatchSize: 16}
	if err := p.Run(&r); err != nil {
		t.Error(err)
	}
}
