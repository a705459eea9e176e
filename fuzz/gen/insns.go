package gen

import (
	"github.com/lode-bpf/lode/btf"
	"github.com/lode-bpf/lode/insn"
)

// Insns is a function of at least n instructions that ends with exit. Each
// instruction is defined and has registers that exist; jumps go forward, to
// an instruction of the same function.
func (g *Gen) Insns(n int) []insn.Instruction {
	var c code
	g.fill(&c, n)
	return c.finish(g)
}

// A code is a function in the making.
type code struct {
	insns  []insn.Instruction
	starts []int // slots at which an instruction begins
	refs   []ref
	cores  []core
}

// A ref is an instruction that names a symbol.
type ref struct {
	at     int // slot
	target target
	index  int // number of the map, variable or function
}

// A target is what a ref can name.
type target uint8

const (
	toMap target = iota
	toVariable
	toFunction
)

// A core is an instruction that depends on a type.
type core struct {
	at     int // slot
	typ    btf.TypeID
	kind   uint32
	access string
}

// add appends one instruction and returns its slot.
func (c *code) add(slots ...insn.Instruction) int {
	c.starts = append(c.starts, len(c.insns))
	c.insns = append(c.insns, slots...)
	return c.starts[len(c.starts)-1]
}

// fill appends n instructions.
func (g *Gen) fill(c *code, n int) {
	for range n {
		c.add(g.instruction(pick(g, usable))...)
	}
}

// usable are the forms that a compiler may write without a relocation.
var usable = usableForms()

func usableForms() (out []insn.Form) {
	for f := range insn.Forms() {
		switch {
		case f.ISA == insn.Internal, f.Since == "":
		case f.Op == insn.OpExit, f.Name == "gotox": // the end of a function; needs a table
		case needsDescriptor(f.Imm), needsDescriptor(f.High):
		default:
			out = append(out, f)
		}
	}
	return out
}

// needsDescriptor reports whether a field is filled in by a loader.
func needsDescriptor(o insn.Operand) bool {
	switch o.Kind() {
	case insn.Function, insn.Kfunc, insn.MapFD, insn.BTFID, insn.FD, insn.FDIndex:
		return true
	}
	return false
}

// instruction is one of a form, in one slot or two. Jumps have no distance yet.
func (g *Gen) instruction(f insn.Form) []insn.Instruction {
	i := insn.Instruction{
		Op:   f.Op,
		Regs: insn.Regs(uint8(g.operand(f.Dst)), uint8(g.operand(f.Src))),
		Off:  int16(g.operand(f.Off)),
		Imm:  g.operand(f.Imm),
	}
	if !f.Op.IsWide() {
		return []insn.Instruction{i}
	}
	return []insn.Instruction{i, {Imm: g.operand(f.High)}}
}

// operand is a value for one use of a field.
func (g *Gen) operand(o insn.Operand) int32 {
	switch o.Kind() {
	case insn.Fixed:
		return int32(int16(o))
	case insn.Write, insn.Modify:
		return int32(g.n(insn.MaxRegister)) // r10 is read-only
	case insn.Read:
		return int32(g.n(insn.MaxRegister + 1))
	case insn.Number, insn.Wide:
		return g.number()
	case insn.Displacement:
		return int32(g.n(1<<10)) - 1<<9
	case insn.Helper:
		return 1 + int32(g.n(200))
	case insn.Spaces:
		return pick(g, []int32{1, 1 << 16})
	}
	return 0
}

// finish ends the function and gives each jump a distance.
func (c *code) finish(g *Gen) []insn.Instruction {
	c.add(insn.Instruction{Op: 0xb7}) // r0 = 0
	c.add(insn.Instruction{Op: insn.OpExit})
	for n, at := range c.starts {
		f, ok := c.insns[at].Form()
		if !ok || f.Off.Kind() != insn.Jump && f.Imm.Kind() != insn.Jump {
			continue
		}
		to := n + 1 + g.n(min(len(c.starts)-n-1, 1<<12))
		// A distance of at most 2 × 4096 slots fits every jump.
		_ = c.insns[at].SetDistance(c.starts[to] - at - 1)
	}
	return c.insns
}
