package sys

import (
	"encoding/binary"
	"errors"
	"io/fs"
	"testing"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/lode-bpf/lode/internal/ktest"
)

// kernelTest skips without bpf(2) and fails if the test leaves a descriptor open.
func kernelTest(t *testing.T) Kernel {
	t.Helper()
	ktest.Root(t)
	ktest.NoFDLeaks(t)
	stop := TrackFDs()
	t.Cleanup(func() {
		for _, fd := range stop() {
			t.Errorf("descriptor %d is still open; opened at\n%s", fd.Num, fd.Stack)
		}
	})
	return Live()
}

// own fails the test or closes fd at its end.
func own(t *testing.T, fd *FD, err error) *FD {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { fd.Close() })
	return fd
}

func hash(t *testing.T, k Kernel, entries uint32) *FD {
	t.Helper()
	fd, err := MapCreate(k, &MapCreateAttr{MapType: MapTypeHash, KeySize: 4, ValueSize: 8, MaxEntries: entries, MapName: NewObjName("sys_test")})
	return own(t, fd, err)
}

func program(t *testing.T, k Kernel, tr *trial) *FD {
	t.Helper()
	fd, err := tr.load(k)
	return own(t, fd, err)
}

func TestKernelMapElements(t *testing.T) {
	k := kernelTest(t)
	m := hash(t, k, 16)
	key, value := uint32(7), uint64(42)
	at := func(flags uint64) *MapElemAttr {
		return &MapElemAttr{MapFD: m.Num(), Key: UnsafePtr(unsafe.Pointer(&key)), Value: UnsafePtr(unsafe.Pointer(&value)), Flags: flags}
	}
	if err := MapLookupElem(k, at(0)); !errors.Is(err, ENOENT) || !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("lookup in an empty map: %v", err)
	}
	if err := MapUpdateElem(k, at(BPF_NOEXIST)); err != nil {
		t.Fatal(err)
	}
	if err := MapUpdateElem(k, at(BPF_NOEXIST)); !errors.Is(err, EEXIST) || !errors.Is(err, fs.ErrExist) {
		t.Errorf("second NOEXIST: %v", err)
	}
	value = 0
	if err := MapLookupElem(k, at(0)); err != nil || value != 42 {
		t.Errorf("lookup: %d, %v", value, err)
	}
	var next uint32
	if err := MapGetNextKey(k, &MapElemAttr{MapFD: m.Num(), Value: UnsafePtr(unsafe.Pointer(&next))}); err != nil || next != 7 {
		t.Errorf("first key: %d, %v", next, err)
	}
	if err := MapGetNextKey(k, &MapElemAttr{MapFD: m.Num(), Key: UnsafePtr(unsafe.Pointer(&key)), Value: UnsafePtr(unsafe.Pointer(&next))}); !errors.Is(err, ENOENT) {
		t.Errorf("behind the last key: %v", err)
	}
	del := &MapElemAttr{MapFD: m.Num(), Key: UnsafePtr(unsafe.Pointer(&key))}
	if err := MapDeleteElem(k, del); err != nil {
		t.Error(err)
	}
	if err := MapDeleteElem(k, del); !errors.Is(err, ENOENT) {
		t.Errorf("second delete: %v", err)
	}
}

func TestKernelMapDirect(t *testing.T) {
	k := kernelTest(t)
	m := hash(t, k, 16)
	key, value := uint32(7), uint64(42)
	pk, pv := unsafe.Pointer(&key), unsafe.Pointer(&value)
	steps := []struct {
		name string
		call func() error
		want Errno
	}{
		{"lookup in an empty map", func() error { return MapLookup(m.Int(), pk, pv, 0) }, ENOENT},
		{"update", func() error { return MapUpdate(m.Int(), pk, pv, BPF_ANY) }, 0},
		{"lookup", func() error { value = 0; return MapLookup(m.Int(), pk, pv, 0) }, 0},
		{"first key", func() error { key = 0; return MapNextKey(m.Int(), nil, pk) }, 0},
		{"next key", func() error { return MapNextKey(m.Int(), pk, pk) }, ENOENT},
		{"delete", func() error { return MapDelete(m.Int(), pk) }, 0},
		{"delete again", func() error { return MapDelete(m.Int(), pk) }, ENOENT},
		{"closed descriptor", func() error { return MapLookup(-1, pk, pv, 0) }, EBADF},
		{"not a map", func() error { return MapLookup(0, pk, pv, 0) }, EINVAL},
		{"no such flag", func() error { return MapUpdate(m.Int(), pk, pv, 1<<40) }, EINVAL},
		{"nil key", func() error { return MapLookup(m.Int(), nil, pv, 0) }, EFAULT},
	}
	for _, s := range steps {
		if err := s.call(); ErrnoOf(err) != s.want {
			t.Errorf("%s: %v, want %v", s.name, err, s.want)
		}
	}
	if key != 7 || value != 42 {
		t.Errorf("key %d, value %d", key, value)
	}
	if ma, mi := ktest.Version(); ma > 5 || mi >= 14 { // hash maps take elements out since 5.14
		MapUpdate(m.Int(), pk, pv, 0)
		value = 0
		if err := MapLookupAndDelete(m.Int(), pk, pv, 0); err != nil || value != 42 {
			t.Errorf("lookup and delete: %d, %v", value, err)
		}
	}
	q, err := MapCreate(k, &MapCreateAttr{MapType: MapTypeQueue, ValueSize: 8, MaxEntries: 4})
	own(t, q, err)
	value = 5
	if err := MapUpdate(q.Int(), nil, pv, 0); err != nil {
		t.Fatal(err)
	}
	value = 0
	if err := MapLookupAndDeleteElem(k, &MapElemAttr{MapFD: q.Num(), Value: UnsafePtr(pv)}); err != nil || value != 5 {
		t.Errorf("pop: %d, %v", value, err)
	}
}

func TestKernelMapBatch(t *testing.T) {
	k := kernelTest(t)
	m := hash(t, k, 64)
	keys, values := make([]uint32, 10), make([]uint64, 10)
	for i := range keys {
		keys[i], values[i] = uint32(i), uint64(i)*3
	}
	if err := MapUpdateBatch(k, &MapBatchAttr{MapFD: m.Num(), Keys: SlicePtr(keys), Values: SlicePtr(values), Count: 10}); err != nil {
		t.Fatal(err)
	}
	gotK, gotV := make([]uint32, 16), make([]uint64, 16)
	cursor := make([]byte, 8)
	a := &MapBatchAttr{MapFD: m.Num(), Keys: SlicePtr(gotK), Values: SlicePtr(gotV), Count: 16, OutBatch: BytesPtr(cursor)}
	if err := MapLookupBatch(k, a); !errors.Is(err, ENOENT) || a.Count != 10 {
		t.Errorf("lookup: %d elements, %v", a.Count, err)
	}
	for i, key := range gotK[:10] {
		if gotV[i] != uint64(key)*3 {
			t.Errorf("key %d has value %d", key, gotV[i])
		}
	}
	if err := MapDeleteBatch(k, &MapBatchAttr{MapFD: m.Num(), Keys: SlicePtr(keys[:4]), Count: 4}); err != nil {
		t.Error(err)
	}
	a.Count = 16
	if err := MapLookupAndDeleteBatch(k, a); !errors.Is(err, ENOENT) || a.Count != 6 {
		t.Errorf("lookup and delete: %d elements, %v", a.Count, err)
	}
	a.Count = 16
	if err := MapBatch(CmdMapLookupBatch, a); err != ENOENT || a.Count != 0 {
		t.Errorf("direct lookup in the emptied map: %d elements, %v", a.Count, err)
	}
}

func TestKernelInfoAndIDs(t *testing.T) {
	k := kernelTest(t)
	m := hash(t, k, 16)
	p := program(t, k, &trial{typ: ProgTypeSocketFilter, code: code(nil).op(opLoadImm, 1, 1, 0, m.Num()).op(0, 0, 0, 0, 0).mov(0, 0).exit()})
	var mi MapInfo
	if err := ObjGetInfoByFD(k, m.Int(), &mi); err != nil {
		t.Fatal(err)
	}
	if mi.Type != MapTypeHash || mi.KeySize != 4 || mi.ValueSize != 8 || mi.MaxEntries != 16 || mi.Name.String() != "sys_test" || mi.ID == 0 {
		t.Errorf("map info: %+v", mi)
	}
	ids := make([]uint32, 4)
	pi := ProgInfo{MapIDs: SlicePtr(ids), NrMapIDs: 4}
	if err := ObjGetInfoByFD(k, p.Int(), &pi); err != nil {
		t.Fatal(err)
	}
	if pi.Type != ProgTypeSocketFilter || pi.NrMapIDs != 1 || ids[0] != mi.ID || pi.GPLCompatible == 0 {
		t.Errorf("program info: %+v, maps %v", pi, ids)
	}
	b, err := loadBTF(k, btfInt())
	own(t, b, err)
	var bi BTFInfo
	if err := ObjGetInfoByFD(k, b.Int(), &bi); err != nil || bi.ID == 0 || int(bi.BTFSize) != len(btfInt().bytes()) || bi.KernelBTF != 0 {
		t.Errorf("BTF info: %+v, %v", bi, err)
	}
	for _, o := range []struct {
		kind ObjKind
		id   uint32
	}{{ObjMap, mi.ID}, {ObjProg, pi.ID}, {ObjBTF, bi.ID}} {
		found := false
		for id, err := range IDs(k, o.kind) {
			if err != nil {
				t.Fatal(err)
			}
			found = found || id == o.id
		}
		if !found {
			t.Errorf("no %s with id %d in the list", o.kind, o.id)
		}
		again, err := GetFDByID(k, o.kind, o.id, 0)
		own(t, again, err)
		if _, err := GetFDByID(k, o.kind, 1<<30, 0); !errors.Is(err, ENOENT) {
			t.Errorf("%s with an id that none has: %v", o.kind, err)
		}
	}
	ro, err := GetFDByID(k, ObjMap, mi.ID, BPF_F_RDONLY)
	own(t, ro, err)
	key := uint32(0)
	if err := MapDelete(ro.Int(), unsafe.Pointer(&key)); err != EPERM {
		t.Errorf("delete through a read-only descriptor: %v", err)
	}
}

func TestKernelFreezeAndMmap(t *testing.T) {
	k := kernelTest(t)
	m, err := newArray(k, BPF_F_MMAPABLE)
	own(t, m, err)
	mem, err := k.Mmap(m.Int(), 0, pageSize(), PROT_READ|PROT_WRITE, MAP_SHARED)
	if err != nil {
		t.Fatal(err)
	}
	binary.NativeEndian.PutUint64(mem, 77)
	if err := MapFreeze(k, m.Int()); !errors.Is(err, EBUSY) {
		t.Errorf("freeze of a map that is mapped for writing: %v", err)
	}
	if err := k.Munmap(mem); err != nil {
		t.Fatal(err)
	}
	if err := MapFreeze(k, m.Int()); err != nil {
		t.Error(err)
	}
	key, value := uint32(0), make([]byte, 32)
	if err := MapLookup(m.Int(), unsafe.Pointer(&key), unsafe.Pointer(&value[0]), 0); err != nil || binary.NativeEndian.Uint64(value) != 77 {
		t.Errorf("lookup: % x, %v", value, err)
	}
	if err := MapUpdate(m.Int(), unsafe.Pointer(&key), unsafe.Pointer(&value[0]), 0); err != EPERM {
		t.Errorf("update of a frozen map: %v", err)
	}
	if _, err := k.Mmap(m.Int(), 0, pageSize(), PROT_READ|PROT_WRITE, MAP_SHARED); !errors.Is(err, EPERM) {
		t.Errorf("mapping a frozen map for writing: %v", err)
	}
}

func TestKernelTestRun(t *testing.T) {
	k := kernelTest(t)
	p := program(t, k, &trial{typ: ProgTypeXDP, code: ret(2)})
	in, out := make([]byte, 64), make([]byte, 64)
	in[5] = 9
	a := &ProgTestRunAttr{ProgFD: p.Num(), DataIn: BytesPtr(in), DataSizeIn: 64, DataOut: BytesPtr(out), DataSizeOut: 64, Repeat: 10}
	if err := ProgTestRun(k, a); err != nil || a.RetVal != 2 || a.DataSizeOut != 64 || out[5] != 9 {
		t.Errorf("returned %d, %d bytes, %v", a.RetVal, a.DataSizeOut, err)
	}
	a.DataSizeOut = 10
	if err := ProgTestRun(k, a); !errors.Is(err, ENOSPC) || a.DataSizeOut != 64 {
		t.Errorf("a buffer that is too small: %d bytes, %v", a.DataSizeOut, err)
	}
}

func TestKernelBindMap(t *testing.T) {
	k := kernelTest(t)
	m := hash(t, k, 1)
	p := program(t, k, socketFilter(ret(0)))
	if err := ProgBindMap(k, p.Int(), m.Int()); err != nil {
		t.Fatal(err)
	}
	var pi ProgInfo
	if err := ObjGetInfoByFD(k, p.Int(), &pi); err != nil || pi.NrMapIDs != 1 {
		t.Errorf("%d maps, %v", pi.NrMapIDs, err)
	}
}

func TestKernelEnableStats(t *testing.T) {
	k := kernelTest(t)
	fd, err := EnableStats(k, BPF_STATS_RUN_TIME)
	own(t, fd, err)
	p := program(t, k, &trial{typ: ProgTypeXDP, code: ret(2)})
	in := make([]byte, 64)
	if err := ProgTestRun(k, &ProgTestRunAttr{ProgFD: p.Num(), DataIn: BytesPtr(in), DataSizeIn: 64, Repeat: 100}); err != nil {
		t.Fatal(err)
	}
	var pi ProgInfo
	if err := ObjGetInfoByFD(k, p.Int(), &pi); err != nil || pi.RunCount < 100 {
		t.Errorf("%d runs, %v", pi.RunCount, err)
	}
}

func TestKernelMovesLowDescriptors(t *testing.T) {
	k := kernelTest(t)
	saved, err := unix.FcntlInt(0, unix.F_DUPFD_CLOEXEC, 3)
	if err != nil {
		t.Skip("standard input is closed")
	}
	unix.Close(0)
	m, err := MapCreate(k, &MapCreateAttr{MapType: MapTypeArray, KeySize: 4, ValueSize: 4, MaxEntries: 1})
	dir, errDir := k.OpenAt(AT_FDCWD, "/", OpenHow{Flags: O_PATH})
	unix.Dup3(saved, 0, 0)
	unix.Close(saved)
	own(t, m, err)
	if m.Int() < 3 {
		t.Errorf("the map has descriptor %d", m.Int())
	}
	if errDir != nil || dir < 3 {
		t.Errorf("the directory has descriptor %d, %v", dir, errDir)
	}
	k.Close(dir)
	for _, fd := range []int{m.Int()} {
		if flags, err := unix.FcntlInt(uintptr(fd), unix.F_GETFD, 0); err != nil || flags&unix.FD_CLOEXEC == 0 {
			t.Errorf("descriptor %d is inherited by programs that this one starts", fd)
		}
	}
}
