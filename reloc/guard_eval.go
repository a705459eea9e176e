package reloc

import "github.com/lode-bpf/lode/insn"

// Operations of jumps (RFC 9669, section 4.3).
const (
	classJMP   = 5
	classJMP32 = 6

	opJA    = 0x00
	opJEQ   = 0x10
	opJGT   = 0x20
	opJGE   = 0x30
	opJSET  = 0x40
	opJNE   = 0x50
	opJSGT  = 0x60
	opJSGE  = 0x70
	opCALL  = 0x80
	opEXIT  = 0x90
	opJLT   = 0xa0
	opJLE   = 0xb0
	opJSLT  = 0xc0
	opJSLE  = 0xd0
	opJCOND = 0xe0
)

// Operations of arithmetic (RFC 9669, section 4.1).
const (
	opADD  = 0x00
	opSUB  = 0x10
	opMUL  = 0x20
	opOR   = 0x40
	opAND  = 0x50
	opLSH  = 0x60
	opRSH  = 0x70
	opNEG  = 0x80
	opXOR  = 0xa0
	opMOV  = 0xb0
	opARSH = 0xc0
)

const modeAtomic = 0xc0 // BPF_ATOMIC, of class STX

// compare decides a conditional jump.
func compare(op insn.Opcode, a, b uint64, narrow bool) (taken, ok bool) {
	sa, sb := int64(a), int64(b)
	if narrow {
		a, b = uint64(uint32(a)), uint64(uint32(b))
		sa, sb = int64(int32(a)), int64(int32(b))
	}
	switch op {
	case opJEQ:
		return a == b, true
	case opJNE:
		return a != b, true
	case opJGT:
		return a > b, true
	case opJGE:
		return a >= b, true
	case opJLT:
		return a < b, true
	case opJLE:
		return a <= b, true
	case opJSET:
		return a&b != 0, true
	case opJSGT:
		return sa > sb, true
	case opJSGE:
		return sa >= sb, true
	case opJSLT:
		return sa < sb, true
	case opJSLE:
		return sa <= sb, true
	}
	return false, false
}

// execute brings a state behind an instruction that is no jump.
func (s *absState) execute(ins insn.Instruction, insns []insn.Instruction, i int) {
	dst, src := ins.Dst(), ins.Src()
	if dst > 10 || src > 10 {
		return
	}
	switch ins.Op & 7 {
	case classALU, classALU64:
		s[dst] = s.arithmetic(ins)
	case classLDX:
		if s[src].kind == absRuntime {
			s[dst] = absVal{kind: absRuntime}
			return
		}
		s[dst] = absVal{kind: absKnown}
	case classLD:
		s[dst] = absVal{kind: absKnown}
		if ins.Op.IsWide() && src == 0 && i+1 < len(insns) {
			s[dst] = absVal{absConst, uint64(uint32(ins.Imm)) | uint64(uint32(insns[i+1].Imm))<<32}
		}
		if !ins.Op.IsWide() {
			s[0] = absVal{kind: absRuntime} // a load from the packet
		}
	case classSTX:
		if ins.Op&0xe0 == modeAtomic {
			s[src], s[0] = absVal{kind: absKnown}, absVal{kind: absKnown}
		}
	}
}

// arithmetic is what an operation leaves in its destination.
func (s *absState) arithmetic(ins insn.Instruction) absVal {
	op := ins.Op & 0xf0
	a, b := s[ins.Dst()], absVal{absConst, uint64(int64(ins.Imm))}
	if ins.Op&srcReg != 0 {
		b = s[ins.Src()]
	}
	wide := ins.Op&7 == classALU64
	if op == opMOV && ins.Off == 0 {
		a = absVal{absConst, 0}
	}
	if a.kind != absConst || b.kind != absConst {
		if a.kind == absKnown || b.kind == absKnown || a.kind == absNone || b.kind == absNone {
			return absVal{kind: absKnown}
		}
		return absVal{kind: absRuntime}
	}
	v, ok := calculate(op, a.v, b.v, wide)
	if !ok || ins.Off != 0 {
		return absVal{kind: absKnown}
	}
	if !wide {
		v = uint64(uint32(v))
	}
	return absVal{absConst, v}
}

func calculate(op insn.Opcode, a, b uint64, wide bool) (uint64, bool) {
	shift := b & 63
	if !wide {
		a, b = uint64(uint32(a)), uint64(uint32(b))
		shift = b & 31
	}
	switch op {
	case opMOV:
		return b, true
	case opADD:
		return a + b, true
	case opSUB:
		return a - b, true
	case opMUL:
		return a * b, true
	case opOR:
		return a | b, true
	case opAND:
		return a & b, true
	case opXOR:
		return a ^ b, true
	case opLSH:
		return a << shift, true
	case opRSH:
		return a >> shift, true
	case opNEG:
		return -a, true
	case opARSH:
		if !wide {
			return uint64(int32(a) >> shift), true
		}
		return uint64(int64(a) >> shift), true
	}
	return 0, false
}
