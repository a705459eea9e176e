package prog

import (
	"fmt"
	"sort"
	"strconv"
	"strings"

	"github.com/lode-bpf/lode/btf"
	"github.com/lode-bpf/lode/insn"
	"github.com/lode-bpf/lode/sys"
)

// A SourceLine says where an instruction comes from.
type SourceLine struct {
	Index  int // first instruction of the line
	File   string
	Line   int // from 1
	Column int // from 1; 0 if unknown
	Text   string
}

// SourceLines reads the names and texts of line records, whose strings are in
// the object's BTF.
func SourceLines(lines []insn.Line, b *btf.Spec) []SourceLine {
	out := make([]SourceLine, len(lines))
	for i, l := range lines {
		out[i] = SourceLine{Index: l.Index, Line: int(l.Line()), Column: int(l.Column())}
		if b != nil {
			out[i].File, _ = b.String(l.FileOff)
			out[i].Text, _ = b.String(l.LineOff)
		}
	}
	return out
}

// A Register is what the verifier last said about a register.
type Register struct {
	Number int
	State  string // in the verifier's own words: "ctx()", "scalar()", "pkt(r=0)"
}

// A VerifierError is a program that the kernel refused, with the verifier's
// log. Its message shows what is needed to understand it; Log has all.
//
// Of the log only the form of its lines is relied on: "N: (" begins
// instruction N, "N: R" and "from N to M: R" states of registers. What the
// kernel says in words is passed on as it is.
type VerifierError struct {
	Program, Section string
	Type             sys.ProgType
	Err              error // the failed call
	Log              string
	Truncated        bool // the log was larger than LoadOptions.LogSize

	Index       int    // instruction that the verifier looked at last; -1 if it came to none
	Instruction string // as the log has it
	Reason      string // what the log says after it, without the summary; may have several lines
	Registers   []Register
	Source      *SourceLine // nil if unknown
	Explanation string      // why the loader made the instruction what it is; empty if it did not
}

// Unwrap is the failed call.
func (e *VerifierError) Unwrap() error { return e.Err }

// shownLines is how many lines of the verifier's words a message has.
const shownLines = 12

// Error has several lines: what failed, then where, then why. Bytes of the log
// that do not print are escaped.
func (e *VerifierError) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "prog: load program %q (section %q, %v): refused by the verifier: ", e.Program, e.Section, e.Type)
	if n := sys.ErrnoOf(e.Err); n != 0 {
		b.WriteString(n.Error())
	} else {
		b.WriteString(e.Err.Error())
	}
	if e.Explanation != "" {
		b.WriteString("\n  because: " + printable(e.Explanation))
	}
	// Of an instruction that the loader has poisoned, the explanation says it
	// all: the kernel can only name the number in it.
	poisoned := e.Explanation != "" && strings.HasPrefix(e.Reason, "invalid func unknown#")
	if poisoned {
		fmt.Fprintf(&b, "\n  at instruction %d", e.Index)
	} else if e.Index >= 0 {
		fmt.Fprintf(&b, "\n  at instruction %d: %s", e.Index, printable(e.Instruction))
	}
	if s := e.Source; s != nil {
		fmt.Fprintf(&b, "\n  source %s:%d: %s", printable(s.File), s.Line, printable(strings.TrimSpace(s.Text)))
	}
	if poisoned {
		return b.String()
	}
	for i, r := range e.Registers {
		b.WriteString([]string{"\n  with ", ", "}[min(i, 1)])
		fmt.Fprintf(&b, "R%d=%s", r.Number, printable(r.State))
	}
	lines := strings.Split(e.Reason, "\n")
	for i, line := range lines {
		if i == shownLines {
			fmt.Fprintf(&b, "\n  (%d more lines in the log)", len(lines)-i)
			break
		}
		if line != "" {
			b.WriteString("\n  verifier: " + printable(line))
		}
	}
	if e.Truncated {
		b.WriteString("\n  (the log is cut; raise LoadOptions.LogSize)")
	}
	return b.String()
}

// printable escapes what could confuse a terminal.
func printable(s string) string {
	q := quote(strings.ReplaceAll(s, "\t", "  "))
	q = q[1 : len(q)-1]
	return strings.ReplaceAll(strings.ReplaceAll(q, `\"`, `"`), `\\`, `\`)
}

// analyse reads the log.
func (e *VerifierError) analyse(insns []insn.Instruction, o *LoadOptions) {
	p := parseLog(e.Log)
	e.Index, e.Instruction, e.Reason = p.index, p.insn, strings.Join(p.after, "\n")
	if e.Index < 0 || e.Index >= len(insns) {
		return
	}
	in := insns[e.Index]
	e.Registers = p.registers(in)
	if o.Explain != nil {
		e.Explanation = o.Explain(e.Index)
	}
	if e.Explanation == "" {
		e.Explanation = poison(in)
	}
	if o.Lines != nil {
		e.Source = sourceOf(o.Lines(), e.Index)
	}
}

// registers are the states of the registers that an instruction is about.
func (p *verifierLog) registers(in insn.Instruction) (out []Register) {
	for _, r := range involved(in) {
		if s, ok := p.state[r]; ok {
			out = append(out, Register{r, s})
		}
	}
	return out
}

// sourceOf is the last line that begins at or before an instruction.
func sourceOf(lines []SourceLine, index int) *SourceLine {
	i := sort.Search(len(lines), func(i int) bool { return lines[i].Index > index })
	if i == 0 {
		return nil
	}
	l := lines[i-1]
	return &l
}

// Immediates of calls that loaders put in the place of instructions which must
// not be reached.
const (
	poisonCORE  = 0xbad2310
	poisonMap   = 2001000000
	poisonKfunc = 2002000000
	poisonRange = 1000000
)

// poison says what an instruction is that no kernel accepts.
func poison(in insn.Instruction) string {
	switch n := in.Imm; {
	case in.Op != insn.OpCall:
		return ""
	case n == poisonCORE:
		return "a CO-RE relocation found no target here, and the program can reach the instruction; guard it with bpf_core_field_exists or the like"
	case n >= poisonMap && n < poisonMap+poisonRange:
		return "the instruction refers to a map that was not created, number " + strconv.Itoa(int(n-poisonMap))
	case n >= poisonKfunc && n < poisonKfunc+poisonRange:
		return "the instruction calls a weak kernel function that this kernel lacks, number " + strconv.Itoa(int(n-poisonKfunc)) + "; guard it with bpf_ksym_exists"
	}
	return ""
}

// involved lists the registers that an instruction reads, or writes a constant
// to.
func involved(in insn.Instruction) []int {
	const (
		classLDX = 0x01
		classST  = 0x02
		srcX     = 0x08 // the operand is a register
		mov      = 0xb0
	)
	dst, src, class := int(in.Dst()), int(in.Src()), in.Op&7
	switch {
	case in.Op == insn.OpCall:
		return []int{1, 2, 3, 4, 5}
	case in.Op == insn.OpExit:
		return []int{0}
	case class == classLDX, class >= 4 && class != 5 && class != 6 && in.Op&0xf0 == mov && in.Op&srcX != 0:
		return []int{src}
	case in.Op.IsWide(), class == classST, class >= 4 && in.Op&srcX == 0, dst == src:
		return []int{dst}
	}
	return []int{min(dst, src), max(dst, src)}
}
