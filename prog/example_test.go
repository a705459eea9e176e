package prog_test

import (
	"errors"
	"fmt"

	"github.com/lode-bpf/lode/btf"
	"github.com/lode-bpf/lode/elf"
	"github.com/lode-bpf/lode/insn"
	"github.com/lode-bpf/lode/prog"
	"github.com/lode-bpf/lode/sys"
)

// The programs of an object file, and the functions that they call.
func Example() {
	f, err := elf.Open("../testdata/multi.bpf.o")
	if err != nil {
		fmt.Println(err)
		return
	}
	types, ext, err := btf.ParseELF(f)
	if err != nil {
		fmt.Println(err)
		return
	}
	progs, subs, findings, err := prog.Collect(f, types, ext)
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, p := range progs {
		fmt.Printf("%-8s %-4s %v, %d slots, %d references\n", p.Name, p.Section, p.Type, len(p.Func.Insns), len(p.Func.Refs))
	}
	for _, s := range subs {
		fmt.Println("calls", s.Name)
	}
	fmt.Println(len(findings), "findings")
	// Output:
	// first    tc   sched_cls, 7 slots, 2 references
	// second   tc   sched_cls, 7 slots, 2 references
	// third    tc   sched_cls, 2 slots, 0 references
	// fourth   xdp  xdp, 9 slots, 1 references
	// calls choose
	// calls middle
	// calls leaf
	// calls replaceable
	// calls inside
	// calls nobody_calls
	// 0 findings
}

// What section names say.
func ExampleClassify() {
	for _, name := range []string{"xdp", "?kprobe/do_nanosleep+0x8", "uprobe//bin/sh:main", "fentry/nf_tables:nft_do_chain", "tc_main", "1/0"} {
		c := prog.Classify(name, nil, nil)
		hook, err := c.Rule.AttachKind.Parse(c.Arg)
		fmt.Println(name, c.Rule.Type, c.Match, c.AutoLoad, hook.Module, hook.Path, hook.Function, hook.Offset, err)
	}
	// Output:
	// xdp xdp table true    0 <nil>
	// ?kprobe/do_nanosleep+0x8 kprobe table false   do_nanosleep 8 <nil>
	// uprobe//bin/sh:main kprobe table true  /bin/sh main 0 <nil>
	// fentry/nf_tables:nft_do_chain tracing table true nf_tables  nft_do_chain 0 <nil>
	// tc_main sched_cls legacy true    0 <nil>
	// 1/0 unspec none true    0 <nil>
}

// A rule for sections of the application's own.
func ExampleClassify_custom() {
	rules := []prog.Rule{{Name: "firewall", Args: true, Type: sys.ProgTypeXDP, AttachType: sys.AttachXDP}}
	c := prog.Classify("firewall/eth0", rules, nil)
	fmt.Println(c.Rule.Type, c.Arg, c.Match)
	// Output:
	// xdp eth0 custom
}

// Load a program, run it on a packet, and say why another one is refused. It
// needs the right to use bpf(2).
func ExampleLoad() {
	insns, err := insn.Assemble("r0 = *(u32 *)(r1 +0)\nexit", insn.Verifier) // the length of the packet
	if err != nil {
		fmt.Println(err)
		return
	}
	spec := &prog.Spec{Name: "length", Type: sys.ProgTypeSchedCls, License: "GPL"}
	p, err := prog.Load(sys.Live(), spec, prog.Code{Insns: insns}, prog.LoadOptions{})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer p.Close()
	verdict, _, err := p.Test(make([]byte, 60))
	fmt.Println(verdict, err)

	_, err = prog.Load(sys.Live(), spec, prog.Code{Insns: insns[:1]}, prog.LoadOptions{})
	var refused *prog.VerifierError
	if errors.As(err, &refused) {
		fmt.Println(refused.Reason)
	}
}
