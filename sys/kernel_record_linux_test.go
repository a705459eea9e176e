package sys

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/lode-bpf/lode/internal/ktest"
)

// load is a small load: a map with contents, a program that uses it, a pin. Whatever
// fails, it undoes what it did.
func load(k Kernel, root string) (err error) {
	n, err := k.OpenAt(AT_FDCWD, root, OpenHow{Flags: O_DIRECTORY | O_RDONLY})
	if err != nil {
		return err
	}
	dir := NewFD(k, n)
	defer dir.Close()
	m, err := MapCreate(k, &MapCreateAttr{MapType: MapTypeArray, KeySize: 4, ValueSize: 32, MaxEntries: 1, MapName: NewObjName("data")})
	if err != nil {
		return err
	}
	defer m.Close()
	if err := MapUpdateElem(k, &MapElemAttr{MapFD: m.Num(), Key: SlicePtr([]uint32{0}), Value: BytesPtr(make([]byte, 32))}); err != nil {
		return err
	}
	p, err := socketFilter(code(nil).mapValue(1, m.Int(), 16).op(opStoreDW, 1, 0, 0, 42).mov(0, 0).exit()).load(k)
	if err != nil {
		return err
	}
	defer p.Close()
	var info ProgInfo
	if err := ObjGetInfoByFD(k, p.Int(), &info); err != nil {
		return err
	}
	err = ObjPin(k, &ObjAttr{Pathname: StringPtr(root + "/prog"), BPFFD: p.Num()})
	if err == nil || errors.Is(err, EINTR) { // broken off: it may or may not have happened
		gone := k.UnlinkAt(dir.Int(), "prog", 0)
		if err == nil {
			err = gone
		}
	}
	return err
}

func TestKernelRecord(t *testing.T) {
	k := kernelTest(t)
	root := ktest.BPFFS(t)
	record := func() string {
		var text strings.Builder
		r := NewRecorder(k, &text)
		if err := errors.Join(load(r, root), r.Err()); err != nil {
			t.Fatal(err)
		}
		return text.String()
	}
	first := record()
	other := hash(t, k, 4) // moves the numbers
	second := record()
	other.Close()
	if diff := cmp.Diff(first, second); diff != "" {
		t.Errorf("two recordings of the same load differ (-first +second):\n%s", diff)
	}
	for _, want := range []string{"BPF_MAP_CREATE map_type=array key_size=4", "= map#1\n", "refs=[0:map#1]", "close prog#1 = 0\n", "type=socket_filter id=prog-id#1"} {
		if !strings.Contains(first, want) {
			t.Errorf("no %q in\n%s", want, first)
		}
	}
	p, err := NewReplay(strings.NewReader(first))
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(load(p, root), p.Finish()); err != nil {
		t.Errorf("replay: %v", err)
	}
}

// A map that another process pinned has the shape that the kernel tells.
func TestKernelRecordOpenedMap(t *testing.T) {
	k := kernelTest(t)
	root := ktest.BPFFS(t)
	m := hash(t, k, 4)
	path := StringPtr(root + "/m")
	if err := ObjPin(k, &ObjAttr{Pathname: path, BPFFD: m.Num()}); err != nil {
		t.Fatal(err)
	}
	use := func(k Kernel) (uint64, error) {
		fd, err := ObjGet(k, &ObjAttr{Pathname: path})
		if err != nil {
			return 0, err
		}
		defer fd.Close()
		key, value := SlicePtr([]uint32{1}), []uint64{5}
		if err := MapUpdateElem(k, &MapElemAttr{MapFD: fd.Num(), Key: key, Value: SlicePtr(value)}); err != nil {
			return 0, err
		}
		value[0] = 0
		err = MapLookupElem(k, &MapElemAttr{MapFD: fd.Num(), Key: key, Value: SlicePtr(value)})
		return value[0], err
	}
	var text strings.Builder
	if got, err := use(NewRecorder(k, &text)); got != 5 || err != nil {
		t.Fatal(got, err)
	}
	if !strings.Contains(text.String(), "= map#1 map_type=hash key_size=4 value_size=8\n") {
		t.Error(text.String())
	}
	p, _ := NewReplay(strings.NewReader(text.String()))
	if got, err := use(p); got != 5 || err != nil {
		t.Errorf("replay: %d, %v", got, err)
	}
}

// Whichever call of a load fails, before or after it took effect, nothing is left.
func TestKernelFault(t *testing.T) {
	k := kernelTest(t)
	root := ktest.BPFFS(t)
	count := &Fault{Kernel: k}
	if err := load(count, root); err != nil {
		t.Fatal(err)
	}
	dir := openDir(t, k, root)
	before, _ := k.ReadDir(dir.Int())
	for _, after := range []bool{false, true} {
		for n := 1; n <= count.Calls(); n++ {
			f := &Fault{Kernel: k, N: n, Errno: EINTR, After: after}
			if err := load(f, root); !errors.Is(err, EINTR) {
				t.Errorf("call %d, after %t: %v", n, after, err)
			}
			if list, _ := k.ReadDir(dir.Int()); len(list) != len(before) {
				k.UnlinkAt(dir.Int(), "prog", 0)
				if f.calls != n { // the unlink itself was the one that failed
					t.Errorf("call %d, after %t: left %v", n, after, list)
				}
			}
		}
	}
}
