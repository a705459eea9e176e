package prog

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/lode-bpf/lode/insn"
	"github.com/lode-bpf/lode/sys"
)

// Logs of several kernel versions, shortened.
func TestParseLog(t *testing.T) {
	for _, c := range []struct {
		name, log string
		want      verifierLog
	}{
		{"empty", "", verifierLog{index: -1, state: map[int]string{}}},
		{"before the first instruction", "func#0 @0\nunreachable insn 3\nprocessed 0 insns (limit 1000000)\n",
			verifierLog{index: -1, after: []string{"func#0 @0", "unreachable insn 3"}, state: map[int]string{}}},
		{"6.x", `func#0 @0
0: R1=ctx() R10=fp0
; *value += 1; @ x.c:31
0: (b7) r1 = 1                        ; R1_w=1
1: (85) call bpf_map_lookup_elem#1    ; R0_w=map_value_or_null(id=1,map=table,ks=4,vs=8)
2: (79) r2 = *(u64 *)(r0 +0)
R0 invalid mem access 'map_value_or_null'
processed 3 insns (limit 1000000) max_states_per_insn 0 total_states 0 peak_states 0 mark_read 0
`, verifierLog{index: 2, insn: "(79) r2 = *(u64 *)(r0 +0)", after: []string{"R0 invalid mem access 'map_value_or_null'"},
			state: map[int]string{0: "map_value_or_null(id=1,map=table,ks=4,vs=8)", 1: "1", 10: "fp0"}}},
		{"5.10, blanks in states", `0: R1=ctx(id=0,off=0,imm=0) R10=fp0
0: (61) r2 = *(u32 *)(r1 +0)
1: R1=ctx(id=0,off=0,imm=0) R2_w=inv(id=0,umax_value=4294967295,var_off=(0x0; 0xffffffff)) R10=fp0
1: (95) exit
R0 !read_ok
`, verifierLog{index: 1, insn: "(95) exit", after: []string{"R0 !read_ok"},
			state: map[int]string{1: "ctx(id=0,off=0,imm=0)", 2: "inv(id=0,umax_value=4294967295,var_off=(0x0; 0xffffffff))", 10: "fp0"}}},
		{"another branch", `0: R1=ctx() R10=fp0
0: (b7) r0 = 0 ; R0_w=0
1: (15) if r1 == 0x0 goto pc+1
2: (95) exit

from 1 to 3: R0=0 R1=scalar(umax=3,var_off=(0x0; 0x3)) R10=fp0
3: (95) exit
too bad
`, verifierLog{index: 3, insn: "(95) exit", after: []string{"too bad"},
			state: map[int]string{0: "0", 1: "scalar(umax=3,var_off=(0x0; 0x3))", 10: "fp0"}}},
		{"frames", `7: frame1: R1=7 R10=fp0
7: (95) exit                          ; frame1: R0=8
no
`, verifierLog{index: 7, insn: "(95) exit", after: []string{"no"}, state: map[int]string{1: "7", 10: "fp0"}}},
		{"not numbers", "1x: (95) exit\n: (95)\n99999999999: (95) exit\nfrom x to y: R1=2\nfrom 1 to\n",
			verifierLog{index: -1, after: []string{"1x: (95) exit", ": (95)", "99999999999: (95) exit", "from x to y: R1=2", "from 1 to"}, state: map[int]string{}}},
		{"a comment with a semicolon", "0: (18) r1 = 0x1 ; a; b\n", verifierLog{index: 0, insn: "(18) r1 = 0x1 ; a; b", state: map[int]string{}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := parseLog(c.log)
			if d := cmp.Diff(c.want, got, cmp.AllowUnexported(verifierLog{}), cmp.Transformer("empty", func(s []string) string { return strings.Join(s, "\n") })); d != "" {
				t.Errorf("-want +got:\n%s", d)
			}
		})
	}
}

func TestVerifierErrorText(t *testing.T) {
	log := "0: R1=ctx() R10=fp0\n0: (85) call odd#12\nno such func odd#12\x1b[2J\n" + strings.Repeat("and more\n", 20) + "processed 1 insns\n"
	insns := []insn.Instruction{{Op: insn.OpCall, Imm: poisonCORE}, {Op: insn.OpExit}}
	e := &VerifierError{Program: "p\n", Section: "tc", Type: sys.ProgTypeSchedCls, Err: &sys.Error{Op: "BPF_PROG_LOAD", Errno: sys.EINVAL}, Log: log, Truncated: true}
	e.analyse(insns, &LoadOptions{
		Explain: func(i int) string { return "field_byte_off of struct x.y" },
		Lines:   func() []SourceLine { return []SourceLine{{Index: 0, File: "x.c", Line: 7, Text: "\treturn p->y;"}} },
	})
	want := `prog: load program "p\n" (section "tc", sched_cls): refused by the verifier: invalid argument
  because: field_byte_off of struct x.y
  at instruction 0: (85) call odd#12
  source x.c:7: return p->y;
  with R1=ctx()
  verifier: no such func odd#12\x1b[2J
` + strings.Repeat("  verifier: and more\n", 11) + `  (9 more lines in the log)
  (the log is cut; raise LoadOptions.LogSize)`
	if d := cmp.Diff(want, e.Error()); d != "" {
		t.Errorf("-want +got:\n%s", d)
	}
	e = &VerifierError{Program: "p", Section: "tc", Type: sys.ProgTypeSchedCls, Err: e.Err,
		Log: "0: R1=ctx() R10=fp0\n0: (85) call unknown#195896080\ninvalid func unknown#195896080\nprocessed 1 insns\n"}
	e.analyse(insns, &LoadOptions{Explain: func(int) string { return "struct x has no member y" }})
	want = `prog: load program "p" (section "tc", sched_cls): refused by the verifier: invalid argument
  because: struct x has no member y
  at instruction 0`
	if d := cmp.Diff(want, e.Error()); d != "" {
		t.Errorf("a poisoned instruction: -want +got:\n%s", d)
	}
	for imm, want := range map[int32]string{
		poisonCORE: "CO-RE", poisonMap + 3: "a map that was not created, number 3", poisonKfunc + 12: "kernel function that this kernel lacks, number 12", 1: "",
	} {
		if got := poison(insn.Instruction{Op: insn.OpCall, Imm: imm}); !strings.Contains(got, want) || want == "" && got != "" {
			t.Errorf("poison %d: %q", imm, got)
		}
	}
}

func TestInvolved(t *testing.T) {
	for _, c := range []struct {
		text string
		want []int
	}{
		{"exit", []int{0}}, {"call bpf_map_lookup_elem", []int{1, 2, 3, 4, 5}}, {"r3 = 7", []int{3}}, {"r3 += r2", []int{2, 3}}, {"r3 = r3", []int{3}},
		{"r2 = *(u8 *)(r1 +4)", []int{1}}, {"r2 = r1", []int{1}}, {"w2 = w1", []int{1}}, {"if r1 > r9 goto pc+0", []int{1, 9}}, {"if r9 > r1 goto pc+0", []int{1, 9}}, {"if r9 > 1 goto pc+0", []int{9}}, {"*(u32 *)(r10 -4) = r1", []int{1, 10}}, {"*(u32 *)(r10 -4) = 5", []int{10}}, {"r4 = 0x1122334455667788", []int{4}},
	} {
		insns, err := insn.Assemble(c.text, insn.Verifier)
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(c.want, involved(insns[0])); d != "" {
			t.Errorf("%s (-want +got): %s", c.text, d)
		}
	}
}

func FuzzParseLog(f *testing.F) {
	f.Add("0: R1=ctx() R10=fp0\n0: (85) call unknown#195896080 ; R0_w=(a; b)\nfrom 1 to 2: frame1: R1=2\n")
	f.Fuzz(func(t *testing.T, log string) { parseLog(log) })
}
