package reloc

import (
	"sort"
	"strconv"

	"github.com/lode-bpf/lode/insn"
)

// Relocation types of BPF objects (R_BPF_64_64, R_BPF_64_32; LLVM,
// BPF relocation documentation in the kernel, llvm_reloc.rst).
const (
	relWide = 1
	relCall = 10
)

// An index is what the steps need to know of an Input: its functions by place,
// and the numbers of their records.
type index struct {
	in    *Input
	fns   []fn    // programs, then subprograms
	place []int32 // fns by section and offset
	code  map[int]bool
	byFn  map[*insn.Func]int32
	nrec  int
	lim   Limits
}

// A fn is a function and what was found in it.
type fn struct {
	*insn.Func
	rec     int     // number of its first record: its Refs, then its CORE
	scanned bool    // the fields below are there
	sites   []site  // calls and function pointers
	left    []int32 // Refs that concern something else
	bad     []error // what is wrong with the function itself
	frames  int32   // length of the longest chain of calls from here, itself included
	colour  uint8   // of findCycles
}

// A site is an instruction that refers to a function of the object.
type site struct {
	index  int32
	target int32 // in fns; -1: err
	rec    int32 // number of the record, -1 if there is none
	call   bool  // a call, else a pointer
	err    error
}

func newIndex(in *Input) *index {
	n := len(in.Programs) + len(in.Subs)
	x := &index{in: in, fns: make([]fn, 0, n), code: map[int]bool{}, byFn: make(map[*insn.Func]int32, n), lim: in.Limits.orDefault()}
	for _, list := range [2][]*insn.Func{in.Programs, in.Subs} {
		for _, f := range list {
			x.fns = append(x.fns, fn{Func: f, rec: x.nrec})
			x.nrec += len(f.Refs) + len(f.CORE)
			x.code[f.SectionIndex] = true
			x.byFn[f] = int32(len(x.fns) - 1)
			x.place = append(x.place, int32(len(x.fns)-1))
		}
	}
	sort.SliceStable(x.place, func(i, j int) bool {
		f, g := x.fns[x.place[i]].Func, x.fns[x.place[j]].Func
		return f.SectionIndex < g.SectionIndex || f.SectionIndex == g.SectionIndex && f.Offset < g.Offset
	})
	return x
}

// at finds the function that holds a slot of a section.
func (x *index) at(section int, slot int64) (int32, bool) {
	i := sort.Search(len(x.place), func(i int) bool { // the first that begins behind it
		f := x.fns[x.place[i]].Func
		return f.SectionIndex > section || f.SectionIndex == section && int64(f.Offset) > slot
	})
	if i == 0 {
		return 0, false
	}
	e := x.place[i-1]
	f := x.fns[e].Func
	ok := f.SectionIndex == section && slot >= int64(f.Offset) && slot-int64(f.Offset) < int64(len(f.Insns))
	return e, ok
}

// refError begins an error about instruction i of a function.
func (x *index) refError(f *fn, i int, rec int, kind error, symbol, detail, hint string) *RefError {
	return &RefError{
		Func: f.Name, Section: f.Section, Index: i, Offset: uint64(f.Offset+i) * insn.Size,
		Symbol: symbol, Source: SourceAt(x.in.BTF, f.Func, i), Record: rec,
		Kind: kind, Detail: detail, Hint: hint,
	}
}

// scan finds what each reference of a function concerns, once.
func (x *index) scan(e int32) *fn {
	f := &x.fns[e]
	if f.scanned {
		return f
	}
	f.scanned = true
	order := refOrder(f.Refs)
	next := 0
	for i := 0; i < len(f.Insns); i++ {
		ins := f.Insns[i]
		ref := -1
		for ; next < len(order) && f.Refs[order[next]].Index <= i; next++ {
			r := int(order[next])
			if f.Refs[r].Index == i && ref < 0 {
				ref = r
				continue
			}
			x.misplaced(f, r, ref >= 0)
		}
		if ref >= 0 || ins.Op == insn.OpCall || ins.Op.IsWide() {
			x.site(f, i, ref)
		}
		if !ins.Op.IsWide() {
			continue
		}
		i++
		if i == len(f.Insns) || f.Insns[i].Op != 0 {
			f.bad = append(f.bad, x.refError(f, i-1, -1, ErrFormat, "", "a wide load without its second slot", "compile the object anew"))
			i--
			continue
		}
		for ; next < len(order) && f.Refs[order[next]].Index == i; next++ {
			x.misplaced(f, int(order[next]), false)
		}
	}
	for ; next < len(order); next++ {
		x.misplaced(f, int(order[next]), false)
	}
	return f
}

// refOrder is the order of references by instruction.
func refOrder(refs []insn.Ref) []int32 {
	order := make([]int32, len(refs))
	for i := range order {
		order[i] = int32(i)
	}
	less := func(i, j int) bool { return refs[order[i]].Index < refs[order[j]].Index }
	if !sort.SliceIsSorted(order, less) {
		sort.SliceStable(order, less)
	}
	return order
}

// misplaced reports a record that no instruction can take.
func (x *index) misplaced(f *fn, r int, duplicate bool) {
	ref := &f.Refs[r]
	detail := "a relocation record in the second slot of a wide load or outside the function"
	if duplicate {
		detail = "more than one relocation record for an instruction"
	}
	f.bad = append(f.bad, x.refError(f, ref.Index, f.rec+r, ErrFormat, ref.Symbol.Name, detail, ""))
}

// site decides what instruction i, to which record number ref of the function
// applies (-1: none), refers to.
func (x *index) site(f *fn, i, ref int) {
	ins := f.Insns[i]
	call := ins.Op == insn.OpCall
	if ref < 0 {
		switch {
		case call && ins.Src() == insn.PseudoCall:
			x.link(f, site{index: int32(i), rec: -1, call: true}, f.SectionIndex, int64(f.Offset)+int64(i)+int64(ins.Imm)+1, "")
		case ins.Op.IsWide() && ins.Src() == insn.PseudoFunc:
			f.bad = append(f.bad, x.refError(f, i, -1, ErrFormat, "", "a function pointer without a relocation record", ""))
		}
		return
	}
	r, rec := &f.Refs[ref], f.rec+ref
	if detail := x.unfit(ins, r); detail != "" {
		f.bad = append(f.bad, x.refError(f, i, rec, ErrFormat, r.Symbol.Name, detail, ""))
		return
	}
	s := site{index: int32(i), rec: int32(rec), call: call}
	off, ok := addend(r.Symbol.Value, int64(ins.Imm))
	switch {
	case call && r.Symbol.Section != 0:
		off, ok = addend(r.Symbol.Value, (int64(ins.Imm)+1)*insn.Size)
	case !call && x.code[r.Symbol.Section] && r.Symbol.Section != 0:
	default:
		f.left = append(f.left, int32(ref))
		return
	}
	if !call && i+1 < len(f.Insns) {
		high := f.Insns[i+1].Imm
		ok = ok && (high == 0 || high == ins.Imm>>31)
	}
	if !ok || off%insn.Size != 0 {
		s.target, s.err = -1, x.refError(f, i, rec, ErrRange, r.Symbol.Name, "the function's address is out of range or not a multiple of 8", "")
		f.sites = append(f.sites, s)
		return
	}
	x.link(f, s, r.Symbol.Section, off/insn.Size, r.Symbol.Name)
}

// unfit says why a record cannot apply to an instruction.
func (x *index) unfit(ins insn.Instruction, r *insn.Ref) string {
	switch {
	case ins.Op != insn.OpCall && !ins.Op.IsWide():
		return "a relocation record for an instruction that refers to nothing (opcode 0x" + strconv.FormatUint(uint64(ins.Op), 16) + ")"
	case r.Addend != 0:
		return "an explicit addend, which BPF objects do not use"
	case ins.Op == insn.OpCall && r.Type != relCall, ins.Op.IsWide() && r.Type != relWide:
		return "relocation type " + strconv.FormatUint(uint64(r.Type), 10) + " does not apply to such an instruction"
	case ins.Op == insn.OpCall && ins.Src() != insn.PseudoCall && r.Symbol.Section != 0:
		return "a relocation record for a call of a helper"
	case r.Symbol.Index == 0 && r.Symbol.Name == "" && r.Symbol.Section == 0:
		return "a relocation record without a symbol"
	}
	return ""
}

// addend adds a signed addend to a symbol's value.
func addend(value uint64, add int64) (int64, bool) {
	if value > 1<<62 {
		return 0, false
	}
	v := int64(value) + add
	return v, v >= 0
}

// link finds the function that begins at a slot of a section.
func (x *index) link(f *fn, s site, section int, slot int64, symbol string) {
	e, ok := x.at(section, slot)
	what := "call"
	if !s.call {
		what = "pointer"
	}
	switch {
	case !ok:
		s.target = -1
		s.err = x.refError(f, int(s.index), int(s.rec), ErrUnresolved, symbol,
			what+" to instruction "+strconv.FormatInt(slot, 10)+" of section "+strconv.Itoa(section)+", where there is no function", "compile the object anew")
	case int64(x.fns[e].Offset) != slot:
		s.target = -1
		s.err = x.refError(f, int(s.index), int(s.rec), ErrFormat, symbol,
			what+" into the middle of function "+quote(x.fns[e].Name)+" (its instruction "+strconv.FormatInt(slot-int64(x.fns[e].Offset), 10)+")", "")
	default:
		s.target = e
	}
	f.sites = append(f.sites, s)
}
