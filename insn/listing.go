package insn

import (
	"encoding/binary"
	"fmt"
	"slices"
	"strconv"
)

// A Listing says how the text of a whole function looks. The zero Listing is
// the verifier's notation, with slot numbers and opcodes in front, as bpftool
// prints it.
type Listing struct {
	Style     Style
	ByteOrder binary.ByteOrder // in which LLVM's style shows the bytes; little-endian if nil
	Labels    bool             // name the targets of jumps L1, L2, … in the order of their place

	// Name is what a call or a wide load at a slot refers to, in place of its
	// number; empty to leave the number. Such text says more to a person and
	// cannot be assembled.
	Name func(index int, i Instruction) string

	// Source is the text of a source line, which goes before the instruction
	// that begins it; empty for none.
	Source func(l Line) string
}

// Append appends the listing of a function to dst. A reference that has still
// to be filled in is a comment behind its instruction. Without Name, Assemble
// reads the listing back.
func (l Listing) Append(dst []byte, f *Func) []byte {
	labels := map[int64]string{}
	if l.Labels {
		labels = labelTargets(f.Insns)
	}
	if l.Style == LLVM {
		dst = fmt.Appendf(dst, "%016x <%s>:\n", f.Offset*Size, printable(f.Name))
	}
	lines, refs := f.Lines, f.Refs
	for at := 0; at < len(f.Insns); {
		for ; len(lines) > 0 && lines[0].Index <= at; lines = lines[1:] {
			if text := l.source(lines[0]); text != "" {
				dst = append(append(append(dst, "; "...), printable(text)...), '\n')
			}
		}
		if label := labels[int64(at)]; label != "" {
			dst = append(append(dst, label...), ":\n"...)
		}
		text, slots := l.instruction(f, at, labels)
		dst = l.prefix(dst, f, at, slots)
		dst = append(dst, text...)
		for ; len(refs) > 0 && refs[0].Index < at+slots; refs = refs[1:] {
			if refs[0].Index == at {
				dst = append(append(dst, " ; "...), refText(refs[0])...)
			}
		}
		dst = append(dst, '\n')
		at += slots
	}
	if label := labels[int64(len(f.Insns))]; label != "" {
		dst = append(append(dst, label...), ":\n"...)
	}
	return dst
}

// prefix appends what stands in front of an instruction.
func (l Listing) prefix(dst []byte, f *Func, at, slots int) []byte {
	if l.Style == Verifier {
		return fmt.Appendf(dst, "%4d: (%02x) ", at, uint8(f.Insns[at].Op))
	}
	dst = fmt.Appendf(dst, "%8d:\t", f.Offset+at)
	order := l.ByteOrder
	if order == nil {
		order = binary.LittleEndian
	}
	for i, b := range Append(nil, f.Insns[at:at+slots], order) {
		if i > 0 {
			dst = append(dst, ' ')
		}
		dst = fmt.Appendf(dst, "%02x", b)
	}
	return append(dst, '\t')
}

// instruction is the text of the instruction at a slot.
func (l Listing) instruction(f *Func, at int, labels map[int64]string) ([]byte, int) {
	i := f.Insns[at]
	var t text
	if distance, ok := i.JumpDistance(); ok {
		target := int64(at) + 1 + int64(distance)
		t.jump = labels[target]
		switch {
		case f.Name == "":
		case target == 0:
			t.after = " <" + printable(f.Name) + ">"
		default:
			t.after = fmt.Sprintf(" <%s+0x%x>", printable(f.Name), uint64(target*Size))
		}
	}
	out, slots := appendText(nil, l.Style, f.Insns, at, t)
	if l.Name == nil {
		return out, slots
	}
	form := formAt(f.Insns, at)
	if form == nil {
		return out, slots
	}
	switch name := ""; form.Imm {
	case Helper, Function, Kfunc, MapFD, BTFID, FDIndex, Wide:
		if name = l.Name(at, i); name == "" {
			break
		}
		if i.Op.IsWide() {
			return fmt.Appendf(nil, "r%d = %s", i.Dst(), name), slots
		}
		return append([]byte("call "), name...), slots
	}
	return out, slots
}

func (l Listing) source(line Line) string {
	if l.Source == nil {
		return ""
	}
	return l.Source(line)
}

// labelTargets names every slot that a jump goes to, if an instruction starts
// there or the code ends there.
func labelTargets(insns []Instruction) map[int64]string {
	starts := map[int64]bool{int64(len(insns)): true}
	var targets []int64
	for at := 0; at < len(insns); at++ {
		starts[int64(at)] = true
		if distance, ok := insns[at].JumpDistance(); ok {
			targets = append(targets, int64(at)+1+int64(distance))
		}
		if f := formAt(insns, at); f != nil && f.Op.IsWide() {
			at++
		}
	}
	slices.Sort(targets)
	labels := map[int64]string{}
	for _, t := range slices.Compact(targets) {
		if starts[t] {
			labels[t] = "L" + strconv.Itoa(len(labels)+1)
		}
	}
	return labels
}

// refText says what a reference names.
func refText(r Ref) string {
	name := r.Symbol.Name
	if name == "" {
		name = r.Symbol.SectionName
	}
	text := printable(name)
	if r.Addend != 0 {
		text += fmt.Sprintf("%+d", r.Addend)
	}
	return text
}

// printable is s itself if it is plain text on one line, else quoted: names
// come from files.
func printable(s string) string {
	for i := range len(s) {
		if s[i] < ' ' || s[i] > '~' {
			return strconv.Quote(s)
		}
	}
	return s
}
