package maps

import (
	"errors"
	"net"
	"strconv"
	"testing"

	"github.com/lode-bpf/lode/internal/ktest"
	"github.com/lode-bpf/lode/sys"
)

// TestKernelToken: with a token, a process that has no rights of its own makes maps
// with types, and maps of maps.
func TestKernelToken(t *testing.T) {
	ktest.NoFDLeaks(t)
	ktest.Delegated(t, func(t *testing.T, bpffs int) {
		token, err := sys.OpenToken(sys.Live(), "/proc/self/fd/"+strconv.Itoa(bpffs))
		want(t, err)
		defer token.Close()
		b := types(t)
		raw := b.spec.Bytes()
		fd, err := sys.BTFLoad(sys.Live(), &sys.BTFLoadAttr{BTF: sys.BytesPtr(raw), Size: uint32(len(raw)), Flags: sys.BPF_F_TOKEN_FD, TokenFD: token.Num()})
		want(t, err)
		defer fd.Close()
		lru := &Spec{Name: "lru", Type: sys.MapTypeLRUHash, KeySize: 4, ValueSize: 8, MaxEntries: 8, BTF: b.spec, Key: b.i32, Value: b.u64}
		_, err = Create(sys.Live(), lru, CreateOptions{BTFFD: fd.Int()})
		want(t, err, sys.EPERM)
		opts := CreateOptions{BTFFD: fd.Int(), TokenFD: token.Int()}
		m, err := Create(sys.Live(), lru, opts)
		want(t, err)
		defer m.Close()
		want(t, m.Update(u32(1), u64(2), 0))
		wantU64(t, m, u32(1), 2)
		info, err := m.Info()
		want(t, err)
		if info.BTFID == 0 || len(m.Findings()) != 0 {
			t.Errorf("types were not taken: %+v, findings %v", info, m.Findings())
		}
		want(t, Compatible(lru, info, Env{}))
		outer, err := Create(sys.Live(), &Spec{Name: "outer", Type: sys.MapTypeHashOfMaps, KeySize: 4, MaxEntries: 1, Inner: lru}, opts)
		want(t, err)
		defer outer.Close()
		want(t, outer.SetSlot(5, m.FD()))
	})
}

// TestKernelOffload: a map for a device needs one that takes programs.
func TestKernelOffload(t *testing.T) {
	ktest.NetNS(t)
	ktest.NoFDLeaks(t)
	lo, err := net.InterfaceByName("lo")
	want(t, err)
	for name, index := range map[string]uint32{"no offload": uint32(lo.Index), "no device": 1 << 30} {
		s := &Spec{Name: "offloaded", Type: sys.MapTypeHash, KeySize: 4, ValueSize: 8, MaxEntries: 8, IfIndex: index}
		_, err := Create(sys.Live(), s, CreateOptions{})
		var op *OpError
		if !errors.As(err, &op) || !containsAll(err.Error(), `"offloaded"`, "network device "+strconv.Itoa(int(index))) {
			t.Errorf("%s: %v", name, err)
		}
	}
	t.Run("offloaded", func(t *testing.T) {
		ktest.NetNS(t)
		s := &Spec{Name: "offloaded", Type: sys.MapTypeHash, KeySize: 4, ValueSize: 8, MaxEntries: 8, IfIndex: ktest.Netdevsim(t)}
		m := newMapOf(t, s)
		want(t, m.Update(u32(1), u64(2), 0))
		wantU64(t, m, u32(1), 2)
		info, err := m.Info()
		want(t, err)
		want(t, Compatible(s, info, Env{}))
	})
}
