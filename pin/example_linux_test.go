package pin_test

import (
	"fmt"
	"testing"

	"github.com/lode-bpf/lode/internal/ktest"
	"github.com/lode-bpf/lode/pin"
	"github.com/lode-bpf/lode/sys"
)

// Any number of processes that run this end with the same map.
func ExampleDir_GetOrPin() {
	k := sys.Live()
	d, err := pin.OpenDir(k, "/sys/fs/bpf/app", pin.DirOptions{Create: true})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer d.Close()
	m, created, err := d.GetOrPin("counts", sys.ObjMap, func() (*sys.FD, error) {
		return sys.MapCreate(k, &sys.MapCreateAttr{MapType: sys.MapTypeArray, KeySize: 4, ValueSize: 8, MaxEntries: 1})
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer m.Close()
	fmt.Println("made it:", created)
}

// A new map takes the place of a pinned one, and everything is listed.
func TestKernelExampleReplace(t *testing.T) {
	k := sys.Live()
	root := ktest.BPFFS(t)
	create := func(entries uint32) (*sys.FD, error) {
		return sys.MapCreate(k, &sys.MapCreateAttr{MapType: sys.MapTypeArray, KeySize: 4, ValueSize: 8, MaxEntries: entries, MapName: sys.NewObjName("counts")})
	}
	d, err := pin.OpenDir(k, root+"/app", pin.DirOptions{Create: true})
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	small, err := create(1)
	if err != nil {
		t.Fatal(err)
	}
	defer small.Close()
	large, err := create(100)
	if err != nil {
		t.Fatal(err)
	}
	defer large.Close()
	if err := d.Pin("counts", small.Int()); err != nil {
		t.Fatal(err)
	}
	old, err := d.Replace("counts", large.Int(), sys.ObjMap)
	if err != nil {
		t.Fatal(err)
	}
	defer old.Close() // until then d.Restore("counts", old) takes it back
	n := 0
	err = d.Walk(func(path string, e pin.Entry, err error) error {
		t.Log(path, e)
		n++
		return err
	})
	if err != nil || n != 1 {
		t.Errorf("%d entries, %v", n, err)
	}
}
