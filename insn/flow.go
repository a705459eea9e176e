package insn

import (
	"iter"
	"slices"
	"strconv"
)

// A Graph is the control flow of one function: its basic blocks and the edges
// between them. Building it takes time and memory proportional to the code.
type Graph struct {
	Blocks []Block // in the order of their place; the first is the entry

	blockOf []int32 // by slot
	// The dominator tree, as nested intervals: a dominates b if b's interval
	// lies in a's. Blocks that are not reachable have the empty interval.
	enter, leave []int32
}

// A Block is a run of instructions that is entered only at its start and left
// only at its end.
type Block struct {
	Start, End int   // slots; End is the first one after it
	Succs      []int // blocks that may come next: at a conditional jump, first that of the jump, then that of the fall
	Preds      []int // blocks that may come before
	Reachable  bool  // from the entry
	Idom       int   // block that every way from the entry passes last before this one; -1 for the entry and what is not reachable
}

// NewGraph finds the basic blocks of a function. Calls come back: what they
// call is not part of the graph. Unknown instructions go to the next one. Where
// an indirect jump (gotox) may go is given in tables, by slot; without that it
// is an error of kind Unknown. A way out of the code, be it by jump or by
// running over its end, or into a wide load, is an error of kind Range.
func NewGraph(insns []Instruction, tables map[int][]int) (*Graph, error) {
	g := &Graph{blockOf: make([]int32, len(insns))}
	if len(insns) == 0 {
		return nil, &Error{Kind: Range, Detail: "a function without instructions"}
	}
	leader, second, err := leaders(insns, tables)
	if err != nil {
		return nil, err
	}
	for at := range insns {
		if leader[at] {
			g.Blocks = append(g.Blocks, Block{Start: at, Idom: -1})
		}
		n := len(g.Blocks) - 1
		g.Blocks[n].End = at + 1
		g.blockOf[at] = int32(n)
	}
	var buf []int
	for n := range g.Blocks {
		b := &g.Blocks[n]
		last := b.End - 1
		if second[last] {
			last--
		}
		buf = successors(buf[:0], insns, last, tables)
		if len(buf) > 0 {
			b.Succs = make([]int, 0, len(buf))
		}
		for _, t := range buf {
			to := int(g.blockOf[t])
			b.Succs = append(b.Succs, to)
			g.Blocks[to].Preds = append(g.Blocks[to].Preds, n)
		}
	}
	g.dominators()
	return g, nil
}

// leaders marks the slots where blocks start and those that are the second half
// of a wide load, and checks every edge.
func leaders(insns []Instruction, tables map[int][]int) (leader, second []bool, err error) {
	leader, second = make([]bool, len(insns)), secondSlots(insns)
	leader[0] = true
	var buf []int
	for at, i := range insns {
		if second[at] {
			continue
		}
		kind := flowOf(i)
		if kind == flowIndirect && len(tables[at]) == 0 {
			return nil, nil, &Error{Kind: Unknown, Index: at, Insn: i, Detail: "where the indirect jump goes is not known"}
		}
		buf = successors(buf[:0], insns, at, tables)
		for _, t := range buf {
			if e := checkTarget(insns, second, at, t); e != nil {
				return nil, nil, e
			}
			if kind != flowNext {
				leader[t] = true
			}
		}
		if kind != flowNext && at+1 < len(insns) {
			leader[at+1] = true
		}
	}
	return leader, second, nil
}

// secondSlots marks the second halves of wide loads.
func secondSlots(insns []Instruction) []bool {
	second := make([]bool, len(insns))
	for at := 0; at < len(insns)-1; at++ {
		if insns[at].Op.IsWide() {
			at++
			second[at] = true
		}
	}
	return second
}

// checkTarget checks that the instruction at a slot may go to another.
func checkTarget(insns []Instruction, second []bool, at, to int) *Error {
	switch i := insns[at]; {
	case i.Op.IsWide() && at+1 == len(insns):
		return &Error{Kind: Truncated, Index: at, Insn: i, Detail: "the second slot of a wide load is missing"}
	case to < 0 || to >= len(insns):
		return &Error{Kind: Range, Index: at, Insn: i, Detail: "goes to slot " + strconv.Itoa(to) + ", out of the function of " + strconv.Itoa(len(insns)) + " slots"}
	case second[to]:
		return &Error{Kind: Range, Index: at, Insn: i, Detail: "goes to slot " + strconv.Itoa(to) + ", the second half of a wide load"}
	}
	return nil
}

type flow uint8

const (
	flowNext     flow = iota // to the next instruction
	flowEnd                  // nowhere
	flowJump                 // to a target
	flowBranch               // to a target or to the next instruction
	flowIndirect             // to one of several targets
)

// flowOf says where an instruction goes.
func flowOf(i Instruction) flow {
	switch f := i.form(); {
	case f == nil:
		return flowNext
	case f.Op == OpExit:
		return flowEnd
	case f.Op == OpJa || f.Op == OpJa32:
		return flowJump
	case f.Off == Jump:
		return flowBranch
	case f.Op == OpJaX:
		return flowIndirect
	}
	return flowNext
}

// successors appends to buf the slots that may come after the instruction at a
// slot, each once.
func successors(buf []int, insns []Instruction, at int, tables map[int][]int) []int {
	i := insns[at]
	next := at + 1
	if i.Op.IsWide() {
		next++
	}
	distance, _ := i.JumpDistance()
	target := at + 1 + int(distance)
	switch flowOf(i) {
	case flowEnd:
		return buf
	case flowJump:
		return append(buf, target)
	case flowBranch:
		if target == next {
			return append(buf, next)
		}
		return append(buf, target, next)
	case flowIndirect:
		all := slices.Clone(tables[at])
		slices.Sort(all)
		return append(buf, slices.Compact(all)...)
	}
	return append(buf, next)
}

// Check yields what is wrong with code, in order: instructions that are not
// defined (Unknown), wide loads that are cut off (Truncated), and ways out of
// the code or into a wide load (Range). The kernel refuses all of it; where an
// indirect jump goes is not looked at.
func Check(insns []Instruction) iter.Seq[*Error] {
	return func(yield func(*Error) bool) {
		second := secondSlots(insns)
		var buf []int
		for at, i := range insns {
			if second[at] {
				continue
			}
			buf = successors(buf[:0], insns, at, nil)
			for _, t := range buf {
				if e := checkTarget(insns, second, at, t); e != nil && !yield(e) {
					return
				}
			}
			detail := ""
			switch f := formAt(insns, at); {
			case f == nil && i.Op.IsWide() && at+1 == len(insns): // reported above
			case f == nil:
				detail = "not defined, or a field that is not used is not zero"
			case f.ISA == Internal:
				detail = "only the kernel itself makes this"
			}
			if detail != "" && !yield(&Error{Kind: Unknown, Index: at, Insn: i, Detail: detail}) {
				return
			}
		}
	}
}

// BlockOf is the block of a slot, -1 if there is no such slot.
func (g *Graph) BlockOf(slot int) int {
	if slot < 0 || slot >= len(g.blockOf) {
		return -1
	}
	return int(g.blockOf[slot])
}

// Dominates reports whether every way from the entry to block b passes block a.
// A block dominates itself. It is false if b is not reachable.
func (g *Graph) Dominates(a, b int) bool {
	return g.Blocks[b].Reachable && g.Blocks[a].Reachable && g.enter[a] <= g.enter[b] && g.leave[b] <= g.leave[a]
}

// EdgeDominates reports whether every way from the entry to block b takes the
// edge between two blocks: b is guarded by the condition under which from goes
// to to.
func (g *Graph) EdgeDominates(from, to, b int) bool {
	if to == 0 || !g.Dominates(to, b) || !g.Dominates(from, to) {
		return false // the entry is reached without any edge
	}
	for _, p := range g.Blocks[to].Preds {
		if p != from && g.Blocks[p].Reachable && !g.Dominates(to, p) {
			return false // another way in
		}
	}
	return slices.Contains(g.Blocks[from].Succs, to)
}

// A Callee is a function that an instruction calls or takes the address of.
type Callee struct {
	Index  int     // slot of the instruction
	Kind   Operand // Helper, Function or Kfunc
	Number int32   // of the helper, or BTF id of the kernel function
	Target int     // slot of a function of this program, which a linker may still have to fill in
}

// Callees are the functions that the code refers to, in order.
func Callees(insns []Instruction) iter.Seq[Callee] {
	return func(yield func(Callee) bool) {
		for at := 0; at < len(insns); at++ {
			i := insns[at]
			f := formAt(insns, at)
			if f == nil {
				continue
			}
			c := Callee{Index: at, Kind: f.Imm}
			switch {
			case f.Imm == Helper || f.Imm == Kfunc:
				c.Number = i.Imm
			case f.Imm == Function:
				c.Target = at + 1 + int(i.Imm)
			case f.Off == Function: // as the kernel keeps it in a loaded program
				c.Kind, c.Target = Function, at+1+int(i.Off)
			}
			if (c.Kind == Helper || c.Kind == Kfunc || c.Kind == Function) && !yield(c) {
				return
			}
			if f.Op.IsWide() {
				at++
			}
		}
	}
}
