package sys

import "encoding/binary"

// Instructions and BTF for probes: a few bytes each, so that asking a kernel needs
// no other package; data rather than code, because that is smaller.

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

// A slot is an instruction of a program that is data.
type slot struct {
	op, dst, src uint8
	off          int16
	imm          int32
}

// assemble is a program that is data, for the kernel.
func assemble(slots []slot) (c code) {
	for _, s := range slots {
		c = c.op(s.op, s.dst, s.src, s.off, s.imm)
	}
	return c
}

// ret is a program that returns a constant.
func ret(n int32) code { return code(nil).mov(0, n).exit() }

// mapValue loads the address of offset off in the first value of a map.
func (c code) mapValue(dst uint8, mapFD int, off uint32) code {
	return c.op(opLoadImm, dst, opMapValue, 0, int32(mapFD)).op(0, 0, 0, 0, int32(off))
}

// A btfBlob is the types and strings of BTF.
type btfBlob struct {
	types   []uint32
	strings string // begins with a NUL
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

func (b *btfBlob) bytes() []byte {
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

// btfTrials are the least that has a kind. Most begin with an int whose name is at 1.
var btfTrials = [...]struct {
	feature Feature
	btf     btfBlob
}{
	{FeatureBTF, btfBlob{[]uint32{1, bInt, 4, 1<<24 | 32}, "\x00int\x00", nil}},
	{FeatureBTFFunc, btfBlob{[]uint32{1, bInt, 4, 1<<24 | 32, 0, bFuncProto | 1, 0, 7, 1, 5, bFunc, 2}, "\x00int\x00f\x00a\x00", nil}},
	{FeatureBTFGlobalFunc, btfBlob{[]uint32{1, bInt, 4, 1<<24 | 32, 0, bFuncProto | 1, 0, 7, 1, 5, bFunc | 1, 2}, "\x00int\x00f\x00a\x00", nil}},
	{FeatureBTFDatasec, btfBlob{[]uint32{1, bInt, 4, 1<<24 | 32, 5, bVar, 1, 0, 7, bDatasec | 1, 4, 2, 0, 4}, "\x00int\x00v\x00.data\x00", nil}},
	{FeatureBTFQmarkDatasec, btfBlob{[]uint32{1, bInt, 4, 1<<24 | 32, 5, bVar, 1, 1, 7, bDatasec | 1, 4, 2, 0, 4}, "\x00int\x00v\x00?.data\x00", nil}},
	{FeatureBTFFloat, btfBlob{[]uint32{1, bFloat, 4}, "\x00float\x00", nil}},
	{FeatureBTFDeclTag, btfBlob{[]uint32{1, bInt, 4, 1<<24 | 32, 5, bVar, 1, 0, 7, bDeclTag, 2, 0xffffffff}, "\x00int\x00v\x00tag\x00", nil}},
	{FeatureBTFTypeTag, btfBlob{[]uint32{1, bInt, 4, 1<<24 | 32, 5, bTypeTag, 1, 0, bPtr, 2}, "\x00int\x00tag\x00", nil}},
	{FeatureBTFEnum64, btfBlob{[]uint32{1, bEnum64 | 1, 8, 3, 0, 1}, "\x00e\x00v\x00", nil}},
	// A layout of the kinds UNKN and INT: bytes behind a type, bytes an element, flags.
	{FeatureBTFLayout, btfBlob{[]uint32{1, bInt, 4, 1<<24 | 32}, "\x00int\x00", []byte{0, 0, 0, 0, 4, 0, 0, 0}}},
}

// btfInt is BTF with an int, which every kernel takes that takes any.
func btfInt() *btfBlob { return &btfTrials[0].btf }

// argCtxBTF is a program, 4, and its global function, 5, whose parameter is a plain
// pointer with the tag arg:ctx.
var argCtxBTF = btfBlob{[]uint32{
	1, bInt, 4, 1<<24 | 32,
	0, bPtr, 0, // 2: void *
	0, bFuncProto | 1, 1, 5, 2, // 3: int (void *a)
	5, bFunc, 3, // 4: static
	7, bFunc | 1, 3,
	9, bDeclTag, 5, 0,
}, "\x00int\x00a\x00b\x00arg:ctx\x00", nil}

// codeTrials are programs that need an instruction, a helper, or a verifier that
// follows loops.
var codeTrials = [...]struct {
	feature Feature
	typ     ProgType
	code    []slot
}{
	{FeatureISAv2, ProgTypeSocketFilter, []slot{{op: opMov64K}, {op: opJLTK, imm: 1}, {op: opExit}}},
	{FeatureISAv3, ProgTypeSocketFilter, []slot{{op: opMov64K}, {op: opJLT32K, imm: 1}, {op: opExit}}},
	{FeatureISAv4, ProgTypeSocketFilter, []slot{{op: opMov64K}, {op: opMov64X, off: 8}, {op: opExit}}}, // 8 bits with their sign
	{FeatureBoundedLoops, ProgTypeSocketFilter, []slot{{op: opMov64K}, {op: opAdd64K, imm: 1}, {op: opJLTK, off: -2, imm: 10}, {op: opExit}}},
	{FeatureProbeReadKern, ProgTypeTracepoint, []slot{{op: opMov64X, dst: 1, src: 10}, {op: opAdd64K, dst: 1, imm: -8}, {op: opMov64K, dst: 2, imm: 8},
		{op: opMov64K, dst: 3}, {op: opCall, imm: 113}, {op: opExit}}}, // probe_read_kernel
	{FeatureBPFCookie, ProgTypeTracepoint, []slot{{op: opCall, imm: 174}, {op: opExit}}}, // get_attach_cookie
	// ktime_get_coarse_ns came with the accounting, and has nothing else to do with it.
	{FeatureMemcgAccount, ProgTypeSocketFilter, []slot{{op: opCall, imm: 160}, {op: opExit}}},
}
