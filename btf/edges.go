package btf

import "iter"

// Refs are the ids of the types that a type refers to, in the order of the
// format, with repetitions.
func (t Type) Refs() iter.Seq[TypeID] {
	return func(yield func(TypeID) bool) {
		for w := range t.refWords() {
			if !yield(TypeID(t.word(w))) {
				return
			}
		}
	}
}

// refWords are the words of a type that hold ids.
func (t Type) refWords() iter.Seq[int] {
	return func(yield func(int) bool) {
		k := t.Kind()
		if !k.known() {
			return
		}
		if kinds[k].ref && !yield(2) {
			return
		}
		first, step := 0, int(kinds[k].elem/4)
		switch k {
		case KindArray:
			_ = yield(3) && yield(4)
			return
		case KindStruct, KindUnion, KindFuncProto:
			first = 4
		case KindDatasec:
			first = 3
		default:
			return
		}
		for i := range t.Vlen() {
			if !yield(first + i*step) {
				return
			}
		}
	}
}
