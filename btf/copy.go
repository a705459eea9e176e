package btf

import "math/bits"

// AddType adds a copy of a type of any Spec. The ids that it refers to go
// through remap, which may be nil to leave them as they are. A type of a kind
// that this package does not know cannot be copied, for nobody knows what in
// it is an id.
func (b *Builder) AddType(t Type, remap func(TypeID) TypeID) TypeID {
	if !t.Kind().known() {
		b.fail("kind", uint64(t.Kind()), Unsupported, "only types of known kinds can be copied")
		return 0
	}
	if remap == nil {
		remap = func(id TypeID) TypeID { return id }
	}
	k := &kinds[t.Kind()]
	third := t.word(2)
	if k.ref {
		third = uint32(remap(TypeID(third)))
	}
	id := b.begin(t.Name(), t.Kind(), t.KindFlag(), t.Vlen(), third)
	switch t.Kind() {
	case KindArray:
		b.words(uint32(remap(t.Elem())), uint32(remap(t.Index())), t.Nelems())
		return id
	case KindInt, KindVar, KindDeclTag:
		b.words(t.word(3))
		return id
	}
	for i := range t.elems() {
		w := 3 + i*int(k.elem/4)
		switch t.Kind() {
		case KindDatasec:
			b.words(uint32(remap(TypeID(t.word(w)))), t.word(w+1), t.word(w+2))
		case KindStruct, KindUnion:
			b.words(b.AddString(t.s.str(t.word(w))), uint32(remap(TypeID(t.word(w+1)))), t.word(w+2))
		case KindFuncProto:
			b.words(b.AddString(t.s.str(t.word(w))), uint32(remap(TypeID(t.word(w+1)))))
		case KindEnum:
			b.words(b.AddString(t.s.str(t.word(w))), t.word(w+1))
		case KindEnum64:
			b.words(b.AddString(t.s.str(t.word(w))), t.word(w+1), t.word(w+2))
		}
	}
	return id
}

// swapWords turns words of one byte order into the other in place.
func swapWords(b []byte) {
	for ; len(b) >= 4; b = b[4:] {
		putLE(b, bits.ReverseBytes32(le32(b)))
	}
}
