package reloc

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/lode-bpf/lode/insn"
)

// layoutText says how a program was put together, and what was changed.
func layoutText(o *object, p *Program) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %d instructions, %d lines\n", p.Name, len(p.Insns), len(p.Lines))
	for i, f := range p.Funcs {
		fmt.Fprintf(&b, "  %4d %s (%s+%d)", f.Index, f.Func.Name, f.Func.Section, f.Func.Offset)
		if i < len(p.FuncInfo) {
			fmt.Fprintf(&b, " BTF %s", o.BTF.Type(p.FuncInfo[i].TypeID).Name())
		}
		b.WriteString("\n")
	}
	for _, c := range p.Changes {
		if c.Kind == ChangeCall || c.Kind == ChangeFunc {
			fmt.Fprintf(&b, "  %4d %v: imm %d → %d, record %d\n", c.Index, c.Kind, c.From.Imm, c.To.Imm, c.Record)
		}
	}
	return b.String()
}

// TestLinkLayout shows how programs are put together: static functions in
// program sections, functions of every linkage, function pointers.
func TestLinkLayout(t *testing.T) {
	var b strings.Builder
	for _, name := range []string{"multi", "localfunc", "callback", "counter"} {
		o := open(t, name)
		programs, findings := Link(&o.Input)
		for _, p := range programs {
			if p.Err != nil {
				t.Errorf("%s: %v", p.Name, p.Err)
			}
			b.WriteString(layoutText(o, p))
		}
		for _, f := range findings {
			fmt.Fprintf(&b, "finding: %s: %s\n", f.Func, f.Text)
		}
	}
	golden(t, "layout", b.String())
}

// Info that the kernel would refuse is left out, and said to be.
func TestLinkInfo(t *testing.T) {
	lines := func(at ...int) (out []insn.Line) {
		for _, i := range at {
			out = append(out, insn.Line{Index: i})
		}
		return out
	}
	for _, tt := range []struct {
		name        string
		main, sub   []insn.Line
		subType     uint32
		funcs, line int
		finding     string
	}{
		{"all", lines(0, 1), lines(0), 2, 2, 3, ""},
		{"subprogram without function info", lines(0), lines(0), 0, 0, 0, "no function info"},
		{"no line at the beginning", lines(0), lines(1), 2, 2, 0, "line info"},
		{"X04 lines out of order", lines(0, 1, 1), lines(0), 2, 2, 0, "line info"},
		{"X04 line past the end", lines(0, 7), lines(0), 2, 2, 0, "line info"},
		{"no lines", nil, nil, 2, 2, 0, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			main, sub := code("main", 0, call(9), exit), code("sub", 10, mov0, exit)
			main.TypeID, sub.TypeID, main.Lines, sub.Lines = 1, tt.subType, tt.main, tt.sub
			programs, findings := Link(&Input{Programs: []*insn.Func{main}, Subs: []*insn.Func{sub}})
			p := programs[0]
			if len(p.FuncInfo) != tt.funcs || len(p.Lines) != tt.line {
				t.Errorf("%d function infos, %d lines, want %d, %d", len(p.FuncInfo), len(p.Lines), tt.funcs, tt.line)
			}
			if got := fmt.Sprint(findings); tt.finding == "" && len(findings) > 0 || !strings.Contains(got, tt.finding) {
				t.Errorf("findings %s, want %q", got, tt.finding)
			}
		})
	}
}

// Calls that nest deeper than the kernel allows are worth a word, no more: the
// kernel may find some of them dead.
func TestLinkDepth(t *testing.T) {
	subs := make([]*insn.Func, 9)
	for i := range subs {
		subs[i] = code(fmt.Sprint("f", i), 10+2*i, call(0), exit)
		subs[i].Insns[0].Imm = 1
	}
	subs[8].Insns[0] = mov0
	programs, findings := Link(&Input{Programs: []*insn.Func{code("main", 0, call(9), exit)}, Subs: subs})
	if programs[0].Err != nil || len(findings) != 1 || !strings.Contains(findings[0].Text, "calls nest 10 deep") {
		t.Error(programs[0].Err, findings)
	}
}

// Limits hold for a program on its own and for all together.
func TestLinkLimits(t *testing.T) {
	in := Input{Programs: []*insn.Func{code("a", 0, mov0, exit), code("b", 10, mov0, mov0, exit), code("c", 20, mov0, exit)}}
	for _, tt := range []struct {
		lim  Limits
		want []string
	}{
		{Limits{}, []string{"", "", ""}},
		{Limits{ProgInsns: 2}, []string{"", "ProgInsns", ""}},
		{Limits{TotalInsns: 4}, []string{"", "TotalInsns", ""}},
	} {
		in.Limits = tt.lim
		programs, _ := Link(&in)
		var got []string
		for _, p := range programs {
			var l *LimitError
			errors.As(p.Err, &l)
			if l == nil {
				l = &LimitError{}
			}
			got = append(got, l.Limit)
		}
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("%+v (-want +got):\n%s", tt.lim, diff)
		}
	}
}

// Two static functions of one name are two functions.
func TestLinkEqualNames(t *testing.T) {
	a, b := code("helper", 10, mov0, exit), code("helper", 20, mov0, mov0, exit)
	a.Bind, b.Bind = 0, 0
	programs, _ := Link(&Input{Programs: []*insn.Func{code("main", 0, call(19), call(8), exit)}, Subs: []*insn.Func{a, b}})
	p := programs[0]
	if p.Err != nil || len(p.Funcs) != 3 || p.Funcs[1].Func != b || p.Funcs[2].Func != a || p.Insns[0].Imm != 2 || p.Insns[1].Imm != 4 {
		t.Errorf("%v %+v %v", p.Err, p.Funcs, p.Insns)
	}
}
