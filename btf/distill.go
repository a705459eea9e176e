package btf

import "strconv"

// Distill prepares split BTF for a base that may change, as the BTF of a
// kernel module has to be for a kernel that was built anew. It writes a small
// base (.BTF.base) that has, of the original base, only the numbers,
// structures and enumerations that s refers to, by name and size and without
// members; and the split BTF on that base, into which the other types that s
// needs are copied. [Spec.Rebase] puts the result on a whole base again.
func (s *Spec) Distill() (base, split []byte, err error) {
	if s.base == nil {
		return nil, nil, &TypeError{Op: "distill", Kind: Unsupported, Detail: "this BTF has no base"}
	}
	d := distiller{s: s, use: make([]uint8, s.first), ids: make([]TypeID, s.first)}
	if err := d.mark(); err != nil {
		return nil, nil, err
	}
	var b Builder
	for id := TypeID(1); id < s.first; id++ {
		if d.use[id]&(useNamed|useWhole) != 0 {
			d.ids[id] = d.distilled(&b, s.Type(id))
		}
	}
	if base, err = b.Bytes(s.ByteOrder()); err != nil {
		return nil, nil, err
	}
	small, err := Parse(base, nil)
	if err != nil {
		return nil, nil, err
	}
	split, err = d.split(small)
	return base, split, err
}

// How a type of the base is used.
const (
	useNamed = 1 << iota // by name: goes into the small base
	useWhole             // by name, and its size matters
	useCopy              // has no name to find it by: is copied
)

// A distiller sorts out what split BTF needs of its base.
type distiller struct {
	s   *Spec
	use []uint8  // of the types of the base
	ids []TypeID // their new ids
}

// mark finds the types of the base that s needs, with a list of what is still
// to be looked at.
func (d *distiller) mark() error {
	type need struct {
		id    TypeID
		whole bool
	}
	var todo []need
	from := func(t Type) {
		// Only what a pointer leads to may have any size.
		for id := range t.Refs() {
			if id != 0 && id < d.s.first {
				todo = append(todo, need{id, t.Kind() != KindPtr})
			}
		}
	}
	for t := range d.s.Types() {
		if !t.Kind().known() {
			return &TypeError{Op: "distill", ID: t.id, At: t.id, Kind: Unsupported, Detail: "nobody knows what a type of this kind refers to"}
		}
		from(t)
	}
	for len(todo) > 0 {
		n := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		t := d.s.Type(n.id)
		flag := uint8(useCopy)
		switch t.Kind() {
		case KindInt, KindFloat, KindStruct, KindUnion, KindEnum, KindEnum64, KindFwd:
			if t.Name() != "" {
				flag = useNamed
				if n.whole || t.is(KindInt, KindFloat) || t.is(KindEnum, KindEnum64) {
					flag = useWhole
				}
			}
		}
		if d.use[n.id]&flag != 0 {
			continue
		}
		d.use[n.id] |= flag
		if flag == useCopy {
			from(t)
		}
	}
	return nil
}

// distilled adds what is left of a named type to the small base.
func (d *distiller) distilled(b *Builder, t Type) TypeID {
	whole := d.use[t.id]&useWhole != 0
	switch t.Kind() {
	case KindStruct, KindUnion:
		if !whole {
			return b.AddFwd(t.Name(), t.Kind() == KindUnion)
		}
		if t.Kind() == KindUnion {
			return b.AddUnion(t.Name(), t.Size())
		}
		return b.AddStruct(t.Name(), t.Size())
	case KindEnum:
		return b.AddEnum(t.Name(), t.Size(), t.Signed())
	case KindEnum64:
		return b.AddEnum64(t.Name(), t.Size(), t.Signed())
	}
	return b.AddType(t, nil) // refers to nothing
}

// split writes the types of s and the copies on the small base.
func (d *distiller) split(small *Spec) ([]byte, error) {
	b := NewBuilder(small)
	own := b.NextID()
	next := own + TypeID(d.s.NumTypes()) - d.s.first // copies come after
	for id := TypeID(1); id < d.s.first; id++ {
		if d.use[id] == useCopy {
			d.ids[id] = next
			next++
		}
	}
	remap := func(id TypeID) TypeID {
		if id < d.s.first {
			return d.ids[id]
		}
		return id - d.s.first + own
	}
	for t := range d.s.Types() {
		b.AddType(t, remap)
	}
	for id := TypeID(1); id < d.s.first; id++ {
		if d.use[id] == useCopy {
			b.AddType(d.s.Type(id), remap)
		}
	}
	return b.Bytes(d.s.ByteOrder())
}

// Rebase writes split BTF, such as that of a module with a small base of its
// own (.BTF.base), on another base: each type of the old base that s uses is
// found in the new one by name, kind and, where it matters, size. Ids of the
// types of s change by the difference of the bases.
func (s *Spec) Rebase(base *Spec) ([]byte, error) {
	if s.base == nil {
		return nil, &TypeError{Op: "rebase", Kind: Unsupported, Detail: "this BTF has no base"}
	}
	used := make([]bool, s.first)
	for t := range s.Types() {
		for id := range t.Refs() {
			if id < s.first {
				used[id] = true
			}
		}
	}
	ids := make([]TypeID, s.first)
	for id := TypeID(1); id < s.first; id++ {
		if !used[id] {
			continue
		}
		to, err := findEqual(s.Type(id), base)
		if err != nil {
			return nil, err
		}
		ids[id] = to
	}
	b := NewBuilder(base)
	own := b.NextID()
	for t := range s.Types() {
		b.AddType(t, func(id TypeID) TypeID {
			if id < s.first {
				return ids[id]
			}
			return id - s.first + own
		})
	}
	return b.Bytes(s.ByteOrder())
}

// findEqual finds in a base what a type of a small base stands for.
func findEqual(t Type, base *Spec) (TypeID, error) {
	fail := func(k ErrorKind, detail string) (TypeID, error) {
		return 0, &TypeError{Op: "rebase", ID: t.id, At: t.id, Kind: k, Detail: t.Kind().String() + " " + strconv.Quote(t.Name()) + " " + detail}
	}
	name := t.Name()
	if name == "" {
		return fail(Unsupported, "has no name to find it by")
	}
	found, named := TypeID(0), false
	for u := range base.Named(name) {
		if !sameKind(t, u) {
			continue
		}
		named = true
		if t.Kind() != KindFwd && (u.Size() != t.Size() || t.Kind() == KindInt && t.intWord() != u.intWord()) {
			continue
		}
		if found != 0 {
			return fail(Range, "is there more than once in the base")
		}
		found = u.id
	}
	switch {
	case found != 0:
		return found, nil
	case named:
		return fail(Range, "has another size in the base")
	}
	return fail(Name, "is not in the base")
}

// sameKind reports whether u can be what t stands for.
func sameKind(t, u Type) bool {
	switch t.Kind() {
	case KindFwd:
		return u.Kind() == KindStruct && !t.KindFlag() || u.Kind() == KindUnion && t.KindFlag() || u.Kind() == KindFwd && u.KindFlag() == t.KindFlag()
	case KindEnum, KindEnum64:
		return u.is(KindEnum, KindEnum64)
	}
	return t.Kind() == u.Kind()
}
