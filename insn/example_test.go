package insn_test

import (
	"encoding/binary"
	"fmt"

	"github.com/lode-bpf/lode/insn"
)

func Example() {
	code, err := insn.Assemble(`
		r0 = 1
		if r1 == 0x0 goto end
		r0 = 2
	end:
		exit`, insn.Verifier)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("% x\n", insn.Append(nil, code[:2], binary.LittleEndian))
	fmt.Print(string(insn.Listing{}.Append(nil, &insn.Func{Insns: code})))
	// Output:
	// b7 00 00 00 01 00 00 00 15 01 01 00 00 00 00 00
	//    0: (b7) r0 = 1
	//    1: (15) if r1 == 0x0 goto pc+1
	//    2: (b7) r0 = 2
	//    3: (95) exit
}

func ExampleDecode() {
	code, err := insn.Decode([]byte("\xb7\x10\x00\x00\x00\x00\x00\x01\x95\x00\x00\x00\x00\x00\x00\x00"), binary.BigEndian)
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, i := range code {
		fmt.Println(i)
	}
	// Output:
	// r1 = 1
	// exit
}

func ExampleListing() {
	code, err := insn.Assemble("loop:\nr1 += -1\nif r1 != 0x0 goto loop\nr1 = 0x0\ncall bpf_map_lookup_elem\nexit", insn.Verifier)
	if err != nil {
		fmt.Println(err)
		return
	}
	f := &insn.Func{
		Name:  "count",
		Insns: code,
		Refs:  []insn.Ref{{Index: 2, Symbol: insn.Symbol{Name: "counters"}}},
		Lines: []insn.Line{{Index: 0, LineCol: 3<<10 | 1}, {Index: 2, LineCol: 5<<10 | 9}},
	}
	l := insn.Listing{Labels: true, Source: func(l insn.Line) string { return fmt.Sprintf("count.bpf.c:%d", l.Line()) }}
	fmt.Print(string(l.Append(nil, f)))
	fmt.Println()
	fmt.Print(string(insn.Listing{Style: insn.LLVM}.Append(nil, f)))
	// Output:
	// ; count.bpf.c:3
	// L1:
	//    0: (07) r1 += -1
	//    1: (55) if r1 != 0x0 goto L1
	// ; count.bpf.c:5
	//    2: (18) r1 = 0x0 ; counters
	//    4: (85) call bpf_map_lookup_elem#1
	//    5: (95) exit
	//
	// 0000000000000000 <count>:
	//        0:	07 01 00 00 ff ff ff ff	r1 += -0x1
	//        1:	55 01 fe ff 00 00 00 00	if r1 != 0x0 goto -0x2 <count>
	//        2:	18 01 00 00 00 00 00 00 00 00 00 00 00 00 00 00	r1 = 0x0 ll ; counters
	//        4:	85 00 00 00 01 00 00 00	call 0x1
	//        5:	95 00 00 00 00 00 00 00	exit
}

// What an instruction is, from the table.
func ExampleInstruction_Form() {
	i := insn.Instruction{Op: 0xdb, Regs: insn.Regs(1, 2), Off: 8, Imm: 1}
	f, ok := i.Form()
	fmt.Println(i, ok)
	fmt.Println(f.Name, "since Linux", f.Since, "-mcpu=v"+fmt.Sprint(f.ISA), f.Src == insn.Modify)
	// Output:
	// r2 = atomic64_fetch_add((u64 *)(r1 +8), r2) true
	// atomic_fetch_add64 since Linux 5.12 -mcpu=v3 true
}

// Is the second load guarded by the test in front of it?
func ExampleGraph_EdgeDominates() {
	code, err := insn.Assemble(`
		r2 = *(u64 *)(r1 +0)
		if r2 == 0x0 goto end
		r3 = *(u64 *)(r2 +8)
	end:
		r0 = 0
		exit`, insn.Verifier)
	if err != nil {
		fmt.Println(err)
		return
	}
	g, err := insn.NewGraph(code, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	test := g.BlockOf(1)
	taken, fall := g.Blocks[test].Succs[0], g.Blocks[test].Succs[1]
	fmt.Println(g.EdgeDominates(test, fall, g.BlockOf(2)), g.EdgeDominates(test, taken, g.BlockOf(3)))
	// Output: true false
}

// Code can be put in anywhere; jumps follow.
func ExampleFunc_Replace() {
	code, err := insn.Assemble("if r1 == 0x0 goto pc+1\nr0 = 1\nexit", insn.Verifier)
	if err != nil {
		fmt.Println(err)
		return
	}
	f := &insn.Func{Insns: code}
	if err := f.Replace(1, 0, []insn.Instruction{{Op: 0x07, Regs: insn.Regs(1, 0), Imm: 4}}); err != nil {
		fmt.Println(err)
		return
	}
	for _, i := range f.Insns {
		fmt.Println(i)
	}
	// Output:
	// if r1 == 0x0 goto pc+2
	// r1 += 4
	// r0 = 1
	// exit
}

func ExampleCheck() {
	for e := range insn.Check([]insn.Instruction{{Op: insn.OpJa, Off: 5}, {Op: insn.OpExit}}) {
		fmt.Println(e)
	}
	// Output: insn: slot 0 (goto pc+5): out of range: goes to slot 6, out of the function of 2 slots
}
