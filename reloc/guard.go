package reloc

import (
	"slices"

	"github.com/lode-bpf/lode/insn"
)

// Whether the verifier reaches a poisoned instruction is found by following
// control flow with what CO-RE filled in, as the verifier does: a branch whose
// operands are constants goes one way. It is much simpler than the verifier,
// which knows ranges, the contents of read-only maps and what functions are
// called with. Where a branch depends on such a thing, what lies behind it is
// reached perhaps.

// reach is how certain it is that the verifier comes to an instruction.
type reach uint8

const (
	never   reach = iota
	perhaps       // behind a branch that the verifier may be able to decide
	surely
)

// An absKind is what is known of a register.
type absKind uint8

const (
	absNone    absKind = iota // nothing has been put into it
	absConst                  // v, on every path
	absRuntime                // a value that only running the program gives
	absKnown                  // something that the verifier may know more about
)

type absVal struct {
	kind absKind
	v    uint64
}

func (a absVal) join(b absVal) absVal {
	switch {
	case a == b || b.kind == absNone:
		return a
	case a.kind == absNone:
		return b
	case a.kind == absRuntime && b.kind == absRuntime:
		return a
	}
	return absVal{kind: absKnown}
}

type absState [11]absVal

// A flow is the analysis of one function. Its room is used for one after
// another.
type flow struct {
	insns  []insn.Instruction
	block  []int32    // of every slot: number of the block that begins there, or -1
	states []absState // where each block begins
	queued []bool     // of each block
	level  []reach    // of every slot
	work   []int32
	lost   bool // control flow is not understood
}

// guards fills in the Guard of poisoned decisions.
func guards(x *index, ds []Decision) {
	poisoned := false
	for i := range ds {
		if ds[i].Outcome == OutcomePoison {
			ds[i].Guard, poisoned = Guarded, true
		}
	}
	if !poisoned {
		return
	}
	order, starts := x.byFunc(ds)
	levels := make([]reach, len(x.fns)) // of the functions' entries
	done := make([]reach, len(x.fns))   // what was spread to callees
	work := make([]int32, 0, len(x.fns))
	tags := x.callbacks()
	for e := range x.in.Programs {
		levels[e] = surely
		work = append(work, int32(e))
		if c, _, _ := x.callback(&x.fns[e], tags); c >= 0 {
			levels[c] = surely
			work = append(work, c)
		}
	}
	var fl flow
	for len(work) > 0 {
		e := work[len(work)-1]
		work = work[:len(work)-1]
		if done[e] >= levels[e] {
			continue
		}
		done[e] = levels[e]
		f := x.scan(e)
		fl.run(f, int(e) >= len(x.in.Programs), ds, order[starts[e]:starts[e+1]])
		for _, i := range order[starts[e]:starts[e+1]] {
			if d := &ds[i]; d.Outcome == OutcomePoison {
				d.Guard = guardOf(min(levels[e], fl.at(d.Index)))
			}
		}
		for _, s := range f.sites {
			if s.target < 0 {
				continue
			}
			if l := min(levels[e], fl.at(int(s.index))); l > levels[s.target] {
				levels[s.target] = l
				work = append(work, s.target)
			}
		}
	}
}

func guardOf(r reach) Guard {
	switch r {
	case never:
		return Guarded
	case surely:
		return Unguarded
	}
	return GuardUnknown
}

// at is how certain it is that control flow comes to a slot.
func (fl *flow) at(i int) reach {
	if fl.lost {
		return perhaps
	}
	return fl.level[i]
}

// run follows the control flow of a function.
func (fl *flow) run(f *fn, sub bool, ds []Decision, order []int32) {
	n := len(f.Insns)
	fl.insns = append(fl.insns[:0], f.Insns...)
	fl.level = slices.Grow(fl.level[:0], n)[:n]
	clear(fl.level)
	fl.work, fl.lost = fl.work[:0], false
	for _, r := range f.Refs {
		// What a reference will be is not known here.
		if r.Index >= 0 && r.Index < n && fl.insns[r.Index].Op.IsWide() {
			fl.insns[r.Index].Regs = fl.insns[r.Index].Regs.WithSrc(insn.PseudoMapValue)
		}
	}
	for _, i := range order {
		d := &ds[i]
		if d.Outcome == OutcomeInvalid || d.Index >= n {
			continue
		}
		fl.insns[d.Index] = d.To[0]
		if d.From[0].Op.IsWide() && d.Index+1 < n {
			fl.insns[d.Index+1] = d.To[1]
		}
	}
	args := absVal{kind: absRuntime}
	if sub {
		args.kind = absKnown
	}
	var entry absState
	for r := 1; r <= 5; r++ {
		entry[r] = args
	}
	entry[10] = absVal{kind: absKnown}
	fl.leaders()
	if !fl.lost && n > 0 {
		fl.edge(0, &entry, surely)
	}
	for len(fl.work) > 0 && !fl.lost {
		i := int(fl.work[len(fl.work)-1])
		fl.work = fl.work[:len(fl.work)-1]
		fl.queued[fl.block[i]] = false
		fl.follow(i)
	}
}

// edge brings a state to a slot where a block begins.
func (fl *flow) edge(to int, s *absState, l reach) {
	if to < 0 || to >= len(fl.insns) || fl.block[to] < 0 {
		fl.lost = true
		return
	}
	changed := fl.level[to] < l
	fl.level[to] = max(fl.level[to], l)
	b := fl.block[to]
	at := &fl.states[b]
	for r := range s {
		if j := at[r].join(s[r]); j != at[r] {
			at[r] = j
			changed = true
		}
	}
	if changed && !fl.queued[b] {
		fl.queued[b] = true
		fl.work = append(fl.work, int32(to))
	}
}

// maxBlocks bounds the memory of the analysis; a function with more blocks is not
// analysed.
const maxBlocks = 1 << 16

// leaders numbers the blocks: one begins at the entry, where branches lead, and
// behind every branch.
func (fl *flow) leaders() {
	n := len(fl.insns)
	fl.block = slices.Grow(fl.block[:0], n)[:n]
	for i := range fl.block {
		fl.block[i] = -1
	}
	blocks := int32(0)
	begin := func(i int64) {
		if i >= 0 && i < int64(n) && fl.block[i] < 0 {
			fl.block[i] = blocks
			blocks++
		}
	}
	begin(0)
	for i := 0; i < n; i++ {
		ins := fl.insns[i]
		if c, op := ins.Op&7, ins.Op&0xf0; (c == classJMP || c == classJMP32) && op != opCALL && op != opEXIT {
			begin(int64(i) + 1)
			if ins.Op == insn.OpJa32 {
				begin(int64(i) + 1 + int64(ins.Imm))
			} else {
				begin(int64(i) + 1 + int64(ins.Off))
			}
		}
		if ins.Op.IsWide() {
			i++
		}
	}
	if blocks > maxBlocks {
		fl.lost = true
		return
	}
	fl.states = slices.Grow(fl.states[:0], int(blocks))[:blocks]
	fl.queued = slices.Grow(fl.queued[:0], int(blocks))[:blocks]
	clear(fl.states)
	clear(fl.queued)
}

// follow follows control flow from the beginning of a block to its end.
func (fl *flow) follow(i int) {
	s, l := fl.states[fl.block[i]], fl.level[i]
	for first := true; ; first = false {
		if i >= len(fl.insns) {
			fl.lost = true
			return
		}
		if !first && fl.block[i] >= 0 {
			fl.edge(i, &s, l)
			return
		}
		fl.level[i] = max(fl.level[i], l)
		ins := fl.insns[i]
		switch ins.Op & 7 {
		case classJMP, classJMP32:
			if ins.Op&0xf0 != opCALL {
				fl.branch(i, ins, &s, l)
				return
			}
			s[0] = absVal{kind: absRuntime}
			if ins.Src() == insn.PseudoCall {
				s[0].kind = absKnown
			}
			for r := 1; r <= 5; r++ {
				s[r] = absVal{kind: absRuntime}
			}
		default:
			s.execute(ins, fl.insns, i)
		}
		if ins.Op.IsWide() {
			i++
		}
		i++
	}
}

// branch follows the jump that ends a block.
func (fl *flow) branch(i int, ins insn.Instruction, s *absState, l reach) {
	op := ins.Op & 0xf0
	to := i + 1 + int(ins.Off)
	switch {
	case op == opEXIT:
		return
	case op == opJA && ins.Op&srcReg != 0:
		fl.lost = true // an indirect jump
		return
	case op == opJA && ins.Op&7 == classJMP32:
		fl.edge(i+1+int(ins.Imm), s, l)
		return
	case op == opJA:
		fl.edge(to, s, l)
		return
	case op == opJCOND:
		fl.edge(to, s, l)
		fl.edge(i+1, s, l)
		return
	}
	if ins.Dst() > 10 || ins.Op&srcReg != 0 && ins.Src() > 10 {
		fl.lost = true
		return
	}
	a, b := s[ins.Dst()], absVal{absConst, uint64(int64(ins.Imm))}
	if ins.Op&srcReg != 0 {
		b = s[ins.Src()]
	}
	if a.kind == absConst && b.kind == absConst {
		if taken, ok := compare(op, a.v, b.v, ins.Op&7 == classJMP32); ok {
			if !taken {
				to = i + 1
			}
			fl.edge(to, s, l)
			return
		}
	}
	if a.kind == absKnown || b.kind == absKnown {
		l = min(l, perhaps)
	}
	then, other := *s, *s
	if b.kind == absConst && ins.Op&7 == classJMP {
		switch op {
		case opJEQ:
			then[ins.Dst()] = b
		case opJNE:
			other[ins.Dst()] = b
		}
	}
	fl.edge(to, &then, l)
	fl.edge(i+1, &other, l)
}
