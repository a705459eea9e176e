package maps_test

import (
	"fmt"

	"github.com/lode-bpf/lode/btf"
	"github.com/lode-bpf/lode/elf"
	"github.com/lode-bpf/lode/maps"
	"github.com/lode-bpf/lode/sys"
)

// Everything that an object file says about its maps, without a kernel.
func Example() {
	f, err := elf.Open("../testdata/counter.bpf.o")
	if err != nil {
		fmt.Println(err)
		return
	}
	types, _, err := btf.ParseELF(f)
	if err != nil {
		fmt.Println(err)
		return
	}
	specs, _, err := maps.Collect(f, types)
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, s := range specs {
		fmt.Printf("%-12s %-14v %2d -> %2d  %4d\n", s.Name, s.Type, s.KeySize, s.ValueSize, s.MaxEntries)
	}
	// Output:
	// small        array           4 ->  8     1
	// large        array           4 ->  8     1
	// sizes        array_of_maps   4 ->  4     2
	// stages       prog_array      4 ->  4     2
	// all_packets  percpu_array    4 -> 16     1
	// packets      hash            4 -> 16  1024
	// .rodata      array           4 -> 34     1
	// .data        array           4 -> 16     1
	// .bss         array           4 -> 40     1
}

// A definition written by hand, a map made from it, and an entry.
func ExampleCreate() {
	m, err := maps.Create(sys.Live(), &maps.Spec{Name: "hits", Type: sys.MapTypeHash, KeySize: 4, ValueSize: 8, MaxEntries: 1024},
		maps.CreateOptions{})
	if err != nil {
		fmt.Println(err) // needs CAP_BPF
		return
	}
	defer m.Close()
	hits, err := maps.NewTyped[uint32, uint64](m)
	if err != nil {
		fmt.Println(err)
		return
	}
	if err := hits.Put(80, 1, sys.BPF_ANY); err != nil {
		fmt.Println(err)
		return
	}
	n, err := hits.Get(80)
	fmt.Println(n, err)
}

// What the kernel will make of a definition.
func ExampleNormalize() {
	ring := maps.Spec{Name: "events", Type: sys.MapTypeRingBuf, MaxEntries: 5000}
	n := maps.Normalize(&ring, maps.Env{CPUs: 4, PageSize: 4096})
	fmt.Println(n.MaxEntries)
	// Output: 8192
}

func ExampleKernelName() {
	fmt.Println(maps.KernelName("my_object_name", ".rodata"))
	fmt.Println(maps.KernelName("my_object_name", ".data.config"))
	// Output:
	// my_objec.rodata
	// .data.config
}
