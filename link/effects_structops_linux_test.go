package link

import (
	"bytes"
	"encoding/binary"
	"errors"
	"testing"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/lode-bpf/lode/btf"
	"github.com/lode-bpf/lode/internal/ktest"
	"github.com/lode-bpf/lode/sys"
)

// loadedBTF is a BTF object with one type: the kernel wants every struct_ops map to
// belong to one.
func loadedBTF(t *testing.T) *sys.FD {
	t.Helper()
	e := binary.NativeEndian
	b := e.AppendUint16(nil, 0xeb9f)
	b = append(b, 1, 0)
	for _, n := range []uint32{24, 0, 16, 16, 5, // header; one type of 16 bytes, 5 bytes of strings
		1, 1 << 24, 4, 32} { // "int": KIND_INT, 4 bytes, 32 bits
		b = e.AppendUint32(b, n)
	}
	b = append(b, "\x00int\x00"...)
	fd, err := sys.BTFLoad(sys.Live(), &sys.BTFLoadAttr{BTF: sys.BytesPtr(b), Size: uint32(len(b))})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { fd.Close() })
	return fd
}

// memberOf finds a member: its index and its offset in bytes.
func memberOf(t *testing.T, s btf.Type, name string) (index int, offset uint32) {
	t.Helper()
	for i, m := range s.Members() {
		if m.Name == name {
			return i, m.BitOffset / 8
		}
	}
	t.Fatalf("%s has no member %s", s.Name(), name)
	return 0, 0
}

// congestionControl is a struct_ops map, filled but not registered, with a congestion
// control of that name that never changes the window, and the program that runs at
// the beginning of a connection.
func congestionControl(t *testing.T, name string) (m *sys.FD, init *counter) {
	t.Helper()
	spec, err := btf.Kernel()
	if err != nil {
		t.Skip("the kernel has no BTF: ", err)
	}
	ops, ok := spec.Find("tcp_congestion_ops", btf.KindStruct)
	whole, okWhole := spec.Find("bpf_struct_ops_tcp_congestion_ops", btf.KindStruct)
	if !ok || !okWhole {
		t.Skip("the kernel has no struct_ops for congestion control")
	}
	_, data := memberOf(t, whole, "data")
	value := make([]byte, whole.Size())
	_, at := memberOf(t, ops, "name")
	copy(value[data+at:data+at+16], name)
	for _, member := range []string{"ssthresh", "undo_cwnd", "cong_avoid", "init"} {
		index, at := memberOf(t, ops, member)
		c := load(t, sys.ProgLoadAttr{ProgType: sys.ProgTypeStructOps, ExpectedAttachType: sys.AttachType(index), AttachBTFID: uint32(ops.ID())}, 10)
		binary.NativeEndian.PutUint64(value[data+at:], uint64(c.fd()))
		init = c
	}
	m, err = sys.MapCreate(sys.Live(), &sys.MapCreateAttr{MapType: sys.MapTypeStructOps, KeySize: 4, ValueSize: whole.Size(), MaxEntries: 1,
		MapFlags: sys.BPF_F_LINK, BTFFD: loadedBTF(t).Num(), BTFVmlinuxValueTypeID: uint32(whole.ID())})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { m.Close() })
	var key uint32
	if err := sys.MapUpdate(m.Int(), unsafe.Pointer(&key), unsafe.Pointer(&value[0]), 0); err != nil {
		t.Fatal(err)
	}
	return m, init
}

// A congestion control can be chosen by a socket as long as it is linked, and serves
// its connection; another map takes its place by Update.
func TestKernelStructOps(t *testing.T) {
	k := kernelTest(t)
	need(t, sys.AttachTypeFeature(sys.AttachStructOps))
	ktest.NetNS(t)
	const name = "lode_linked"
	m, init := congestionControl(t, name)
	choose := func() error {
		fd := newSocket(t, unix.AF_INET, unix.SOCK_STREAM)
		return unix.SetsockoptString(fd, unix.IPPROTO_TCP, unix.TCP_CONGESTION, name)
	}
	if err := choose(); !errors.Is(err, unix.ENOENT) {
		t.Fatalf("before it is registered: %v", err)
	}
	l, err := StructOps(k, m.Int())
	own(t, l, err)
	if info, err := l.Info(); err != nil || info.Type != sys.LinkTypeStructOps || info.ProgID != 0 {
		t.Errorf("info: %+v, %v", info, err)
	}
	connect := func() (chosen string) {
		_, port := listen(t)
		fd := newSocket(t, unix.AF_INET, unix.SOCK_STREAM)
		if err := unix.SetsockoptString(fd, unix.IPPROTO_TCP, unix.TCP_CONGESTION, name); err != nil {
			t.Fatal(err)
		}
		if err := unix.Connect(fd, &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}, Port: port}); err != nil {
			t.Fatal(err)
		}
		s, err := unix.GetsockoptString(fd, unix.IPPROTO_TCP, unix.TCP_CONGESTION)
		if err != nil {
			t.Fatal(err)
		}

		return string(bytes.TrimRight([]byte(s), "\x00"))
	}
	if got := connect(); got != name || init.runs(t) == 0 {
		t.Errorf("a connection uses %q; the program ran %d times", got, init.runs(t))
	}
	second, init2 := congestionControl(t, name)
	if err := l.Update(second.Int()); err != nil {
		t.Fatal(err)
	}
	if got := connect(); got != name || init2.runs(t) == 0 {
		t.Errorf("after Update a connection uses %q; the new program ran %d times", got, init2.runs(t))
	}
	if err := l.Close(); err != nil {
		t.Error(err)
	}
	if err := choose(); !errors.Is(err, unix.ENOENT) {
		t.Errorf("after Close: %v", err)
	}
}
