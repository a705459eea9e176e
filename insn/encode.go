package insn

import (
	"encoding/binary"
	"fmt"
	"slices"
)

// Decode reads the slots of b in the byte order of the file. It never fails on
// an unknown opcode: what is not defined decodes to itself. The length of b
// must be a multiple of Size. One allocation.
func Decode(b []byte, order binary.ByteOrder) ([]Instruction, error) {
	if len(b)%Size != 0 {
		return nil, &Error{Kind: Truncated, Index: len(b) / Size, Detail: fmt.Sprintf("%d bytes of code are not a multiple of %d", len(b), Size)}
	}
	out := make([]Instruction, len(b)/Size)
	if isBig(order) {
		for i := range out {
			v := binary.BigEndian.Uint64(b)
			b = b[Size:]
			regs := uint8(v >> 48) // the nibbles are the other way round in this byte order
			out[i] = Instruction{Opcode(v >> 56), Registers(regs>>4 | regs<<4), int16(v >> 32), int32(v)}
		}
		return out, nil
	}
	for i := range out {
		v := binary.LittleEndian.Uint64(b)
		b = b[Size:]
		out[i] = Instruction{Opcode(v), Registers(v >> 8), int16(v >> 16), int32(v >> 32)}
	}
	return out, nil
}

// Append appends the encoded slots to dst, growing it at most once.
func Append(dst []byte, insns []Instruction, order binary.ByteOrder) []byte {
	n := len(dst)
	dst = slices.Grow(dst, len(insns)*Size)[:n+len(insns)*Size]
	b := dst[n:]
	if isBig(order) {
		for _, in := range insns {
			regs := uint8(in.Regs)
			binary.BigEndian.PutUint64(b, uint64(in.Op)<<56|uint64(regs>>4|regs<<4)<<48|uint64(uint16(in.Off))<<32|uint64(uint32(in.Imm)))
			b = b[Size:]
		}
		return dst
	}
	for _, in := range insns {
		binary.LittleEndian.PutUint64(b, uint64(in.Op)|uint64(in.Regs)<<8|uint64(uint16(in.Off))<<16|uint64(uint32(in.Imm))<<32)
		b = b[Size:]
	}
	return dst
}

// isBig asks an order, which need not be one of package binary's.
func isBig(order binary.ByteOrder) bool { return order.Uint16(one) == 1 }

var one = []byte{0, 1}
