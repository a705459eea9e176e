package gen

import (
	"strconv"

	"github.com/lode-bpf/lode/btf"
	"github.com/lode-bpf/lode/insn"
)

// A coreStruct is a structure whose fields programs read through CO-RE.
type coreStruct struct {
	id     btf.TypeID
	size   uint32
	fields []btf.Member // each an unsigned int
}

// coreStructs adds n of them.
func (o *object) coreStructs(n int) {
	for range n {
		c := coreStruct{}
		for i := range 1 + o.g.n(5) {
			c.fields = append(c.fields, btf.Member{Name: o.g.name("field"), Type: o.t.u32.id, BitOffset: 32 * uint32(i)})
		}
		c.size = 4 * uint32(len(c.fields))
		c.id = o.t.b.AddStruct(o.g.name("core"), c.size, c.fields...)
		o.core = append(o.core, c)
	}
}

// The instructions that CO-RE records apply to: *(u32 *)(src + off) into dst,
// and a constant into dst.
const (
	opLoad32 = 0x61
	opMov64  = 0xb7
)

// coreAccess appends an instruction that holds what is true of the local type.
func (o *object) coreAccess(c *code) {
	n := o.g.n(len(o.core))
	s := o.core[n]
	field := o.g.n(len(s.fields))
	i := insn.Instruction{Op: opMov64, Regs: insn.Regs(uint8(o.g.n(10)), 0)}
	at := core{access: "0:" + strconv.Itoa(field)}
	switch kind := pick(o.g, []btf.COREKind{btf.COREFieldByteOffset, btf.COREFieldByteSize, btf.COREFieldExists, btf.CORETypeExists, btf.CORETypeSize}); kind {
	case btf.COREFieldByteOffset:
		i.Op, i.Regs, i.Off = opLoad32, insn.Regs(uint8(o.g.n(10)), 1), int16(4*field)
	case btf.COREFieldByteSize:
		at.kind, i.Imm = uint32(kind), 4
	case btf.COREFieldExists:
		at.kind, i.Imm = uint32(kind), 1
	case btf.CORETypeExists:
		at.kind, at.access, i.Imm = uint32(kind), "0", 1
	case btf.CORETypeSize:
		at.kind, at.access, i.Imm = uint32(kind), "0", int32(s.size)
	}
	at.at, at.typ = c.add(i), s.id
	c.cores = append(c.cores, at)
}

// ext is the contents of .BTF.ext: a function record for each function, line
// records, and the CO-RE records. It stores strings, so it comes before the
// bytes of .BTF.
func (o *object) ext() []byte {
	var funcs, lines, cores []uint32
	file := o.t.b.AddString("/src/" + o.g.name("file") + ".bpf.c")
	for _, c := range o.code {
		if c.elf == 0 {
			continue
		}
		name := o.t.b.AddString(c.name)
		var f, l, r []uint32
		for _, n := range c.funcs {
			fn := o.funcs[n]
			at := uint32(fn.offset)
			f = append(f, at, uint32(fn.typ))
			line := uint32(1 + o.g.n(1000))
			for i, slot := range fn.starts {
				if i == 0 || o.g.once(4) {
					text := o.t.b.AddString("\t" + pick(o.g, []string{"return 0;", "if (x > y)", "count++;", "}"}))
					l = append(l, at+uint32(insn.Size*slot), file, text, line<<10|uint32(o.g.n(80)))
					line++
				}
			}
			for _, x := range fn.cores {
				r = append(r, at+uint32(insn.Size*x.at), uint32(x.typ), o.t.b.AddString(x.access), x.kind)
			}
		}
		funcs = appendBlock(funcs, name, 2, f)
		lines = appendBlock(lines, name, 4, l)
		cores = appendBlock(cores, name, 4, r)
	}
	return o.join(append([]uint32{8}, funcs...), append([]uint32{16}, lines...), append([]uint32{16}, cores...))
}

// appendBlock appends the records of one section (struct btf_ext_info_sec).
func appendBlock(dst []uint32, name uint32, each int, records []uint32) []uint32 {
	if len(records) == 0 {
		return dst
	}
	return append(append(dst, name, uint32(len(records)/each)), records...)
}

// join writes the header (struct btf_ext_header) and the three tables.
func (o *object) join(tables ...[]uint32) []byte {
	const headerLen = 32
	order := o.p.ByteOrder
	b := []byte{0, 0, 1, 0}
	order.PutUint16(b, 0xeb9f)
	b = words(b, order, headerLen)
	at := uint32(0)
	for _, t := range tables {
		if len(t) == 1 {
			t = nil // a record size without records
		}
		b = words(b, order, at, uint32(4*len(t)))
		at += uint32(4 * len(t))
	}
	for _, t := range tables {
		if len(t) > 1 {
			b = words(b, order, t...)
		}
	}
	return b
}
