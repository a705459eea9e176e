package mutate_test

import (
	"fmt"

	"github.com/lode-bpf/lode/elf"
	"github.com/lode-bpf/lode/fuzz/gen"
	"github.com/lode-bpf/lode/fuzz/mutate"
)

// A valid object is broken by two rules.
func ExampleApply() {
	obj := gen.New(1).Object(gen.Profile{})
	broken, trace := mutate.Apply(obj, 4, 2)
	fmt.Print(trace)
	_, err := elf.Parse(broken)
	fmt.Println(err)
	// Output:
	// section/inc: sh_type of section 16 at 0x1a4c: 0x2 -> 0x3
	// header/index: e_phoff at 0x20: 0x0 -> 0xc
	// elf: section ".rel.text": [12]: sh_link 0x10: out of range: that section is SHT_STRTAB; a symbol table is expected (file offset 0x1970)
}
