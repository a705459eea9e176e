package btf_test

import (
	"encoding/binary"
	"errors"
	"fmt"
	"os"

	"github.com/lode-bpf/lode/btf"
	"github.com/lode-bpf/lode/elf"
)

// Types are found by name and read member by member.
func Example() {
	var b btf.Builder
	u32 := b.AddInt("unsigned int", 4, 0)
	b.AddStruct("flow", 8,
		btf.Member{Name: "saddr", Type: u32},
		btf.Member{Name: "sport", Type: u32, BitOffset: 32, BitSize: 16},
		btf.Member{Name: "dport", Type: u32, BitOffset: 48, BitSize: 16})
	raw, err := b.Bytes(binary.LittleEndian)
	if err != nil {
		fmt.Println(err)
		return
	}

	s, err := btf.Parse(raw, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	flow, ok := s.Find("flow", btf.KindStruct)
	if !ok {
		fmt.Println("no struct flow")
		return
	}
	fmt.Println(flow.Name(), "has", flow.Size(), "bytes")
	for _, m := range flow.Members() {
		fmt.Printf("%s: %s, bit %d, width %d\n", m.Name, s.Type(m.Type).Name(), m.BitOffset, m.BitSize)
	}
	// Output:
	// flow has 8 bytes
	// saddr: unsigned int, bit 0, width 0
	// sport: unsigned int, bit 32, width 16
	// dport: unsigned int, bit 48, width 16
}

// An object file has its types in .BTF, and in .BTF.ext what its instructions
// have to do with them.
func ExampleParseELF() {
	b, err := os.ReadFile("../testdata/minimal.bpf.o")
	if err != nil {
		fmt.Println(err)
		return
	}
	f, err := elf.Parse(b)
	if err != nil {
		fmt.Println(err)
		return
	}
	s, ext, err := btf.ParseELF(f)
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, sec := range ext.Sections() {
		for _, fn := range ext.Funcs(sec) {
			fmt.Printf("section %q, byte %d: function %q\n", sec, fn.Off, s.Type(fn.Type).Name())
		}
	}
	// Output:
	// section "socket", byte 0: function "keep"
}

// A wrong blob is refused with the place and what was expected there.
func ExampleFormatError() {
	var b btf.Builder
	b.AddPtr(0)
	raw, _ := b.Bytes(binary.LittleEndian)
	raw[24+8] = 9 // the pointer's target

	_, err := btf.Parse(raw, nil)
	fmt.Println(err)
	fmt.Println(errors.Is(err, btf.ErrRange))
	var fe *btf.FormatError
	if errors.As(err, &fe) {
		fmt.Println(fe.Part, fe.Index, fe.Field, fe.Value)
	}
	// Output:
	// btf: types[1]: type 9: out of range (no such type) at 0x20
	// true
	// types 1 type 9
}

// A gap between members is made explicit.
func ExampleSpec_FormatC() {
	var b btf.Builder
	long := b.AddInt("long int", 8, btf.IntSigned)
	b.AddStruct("node", 24, btf.Member{Name: "next", Type: b.NextID() + 1}, btf.Member{Name: "value", Type: long, BitOffset: 128})
	b.AddPtr(2)
	raw, _ := b.Bytes(binary.LittleEndian)
	s, _ := btf.Parse(raw, nil)
	_ = s.FormatC(os.Stdout, btf.COptions{Guard: "NODE_H", NoPreserveAccessIndex: true})
	// Output:
	// #ifndef NODE_H
	// #define NODE_H
	//
	// struct node {
	// 	struct node *next;
	// 	unsigned char __btf_pad_0[8];
	// 	long int value;
	// };
	//
	// #endif /* NODE_H */
}
