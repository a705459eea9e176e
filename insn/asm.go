package insn

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// Assemble turns text into instructions. It reads what AppendText and Listing
// write, one instruction a line, and what people write:
//
//	; a comment, to the end of the line
//	loop:                            a label, alone on its line
//	    r1 = *(u64 *)(r10 -8)
//	    r2 = 0x5                     hexadecimal: a wide load; r2 = 5 is not
//	    call bpf_map_lookup_elem
//	    if r0 == 0 goto loop         or pc-4
//	    (95) exit                    the opcode in front must be right
//	    insn(0xff, 1, 2, 3, 4)       opcode, dst, src, off, imm of any slot
//
// Spaces are free between words and signs. A number in front, with a colon, is
// the slot where the instruction must come to stand. Assemble is linear in the
// length of the text. Errors are *Error, with the line.
func Assemble(code string, style Style) ([]Instruction, error) {
	a := assembler{style: style, labels: map[string]int{}}
	line := 0
	for l := range strings.Lines(code) {
		line++
		if err := a.line(l); err != "" {
			return nil, &Error{Kind: Syntax, Index: len(a.out), Line: line, Detail: err}
		}
		for n := len(a.fixups) - 1; n >= 0 && a.fixups[n].line == 0; n-- {
			a.fixups[n].line = line
		}
	}
	for _, f := range a.fixups {
		if err := a.resolve(f); err != nil {
			return nil, err
		}
	}
	return a.out, nil
}

type assembler struct {
	style  Style
	out    []Instruction
	labels map[string]int
	fixups []fixup
}

// A fixup is an instruction that refers to a label.
type fixup struct {
	slot  int
	label string
	line  int
}

// resolve puts the distance to a label into its instruction.
func (a *assembler) resolve(f fixup) error {
	target, ok := a.labels[f.label]
	if !ok {
		return &Error{Kind: Syntax, Index: f.slot, Line: f.line, Detail: "no label " + strconv.Quote(f.label)}
	}
	if err := a.out[f.slot].SetDistance(target - f.slot - 1); err != nil {
		return &Error{Kind: Range, Index: f.slot, Insn: a.out[f.slot], Line: f.line, Detail: "label " + strconv.Quote(f.label) + " is too far away: " + err.(*Error).Detail}
	}
	return nil
}

// line assembles one line and returns what is wrong with it.
func (a *assembler) line(l string) string {
	l, _, _ = strings.Cut(l, ";")
	l = strings.TrimSpace(l)
	if l == "" || a.style == LLVM && strings.HasSuffix(l, ">:") {
		return "" // the second is the heading of a function
	}
	if label, ok := strings.CutSuffix(l, ":"); ok && label != "" && word(label) == len(label) && (label[0] < '0' || label[0] > '9') {
		if _, ok := a.labels[label]; ok {
			return "label " + strconv.Quote(label) + " is there already"
		}
		a.labels[label] = len(a.out)
		return ""
	}
	if number, rest, ok := strings.Cut(l, ":"); ok {
		if n, err := strconv.Atoi(number); err == nil {
			if n != len(a.out) {
				return fmt.Sprintf("this is slot %d, not %s", len(a.out), number)
			}
			l = strings.TrimSpace(rest)
		}
	}
	op := -1
	if a.style == LLVM {
		l = cutBytes(l)
	} else if len(l) > 4 && l[0] == '(' && l[3] == ')' {
		if n, err := strconv.ParseUint(l[1:3], 16, 8); err == nil {
			op, l = int(n), l[4:]
		}
	}
	return a.instruction(l, op)
}

// cutBytes cuts the bytes in front of an instruction, "b7 00 ...".
func cutBytes(l string) string {
	for len(l) > 2 && isHex(l[0]) && isHex(l[1]) && (l[2] == ' ' || l[2] == '\t') {
		l = strings.TrimLeft(l[3:], " \t")
	}
	return l
}

func isHex(c byte) bool { return c >= '0' && c <= '9' || c >= 'a' && c <= 'f' }

// instruction tries the forms in the order of the table. The first that fits
// counts.
func (a *assembler) instruction(l string, op int) string {
	p := parse{s: l, style: a.style}
	if p.literal("insn(") {
		return a.raw(p)
	}
	for n := range forms {
		f := &forms[n]
		if op >= 0 && int(f.Op) != op {
			continue
		}
		p := parse{s: l, style: a.style, form: f, i: f.base()}
		template := f.verifier
		if a.style == LLVM {
			template = f.llvm
		}
		if !p.template(template) {
			continue
		}
		if p.label != "" {
			a.fixups = append(a.fixups, fixup{slot: len(a.out), label: p.label})
		}
		a.out = append(a.out, p.i)
		if f.Op.IsWide() {
			a.out = append(a.out, Instruction{Imm: p.high})
		}
		return ""
	}
	if len(l) > 80 {
		l = l[:80]
	}
	return "no instruction reads " + strconv.Quote(l)
}

// raw assembles the fields of a slot.
func (a *assembler) raw(p parse) string {
	limits := [...]struct{ low, high int64 }{{0, 255}, {0, 15}, {0, 15}, {math.MinInt16, math.MaxInt16}, {math.MinInt32, math.MaxInt32}}
	var v [len(limits)]int64
	for n, lim := range limits {
		end := ","
		if n == len(limits)-1 {
			end = ")"
		}
		var ok bool
		if v[n], ok = p.number(); !ok || v[n] < lim.low || v[n] > lim.high || !p.literal(end) {
			return "insn(op, dst, src, off, imm) is expected, each within its field"
		}
	}
	if !p.end() {
		return "text after insn(...)"
	}
	a.out = append(a.out, Instruction{Opcode(v[0]), Regs(uint8(v[1]), uint8(v[2])), int16(v[3]), int32(v[4])})
	return ""
}

// base is the form with the fields that are the same in all its instructions.
func (f *Form) base() Instruction {
	value := func(o Operand) int16 {
		if o.Kind() == Fixed {
			return int16(o)
		}
		return 0
	}
	return Instruction{f.Op, Regs(0, uint8(value(f.Src))), value(f.Off), int32(value(f.Imm))}
}
