package reloc

import "github.com/lode-bpf/lode/btf"

// How deep types_are_compat and types_match follow a type. A type that is
// nested deeper is an error, as it is for libbpf.
const maxCompat = 32

// A pairing is two types that are being compared, and how deep.
type pairing struct {
	local, target btf.TypeID
	depth         int
	ptr           bool // behind a pointer (typesMatch)
}

// errDeep says that types nest too deep to be compared.
type errDeep struct{ id btf.TypeID }

func (e *errDeep) Error() string { return "types nest too deep to be compared" }

// Is reports whether target is ErrLimit.
func (e *errDeep) Is(target error) bool { return target == ErrLimit }

// typesCompat is the relation of type-based relocations and of kernel symbols:
// the same kinds all the way down, names ignored below the root, structures
// never looked into. The work list stands for recursion; the relation is a
// conjunction, so the order does not matter.
func typesCompat(ls *btf.Spec, local btf.TypeID, ts *btf.Spec, target btf.TypeID) (bool, error) {
	if !sameKind(ls.Type(local).Kind(), ts.Type(target).Kind()) {
		return false, nil
	}
	var room [16]pairing
	work := append(room[:0], pairing{local: local, target: target})
	for steps := 0; len(work) > 0; steps++ {
		p := work[len(work)-1]
		work = work[:len(work)-1]
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
		if p.depth >= maxCompat || steps > maxPairings {
			return false, &errDeep{l.ID()}
		}
		switch l.Kind() {
		case btf.KindVoid, btf.KindStruct, btf.KindUnion, btf.KindEnum, btf.KindEnum64, btf.KindFwd:
		case btf.KindInt:
			if l.IntOffset() != 0 || t.IntOffset() != 0 {
				return false, nil
			}
		case btf.KindPtr, btf.KindArray:
			work = append(work, pairing{local: l.Elem(), target: t.Elem(), depth: p.depth + 1})
		case btf.KindFuncProto:
			if l.NumParams() != t.NumParams() {
				return false, nil
			}
			for i, param := range l.Params() {
				work = append(work, pairing{local: param.Type, target: t.Param(i).Type, depth: p.depth + 1})
			}
			work = append(work, pairing{local: l.Elem(), target: t.Elem(), depth: p.depth + 1})
		default:
			return false, nil
		}
	}
	return true, nil
}

// maxPairings bounds the work of one comparison: types that share parts are
// compared as often as they are reached.
const maxPairings = 1 << 14

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
