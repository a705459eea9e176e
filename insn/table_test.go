package insn

import (
	"os/exec"
	"strings"
	"testing"

	"github.com/lode-bpf/lode/internal/helpers"
	"github.com/lode-bpf/lode/internal/ktest"
)

// The table is sorted, its index is right, and each row is the one that its
// instructions are found by.
func TestTable(t *testing.T) {
	next := 0
	for op := range 256 {
		at := formIndex[op]
		if at[1] == 0 {
			continue
		}
		if int(at[0]) != next {
			t.Errorf("opcode %#02x starts at row %d, want %d", op, at[0], next)
		}
		for n := range at[1] {
			if f := forms[int(at[0])+int(n)]; int(f.Op) != op {
				t.Errorf("row %d is %s, opcode %#02x, not %#02x", int(at[0])+int(n), f.Name, f.Op, op)
			}
		}
		next += int(at[1])
	}
	if next != len(forms) {
		t.Errorf("the index has %d rows of %d", next, len(forms))
	}
	for n := range forms {
		f := &forms[n]
		if f.Name == "" || f.ISA < V1 || f.ISA > Internal || f.Since == "" && f.Name != "callx" || f.verifier == "" || f.llvm == "" {
			t.Errorf("row %d is not complete: %+v", n, *f)
		}
		for _, s := range samples(*f) {
			if got := formAt(s, 0); got != f {
				t.Errorf("row %d, %s: %v is found as %+v", n, f.Name, s, got)
			}
		}
	}
}

// Fields that are not used must be zero, and registers must exist.
func TestFormRefuses(t *testing.T) {
	for n := range forms {
		f := &forms[n]
		good := samples(*f)[0][0]
		for _, c := range []struct {
			field string
			use   Operand
			bad   Instruction
		}{
			{"dst", f.Dst, Instruction{good.Op, good.Regs.WithDst(11), good.Off, good.Imm}},
			{"src", f.Src, Instruction{good.Op, good.Regs.WithSrc(11), good.Off, good.Imm}},
			{"off", f.Off, Instruction{good.Op, good.Regs, 0x1234, good.Imm}},
			{"imm", f.Imm, Instruction{good.Op, good.Regs, good.Off, 0x1234}},
		} {
			if c.use != Zero && !c.use.IsRegister() {
				continue
			}
			if c.bad.form() == f {
				t.Errorf("%s with a bad %s: %#v is defined", f.Name, c.field, c.bad)
			}
		}
	}
}

func TestHelpers(t *testing.T) {
	for n := range int32(len(helpers.Table)) {
		name, ok := HelperName(n)
		back, ok2 := HelperNumber(name)
		if ok != (n > 0) || ok2 != ok || ok && back != n {
			t.Errorf("helper %d is %q, which is helper %d", n, name, back)
		}
	}
	for _, n := range []int32{-1, int32(len(helpers.Table)), 1 << 30} {
		if name, ok := HelperName(n); ok {
			t.Errorf("helper %d is %q", n, name)
		}
	}
	for _, name := range []string{"", "bpf_", "map_lookup_elem", "bpf_unspec", "bpf_nothing"} {
		if n, ok := HelperNumber(name); ok {
			t.Errorf("%q is helper %d", name, n)
		}
	}
}

// bpftool knows the same helpers, up to the kernel it was made for.
func TestHelpersOfBpftool(t *testing.T) {
	out, err := exec.Command(ktest.Tool(t, "bpftool", "bpftool"), "feature", "list_builtins", "helpers").Output()
	if err != nil {
		t.Skipf("needs a bpftool with 'feature list_builtins': %v", err)
	}
	for n, name := range strings.Fields(string(out)) {
		if n < len(helpers.Table) && name != "bpf_"+helpers.Table[n].Name {
			t.Errorf("helper %d is %s, bpftool says %s", n, "bpf_"+helpers.Table[n].Name, name)
		}
	}
}

// Names and source lines come from files and calls back: they are quoted where
// they are not plain text.
func TestListingNames(t *testing.T) {
	f := &Func{
		Name:   "evil\x1b[2J",
		Offset: 4,
		Insns:  assemble(t, "call pc+1\nr1 = 0x5\ncall bpf_map_lookup_elem\ngoto pc-2\nexit\ngoto pc+7"),
		Refs:   []Ref{{Index: 0, Addend: -8, Symbol: Symbol{SectionName: ".text"}}, {Index: 1, Symbol: Symbol{Name: "m\n"}}},
		Lines:  []Line{{Index: 0}, {Index: 1}},
	}
	name := func(index int, _ Instruction) string { return map[int]string{0: "sub", 1: "map[x]"}[index] }
	source := func(l Line) string { return []string{"first();", "sec\nond"}[l.Index] }
	for _, c := range []struct {
		name string
		l    Listing
		want string
	}{
		{"verifier", Listing{}, `
   0: (85) call pc+1 ; .text-8
   1: (18) r1 = 0x5 ; "m\n"
   3: (85) call bpf_map_lookup_elem#1
   4: (05) goto pc-2
   5: (95) exit
   6: (05) goto pc+7
`},
		{"everything", Listing{Labels: true, Name: name, Source: source}, `
; first();
   0: (85) call sub ; .text-8
; "sec\nond"
   1: (18) r1 = map[x] ; "m\n"
L1:
   3: (85) call bpf_map_lookup_elem#1
   4: (05) goto L1
   5: (95) exit
   6: (05) goto pc+7
`},
		{"llvm", Listing{Style: LLVM}, `
0000000000000020 <"evil\x1b[2J">:
       4:	85 10 00 00 01 00 00 00	call 0x1 ; .text-8
       5:	18 01 00 00 05 00 00 00 00 00 00 00 00 00 00 00	r1 = 0x5 ll ; "m\n"
       7:	85 00 00 00 01 00 00 00	call 0x1
       8:	05 00 fe ff 00 00 00 00	goto -0x2 <"evil\x1b[2J"+0x18>
       9:	95 00 00 00 00 00 00 00	exit
      10:	05 00 07 00 00 00 00 00	goto +0x7 <"evil\x1b[2J"+0x70>
`},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := "\n" + string(c.l.Append(nil, f)); got != c.want {
				t.Errorf("got %s\nwant %s", got, c.want)
			}
		})
	}
}
