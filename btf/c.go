package btf

import (
	"io"
	"strconv"
)

// COptions say what FormatC prints.
type COptions struct {
	// Types are printed with all that they need; nil means every type.
	Types []TypeID
	// Guard is the name of the macro that guards the header; empty for
	// "__VMLINUX_H__".
	Guard string
	// NoPreserveAccessIndex leaves out the attribute that makes clang record
	// every access to a field, for CO-RE.
	NoPreserveAccessIndex bool
}

// FormatC prints C declarations that compile: types in an order in which
// each is declared before it is used, with the layout that the BTF states.
// What C leaves to the compiler is made explicit: gaps become members,
// structures whose members are out of place are packed. Types that share a
// name get the suffixes ___2, ___3 and so on, which CO-RE ignores.
//
// Names that are no C identifiers are changed to be one.
func (s *Spec) FormatC(w io.Writer, opts COptions) error {
	p := newCPrinter(s, w)
	guard := opts.Guard
	if guard == "" {
		guard = "__VMLINUX_H__"
	}
	guard = identifier(guard)
	p.put("#ifndef ", guard, "\n#define ", guard, "\n\n")
	if !opts.NoPreserveAccessIndex {
		p.put("#ifndef BPF_NO_PRESERVE_ACCESS_INDEX\n",
			"#pragma clang attribute push (__attribute__((preserve_access_index)), apply_to = record)\n#endif\n\n")
	}
	if err := p.types(opts.Types); err != nil {
		return err
	}
	if !opts.NoPreserveAccessIndex {
		p.put("#ifndef BPF_NO_PRESERVE_ACCESS_INDEX\n#pragma clang attribute pop\n#endif\n\n")
	}
	p.put("#endif /* ", guard, " */\n")
	return p.flush(true)
}

// A cPrinter prints types as C. A unit is a type that is declared by itself,
// outside all others: a structure, union or enumeration with a name, a
// typedef, and a number whose name C does not have. All other types are
// printed inside units.
type cPrinter struct {
	printer
	s      *Spec
	align  aligner
	names  cNames
	state  []uint8  // of units: what has been printed
	seen   []uint32 // when a type was last looked at, see deps
	turn   uint32
	deps   []cDep // of the units on the stack
	pads   uint64 // arrays of padding in the outermost structure so far
	budget int    // bytes that may still be printed
}

// States of a unit.
const (
	cOpen    = 1 << iota // what it needs is being printed
	cDone                // it has been printed
	cForward             // a forward declaration has been printed
)

// A cDep is a unit that another one needs.
type cDep struct {
	id   TypeID
	weak bool // a forward declaration is enough
}

func newCPrinter(s *Spec, w io.Writer) *cPrinter {
	n := s.NumTypes()
	p := &cPrinter{printer: *newPrinter(w), s: s, align: aligner{s: s}, state: make([]uint8, n), seen: make([]uint32, 2*n)}
	// Anonymous structures are printed wherever they are used. Hostile input
	// makes that exponential; the kernel's types need 5 bytes a byte.
	for b := s; b != nil; b = b.base {
		p.budget += 64 * len(b.raw)
	}
	p.budget += 1 << 20
	p.names.init(s)
	return p
}

func (p *cPrinter) put(text ...string) {
	for _, t := range text {
		p.b = append(p.b, t...)
		p.budget -= len(t)
	}
}

func (p *cPrinter) putUint(v uint64) { p.put(strconv.FormatUint(v, 10)) }

// types prints units, and what they need before them. Of the types without a
// name only enumerations mean something by themselves: constants. They come
// last, unless another type has them.
func (p *cPrinter) types(roots []TypeID) error {
	if roots == nil {
		roots = make([]TypeID, p.s.NumTypes())
		for i := range roots {
			roots[i] = TypeID(i)
		}
	}
	for _, id := range roots {
		if p.isUnit(p.s.Type(id)) {
			if err := p.unit(id); err != nil {
				return err
			}
		}
	}
	for _, id := range roots {
		t := p.s.Type(id)
		if t.is(KindEnum, KindEnum64) && t.Name() == "" && t.Vlen() > 0 && p.state[id]&cDone == 0 {
			p.state[id] |= cDone
			p.enum(t, "", 0)
			p.put(";\n\n")
			if err := p.flush(false); err != nil {
				return err
			}
		}
	}
	return nil
}

// isUnit reports whether a type is declared by itself.
func (p *cPrinter) isUnit(t Type) bool {
	switch t.Kind() {
	case KindStruct, KindUnion, KindEnum, KindEnum64, KindFwd, KindTypedef:
		return t.Name() != ""
	case KindInt, KindFloat:
		return !isCNumber(t)
	}
	return false
}

// A cFrame is a unit on the stack, and which of its needs comes next.
type cFrame struct {
	id          TypeID
	first, next int // in cPrinter.deps
}

// unit prints a unit after everything it needs: a depth-first walk with a
// stack of its own, for the file says how deep it goes.
func (p *cPrinter) unit(id TypeID) error {
	if p.state[id]&cDone != 0 {
		return nil
	}
	stack := []cFrame{p.open(id)}
	for len(stack) > 0 {
		f := &stack[len(stack)-1]
		if f.next < len(p.deps) {
			d := p.deps[f.next]
			f.next++
			switch st := p.state[d.id]; {
			case st&cDone != 0 || d.weak && p.canForward(d.id):
			case st&cOpen != 0:
				return &TypeError{Op: "print", ID: f.id, At: d.id, Kind: Loop, Detail: "a type that contains itself"}
			default:
				stack = append(stack, p.open(d.id))
			}
			continue
		}
		for _, d := range p.deps[f.first:] {
			if d.weak && p.canForward(d.id) && d.id != f.id && p.state[d.id]&(cDone|cForward) == 0 {
				p.forward(d.id)
			}
		}
		if err := p.declare(f.id); err != nil {
			return err
		}
		p.state[f.id] = p.state[f.id]&^cOpen | cDone
		p.deps = p.deps[:f.first]
		stack = stack[:len(stack)-1]
		if p.budget < 0 {
			return &TypeError{Op: "print", ID: id, At: id, Kind: Limit, Detail: "anonymous types that repeat one another"}
		}
		if err := p.flush(false); err != nil {
			return err
		}
	}
	return nil
}

func (p *cPrinter) open(id TypeID) cFrame {
	p.state[id] |= cOpen
	n := len(p.deps)
	p.needs(id)
	return cFrame{id: id, first: n, next: n}
}

// canForward reports whether C has forward declarations for such a type.
func (p *cPrinter) canForward(id TypeID) bool {
	switch p.s.Type(id).Kind() {
	case KindStruct, KindUnion, KindFwd:
		return true
	}
	return false
}

func (p *cPrinter) forward(id TypeID) {
	t := p.s.Type(id)
	p.put(cTag(t), " ", p.names.of(t), ";\n\n")
	p.state[id] |= cForward
}

// needs appends to p.deps the units that a unit needs.
func (p *cPrinter) needs(id TypeID) {
	p.turn++
	t := p.s.Type(id)
	var todo []cDep
	switch t.Kind() {
	case KindTypedef:
		todo = append(todo, cDep{t.Elem(), true})
	case KindStruct, KindUnion:
		for _, m := range t.Members() {
			todo = append(todo, cDep{m.Type, false})
		}
	}
	for len(todo) > 0 {
		d := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		at := 2 * int(d.id)
		if d.weak {
			at++
		}
		if p.seen[at] == p.turn {
			continue
		}
		p.seen[at] = p.turn
		p.budget--
		todo = p.needsOf(d, todo)
	}
}

// needsOf looks at one type on the way from a unit to the units it needs.
func (p *cPrinter) needsOf(d cDep, todo []cDep) []cDep {
	t := p.s.Type(d.id)
	if p.isUnit(t) {
		p.deps = append(p.deps, d)
		if t.Kind() == KindTypedef && !d.weak {
			todo = append(todo, cDep{t.Elem(), false}) // it must be complete behind the name, too
		}
		return todo
	}
	switch t.Kind() {
	case KindConst, KindVolatile, KindRestrict, KindTypeTag:
		todo = append(todo, cDep{t.Elem(), d.weak})
	case KindPtr:
		todo = append(todo, cDep{t.Elem(), true})
	case KindArray:
		todo = append(todo, cDep{t.Elem(), false})
	case KindStruct, KindUnion:
		for _, m := range t.Members() {
			todo = append(todo, cDep{m.Type, false})
		}
	case KindFuncProto:
		todo = append(todo, cDep{t.Elem(), true})
		for _, a := range t.Params() {
			todo = append(todo, cDep{a.Type, true})
		}
	}
	return todo
}

// declare prints a unit.
func (p *cPrinter) declare(id TypeID) error {
	t := p.s.Type(id)
	switch t.Kind() {
	case KindStruct, KindUnion:
		if err := p.composite(t, 0); err != nil {
			return err
		}
	case KindEnum, KindEnum64:
		p.enum(t, p.names.of(t), 0)
	case KindFwd:
		if p.state[id]&cForward != 0 || p.names.same(t) {
			return nil
		}
		p.put(cTag(t), " ", p.names.of(t))
	case KindTypedef:
		p.put("typedef ")
		if err := p.declarator(t.Elem(), p.names.of(t), 0); err != nil {
			return err
		}
	case KindInt, KindFloat:
		p.put("typedef ", cNumberOfSize(t), " ", p.names.of(t))
	}
	p.put(";\n\n")
	return nil
}

// cTag is the word before the name of a structure, union or enumeration.
func cTag(t Type) string {
	switch k := t.Kind(); {
	case k == KindStruct, k == KindFwd && !t.KindFlag():
		return "struct"
	case k == KindUnion, k == KindFwd:
		return "union"
	}
	return "enum"
}
