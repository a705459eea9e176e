package btf

import "strconv"

// AlignOf is the alignment of a value of the type in bytes, as a compiler
// would choose it for the layout that the type states: a structure with a
// member out of place, or a size that is no multiple of its alignment, must
// have been packed and has alignment 1.
func (s *Spec) AlignOf(id TypeID) (uint64, error) {
	a := aligner{s: s}
	return a.of(id)
}

// An aligner computes alignments and remembers those of structures.
type aligner struct {
	s     *Spec
	known map[TypeID]uint64 // 0: being computed
}

// alignFrame is a structure whose members are being looked at.
type alignFrame struct {
	t      Type
	next   int    // member to look at next
	max    uint64 // largest alignment so far
	packed bool
}

// of computes the alignment of a type. Structures that contain one another by
// value are walked with a stack of their own, at most maxDepth deep.
func (a *aligner) of(id TypeID) (uint64, error) {
	var stack [maxDepth]alignFrame
	depth := 0
	t, n, err := a.leaf(id, id)
	if err != nil || n != 0 {
		return n, err
	}
	if a.known == nil {
		a.known = make(map[TypeID]uint64)
	}
	stack[0] = alignFrame{t: t, max: 1}
	a.known[t.id] = 0
	for {
		f := &stack[depth]
		if f.next < f.t.NumMembers() {
			m := f.t.member(f.next)
			t, n, err := a.leaf(id, m.Type)
			if err != nil {
				return 0, err
			}
			if n != 0 {
				f.next++
				f.max = max(f.max, n)
				f.packed = f.packed || m.BitSize == 0 && uint64(m.BitOffset)%(8*n) != 0
				continue
			}
			if _, open := a.known[t.id]; open {
				return 0, &TypeError{Op: "align", ID: id, At: t.id, Kind: Loop, Detail: "a structure that contains itself"}
			}
			if depth++; depth == maxDepth {
				return 0, &TypeError{Op: "align", ID: id, At: t.id, Kind: Limit, Detail: "structures nested deeper than " + strconv.Itoa(maxDepth)}
			}
			stack[depth] = alignFrame{t: t, max: 1}
			a.known[t.id] = 0
			continue
		}
		if f.packed || uint64(f.t.Size())%f.max != 0 {
			f.max = 1
		}
		a.known[f.t.id] = f.max
		if depth == 0 {
			return f.max, nil
		}
		depth--
	}
}

// leaf is the alignment of a type that needs no look at members, or 0 and the
// structure that does.
func (a *aligner) leaf(root, id TypeID) (Type, uint64, error) {
	t := a.s.Type(id)
	for n := 0; ; n++ {
		switch t.Kind() {
		case KindArray, KindTypedef, KindVolatile, KindConst, KindRestrict, KindTypeTag, KindVar:
			if n == maxChain {
				return t, 0, &TypeError{Op: "align", ID: root, At: id, Kind: Limit, Detail: "more than " + strconv.Itoa(maxChain) + " typedefs, qualifiers and arrays"}
			}
			t = a.s.Type(t.Elem())
			continue
		case KindStruct, KindUnion:
			return t, a.known[t.id], nil
		case KindPtr:
			return t, uint64(a.s.ptrSize), nil
		case KindInt, KindFloat, KindEnum, KindEnum64:
			return t, scalarAlign(uint64(t.Size()), a.s.ptrSize), nil
		}
		return t, 0, noValue("align", root, t)
	}
}

// scalarAlign is the alignment of a number: its size, at most that of a
// pointer, but for 128-bit integers where pointers have 64 bits.
func scalarAlign(size uint64, ptr uint8) uint64 {
	most := uint64(ptr)
	if ptr == 8 && size == 16 {
		most = 16
	}
	n := uint64(1)
	for n*2 <= size && n*2 <= most {
		n *= 2
	}
	return n
}
