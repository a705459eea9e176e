package insn

import (
	"fmt"
	"math"
	"slices"
)

// SetDistance makes a jump, a call of a function of this program, or the load
// of such a function's address go to the slot that is distance slots after the
// next one. A distance that does not fit into its field is an error: short
// jumps reach 32,767 slots, all others 2,147,483,647.
func (i *Instruction) SetDistance(distance int) error {
	f := i.form()
	if f == nil || f.Off != Jump && f.Imm != Jump && f.Imm != Function {
		return &Error{Kind: Unknown, Insn: *i, Detail: "not an instruction that refers to another by its distance"}
	}
	if !i.setDistance(f, distance) {
		most := math.MaxInt32
		if f.Off == Jump {
			most = math.MaxInt16
		}
		return &Error{Kind: Range, Insn: *i, Detail: fmt.Sprintf("a distance of %d slots does not fit; it reaches %d to %d", distance, -most-1, most)}
	}
	return nil
}

// setDistance sets the field that a form keeps the distance in, and reports
// whether it fits. If not, nothing changes.
func (i *Instruction) setDistance(f *Form, distance int) bool {
	if f.Off == Jump {
		if distance != int(int16(distance)) {
			return false
		}
		i.Off = int16(distance)
		return true
	}
	if distance != int(int32(distance)) {
		return false
	}
	i.Imm = int32(distance)
	return true
}

// distance is where an instruction that refers to another by distance points,
// if it is one.
func (i Instruction) distance() (int, bool) {
	switch f := i.form(); {
	case f == nil:
		return 0, false
	case f.Off == Jump:
		return int(i.Off), true
	case f.Imm == Jump || f.Imm == Function:
		return int(i.Imm), true
	}
	return 0, false
}

// Replace puts other instructions in place of the n slots from at on. Jumps,
// calls within the function and loads of addresses within it keep their
// targets: a reference to the first replaced slot goes to the first new one, a
// reference into the middle of what is replaced is an error, and so is a
// distance that no longer fits. With n = 0 the new instructions are inserted
// before slot at, and what jumped there runs them first. A call without a
// relocation record that leaves the function keeps its place in the section,
// where the other functions stay; it is an error if the new instructions would
// come to stand there. Side tables follow;
// what they said of replaced slots is dropped, but for the records of the first,
// which stay if there are new instructions. Distances in the new instructions
// count in the function as it will be. If there is an error nothing changes.
func (f *Func) Replace(at, n int, with []Instruction) error {
	if at < 0 || n < 0 || at > len(f.Insns) || n > len(f.Insns)-at {
		return &Error{Kind: Range, Index: at, Detail: fmt.Sprintf("%d slots from here on are not in the function of %d slots", n, len(f.Insns))}
	}
	grow := len(with) - n
	moved := func(slot int) int {
		if slot >= at+n && slot != at {
			return slot + grow
		}
		return slot
	}
	inside := func(in Instruction, target, size int) bool {
		return target >= 0 && (target < size || target == size && in.Op != OpCall)
	}
	external := map[int]bool{} // the linker will fill these in: they say nothing about this function
	for _, r := range f.Refs {
		external[r.Index] = true
	}
	insns := slices.Concat(f.Insns[:at], with, f.Insns[at+n:])
	for slot := 0; slot < len(f.Insns); slot++ {
		in := f.Insns[slot]
		if in.Op.IsWide() && (at == slot+1 || at+n == slot+1) {
			return &Error{Kind: Range, Index: slot, Insn: in, Detail: "a wide load would be cut in half"}
		}
		distance, ok := in.distance()
		target := slot + 1 + distance
		if ok && !external[slot] && (slot < at || slot >= at+n) {
			stays := inside(in, target, len(f.Insns))
			switch {
			case stays && target > at && target < at+n:
				return &Error{Kind: Range, Index: slot, Insn: in, Detail: fmt.Sprintf("goes to slot %d, within what is replaced", target)}
			case !stays && inside(in, target, len(insns)):
				return &Error{Kind: Range, Index: slot, Insn: in, Detail: fmt.Sprintf("goes to slot %d, behind the function, where new instructions would stand", target)}
			case stays:
				target = moved(target)
			}
			here := slot
			if slot >= at+n {
				here = slot + grow
			}
			if err := insns[here].SetDistance(target - here - 1); err != nil {
				e := err.(*Error)
				e.Index = slot
				return e
			}
		}
		if in.Op.IsWide() {
			slot++
		}
	}
	f.Insns = insns
	f.moveTables(at, n, len(with))
	return nil
}

// moveTables moves the side tables with the instructions.
func (f *Func) moveTables(at, n, added int) {
	move := func(index *int) (keep bool) {
		switch {
		case *index < at:
		case *index >= at+n:
			*index += added - n
		case *index > at || added == 0:
			return false
		}
		return true
	}
	f.Refs = slices.DeleteFunc(slices.Clone(f.Refs), func(r Ref) bool { return r.Index >= at && r.Index < at+n })
	for i := range f.Refs {
		move(&f.Refs[i].Index)
	}
	f.CORE = slices.DeleteFunc(slices.Clone(f.CORE), func(r CORE) bool { return r.Index >= at && r.Index < at+n })
	for i := range f.CORE {
		move(&f.CORE[i].Index)
	}
	f.Lines = slices.DeleteFunc(slices.Clone(f.Lines), func(l Line) bool { return !move(&l.Index) })
	for i := range f.Lines {
		move(&f.Lines[i].Index)
	}
}
