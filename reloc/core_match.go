package reloc

import (
	"github.com/lode-bpf/lode/btf"
)

// A match is what a candidate makes of a local access.
type match struct {
	drop   Drop
	at     int      // the accessor that was not found
	bitOff uint64   // field kinds
	last   accessor // in the target
	err    error
}

// A matcher looks for local accesses in target types. It keeps its room from
// one search to the next.
type matcher struct {
	local   *btf.Spec
	steps   int64 // left, see Limits.CORESteps
	stack   []memberFrame
	seen    []btf.TypeID
	pairs   []pairing
	frames  []typeFrame
	targets []accessor
}

// errSteps says that all searches together have become too long.
var errSteps = specError(ErrLimit, "limit CORESteps exceeded: the types are too entangled")

// spend takes n steps from the budget.
func (m *matcher) spend(n int) error {
	m.steps -= int64(n)
	if m.steps < 0 {
		return errSteps
	}
	return nil
}

// match looks for a local access in a candidate.
func (m *matcher) match(l *localSpec, class coreClass, s *btf.Spec, cand btf.Type) match {
	var r match
	if r.err = m.spend(1); r.err != nil {
		return r
	}
	var ok bool
	switch class {
	case classType:
		if ok, r.err = m.typesCompat(l.root.ID(), s, cand.ID()); !ok {
			r.drop = DropMismatch
		}
	case classMatch:
		if ok, r.err = m.typesMatch(l.root.ID(), s, cand.ID()); !ok {
			r.drop = DropMismatch
		}
	case classEnum:
		m.enumerator(l, s, cand, &r)
	default:
		m.field(l, s, cand, &r)
	}
	return r
}

// enumerator finds the first enumerator of the same essential name.
func (m *matcher) enumerator(l *localSpec, s *btf.Spec, cand btf.Type, r *match) {
	t, err := s.Resolve(cand.ID())
	if err != nil {
		r.err = err
		return
	}
	r.drop = DropEnum
	want := btf.EssentialName(l.acc[0].name)
	if r.err = m.spend(t.NumEnumerators()); r.err != nil {
		return
	}
	for i, e := range t.Enumerators() {
		if btf.EssentialName(e.Name) == want {
			r.drop, r.last = DropNone, accessor{typ: t.ID(), idx: i, name: e.Name}
			return
		}
	}
}

// field finds each accessor in turn, beginning at the candidate.
func (m *matcher) field(l *localSpec, s *btf.Spec, cand btf.Type, r *match) {
	id := cand.ID()
	raw := 0
	m.targets = m.targets[:0]
	for i, acc := range l.acc {
		t, err := s.Resolve(id)
		if err != nil {
			r.err = err
			return
		}
		r.at = i
		if acc.name != "" {
			depth, ok := m.member(l, acc, s, t, r)
			if r.err != nil || !ok {
				return
			}
			raw += depth
			id = s.Type(r.last.typ).Member(r.last.idx).Type
		} else {
			if i > 0 {
				if t.Kind() != btf.KindArray || uint64(acc.idx) >= uint64(t.Nelems()) && !flexible(s, m.targets, t) {
					r.drop = DropIndex
					return
				}
				if t, r.err = s.Resolve(t.Elem()); r.err != nil {
					return
				}
			}
			id = t.ID()
			raw++
			r.last = accessor{typ: id, idx: acc.idx}
			if r.err = addIndex(s, id, acc.idx, &r.bitOff); r.err != nil {
				return
			}
		}
		if raw > maxSteps {
			r.err = specError(ErrLimit, "the field is nested too deep in the target")
			return
		}
		m.targets = append(m.targets, r.last)
	}
}

// A memberFrame is a composite whose members are being looked through.
type memberFrame struct {
	t      btf.Type
	next   int
	bitOff uint64 // of the composite
}

// member finds the member that an accessor names in a composite, depth first
// through members without a name. It adds the member's place to r.bitOff and
// returns how deep it lies.
func (m *matcher) member(l *localSpec, acc accessor, s *btf.Spec, t btf.Type, r *match) (int, bool) {
	r.drop = DropMember
	if t.Kind() != btf.KindStruct && t.Kind() != btf.KindUnion {
		return 0, false
	}
	m.stack = append(m.stack[:0], memberFrame{t: t})
	m.seen = m.seen[:0]
	for len(m.stack) > 0 {
		f := &m.stack[len(m.stack)-1]
		if f.next == f.t.NumMembers() {
			m.stack = m.stack[:len(m.stack)-1]
			continue
		}
		mem := f.t.Member(f.next)
		f.next++
		if r.err = m.spend(1); r.err != nil {
			return 0, false
		}
		if mem.Name == acc.name {
			ok, err := m.fieldsCompat(m.local.Type(acc.typ).Member(acc.idx).Type, s, mem.Type)
			if ok && err == nil {
				r.drop = DropNone
				r.bitOff += f.bitOff + uint64(mem.BitOffset)
				r.last = accessor{typ: f.t.ID(), idx: f.next - 1, name: mem.Name}
				return len(m.stack), true
			}
			if err != nil {
				r.err = err
				return 0, false
			}
			// A composite has one member of a name; another may have it, too.
			r.drop = DropType
			m.stack = m.stack[:len(m.stack)-1]
			continue
		}
		if mem.Name == "" {
			if r.err = m.descend(s, mem, f.bitOff); r.err != nil {
				return 0, false
			}
		}
	}
	return 0, false
}

// descend goes on in a member without a name, unless its type was looked
// through before: it is not there.
func (m *matcher) descend(s *btf.Spec, mem btf.Member, bitOff uint64) error {
	t, err := s.Resolve(mem.Type)
	if err != nil {
		return err
	}
	if t.Kind() != btf.KindStruct && t.Kind() != btf.KindUnion {
		return nil
	}
	if err := m.spend(len(m.seen) / 8); err != nil {
		return err
	}
	for _, id := range m.seen {
		if id == t.ID() {
			return nil
		}
	}
	if len(m.stack) >= maxSteps {
		return specError(ErrLimit, "members without a name are nested too deep in the target")
	}
	m.seen = append(m.seen, t.ID())
	m.stack = append(m.stack, memberFrame{t: t, bitOff: bitOff + uint64(mem.BitOffset)})
	return nil
}

// fieldsCompat is the relation between the types of a local and a target field
// of one name: loose, because only the place is taken.
func (m *matcher) fieldsCompat(local btf.TypeID, ts *btf.Spec, target btf.TypeID) (bool, error) {
	for range maxCompat {
		l, err := m.local.Resolve(local)
		if err != nil {
			return false, err
		}
		t, err := ts.Resolve(target)
		if err != nil {
			return false, err
		}
		if isComposite(l) && isComposite(t) {
			return true, nil
		}
		if !sameKind(l.Kind(), t.Kind()) {
			return false, nil
		}
		switch l.Kind() {
		case btf.KindPtr, btf.KindFloat:
			return true, nil
		case btf.KindFwd, btf.KindEnum, btf.KindEnum64:
			ln, tn := btf.EssentialName(l.Name()), btf.EssentialName(t.Name())
			return ln == "" || tn == "" || ln == tn, nil
		case btf.KindInt:
			return l.IntOffset() == 0 && t.IntOffset() == 0, nil
		case btf.KindArray:
			local, target = l.Elem(), t.Elem()
		default:
			return false, nil
		}
	}
	return false, &errDeep{local}
}

func isComposite(t btf.Type) bool { return t.Kind() == btf.KindStruct || t.Kind() == btf.KindUnion }
