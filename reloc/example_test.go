package reloc_test

import (
	"encoding/binary"
	"fmt"
	"log"

	"github.com/lode-bpf/lode/btf"
	"github.com/lode-bpf/lode/insn"
	"github.com/lode-bpf/lode/reloc"
)

// A program that calls a function of another section and reads a variable.
func Example() {
	main := &insn.Func{
		Name: "main", Section: "xdp", SectionIndex: 3,
		Insns: []insn.Instruction{
			{Op: insn.OpLdImm64, Regs: insn.Regs(1, 0), Imm: 4}, {}, // r1 = .data + 4
			{Op: insn.OpCall, Regs: insn.Regs(0, insn.PseudoCall), Imm: -1},
			{Op: insn.OpExit},
		},
		Refs: []insn.Ref{
			{Index: 0, Type: 1, Symbol: insn.Symbol{Index: 1, Section: 5, SectionName: ".data"}},
			{Index: 2, Type: 10, Record: 1, Symbol: insn.Symbol{Index: 2, Name: "sub", Section: 1, SectionName: ".text"}},
		},
	}
	sub := &insn.Func{
		Name: "sub", Section: ".text", SectionIndex: 1,
		Insns: []insn.Instruction{{Op: 0xbf, Regs: insn.Regs(0, 1)}, {Op: insn.OpExit}},
	}
	res, err := reloc.Relocate(reloc.Input{
		Programs: []*insn.Func{main},
		Subs:     []*insn.Func{sub},
		Maps:     []reloc.MapSymbol{{Map: ".data", Section: 5, Size: 16, Data: true}},
	})
	if err != nil {
		log.Fatal(err)
	}
	p := res.Programs[0]
	for _, c := range p.Changes {
		fmt.Printf("%d: %v → %v by record %d\n", c.Index, c.From, c.To, c.Record)
	}
	fmt.Printf("%+v\n", p.Maps[0])
	fmt.Printf("%+v\n", res.Accounting)
	// Output:
	// 0: insn(0x18, 1, 0, 0, 4) → insn(0x18, 1, 2, 0, 0) by record 0
	// 1: insn(0x00, 0, 0, 0, 0) → insn(0x00, 0, 0, 0, 4) by record 0
	// 2: call pc-1 → call pc+1 by record 1
	// {Index:0 Map:.data Value:true Offset:4}
	// {In:2 Applied:2 Reported:0 Outside:0}
}

// One record against two kernels: in the first the field has moved, the second
// does not have it.
func ExampleCORE() {
	spec := func(build func(b *btf.Builder)) *btf.Spec {
		var b btf.Builder
		build(&b)
		raw, err := b.Bytes(binary.LittleEndian)
		if err != nil {
			log.Fatal(err)
		}
		s, err := btf.Parse(raw, nil)
		if err != nil {
			log.Fatal(err)
		}
		return s
	}
	var access uint32
	object := spec(func(b *btf.Builder) {
		u32 := b.AddInt("unsigned int", 4, 0)
		b.AddStruct("task_struct", 4, btf.Member{Name: "pid", Type: u32})
		access = b.AddString("0:0")
	})
	f := &insn.Func{
		Name:  "walk",
		Insns: []insn.Instruction{{Op: 0x61, Regs: insn.Regs(0, 1)}, {Op: insn.OpExit}}, // w0 = *(u32 *)(r1 + 0)
		CORE:  []insn.CORE{{TypeID: 2, AccessOff: access, Kind: uint32(btf.COREFieldByteOffset)}},
	}
	for _, field := range []string{"pid", "tgid"} {
		target := spec(func(b *btf.Builder) {
			u32 := b.AddInt("unsigned int", 4, 0)
			b.AddStruct("task_struct", 32, btf.Member{Name: field, Type: u32, BitOffset: 8 * 16})
		})
		decisions, _ := reloc.CORE(&reloc.Input{BTF: object, Programs: []*insn.Func{f}, Target: target})
		fmt.Println(decisions[0].String())
	}
	// Output:
	// "walk"[0]: byte_off of struct task_struct.pid: 0 → 16 (struct task_struct [2])
	// "walk"[0]: byte_off of struct task_struct.pid: poisoned, unguarded: struct task_struct [2] has no member pid
}
