package btf

import "iter"

// A Type is one type of a [Spec]. It is a small value, in the manner of
// reflect.Type: it points into the Spec's data and reads from it. The zero
// Type is not valid; its accessors return zero values. Accessors that do not
// apply to the type's kind return zero values, too.
type Type struct {
	s   *Spec // that holds the type: for a type of the base, the base
	off uint32
	id  TypeID
}

// NumTypes is the number of types, counting void and those of the base: ids
// are valid below it.
func (s *Spec) NumTypes() int { return int(s.first) + len(s.offs) }

// FirstID is the id of the first type that is not void or the base's.
func (s *Spec) FirstID() TypeID { return s.first }

// Type returns the type with an id; one that is not Valid if there is none.
// Id 0 is void, which is valid.
func (s *Spec) Type(id TypeID) Type {
	for id < s.first {
		if s.base == nil {
			return Type{s: s} // void
		}
		s = s.base
	}
	i := id - s.first
	if uint64(i) >= uint64(len(s.offs)) {
		return Type{}
	}
	return Type{s: s, off: s.offs[i], id: id}
}

// Types are the types of its own, without those of the base, by id.
func (s *Spec) Types() iter.Seq[Type] {
	return func(yield func(Type) bool) {
		for i, off := range s.offs {
			if !yield(Type{s: s, off: off, id: s.first + TypeID(i)}) {
				return
			}
		}
	}
}

// Valid reports whether there is such a type.
func (t Type) Valid() bool { return t.s != nil }

// ID is the type's id.
func (t Type) ID() TypeID { return t.id }

// Spec is the BTF that holds the type. For a type of a base, it is the base.
func (t Type) Spec() *Spec { return t.s }

// word is the i-th word of the type. Void, which no file contains, is all
// zeros.
func (t Type) word(i int) uint32 {
	if t.id == 0 {
		return 0
	}
	return le32(t.s.types[int(t.off)+4*i:])
}

// info is not inlined: almost every accessor and caller asks for it.
//
//go:noinline
func (t Type) info() uint32 { return t.word(1) }

// Kind is the type's kind.
func (t Type) Kind() Kind { return Kind(t.info() >> 24 & maxKind) }

// NameOff is the offset of the name in the string section, 0 if anonymous.
func (t Type) NameOff() uint32 { return t.word(0) }

// Name is the type's name, empty if it has none. It points into the data.
func (t Type) Name() string {
	off := t.word(0)
	if off == 0 {
		return ""
	}
	return t.s.str(off)
}

// Vlen is the number of members, parameters, enumerators or variables; in a
// FUNC it holds the linkage.
func (t Type) Vlen() int { return int(t.info() & maxVlen) }

// KindFlag is bit 31 of the info word. Struct, Union: members may be bit
// fields. Enum, Enum64: values are signed. Fwd: of a union. DeclTag, TypeTag:
// an attribute of any name, not only of btf_decl_tag and btf_type_tag.
func (t Type) KindFlag() bool { return t.info()>>31 != 0 }

// Size is the size in bytes that the type states: Int, Struct, Union, Enum,
// Enum64, Float, Datasec. An Enum that is only declared states 0, which no kernel
// takes, or 4; here it has 4. See [Spec.SizeOf] for the size of any type.
func (t Type) Size() uint32 {
	switch t.Kind() {
	case KindEnum:
		if t.word(2) == 0 {
			return declaredEnumSize
		}
		fallthrough
	case KindInt, KindStruct, KindUnion, KindEnum64, KindFloat, KindDatasec:
		return t.word(2)
	}
	return 0
}

// declaredEnumSize is the size of an enumeration of which nothing else is known.
const declaredEnumSize = 4

// Elem is the type that this one refers to: the target of a Ptr, Typedef,
// Volatile, Const, Restrict or TypeTag, the type of a Var, the prototype of a
// Func, what a DeclTag speaks of, the elements of an Array, what a FuncProto
// returns.
func (t Type) Elem() TypeID {
	k := t.Kind()
	if k == KindArray {
		return TypeID(t.word(3))
	}
	if k.known() && kinds[k].ref {
		return TypeID(t.word(2))
	}
	return 0
}

// Nelems is the number of elements of an Array.
func (t Type) Nelems() uint32 {
	if t.Kind() != KindArray {
		return 0
	}
	return t.word(5)
}

// Index is the type by which an Array is indexed.
func (t Type) Index() TypeID {
	if t.Kind() != KindArray {
		return 0
	}
	return TypeID(t.word(4))
}

// intWord is the word after an Int.
func (t Type) intWord() uint32 {
	if t.Kind() != KindInt {
		return 0
	}
	return t.word(3)
}

// Encoding are the encoding bits of an Int.
func (t Type) Encoding() IntEncoding { return IntEncoding(t.intWord() >> 24 & 0xf) }

// IntOffset is the bit at which the value of an Int begins; compilers of
// today write 0.
func (t Type) IntOffset() uint32 { return t.intWord() >> 16 & 0xff }

// IntBits is the number of bits of an Int's value.
func (t Type) IntBits() uint32 { return t.intWord() & 0xff }

// Signed reports whether an Int, Enum or Enum64 holds signed values.
func (t Type) Signed() bool {
	switch t.Kind() {
	case KindInt:
		return t.Encoding()&IntSigned != 0
	case KindEnum, KindEnum64:
		return t.KindFlag()
	}
	return false
}

// Linkage is where a Func or Var is visible.
func (t Type) Linkage() Linkage {
	switch t.Kind() {
	case KindFunc:
		return Linkage(t.Vlen())
	case KindVar:
		return Linkage(t.word(3))
	}
	return 0
}

// ComponentIndex is the member or parameter that a DeclTag speaks of, or -1
// for the whole.
func (t Type) ComponentIndex() int {
	if t.Kind() != KindDeclTag {
		return 0
	}
	return int(int32(t.word(3)))
}

// elems is the number of elements that follow, by the table of kinds.
func (t Type) elems() int {
	if k := t.Kind(); k.known() && kinds[k].elem != 0 {
		return t.Vlen()
	}
	return 0
}
