package maps

import (
	"context"
	"encoding/binary"
	"errors"
	"net"
	"os"
	"syscall"
	"testing"

	"github.com/lode-bpf/lode/btf"
	"github.com/lode-bpf/lode/internal/ktest"
	"github.com/lode-bpf/lode/sys"
)

// socketFD runs f with the descriptor of a socket.
func socketFD(t *testing.T, c syscall.Conn, f func(fd int)) {
	t.Helper()
	raw, err := c.SyscallConn()
	want(t, err)
	want(t, raw.Control(func(fd uintptr) { f(int(fd)) }))
}

// TestKernelSockMaps: sockets go in by descriptor and come out as cookies.
func TestKernelSockMaps(t *testing.T) {
	for _, typ := range []sys.MapType{sys.MapTypeSockMap, sys.MapTypeSockHash} {
		t.Run(typ.String(), func(t *testing.T) {
			ktest.NetNS(t)
			m := newMapOf(t, &Spec{Type: typ, KeySize: 4, ValueSize: 8, MaxEntries: 4})
			l, err := net.Listen("tcp", "127.0.0.1:0")
			want(t, err)
			defer l.Close()
			c, err := net.Dial("tcp", l.Addr().String())
			want(t, err)
			defer c.Close()
			socketFD(t, c.(*net.TCPConn), func(fd int) { want(t, m.Update(u32(1), u64(uint64(fd)), 0)) })
			if cookie := binary.NativeEndian.Uint64(lookup(t, m, u32(1))); cookie == 0 {
				t.Error("socket has no cookie")
			}
			want(t, m.Update(u32(2), u64(uint64(m.FD())), 0), syscall.ENOTSOCK)
			n := 0
			e := m.Entries()
			for range e.All() {
				n++
			}
			if want(t, e.Err()); n != 1 {
				t.Errorf("%d sockets, want 1", n)
			}
			want(t, m.Delete(u32(1)))
			_, err = m.Lookup(u32(1))
			want(t, err, ErrNotExist)
		})
	}
}

// TestKernelReuseport: sockets of a reuseport group.
func TestKernelReuseport(t *testing.T) {
	ktest.NetNS(t)
	m := newMapOf(t, &Spec{Type: sys.MapTypeReuseportSockArray, KeySize: 4, ValueSize: 8, MaxEntries: 2})
	const soReuseport = 15
	lc := net.ListenConfig{Control: func(_, _ string, c syscall.RawConn) error {
		var err error
		return errors.Join(c.Control(func(fd uintptr) { err = syscall.SetsockoptInt(int(fd), syscall.SOL_SOCKET, soReuseport, 1) }), err)
	}}
	p, err := lc.ListenPacket(context.Background(), "udp4", "127.0.0.1:0")
	want(t, err)
	defer p.Close()
	socketFD(t, p.(*net.UDPConn), func(fd int) { want(t, m.Update(u32(0), u64(uint64(fd)), 0)) })
	if cookie := binary.NativeEndian.Uint64(lookup(t, m, u32(0))); cookie == 0 {
		t.Error("socket has no cookie")
	}
	_, err = m.Lookup(u32(1))
	want(t, err, ErrNotExist)
	want(t, m.Delete(u32(0)))
}

// TestKernelXSKMap: AF_XDP sockets and nothing else.
func TestKernelXSKMap(t *testing.T) {
	const afXDP = 44
	m := newMapOf(t, &Spec{Type: sys.MapTypeXSKMap, KeySize: 4, ValueSize: 4, MaxEntries: 4})
	want(t, m.SetSlot(0, m.FD()), syscall.ENOTSOCK)
	fd, err := syscall.Socket(afXDP, syscall.SOCK_RAW, 0)
	if err != nil {
		t.Skipf("needs AF_XDP sockets (CONFIG_XDP_SOCKETS): %v", err)
	}
	defer syscall.Close(fd)
	wantRedirect(t, m, 1, false)
	if err := m.SetSlot(1, fd); errors.Is(err, sys.ENOBUFS) {
		receiveRings(t, fd) // newer kernels want the socket to have them
		want(t, m.SetSlot(1, fd))
	} else {
		want(t, err)
	}
	wantRedirect(t, m, 1, true)
	want(t, m.SetSlot(4, fd), ErrRange)
	want(t, m.Delete(u32(1)))
	wantRedirect(t, m, 1, false)
}

// receiveRings gives an AF_XDP socket memory for packets and the rings for receiving
// (Documentation/networking/af_xdp.rst).
func receiveRings(t *testing.T, fd int) {
	t.Helper()
	const solXDP, rxRing, umemReg, fillRing, completionRing = 283, 2, 4, 5, 6
	memory, err := syscall.Mmap(-1, 0, 4*4096, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_PRIVATE|syscall.MAP_ANON)
	want(t, err)
	t.Cleanup(func() { syscall.Munmap(memory) })
	reg := struct {
		addr, length        uint64
		chunkSize, headroom uint32
		flags, txMetadata   uint32
	}{addr: uint64(uintptr(at(memory))), length: uint64(len(memory)), chunkSize: 4096}
	set := func(option int, value []byte) {
		want(t, syscall.SetsockoptString(fd, solXDP, option, string(value)))
	}
	set(umemReg, bytesOf(&reg))
	for _, ring := range []int{fillRing, completionRing, rxRing} {
		set(ring, u32(4))
	}
}

// storage makes a map that keeps values with kernel objects.
func storage(t *testing.T, typ sys.MapType) *Map {
	needType(t, typ)
	b := types(t)
	fd := loadBTF(t, b.spec)
	m, err := Create(sys.Live(), &Spec{Name: "storage", Type: typ, KeySize: 4, ValueSize: 8, Flags: sys.BPF_F_NO_PREALLOC, BTF: b.spec, Key: b.i32, Value: b.u64},
		CreateOptions{BTFFD: fd})
	if err != nil && typ == sys.MapTypeInodeStorage && errors.Is(err, sys.EINVAL) {
		t.Skipf("needs a kernel with CONFIG_BPF_LSM: %v", err)
	}
	want(t, err)
	t.Cleanup(func() { m.Close() })
	return m
}

// TestKernelStorage: a value for a socket, an inode, a task, a cgroup, by a
// descriptor of it.
func TestKernelStorage(t *testing.T) {
	for _, c := range []struct {
		typ  sys.MapType
		open func(t *testing.T) int
	}{
		{sys.MapTypeSKStorage, func(t *testing.T) int {
			fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_DGRAM, 0)
			want(t, err)
			return fd
		}},
		{sys.MapTypeInodeStorage, func(t *testing.T) int {
			fd, err := syscall.Open(t.TempDir(), syscall.O_RDONLY|syscall.O_CLOEXEC, 0)
			want(t, err)
			return fd
		}},
		{sys.MapTypeTaskStorage, func(t *testing.T) int {
			const pidfdOpen = 434
			fd, _, errno := syscall.Syscall(pidfdOpen, uintptr(os.Getpid()), 0, 0)
			if errno != 0 {
				t.Fatal(errno)
			}
			return int(fd)
		}},
		{sys.MapTypeCgrpStorage, func(t *testing.T) int {
			fd, err := syscall.Open(ktest.Cgroup(t), syscall.O_RDONLY|syscall.O_CLOEXEC, 0)
			want(t, err)
			return fd
		}},
	} {
		t.Run(c.typ.String(), func(t *testing.T) {
			m := storage(t, c.typ)
			fd := c.open(t)
			defer syscall.Close(fd)
			key := u32(uint32(fd))
			_, err := m.Lookup(key)
			want(t, err, ErrNotExist)
			want(t, m.Update(key, u64(5), sys.BPF_NOEXIST))
			want(t, m.Update(key, u64(6), sys.BPF_NOEXIST), ErrExist)
			wantU64(t, m, key, 5)
			want(t, m.Delete(key))
			want(t, m.Delete(key), ErrNotExist)
			e := m.Entries() // there is no way to list them
			for range e.All() {
				t.Error("an entry of a storage")
			}
			want(t, e.Err(), ErrMapType)
		})
	}
}

// TestKernelCgroupStorage: a value for each cgroup that a program is attached to.
func TestKernelCgroupStorage(t *testing.T) {
	for _, typ := range []sys.MapType{sys.MapTypeCgroupStorage, sys.MapTypePerCPUCgroupStorage} {
		t.Run(typ.String(), func(t *testing.T) {
			path := ktest.Cgroup(t)
			m := newMapOf(t, &Spec{Type: typ, KeySize: 8, ValueSize: 8})
			fd, err := syscall.Open(path, syscall.O_RDONLY|syscall.O_CLOEXEC, 0)
			want(t, err)
			defer syscall.Close(fd)
			var st syscall.Stat_t
			want(t, syscall.Fstat(fd, &st))
			_, err = m.Lookup(u64(st.Ino))
			want(t, err, ErrNotExist)
			prog := loadProg(t, sys.ProgTypeCgroupSKB, code(mapFD(1, m), []ins{{op: opMovImm, dst: 2}, {op: opCall, imm: 81}}, exit(1))) // bpf_get_local_storage
			want(t, sys.ProgAttach(sys.Live(), &sys.ProgAttachAttr{Target: int32(fd), AttachBPFFD: prog.Num(), AttachType: sys.AttachCgroupInetIngress}))
			value := make([]byte, m.ElemSize())
			copy(value, u64(77))
			want(t, m.Update(u64(st.Ino), value, sys.BPF_EXIST))
			wantU64(t, m, u64(st.Ino), 77)
			n := 0
			e := m.Entries()
			for range e.All() {
				n++
			}
			if want(t, e.Err()); n != 1 {
				t.Errorf("%d entries, want 1", n)
			}
			want(t, sys.ProgDetach(sys.Live(), &sys.ProgAttachAttr{Target: int32(fd), AttachBPFFD: prog.Num(), AttachType: sys.AttachCgroupInetIngress}))
		})
	}
}

// TestKernelStackTrace: a program's stack is found under the id it got.
func TestKernelStackTrace(t *testing.T) {
	m := newMapOf(t, &Spec{Type: sys.MapTypeStackTrace, KeySize: 4, ValueSize: 8 * 32, MaxEntries: 16})
	prog := loadProg(t, sys.ProgTypeRawTracepoint, code(mapFD(2, m), []ins{{op: opMovImm, dst: 3}, {op: opCall, imm: 27}, {op: opExit}})) // bpf_get_stackid
	attr := &sys.ProgTestRunAttr{ProgFD: prog.Num()}
	want(t, sys.ProgTestRun(sys.Live(), attr))
	if int32(attr.RetVal) < 0 {
		t.Fatalf("bpf_get_stackid returned %d", int32(attr.RetVal))
	}
	if ip := binary.NativeEndian.Uint64(lookup(t, m, u32(attr.RetVal))); ip == 0 {
		t.Error("the stack has no addresses")
	}
	n := 0
	e := m.Entries()
	for range e.All() {
		n++
	}
	if want(t, e.Err()); n != 1 {
		t.Errorf("%d stacks, want 1", n)
	}
	want(t, m.Delete(u32(attr.RetVal)))
}

// drainer is a program that adds up what is in a user ring buffer and returns
// the sum.
func drainer(t *testing.T, m *Map) *sys.FD {
	var b btf.Builder
	i32 := b.AddInt("int", 4, btf.IntSigned)
	proto := b.AddFuncProto(i32, btf.Param{Name: "p", Type: b.AddPtr(0)}, btf.Param{Name: "c", Type: b.AddPtr(0)})
	entry := b.AddFunc("entry", proto, btf.LinkageStatic)
	callback := b.AddFunc("callback", proto, btf.LinkageStatic)
	raw, err := b.Bytes(binary.NativeEndian)
	want(t, err)
	spec, err := btf.Parse(raw, nil)
	want(t, err)
	insns := code(
		[]ins{{op: opStoreDW, dst: 10, off: -8}},
		mapFD(1, m), // 1
		[]ins{
			{op: opLoadImm, dst: 2, src: 4, imm: 7}, {}, // 3: the callback is 7 behind the next
			{op: opMovReg, dst: 3, src: 10}, {op: opAddImm, dst: 3, imm: -8}, {op: opMovImm, dst: 4},
			{op: opCall, imm: 209}, // 8: bpf_user_ringbuf_drain
			{op: opLdxDW, dst: 0, src: 10, off: -8}, {op: opExit},
			// 11: the callback
			{op: opMovReg, dst: 6, src: 2}, {op: opMovReg, dst: 3, src: 1}, {op: opMovReg, dst: 1, src: 10}, {op: opAddImm, dst: 1, imm: -8},
			{op: opMovImm, dst: 2, imm: 8}, {op: opMovImm, dst: 4}, {op: opMovImm, dst: 5},
			{op: opCall, imm: 201}, // bpf_dynptr_read
			{op: opLdxDW, dst: 1, src: 10, off: -8}, {op: opLdxDW, dst: 2, src: 6}, {op: 0x0f, dst: 2, src: 1}, {op: opStxDW, dst: 6, src: 2},
			{op: opMovImm, dst: 0}, {op: opExit},
		})
	info := append(append(append(u32(0), u32(uint32(entry))...), u32(11)...), u32(uint32(callback))...)
	return loadProgWith(t, sys.ProgTypeSocketFilter, insns, &sys.ProgLoadAttr{ProgBTFFD: int32(loadBTF(t, spec)), FuncInfoRecSize: 8,
		FuncInfo: sys.BytesPtr(info), FuncInfoCount: 2})
}

// TestKernelUserRing: records go to the program in order, whole, once submitted.
func TestKernelUserRing(t *testing.T) {
	ktest.JIT(t, "a helper that calls back")
	ktest.NoFDLeaks(t)
	m := newMapOf(t, &Spec{Type: sys.MapTypeUserRingBuf, MaxEntries: 1})
	u, err := NewUserRing(m)
	want(t, err)
	defer u.Close()
	prog := drainer(t, m)
	if got := run(t, prog); got != 0 {
		t.Errorf("an empty ring adds up to %d", got)
	}
	for _, n := range []uint64{1, 20, 300} {
		_, err := u.Write(u64(n))
		want(t, err)
	}
	r, err := u.Reserve(8)
	want(t, err)
	copy(r, u64(4000))
	want(t, u.Discard(r))
	if got := run(t, prog); got != 321 {
		t.Errorf("records add up to %d, want 321", got)
	}
	r, err = u.Reserve(8)
	want(t, err)
	copy(r, u64(5))
	if got := run(t, prog); got != 0 {
		t.Errorf("a record that is not submitted adds up to %d", got)
	}
	want(t, u.Submit(r))
	want(t, u.Submit(r), ErrRange)
	want(t, u.Submit(make([]byte, 8)), ErrRange)
	if got := run(t, prog); got != 5 {
		t.Errorf("records add up to %d, want 5", got)
	}
	total := uint32(0)
	for i := uint64(0); ; i++ {
		if _, err = u.Write(u64(1)); err != nil {
			break
		}
		total++
	}
	want(t, err, ErrFull)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	want(t, u.Wait(ctx, 8), context.Canceled)
	done := make(chan error)
	go func() { done <- u.Wait(context.Background(), 8) }()
	if got := run(t, prog); got != total {
		t.Errorf("records add up to %d, want %d", got, total)
	}
	want(t, <-done)
	_, err = u.Reserve(os.Getpagesize())
	want(t, err, ErrSize)
	want(t, u.Close())
	_, err = u.Write(u64(1))
	want(t, err, ErrClosed)
	want(t, u.Wait(context.Background(), 8), ErrClosed)
}

// TestKernelNormalize: maps of every type that can be made on their own are what
// Normalize says they will be.
func TestKernelNormalize(t *testing.T) {
	ktest.Root(t)
	cpus, err := sys.PossibleCPUs()
	want(t, err)
	specs, _, err := collectFile(ktest.Object(t, "maptypes"))
	want(t, err)
	more, _, err := collectFile(ktest.Object(t, "newmaps"))
	want(t, err)
	specs = append(append(specs, more...),
		&Spec{Name: "odd_ring", Type: sys.MapTypeRingBuf, MaxEntries: 5000},
		&Spec{Name: "lists_per_cpu", Type: sys.MapTypeLRUHash, KeySize: 4, ValueSize: 4, MaxEntries: uint32(cpus)*100 + 1, Flags: sys.BPF_F_NO_COMMON_LRU},
		&Spec{Name: "default_bloom", Type: sys.MapTypeBloomFilter, ValueSize: 4, MaxEntries: 10},
		&Spec{Name: "read_only", Type: sys.MapTypeHash, KeySize: 4, ValueSize: 4, MaxEntries: 10, Flags: sys.BPF_F_RDONLY},
		&Spec{Name: "write_only", Type: sys.MapTypeHash, KeySize: 4, ValueSize: 4, MaxEntries: 10, Flags: sys.BPF_F_WRONLY},
		&Spec{Name: "arena", Type: sys.MapTypeArena, MaxEntries: 10, Flags: sys.BPF_F_MMAPABLE},
		&Spec{Name: "placed_arena", Type: sys.MapTypeArena, MaxEntries: 10, Flags: sys.BPF_F_MMAPABLE, Extra: 1 << 44})
	for _, s := range specs {
		if isStorage(s.Type) {
			continue // these need types that the kernel has taken: TestKernelStorage
		}
		t.Run(s.Name, func(t *testing.T) {
			needType(t, s.Type)
			m, err := Create(sys.Live(), s, CreateOptions{})
			want(t, err)
			defer m.Close()
			info, err := m.Info()
			want(t, err)
			want(t, Compatible(s, info, Env{CPUs: cpus}))
		})
	}
}

// TestKernelStructOps: a table of functions in the kernel's layout. The programs
// are not here, so the kernel may take the map, but not the value.
func TestKernelStructOps(t *testing.T) {
	ktest.Root(t)
	ktest.NoFDLeaks(t)
	specs, _, err := collectFile(ktest.Object(t, "structops"))
	want(t, err)
	kernel, err := btf.Kernel()
	if err != nil {
		t.Skipf("needs the kernel's BTF: %v", err)
	}
	value, ok := kernel.Find("bpf_struct_ops_tcp_congestion_ops", btf.KindStruct)
	if !ok {
		t.Skip("needs a kernel with struct_ops for TCP congestion control (CONFIG_BPF_JIT, CONFIG_INET)")
	}
	for _, s := range specs {
		if s.Type != sys.MapTypeStructOps {
			continue
		}
		m, err := Create(sys.Live(), s, CreateOptions{KernelValue: value.ID(), ValueSize: value.Size(), BTFFD: loadBTF(t, types(t).spec)})
		if s.Flags&sys.BPF_F_LINK != 0 && !atLeast(6, 4) {
			want(t, err, sys.EINVAL)
			continue // links of struct_ops came with 6.4
		}
		want(t, err)
		defer m.Close()
		info, err := m.Info()
		want(t, err)
		if info.KernelValue != value.ID() || info.ValueSize != value.Size() {
			t.Errorf("%q: %+v", s.Name, info)
		}
		want(t, Compatible(s, info, Env{}))
		want(t, m.Fill(s))
		want(t, m.FillSlots(s.Slots, nil))
		if err := m.Update(u32(0), make([]byte, value.Size()), 0); err == nil {
			t.Errorf("%q: the kernel takes a congestion control without functions", s.Name)
		}
	}
}
