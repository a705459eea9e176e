package static

import (
	"github.com/lode-bpf/lode/btf"
)

// A decl is what an input's BTF says of a symbol that others may use: its
// function or variable.
type decl struct {
	t       btf.Type
	defined bool
}

// declare lists the input's functions and variables that are not static.
func (in *input) declare() {
	in.vars = map[string]decl{}
	if in.btf == nil {
		return
	}
	for t := range in.btf.Types() {
		if t.Kind() != btf.KindFunc && t.Kind() != btf.KindVar || t.Linkage() == btf.LinkageStatic || t.Name() == "" {
			continue
		}
		d, ok := in.vars[t.Name()]
		if !ok || !d.defined && t.Linkage() == btf.LinkageGlobal {
			in.vars[t.Name()] = decl{t, t.Linkage() == btf.LinkageGlobal}
		}
	}
}

// matchTypes checks that every input means the same by a symbol.
func (l *linker) matchTypes() error {
	for _, in := range l.inputs {
		for s := range in.File.Symbols() {
			name := s.Name()
			g := l.globals[name]
			d, ok := in.vars[name]
			if g == nil || !ok || g.in == in || s.Index() == 0 || s.Bind() == 0 {
				continue
			}
			have, ok := g.in.vars[name]
			if !ok {
				continue
			}
			if !match(in.btf, d.t, g.in.btf, have.t) {
				return &Error{Input: in.Name, Other: g.in.Name, Symbol: name, Kind: ErrMismatch, Detail: "it has another type than elsewhere"}
			}
		}
	}
	return nil
}

// maxPairs bounds the work of one comparison.
const maxPairs = 1 << 14

type pair struct{ a, b btf.TypeID }

// A matcher compares two types of different inputs. Each pair of types is
// compared once, so types may refer to themselves.
type matcher struct {
	as, bs *btf.Spec
	seen   map[pair]bool
	work   []pair
}

func (m *matcher) also(a, b btf.TypeID) {
	if p := (pair{a, b}); !m.seen[p] {
		m.seen[p] = true
		m.work = append(m.work, p)
	}
}

// match reports whether a use and a definition may be of one symbol. Structures
// with names are the same if their names and sizes are; names of parameters do
// not count.
func match(as *btf.Spec, a btf.Type, bs *btf.Spec, b btf.Type) bool {
	if a.Kind() != b.Kind() {
		return false
	}
	m := &matcher{as: as, bs: bs, seen: map[pair]bool{}}
	m.also(a.Elem(), b.Elem())
	for len(m.work) > 0 {
		p := m.work[len(m.work)-1]
		m.work = m.work[:len(m.work)-1]
		if len(m.seen) > maxPairs || !m.pair(p) {
			return false
		}
	}
	return true
}

func (m *matcher) pair(p pair) bool {
	a, err := m.as.Resolve(p.a)
	if err != nil {
		return false
	}
	b, err := m.bs.Resolve(p.b)
	if err != nil {
		return false
	}
	if a.Kind() != b.Kind() {
		return isFwdOf(a, b) || isFwdOf(b, a)
	}
	switch a.Kind() {
	case btf.KindVoid:
	case btf.KindInt:
		return a.Size() == b.Size() && a.Encoding() == b.Encoding()
	case btf.KindFloat:
		return a.Size() == b.Size()
	case btf.KindEnum, btf.KindEnum64:
		return a.Size() == b.Size() && a.Name() == b.Name()
	case btf.KindFwd:
		return a.Name() == b.Name() && a.KindFlag() == b.KindFlag()
	case btf.KindPtr:
		m.also(a.Elem(), b.Elem())
	case btf.KindArray:
		m.also(a.Elem(), b.Elem())
		return a.Nelems() == b.Nelems() || a.Nelems() == 0 || b.Nelems() == 0
	case btf.KindStruct, btf.KindUnion:
		return m.composites(a, b)
	case btf.KindFuncProto:
		if a.NumParams() != b.NumParams() {
			return false
		}
		for i := range a.NumParams() {
			m.also(a.Param(i).Type, b.Param(i).Type)
		}
		m.also(a.Elem(), b.Elem())
	default:
		return false
	}
	return true
}

func isFwdOf(f, t btf.Type) bool {
	if f.Kind() != btf.KindFwd || f.Name() != t.Name() {
		return false
	}
	return t.Kind() == btf.KindStruct && !f.KindFlag() || t.Kind() == btf.KindUnion && f.KindFlag()
}

// composites compares structures. Those without a name, such as map
// definitions, are compared member by member.
func (m *matcher) composites(a, b btf.Type) bool {
	if a.Name() != b.Name() || a.Size() != b.Size() {
		return false
	}
	if a.Name() != "" {
		return true
	}
	if a.NumMembers() != b.NumMembers() {
		return false
	}
	at := make(map[string]int, b.NumMembers())
	for i, mem := range b.Members() {
		at[mem.Name] = i
	}
	for i, mem := range a.Members() {
		j, ok := at[mem.Name]
		if mem.Name == "" {
			j, ok = i, b.Member(i).Name == ""
		}
		if !ok || b.Member(j).BitSize != mem.BitSize {
			return false
		}
		m.also(mem.Type, b.Member(j).Type)
	}
	return true
}
