package prog_test

import (
	"encoding/binary"
	"fmt"
	"os"
	"slices"
	"syscall"
	"testing"

	"github.com/lode-bpf/lode/btf"
	"github.com/lode-bpf/lode/internal/ktest"
	"github.com/lode-bpf/lode/prog"
	"github.com/lode-bpf/lode/sys"
)

// What types of program do for which there is no test run; those that link attaches
// have their tests there.

// A writable raw tracepoint changes what the kernel goes on with: here, the result of
// a test run, and that of this process only.
func TestKernelWritableTracepoint(t *testing.T) {
	ktest.Root(t)
	ktest.NoFDLeaks(t)
	writer := load(t, section("raw_tp.w/bpf_test_finish"), fmt.Sprintf(`
		r6 = *(u64 *)(r1 +0)
		call bpf_get_current_pid_tgid
		r0 >>= 32
		if r0 != %d goto out
		r1 = -%d
		*(u32 *)(r6 +0) = r1
	out:
		r0 = 0
		exit`, os.Getpid(), syscall.EDOM))
	p := load(t, section("xdp"), "r0 = 2\nexit")
	if _, _, err := p.Test(packet(64)); err != nil {
		t.Fatalf("before it is attached: %v", err)
	}
	l, err := sys.RawTracepointOpen(sys.Live(), &sys.RawTracepointOpenAttr{Name: sys.StringPtr("bpf_test_finish"), ProgFD: int32(writer.FD())})
	if err != nil {
		t.Fatal(err)
	}
	_, _, err = p.Test(packet(64))
	if sys.ErrnoOf(err) != syscall.EDOM {
		t.Errorf("while it is attached: %v, want %v", err, syscall.EDOM)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	if _, _, err := p.Test(packet(64)); err != nil {
		t.Errorf("after that: %v", err)
	}
}

// Programs of type struct_ops are a congestion control that a socket can choose, for
// as long as the map has them.
func TestKernelStructOpsRegistered(t *testing.T) {
	ktest.Root(t)
	ktest.NoFDLeaks(t)
	spec := kernelBTF(t)
	ops, ok := spec.Find("tcp_congestion_ops", btf.KindStruct)
	whole, okWhole := spec.Find("bpf_struct_ops_tcp_congestion_ops", btf.KindStruct)
	if !ok || !okWhole {
		t.Skip("needs struct_ops for TCP congestion control (CONFIG_BPF_JIT, CONFIG_INET)")
	}
	const name = "lode_prog_test"
	at := func(s btf.Type, member string) int {
		return slices.IndexFunc(slices.Collect(membersOf(s)), func(m btf.Member) bool { return m.Name == member })
	}
	data := int(whole.Member(at(whole, "data")).BitOffset / 8)
	place := func(member string) int { return data + int(ops.Member(at(ops, member)).BitOffset/8) }
	value := make([]byte, whole.Size())
	copy(value[place("name"):], name)
	for _, member := range []string{"ssthresh", "undo_cwnd", "cong_avoid"} {
		s := section("struct_ops/" + member)
		s.AttachType = sys.AttachType(at(ops, member))
		p, err := prog.Load(sys.Live(), s, prog.Code{Insns: assemble(t, "r0 = 10\nexit"), AttachBTFID: uint32(ops.ID())}, prog.LoadOptions{})
		if err != nil {
			t.Fatal(err)
		}
		defer p.Close()
		binary.NativeEndian.PutUint64(value[place(member):], uint64(p.FD()))
	}
	types, err := sys.BTFLoad(sys.Live(), btfOfInt(t))
	if err != nil {
		t.Fatal(err)
	}
	defer types.Close()
	m, err := sys.MapCreate(sys.Live(), &sys.MapCreateAttr{MapType: sys.MapTypeStructOps, KeySize: 4, ValueSize: whole.Size(), MaxEntries: 1,
		BTFFD: types.Num(), BTFVmlinuxValueTypeID: uint32(whole.ID())})
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	choose := func() error {
		fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
		if err != nil {
			t.Fatal(err)
		}
		defer syscall.Close(fd)
		const tcpCongestion = 13
		return syscall.SetsockoptString(fd, syscall.IPPROTO_TCP, tcpCongestion, name)
	}
	if err := choose(); err != syscall.ENOENT {
		t.Fatalf("before it is registered: %v", err)
	}
	key := []uint32{0}
	if err := sys.MapUpdateElem(sys.Live(), &sys.MapElemAttr{MapFD: m.Num(), Key: sys.SlicePtr(key), Value: sys.BytesPtr(value)}); err != nil {
		t.Fatal(err)
	}
	if err := choose(); err != nil {
		t.Errorf("while it is registered: %v", err)
	}
	if err := sys.MapDeleteElem(sys.Live(), &sys.MapElemAttr{MapFD: m.Num(), Key: sys.SlicePtr(key)}); err != nil {
		t.Fatal(err)
	}
	if err := choose(); err != syscall.ENOENT {
		t.Errorf("after that: %v", err)
	}
}

func membersOf(s btf.Type) func(yield func(btf.Member) bool) {
	return func(yield func(btf.Member) bool) {
		for _, m := range s.Members() {
			if !yield(m) {
				return
			}
		}
	}
}

// btfOfInt is BTF with one type: the kernel wants every struct_ops map to have some.
func btfOfInt(t *testing.T) *sys.BTFLoadAttr {
	t.Helper()
	var b btf.Builder
	b.AddInt("int", 4, btf.IntSigned)
	raw, err := b.Bytes(binary.NativeEndian)
	if err != nil {
		t.Fatal(err)
	}
	return &sys.BTFLoadAttr{BTF: sys.BytesPtr(raw), Size: uint32(len(raw))}
}
