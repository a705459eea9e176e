package insn

import (
	"strconv"
	"strings"

	"github.com/lode-bpf/lode/internal/helpers"
)

// A Style is a notation for instructions.
type Style uint8

const (
	// Verifier is the kernel's own notation, found in the verifier's log and
	// in the output of bpftool prog dump xlated.
	Verifier Style = iota
	// LLVM is the notation of llvm-objdump -d and of clang's assembler.
	LLVM
)

// String is the instruction in the verifier's notation. Of a wide load, which
// takes two slots, it is the first slot; use AppendText for both. An
// instruction that is not defined is written as its fields,
// "insn(op, dst, src, off, imm)".
func (i Instruction) String() string {
	if f := i.form(); f != nil && !f.Op.IsWide() {
		return string(appendForm(nil, f.verifier, text{i: i}))
	}
	return string(appendRaw(nil, i))
}

// AppendText appends the text of the instruction at a slot, without a newline,
// and returns how many slots that was: two for a wide load. The verifier's
// notation says everything about any slot, defined or not: Assemble reads it
// back. LLVM's says "<unknown>" of what is not defined, and leaves out what
// kind of function is called and the upper half of a constant that refers to
// something.
func AppendText(dst []byte, style Style, insns []Instruction, at int) ([]byte, int) {
	return appendText(dst, style, insns, at, text{})
}

// text is what a template is filled in from.
type text struct {
	i     Instruction
	high  int32
	jump  string // in place of the distance of a jump
	after string // follows a distance, LLVM only
}

func appendText(dst []byte, style Style, insns []Instruction, at int, t text) ([]byte, int) {
	f := formAt(insns, at)
	t.i = insns[at]
	slots := 1
	if f != nil && f.Op.IsWide() {
		slots, t.high = 2, insns[at+1].Imm
	}
	switch {
	case f == nil && style == LLVM:
		return append(dst, unknown...), 1
	case f == nil:
		return appendRaw(dst, t.i), 1
	case style == LLVM:
		return appendForm(dst, f.llvm, t), slots
	}
	return appendForm(dst, f.verifier, t), slots
}

const unknown = "<unknown>"

// appendRaw appends an instruction as its fields.
func appendRaw(dst []byte, i Instruction) []byte {
	dst = append(dst, "insn(0x"...)
	if i.Op < 0x10 {
		dst = append(dst, '0')
	}
	dst = strconv.AppendUint(dst, uint64(i.Op), 16)
	for _, v := range [...]int64{int64(i.Dst()), int64(i.Src()), int64(i.Off), int64(i.Imm)} {
		dst = append(dst, ", "...)
		dst = strconv.AppendInt(dst, v, 10)
	}
	return append(dst, ')')
}

// appendForm fills in a template. A "$" and a letter stand for a part of the
// instruction:
//
//	D S   64-bit register: r1         d s   32-bit register: w1
//	i     Imm: -5                     h     Imm: -0x5
//	x     Imm, unsigned: 0xfffffffb   g     Imm, unsigned: 0xfffffffb
//	u     Imm, unsigned: 7            v     Imm of the second slot, unsigned: 7
//	q     both halves: 0x500000001    Q     both halves, signed: -0x1
//	o     Off: +16                    O     Off: + 0x10
//	j     jump: pc+7                  k     jump: +0x7
//	c     Imm: pc+7                   e     Imm: +7
//	n     Imm: bpf_map_lookup_elem#1  p     Off: pc+7
//	w     Off, unsigned: 7
//	a b   upper and lower half of Imm: 1
//	A B   upper and lower half of Imm: 0x1
func appendForm(dst []byte, template string, t text) []byte {
	for i := 0; i < len(template); i++ {
		if template[i] != '$' {
			dst = append(dst, template[i])
			continue
		}
		i++
		dst = t.appendPart(dst, template[i])
	}
	return dst
}

// appendPart appends what a letter of a template stands for.
func (t text) appendPart(dst []byte, part byte) []byte {
	i := t.i
	switch part {
	case 'D':
		return appendRegister(dst, 'r', i.Dst())
	case 'S':
		return appendRegister(dst, 'r', i.Src())
	case 'd':
		return appendRegister(dst, 'w', i.Dst())
	case 's':
		return appendRegister(dst, 'w', i.Src())
	case 'i':
		return strconv.AppendInt(dst, int64(i.Imm), 10)
	case 'h':
		return appendHex(dst, int64(i.Imm))
	case 'x', 'g':
		return strconv.AppendUint(append(dst, "0x"...), uint64(uint32(i.Imm)), 16)
	case 'u':
		return strconv.AppendUint(dst, uint64(uint32(i.Imm)), 10)
	case 'v':
		return strconv.AppendUint(dst, uint64(uint32(t.high)), 10)
	case 'q':
		return strconv.AppendUint(append(dst, "0x"...), uint64(uint32(i.Imm))|uint64(t.high)<<32, 16)
	case 'Q':
		return appendHex(dst, int64(uint32(i.Imm))|int64(t.high)<<32)
	case 'w':
		return strconv.AppendUint(dst, uint64(uint16(i.Off)), 10)
	case 'a':
		return strconv.AppendUint(dst, uint64(uint32(i.Imm)>>16), 10)
	case 'b':
		return strconv.AppendUint(dst, uint64(uint16(i.Imm)), 10)
	case 'A':
		return strconv.AppendUint(append(dst, "0x"...), uint64(uint32(i.Imm)>>16), 16)
	case 'B':
		return strconv.AppendUint(append(dst, "0x"...), uint64(uint16(i.Imm)), 16)
	}
	return t.appendTarget(dst, part)
}

// appendTarget appends a place that an instruction refers to.
func (t text) appendTarget(dst []byte, part byte) []byte {
	i := t.i
	switch part {
	case 'o':
		return appendSigned(dst, int64(i.Off))
	case 'O':
		if i.Off < 0 {
			return strconv.AppendInt(append(dst, "- 0x"...), -int64(i.Off), 16)
		}
		return strconv.AppendInt(append(dst, "+ 0x"...), int64(i.Off), 16)
	case 'j', 'k', 'c':
		if t.jump != "" {
			return append(dst, t.jump...)
		}
		distance := int64(i.Imm)
		if d, ok := i.JumpDistance(); ok {
			distance = int64(d)
		}
		if part != 'k' {
			return appendSigned(append(dst, "pc"...), distance)
		}
		if distance >= 0 {
			dst = append(dst, '+')
		}
		return append(appendHex(dst, distance), t.after...)
	case 'p':
		return appendSigned(append(dst, "pc"...), int64(i.Off))
	case 'e':
		return appendSigned(dst, int64(i.Imm))
	case 'n':
		name, ok := HelperName(i.Imm)
		if !ok {
			name = "unknown"
		}
		return strconv.AppendInt(append(append(dst, name...), '#'), int64(i.Imm), 10)
	}
	return dst
}

func appendRegister(dst []byte, prefix byte, n uint8) []byte {
	return strconv.AppendUint(append(dst, prefix), uint64(n), 10)
}

// appendHex appends -0x5 or 0x5.
func appendHex(dst []byte, v int64) []byte {
	if v < 0 {
		return strconv.AppendUint(append(dst, "-0x"...), -uint64(v), 16)
	}
	return strconv.AppendUint(append(dst, "0x"...), uint64(v), 16)
}

// appendSigned appends -5 or +5.
func appendSigned(dst []byte, v int64) []byte {
	if v >= 0 {
		dst = append(dst, '+')
	}
	return strconv.AppendInt(dst, v, 10)
}

// JumpDistance is the distance in slots, from the slot after i, that a jump
// may go, and whether i is a jump with such a distance.
func (i Instruction) JumpDistance() (int32, bool) {
	f := i.form()
	switch {
	case f == nil:
		return 0, false
	case f.Off == Jump:
		return int32(i.Off), true
	case f.Imm == Jump:
		return i.Imm, true
	}
	return 0, false
}

// HelperName is the name of a helper function by its number.
func HelperName(number int32) (string, bool) {
	if number <= 0 || int(number) >= len(helpers.Table) {
		return "", false
	}
	return "bpf_" + helpers.Table[number].Name, true
}

// HelperNumber is the number of a helper function by its name, with the prefix
// "bpf_".
func HelperNumber(name string) (int32, bool) {
	short, ok := strings.CutPrefix(name, "bpf_")
	if !ok {
		return 0, false
	}
	n, ok := helpers.Number(short)
	return int32(n), ok && n > 0
}
