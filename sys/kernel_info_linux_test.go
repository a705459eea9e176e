package sys

import (
	"bytes"
	"strings"
	"testing"
	"unsafe"
)

// A description may be asked for with more room or less than the kernel needs: it
// fills what there is and says how much that was. What it does not know must be
// zero.
func TestKernelInfoLength(t *testing.T) {
	k := kernelTest(t)
	m, err := MapCreate(k, &MapCreateAttr{MapType: MapTypeHash, KeySize: 4, ValueSize: 8, MaxEntries: 5, MapName: NewObjName("lengths")})
	own(t, m, err)
	const room = 1 << 10
	get := func(length int, buf []uint64) (int, error) {
		a := &ObjInfoAttr{BPFFD: m.Num(), InfoLen: uint32(length), Info: SlicePtr(buf)}
		_, err := k.BPF(CmdObjGetInfoByFD, a)
		return int(a.InfoLen), err
	}
	buf := make([]uint64, room/8)
	whole, err := get(room, buf)
	info := (*MapInfo)(unsafe.Pointer(&buf[0]))
	if err != nil || whole < 80 || whole >= room || info.MaxEntries != 5 || info.Name.String() != "lengths" {
		t.Fatalf("%v, %d bytes: %+v", err, whole, info)
	}
	clear(buf)
	if n, err := get(16, buf); err != nil || n != 16 || info.ValueSize != 8 || info.MaxEntries != 0 {
		t.Errorf("16 bytes: %v, %d bytes: %+v", err, n, info)
	}
	buf[whole/8] = 1
	if _, err = get(room, buf); ErrnoOf(err) != E2BIG || !strings.Contains(err.Error(), "shorter description") {
		t.Errorf("what the kernel does not know is not zero: %v", err)
	}
}

// What the kernel holds of BTF is what it was given.
func TestKernelBTFData(t *testing.T) {
	k := kernelTest(t)
	blob := &btfTrials[1].btf
	want := blob.bytes()
	b, err := loadBTF(k, blob)
	own(t, b, err)
	got, err := BTFData(k, b.Int())
	if err != nil || !bytes.Equal(got, want) {
		t.Errorf("%v\n got % x\nwant % x", err, got, want)
	}
	var info BTFInfo
	if err := ObjGetInfoByFD(k, b.Int(), &info); err != nil {
		t.Fatal(err)
	}
	if got, err = BTFDataByID(k, info.ID); err != nil || !bytes.Equal(got, want) {
		t.Errorf("by id: %v\n got % x\nwant % x", err, got, want)
	}
	if _, err := BTFDataByID(k, 1<<31); ErrnoOf(err) != ENOENT {
		t.Errorf("no such id: %v", err)
	}
}

// An argument that the kernel is too old for is named, and not sought in a kernel
// that knows it.
func TestKernelUnknownArgument(t *testing.T) {
	k := kernelTest(t)
	a := (&trial{typ: ProgTypeSocketFilter, code: ret(0)}).attr()
	fds := []int32{0}
	a.FDArray = SlicePtr(fds) // 5.14, behind all of 5.10's arguments
	err := done(ProgLoad(k, a))
	if !ktestVersion(5, 14) {
		if ErrnoOf(err) != E2BIG || !strings.Contains(err.Error(), `it does not know the argument "fd_array"`) {
			t.Errorf("before 5.14: %v", err)
		}
	} else if err != nil {
		t.Error(err)
	}
	huge := &MapCreateAttr{MapType: MapTypeHash, KeySize: 4, ValueSize: 1 << 30, MaxEntries: 1}
	if err := done(MapCreate(k, huge)); ErrnoOf(err) != E2BIG || strings.Contains(err.Error(), "does not know") {
		t.Errorf("a value that is too large: %v", err)
	}
}
