package reloc

import (
	"fmt"
	"slices"
	"sort"
	"strings"

	"github.com/lode-bpf/lode/btf"
	"github.com/lode-bpf/lode/insn"
)

// maxFrames is MAX_CALL_FRAMES: how deep the kernel lets calls nest.
const maxFrames = 8

// Link makes one instruction stream of every program and of the functions that
// it reaches, each of which is appended once: after the function that refers
// to it first, depth first, as libbpf does. What becomes of a program that
// cannot be linked is in its Err; references to anything but functions are
// left in Refs. The work is proportional to the instructions that come out.
func Link(in *Input) ([]*Program, []Finding) {
	return newIndex(in).link1()
}

func (x *index) link1() ([]*Program, []Finding) {
	l := &linker{index: x, pos: make([]int32, len(x.fns)), callbacks: x.callbacks()}
	x.findCycles()
	for e := range x.in.Programs {
		l.program(int32(e))
	}
	return l.out, l.findings
}

type linker struct {
	*index
	pos       []int32 // where each function stands in the program, -1: nowhere
	total     int     // instructions so far
	callbacks map[btf.TypeID][]string
	out       []*Program
	findings  []Finding

	p     *Program
	insns []insn.Instruction // of p, until it is done
	stack []linkFrame
	full  bool // a limit was met
}

// A linkFrame is a function whose references are being followed.
type linkFrame struct {
	fn   int32
	site int
}

func (l *linker) program(e int32) {
	for i := range l.pos {
		l.pos[i] = -1
	}
	f := l.scan(e)
	l.p, l.insns = &Program{Name: f.Name}, l.insns[:0]
	l.out = append(l.out, l.p)
	l.full = false
	if l.place(e) {
		l.follow()
		l.exceptionCallback(e)
	}
	if l.full {
		l.p.Funcs, l.p.Refs, l.p.Changes = nil, nil, nil // of no use
		return
	}
	l.p.Insns = slices.Clone(l.insns)
	l.p.sortChanges()
	if f.frames > maxFrames {
		l.find(f.Name, "calls nest %d deep, the kernel allows %d", f.frames, maxFrames)
	}
	l.info()
}

// sortChanges puts changes in the order of instructions.
func (p *Program) sortChanges() {
	sort.SliceStable(p.Changes, func(i, j int) bool { return p.Changes[i].Index < p.Changes[j].Index })
}

func (l *linker) find(name, format string, args ...any) {
	l.findings = append(l.findings, Finding{Func: name, Text: fmt.Sprintf(format, args...)})
}

// place appends a function to the program and takes note to follow its
// references.
func (l *linker) place(e int32) bool {
	f := l.scan(e)
	p := l.p
	switch {
	case len(p.Funcs) >= l.lim.Subprograms:
		return l.limit("Subprograms", l.lim.Subprograms, "function "+quote(f.Name)+" is one too many")
	case len(f.Insns) > l.lim.ProgInsns-len(l.insns):
		return l.limit("ProgInsns", l.lim.ProgInsns, "function "+quote(f.Name)+" makes it too long")
	case len(f.Insns) > l.lim.TotalInsns-l.total:
		return l.limit("TotalInsns", l.lim.TotalInsns, "with it the programs of the object are too long together")
	}
	start := len(l.insns)
	l.total += len(f.Insns)
	l.pos[e] = int32(start)
	p.Funcs = append(p.Funcs, Placed{Func: f.Func, Index: start})
	if need := start + len(f.Insns); need > cap(l.insns) {
		l.insns = slices.Grow(l.insns, 2*need-start) // append alone would copy more often
	}
	l.insns = append(l.insns, f.Insns...)
	p.Changes = slices.Grow(p.Changes, min(len(f.sites)+len(f.CORE)+len(f.left), 2*len(f.Insns)))
	p.Refs = slices.Grow(p.Refs, len(f.left))
	for _, r := range f.left {
		ref := f.Refs[r]
		ref.Index += start
		p.Refs = append(p.Refs, ref)
	}
	for _, err := range f.bad[:min(len(f.bad), maxErrs)] {
		p.fail(err)
	}
	p.failMore(len(f.bad) - maxErrs)
	if len(f.sites) > 0 {
		l.stack = append(l.stack, linkFrame{fn: e})
	}
	return true
}

func (l *linker) limit(name string, max int, detail string) bool {
	l.p.fail(&LimitError{Program: l.p.Name, Limit: name, Max: max, Detail: detail})
	l.full = true
	l.stack = l.stack[:0]
	return false
}

// follow works off the stack: every call and function pointer of the functions
// on it gets its distance, and functions that are not there yet are placed.
func (l *linker) follow() {
	for len(l.stack) > 0 {
		top := &l.stack[len(l.stack)-1]
		f := &l.fns[top.fn]
		if top.site == len(f.sites) {
			l.stack = l.stack[:len(l.stack)-1]
			continue
		}
		s := &f.sites[top.site]
		at := int(l.pos[top.fn] + s.index)
		top.site++
		if s.err != nil {
			l.p.fail(s.err)
			continue
		}
		if l.pos[s.target] < 0 && !l.place(s.target) {
			return
		}
		l.patch(at, s)
	}
}

func (l *linker) patch(at int, s *site) {
	to := l.insns[at]
	to.Imm = l.pos[s.target] - int32(at) - 1
	if s.call {
		l.write(at, s, ChangeCall, to)
		return
	}
	to.Regs = to.Regs.WithSrc(insn.PseudoFunc)
	l.write(at, s, ChangeFunc, to)
	if high := l.insns[at+1]; high.Imm != 0 {
		high.Imm = 0
		l.write(at+1, s, ChangeFunc, high)
	}
}

// write replaces an instruction.
//
//go:noinline
func (l *linker) write(at int, s *site, kind ChangeKind, to insn.Instruction) {
	if s.rec >= 0 || l.insns[at] != to {
		l.p.Changes = append(l.p.Changes, Change{Index: at, Kind: kind, From: l.insns[at], To: to, Record: int(s.rec)})
	}
	l.insns[at] = to
}

// info gives a program its function and line info, if every function in it has
// them: the kernel accepts all or nothing.
func (l *linker) info() {
	p := l.p
	lines := 0
	funcs, good := true, true
	for _, f := range p.Funcs {
		funcs = funcs && f.Func.TypeID != 0
		good = good && linesFit(f.Func)
		lines += len(f.Func.Lines)
	}
	if !funcs {
		if p.Funcs[0].Func.TypeID != 0 {
			l.find(p.Name, "a function that it calls has no function info: the program is loaded without it")
		}
		return
	}
	p.FuncInfo = make([]FuncInfo, 0, len(p.Funcs))
	for _, f := range p.Funcs {
		p.FuncInfo = append(p.FuncInfo, FuncInfo{Index: f.Index, TypeID: btf.TypeID(f.Func.TypeID)})
	}
	if lines == 0 {
		return
	}
	if !good {
		l.find(p.Name, "line info is missing at the beginning of a function, or out of order: the program is loaded without it")
		return
	}
	p.Lines = make([]insn.Line, 0, lines)
	for _, f := range p.Funcs {
		for _, line := range f.Func.Lines {
			line.Index += f.Index
			p.Lines = append(p.Lines, line)
		}
	}
}

// linesFit reports whether the kernel accepts a function's line info: it begins
// with the function, ascends, and speaks of instructions only.
func linesFit(f *insn.Func) bool {
	last := -1
	for _, l := range f.Lines {
		if l.Index <= last || l.Index >= len(f.Insns) || f.Insns[l.Index].Op == 0 {
			return false
		}
		last = l.Index
	}
	return len(f.Lines) > 0 && f.Lines[0].Index == 0
}

// callbackTag begins the declaration tag that names a program's exception
// callback.
const callbackTag = "exception_callback:"

// callbacks are the names in such tags, by FUNC.
func (x *index) callbacks() map[btf.TypeID][]string {
	if x.in.BTF == nil {
		return nil
	}
	var m map[btf.TypeID][]string
	for t := range x.in.BTF.Types() {
		if t.Kind() != btf.KindDeclTag || t.ComponentIndex() != -1 {
			continue
		}
		if name, ok := strings.CutPrefix(t.Name(), callbackTag); ok {
			if m == nil {
				m = map[btf.TypeID][]string{}
			}
			m[t.Elem()] = append(m[t.Elem()], name)
		}
	}
	return m
}

// exceptionCallback appends the function that a program names as its exception
// callback, which nothing calls; the kernel finds it through the tag.
func (l *linker) exceptionCallback(e int32) {
	f := &l.fns[e]
	if l.full {
		return
	}
	target, detail, kind := l.callback(f, l.callbacks)
	switch {
	case kind != nil:
		l.p.fail(l.refError(f, 0, -1, kind, l.callbacks[btf.TypeID(f.TypeID)][0], detail, "name one global function in "+callbackTag+"NAME"))
	case target >= 0 && l.pos[target] < 0 && l.place(target):
		l.follow()
	}
}

// callback finds the exception callback of a program, -1 if it has none, given
// the names in tags. If it cannot have one, kind and detail say why.
func (x *index) callback(f *fn, tags map[btf.TypeID][]string) (target int32, detail string, kind error) {
	names := tags[btf.TypeID(f.TypeID)]
	target = -1
	switch {
	case f.TypeID == 0 || len(names) == 0:
		return -1, "", nil
	case len(names) > 1:
		return -1, "more than one exception callback", ErrAmbiguous
	}
	for i := len(x.in.Programs); i < len(x.fns); i++ {
		if x.fns[i].Name != names[0] {
			continue
		}
		if target >= 0 {
			return -1, "more than one function has the exception callback's name", ErrAmbiguous
		}
		target = int32(i)
	}
	if target < 0 {
		return -1, "there is no such exception callback", ErrUnresolved
	}
	if t := x.fns[target]; t.Bind == stbLocal || t.Visibility == stvHidden || t.Visibility == stvInternal {
		return -1, "an exception callback must be global and not hidden", ErrMismatch
	}
	return target, "", nil
}

// Symbol binding and visibility (ELF specification, symbol table).
const (
	stbLocal    = 0
	stbWeak     = 2
	stvInternal = 1
	stvHidden   = 2
)
