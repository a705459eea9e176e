package reloc

import "github.com/lode-bpf/lode/btf"

// maxCompat is how deep two types are followed when they are compared. Types
// that are nested deeper are an error, as they are for libbpf.
const maxCompat = 32

// A pairing is two types that are being compared, and how deep they lie.
type pairing struct {
	local, target btf.TypeID
	depth         int
}

// errDeep says that types nest too deep to be compared.
type errDeep struct{ id btf.TypeID }

func (e *errDeep) Error() string { return "the types nest too deep to be compared" }

// Is reports whether target is ErrLimit.
func (e *errDeep) Is(target error) bool { return target == ErrLimit }

// typesCompat is the relation of type-based relocations and of kernel symbols:
// the same kinds all the way down, names ignored below the root, structures
// never looked into. It is a conjunction, so the order of the work does not
// matter.
func (m *matcher) typesCompat(local btf.TypeID, ts *btf.Spec, target btf.TypeID) (bool, error) {
	ls := m.local
	if !sameKind(ls.Type(local).Kind(), ts.Type(target).Kind()) {
		return false, nil
	}
	m.pairs = append(m.pairs[:0], pairing{local: local, target: target})
	for len(m.pairs) > 0 {
		p := m.pairs[len(m.pairs)-1]
		m.pairs = m.pairs[:len(m.pairs)-1]
		l, err := ls.Resolve(p.local)
		if err != nil {
			return false, err
		}
		t, err := ts.Resolve(p.target)
		if err != nil {
			return false, err
		}
		if !sameKind(l.Kind(), t.Kind()) {
			return false, nil
		}
		if p.depth >= maxCompat {
			return false, &errDeep{l.ID()}
		}
		if err := m.spend(1 + l.NumParams()); err != nil {
			return false, err
		}
		switch l.Kind() {
		case btf.KindVoid, btf.KindStruct, btf.KindUnion, btf.KindEnum, btf.KindEnum64, btf.KindFwd:
		case btf.KindInt:
			if l.IntOffset() != 0 || t.IntOffset() != 0 {
				return false, nil
			}
		case btf.KindPtr, btf.KindArray:
			m.pairs = append(m.pairs, pairing{local: l.Elem(), target: t.Elem(), depth: p.depth + 1})
		case btf.KindFuncProto:
			if l.NumParams() != t.NumParams() {
				return false, nil
			}
			for i, param := range l.Params() {
				m.pairs = append(m.pairs, pairing{local: param.Type, target: t.Param(i).Type, depth: p.depth + 1})
			}
			m.pairs = append(m.pairs, pairing{local: l.Elem(), target: t.Elem(), depth: p.depth + 1})
		default:
			return false, nil
		}
	}
	return true, nil
}

// sameKind compares kinds; the two kinds of enumerations are one.
func sameKind(a, b btf.Kind) bool {
	if a == btf.KindEnum64 {
		a = btf.KindEnum
	}
	if b == btf.KindEnum64 {
		b = btf.KindEnum
	}
	return a == b
}

// A typeFrame is a composite or prototype that typesMatch is in the middle of:
// local member or parameter i is being compared, for a composite with the
// target's member j.
type typeFrame struct {
	l, t  btf.Type
	ptr   bool // behind a pointer
	depth int
	i, j  int
}

// typesMatch is the relation of BPF_CORE_TYPE_MATCHES: everything that the
// local type has, the target has, too, under the same essential names.
func (m *matcher) typesMatch(local btf.TypeID, ts *btf.Spec, target btf.TypeID) (bool, error) {
	m.frames = m.frames[:0]
	res, err := m.compare(ts, local, target, false, 0)
	for err == nil && len(m.frames) > 0 {
		if res == matchPending {
			// A frame was pushed; begin with its first part.
			res, err = m.next(ts)
			continue
		}
		f := &m.frames[len(m.frames)-1]
		switch {
		case f.l.Kind() == btf.KindFuncProto && res == matchNo:
			m.frames = m.frames[:len(m.frames)-1]
			continue
		case f.l.Kind() == btf.KindFuncProto, res == matchYes:
			f.i, f.j = f.i+1, 0
		default:
			f.j++
		}
		res, err = m.next(ts)
	}
	return res == matchYes, err
}

type matchResult uint8

const (
	matchNo matchResult = iota
	matchYes
	matchPending // a frame was pushed
)

// next goes on with the frame on top: it compares the next pair, or pops the
// frame with its result.
func (m *matcher) next(ts *btf.Spec) (matchResult, error) {
	f := &m.frames[len(m.frames)-1]
	if f.l.Kind() == btf.KindFuncProto {
		if f.i > f.l.NumParams() {
			m.frames = m.frames[:len(m.frames)-1]
			return matchYes, nil
		}
		l, t := f.l.Elem(), f.t.Elem()
		if f.i < f.l.NumParams() {
			l, t = f.l.Param(f.i).Type, f.t.Param(f.i).Type
		}
		return m.compare(ts, l, t, f.ptr, f.depth+1)
	}
	if f.i == f.l.NumMembers() {
		m.frames = m.frames[:len(m.frames)-1]
		return matchYes, nil
	}
	want := f.l.Member(f.i)
	for ; f.j < f.t.NumMembers(); f.j++ {
		if err := m.spend(1); err != nil {
			return matchNo, err
		}
		have := f.t.Member(f.j)
		if btf.EssentialName(want.Name) == btf.EssentialName(have.Name) {
			return m.compare(ts, want.Type, have.Type, f.ptr, f.depth+1)
		}
	}
	m.frames = m.frames[:len(m.frames)-1]
	return matchNo, nil
}

// compare compares two types as far as it can without looking into composites
// and prototypes, for which it pushes a frame.
func (m *matcher) compare(ts *btf.Spec, local, target btf.TypeID, ptr bool, depth int) (matchResult, error) {
	if depth >= maxCompat {
		return matchNo, &errDeep{local}
	}
	for range maxCompat {
		l, err := m.local.Resolve(local)
		if err != nil {
			return matchNo, err
		}
		t, err := ts.Resolve(target)
		if err != nil {
			return matchNo, err
		}
		if err := m.spend(1); err != nil {
			return matchNo, err
		}
		if btf.EssentialName(l.Name()) != btf.EssentialName(t.Name()) {
			return matchNo, nil
		}
		switch l.Kind() {
		case btf.KindPtr:
			if t.Kind() != btf.KindPtr {
				return matchNo, nil
			}
			ptr = true
		case btf.KindArray:
			if t.Kind() != btf.KindArray || l.Nelems() != t.Nelems() {
				return matchNo, nil
			}
		default:
			return m.compareLeaf(l, t, ptr, depth)
		}
		local, target = l.Elem(), t.Elem()
	}
	return matchNo, &errDeep{local}
}

func yes(b bool) matchResult {
	if b {
		return matchYes
	}
	return matchNo
}

func (m *matcher) compareLeaf(l, t btf.Type, ptr bool, depth int) (matchResult, error) {
	lk, tk := l.Kind(), t.Kind()
	switch lk {
	case btf.KindVoid:
		return yes(tk == lk), nil
	case btf.KindFwd:
		if tk == lk {
			return yes(l.KindFlag() == t.KindFlag()), nil
		}
		return yes(ptr && (tk == btf.KindStruct && !l.KindFlag() || tk == btf.KindUnion && l.KindFlag())), nil
	case btf.KindEnum, btf.KindEnum64:
		if !sameKind(lk, tk) {
			return matchNo, nil
		}
		return m.enumsMatch(l, t)
	case btf.KindInt:
		return yes(tk == lk && l.Size() == t.Size() && l.Signed() == t.Signed()), nil
	case btf.KindStruct, btf.KindUnion:
		if ptr {
			return yes(lk == tk || tk == btf.KindFwd && (lk == btf.KindUnion) == t.KindFlag()), nil
		}
		if lk != tk || l.NumMembers() > t.NumMembers() {
			return matchNo, nil
		}
	case btf.KindFuncProto:
		if lk != tk || l.NumParams() != t.NumParams() {
			return matchNo, nil
		}
	default:
		return matchNo, nil
	}
	m.frames = append(m.frames, typeFrame{l: l, t: t, ptr: ptr, depth: depth})
	return matchPending, nil
}

// enumsMatch: every local enumerator has one of its essential name.
func (m *matcher) enumsMatch(l, t btf.Type) (matchResult, error) {
	if l.Size() != t.Size() || l.NumEnumerators() > t.NumEnumerators() {
		return matchNo, nil
	}
	for i, e := range l.Enumerators() {
		want := btf.EssentialName(e.Name)
		if i < t.NumEnumerators() && btf.EssentialName(t.Enumerator(i).Name) == want {
			continue // in the same place, as is most likely
		}
		found := false
		for _, o := range t.Enumerators() {
			if err := m.spend(1); err != nil {
				return matchNo, err
			}
			if found = btf.EssentialName(o.Name) == want; found {
				break
			}
		}
		if !found {
			return matchNo, nil
		}
	}
	return matchYes, nil
}
