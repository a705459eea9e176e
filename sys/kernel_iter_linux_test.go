package sys

import (
	"errors"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/lode-bpf/lode/btf"
)

// An iterator runs its program for every object while its descriptor is read.
func TestKernelIterator(t *testing.T) {
	k := kernelTest(t)
	spec, err := btf.Kernel()
	if err != nil {
		t.Skip("the kernel has no BTF: ", err)
	}
	target, ok := spec.Find("bpf_iter_bpf_map", btf.KindFunc)
	if !ok {
		t.Skip("the kernel has no iterator of maps")
	}
	// Each visit adds to the only element of a map.
	m, err := newArray(k, 0)
	own(t, m, err)
	const addDW = 0xdb // atomic add, the old form of xadd
	c := code(nil).mapValue(1, m.Int(), 0).mov(2, 1).op(addDW, 1, 2, 0, 0).mov(0, 0).exit()
	p := program(t, k, &trial{typ: ProgTypeTracing, attach: AttachTraceIter, btfID: uint32(target.ID()), code: c})
	l, err := LinkCreate(k, &LinkCreateIterAttr{ProgFD: p.Num(), AttachType: AttachTraceIter})
	own(t, l, err)
	name := make([]byte, 32)
	info := IterLinkInfo{TargetName: BytesPtr(name), TargetNameLen: 32}
	if err := ObjGetInfoByFD(k, l.Int(), &info); err != nil || info.Type != LinkTypeIter || string(name[:8]) != "bpf_map\x00" {
		t.Errorf("link info: %+v %q, %v", info, name, err)
	}
	pass, err := IterCreate(k, l.Int())
	own(t, pass, err)
	if n, err := unix.Read(pass.Int(), make([]byte, 64)); n != 0 || err != nil {
		t.Errorf("read: %d bytes, %v", n, err)
	}
	key, value := []uint32{0}, make([]uint64, 4)
	if err := MapLookupElem(k, &MapElemAttr{MapFD: m.Num(), Key: SlicePtr(key), Value: SlicePtr(value)}); err != nil || value[0] == 0 {
		t.Errorf("the program ran %d times, %v", value[0], err)
	}
	if err := LinkUpdate(k, &LinkUpdateAttr{LinkFD: l.Num(), NewFD: p.Num(), OldFD: m.Num(), Flags: BPF_F_REPLACE}); !errors.Is(err, EINVAL) {
		t.Errorf("update with a map for a program: %v", err)
	}
}
