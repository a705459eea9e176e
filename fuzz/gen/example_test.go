package gen_test

import (
	"encoding/binary"
	"fmt"

	"github.com/lode-bpf/lode/elf"
	"github.com/lode-bpf/lode/fuzz/gen"
	"github.com/lode-bpf/lode/insn"
)

// The same seed and profile give the same object, everywhere.
func ExampleGen_Object() {
	b := gen.New(7).Object(gen.Profile{ByteOrder: binary.BigEndian, Programs: 1, Maps: 1, NoCORE: true})
	f, err := elf.Parse(b)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(f.Class(), f.ByteOrder(), f.Machine())
	_, code := f.SectionByName("sockops")
	_, maps := f.SectionByName(".maps")
	fmt.Println("a program for socket operations:", code, "and a map:", maps)
	// Output:
	// ELFCLASS64 BigEndian EM_BPF
	// a program for socket operations: true and a map: true
}

// Code consists of defined instructions; its jumps stay inside.
func ExampleGen_Insns() {
	code := gen.New(1).Insns(5)
	for problem := range insn.Check(code) {
		fmt.Println(problem)
	}
	fmt.Println("the last of them is", code[len(code)-1])
	// Output:
	// the last of them is exit
}
