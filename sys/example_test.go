package sys_test

import (
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/lode-bpf/lode/sys"
)

// A recording answers on any system, as any user; the same code runs on
// sys.Live().
const recording = `BPF_MAP_CREATE map_type=hash key_size=4 value_size=8 max_entries=16 map_name="counts" = map#1
BPF_OBJ_PIN pathname="/sys/fs/bpf/counts" bpf_fd=map#1 = EEXIST
close map#1 = 0
`

func pinMap(k sys.Kernel) error {
	fd, err := sys.MapCreate(k, &sys.MapCreateAttr{
		MapType: sys.MapTypeHash, KeySize: 4, ValueSize: 8, MaxEntries: 16, MapName: sys.NewObjName("counts"),
	})
	if err != nil {
		return err
	}
	defer fd.Close()
	return sys.ObjPin(k, &sys.ObjAttr{Pathname: sys.StringPtr("/sys/fs/bpf/counts"), BPFFD: fd.Num()})
}

func Example() {
	k, err := sys.NewReplay(strings.NewReader(recording))
	if err != nil {
		fmt.Println(err)
		return
	}
	err = pinMap(k)
	fmt.Println("taken:", errors.Is(err, os.ErrExist))

	var e *sys.Error
	if errors.As(err, &e) {
		fmt.Println(e.Op, "of", e.Subject)
	}
	// Output:
	// taken: true
	// BPF_OBJ_PIN of "/sys/fs/bpf/counts"
}

func ExampleRecorder() {
	k, _ := sys.NewReplay(strings.NewReader(recording)) // or sys.Live()
	r := sys.NewRecorder(k, os.Stdout)
	pinMap(r)
	// Output:
	// BPF_MAP_CREATE map_type=hash key_size=4 value_size=8 max_entries=16 map_name="counts" = map#1
	// BPF_OBJ_PIN pathname="/sys/fs/bpf/counts" bpf_fd=map#1 = EEXIST
	// close map#1 = 0
}

func ExampleFault() {
	k, _ := sys.NewReplay(strings.NewReader(recording))
	f := &sys.Fault{Kernel: k, N: 1, Errno: sys.ENOMEM}
	err := pinMap(f)
	fmt.Println(errors.Is(err, sys.ENOMEM), f.Calls())
	// Output: true 1
}

func ExampleFeatures() {
	var f sys.Features
	if err := f.UnmarshalText([]byte("+btf\n-btf_enum64\n+map_type ringbuf\n")); err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(f.Probe(sys.MapTypeFeature(sys.MapTypeRingBuf)))
	fmt.Println(f.Probe(sys.FeatureBTFEnum64))
	// Output:
	// <nil>
	// sys: this kernel lacks btf_enum64 (it came with Linux 6.0; a kernel's configuration may leave it out)
}

func ExampleParseCPUs() {
	n, err := sys.ParseCPUs("0-3,5\n")
	fmt.Println(n, err)
	// Output: 6 <nil>
}
