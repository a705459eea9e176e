package pin_test

import (
	"fmt"

	"github.com/lode-bpf/lode/pin"
)

// Names come from object files, and one that could lead elsewhere is refused.
func ExampleCheckName() {
	for _, name := range []string{"counts", "../victim/counts", "obj.rodata"} {
		fmt.Println(pin.CheckName(name))
	}
	// Output:
	// <nil>
	// name "../victim/counts": byte 0 is '.', which bpffs refuses
	// name "obj.rodata": byte 3 is '.', which bpffs refuses
}

// A data section has a name with a dot; its form in bpffs is no other map's.
func ExampleEncodeInternal() {
	element, err := pin.EncodeInternal("obj.rodata")
	fmt.Println(element, err)
	fmt.Println(pin.CheckName(element))
	name, ok := pin.DecodeInternal(element)
	fmt.Println(name, ok)
	// Output:
	// obj@rodata <nil>
	// name "obj@rodata": byte 3 is '@', which is reserved for the names of internal maps
	// obj.rodata true
}
