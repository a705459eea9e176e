package sys

import "encoding/binary"

// Instructions and BTF for probes: a few bytes each, so that asking a kernel needs
// no other package.

type code []byte

// op appends one instruction slot.
func (c code) op(opcode, dst, src uint8, off int16, imm int32) code {
	regs := dst | src<<4
	if hostBigEndian {
		regs = dst<<4 | src
	}
	c = append(c, opcode, regs)
	c = binary.NativeEndian.AppendUint16(c, uint16(off))
	return binary.NativeEndian.AppendUint32(c, uint32(imm))
}

// Opcodes of RFC 9669 that the probes use.
const (
	opMov64K   = 0xb7
	opMov64X   = 0xbf
	opAdd64K   = 0x07
	opLoadImm  = 0x18
	opStoreDW  = 0x7a
	opCall     = 0x85
	opExit     = 0x95
	opJLTK     = 0xa5
	opJLT32K   = 0xa6
	opMapValue = 2 // pseudo source of opLoadImm
	opLocal    = 1 // pseudo source of opCall
)

func (c code) mov(dst uint8, imm int32) code { return c.op(opMov64K, dst, 0, 0, imm) }
func (c code) call(h Helper) code            { return c.op(opCall, 0, 0, 0, int32(h)) }
func (c code) exit() code                    { return c.op(opExit, 0, 0, 0, 0) }

// ret is a program that returns a constant.
func ret(n int32) code { return code(nil).mov(0, n).exit() }

// mapValue loads the address of offset off in the first value of a map.
func (c code) mapValue(dst uint8, mapFD int, off uint32) code {
	return c.op(opLoadImm, dst, opMapValue, 0, int32(mapFD)).op(0, 0, 0, 0, int32(off))
}

// A btfBlob is BTF under construction.
type btfBlob struct {
	types   []uint32
	strings string
	layout  []byte // contents of the layout part; nil: a header without it
}

// BTF kinds, as they stand in the info word.
const (
	bInt       = 1 << 24
	bPtr       = 2 << 24
	bFunc      = 12 << 24
	bFuncProto = 13 << 24
	bVar       = 14 << 24
	bDatasec   = 15 << 24
	bFloat     = 16 << 24
	bDeclTag   = 17 << 24
	bTypeTag   = 18 << 24
	bEnum64    = 19 << 24
)

// intType is a signed int of 32 bits without a name that anybody looks up.
var intType = []uint32{1, bInt, 4, 1<<24 | 32}

func blob(strings string, types ...[]uint32) btfBlob {
	b := btfBlob{strings: "\x00" + strings}
	for _, t := range types {
		b.types = append(b.types, t...)
	}
	return b
}

func (b btfBlob) bytes() []byte {
	header := uint32(24)
	if b.layout != nil {
		header = 32
	}
	n := uint32(4 * len(b.types))
	e := binary.NativeEndian
	out := e.AppendUint16(nil, 0xeb9f)
	out = append(out, 1, 0)
	out = e.AppendUint32(out, header)
	for _, v := range []uint32{0, n, n + uint32(len(b.layout)), uint32(len(b.strings))} {
		out = e.AppendUint32(out, v)
	}
	if b.layout != nil {
		out = e.AppendUint32(out, n)
		out = e.AppendUint32(out, uint32(len(b.layout)))
	}
	for _, v := range b.types {
		out = e.AppendUint32(out, v)
	}
	out = append(out, b.layout...)
	return append(out, b.strings...)
}

// The least that has a kind, one function each.

func btfInt() btfBlob {
	return blob("int\x00", intType)
}

func btfFunc() btfBlob {
	return blob("int\x00f\x00a\x00", intType, []uint32{0, bFuncProto | 1, 0, 7, 1}, []uint32{5, bFunc, 2})
}

func btfGlobalFunc() btfBlob {
	return blob("int\x00f\x00a\x00", intType, []uint32{0, bFuncProto | 1, 0, 7, 1}, []uint32{5, bFunc | 1, 2})
}

func btfDatasec() btfBlob {
	return blob("int\x00v\x00.data\x00", intType, []uint32{5, bVar, 1, 0}, []uint32{7, bDatasec | 1, 4, 2, 0, 4})
}

func btfQmarkDatasec() btfBlob {
	return blob("int\x00v\x00?.data\x00", intType, []uint32{5, bVar, 1, 1}, []uint32{7, bDatasec | 1, 4, 2, 0, 4})
}

func btfFloat() btfBlob {
	return blob("float\x00", []uint32{1, bFloat, 4})
}

func btfDeclTag() btfBlob {
	return blob("int\x00v\x00tag\x00", intType, []uint32{5, bVar, 1, 0}, []uint32{7, bDeclTag, 2, 0xffffffff})
}

func btfTypeTag() btfBlob {
	return blob("int\x00tag\x00", intType, []uint32{5, bTypeTag, 1}, []uint32{0, bPtr, 2})
}

func btfEnum64() btfBlob {
	return blob("e\x00v\x00", []uint32{1, bEnum64 | 1, 8, 3, 0, 1})
}

// btfLayout describes the kinds UNKN and INT: bytes behind a type, bytes an element,
// flags.
func btfLayout() btfBlob {
	b := btfInt()
	b.layout = []byte{0, 0, 0, 0, 4, 0, 0, 0}
	return b
}

// Programs that need an instruction set level, or a verifier that follows loops.

func isaV2() code { return code(nil).mov(0, 0).op(opJLTK, 0, 0, 0, 1).exit() }
func isaV3() code { return code(nil).mov(0, 0).op(opJLT32K, 0, 0, 0, 1).exit() }

// isaV4 moves 8 bits with their sign.
func isaV4() code { return code(nil).mov(0, 0).op(opMov64X, 0, 0, 8, 0).exit() }

func boundedLoop() code {
	return code(nil).mov(0, 0).op(opAdd64K, 0, 0, 0, 1).op(opJLTK, 0, 0, -2, 10).exit()
}
