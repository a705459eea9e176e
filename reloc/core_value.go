package reloc

import (
	"strconv"

	"github.com/lode-bpf/lode/btf"
)

// A value is what a relocation kind says of an access, in local or target terms.
type value struct {
	v        uint64
	size     uint64     // of the memory that a load or store of the field accesses; 0 if it is not known
	typ      btf.TypeID // of the field, behind typedefs and qualifiers
	validate bool       // the compiler's value is certain to be the same
}

// errAbsent says that there is no value without a target.
var errAbsent = specError(ErrUnresolved, "no target")

// fieldValue computes a field-based value. last is the access's last accessor
// and bitOff its place.
func fieldValue(s *btf.Spec, kind btf.COREKind, last accessor, bitOff uint64) (value, error) {
	if kind == btf.COREFieldExists {
		return value{v: 1, validate: true}, nil
	}
	if last.name == "" {
		return elementValue(s, kind, last, bitOff)
	}
	m := s.Type(last.typ).Member(last.idx)
	mt, err := s.Resolve(m.Type)
	if err != nil {
		return value{}, err
	}
	size, bits := uint64(0), uint64(m.BitSize)
	byteOff := bitOff / 8
	if bits > 0 {
		if size, byteOff, err = bitfieldLoad(uint64(mt.Size()), bitOff, bits); err != nil {
			return value{}, err
		}
	} else {
		if size, err = s.SizeOf(mt.ID()); err != nil {
			return value{}, err
		}
		bits = size * 8
	}
	r := value{validate: m.BitSize == 0}
	switch kind {
	case btf.COREFieldByteOffset:
		r.v = byteOff
		if m.BitSize == 0 {
			r.typ = mt.ID()
			r.size, err = loadSize(s, mt)
		}
	case btf.COREFieldByteSize:
		r.v = size
	case btf.COREFieldSigned:
		r.validate = true
		if mt.Signed() {
			r.v = 1
		}
	case btf.COREFieldLshiftU64:
		r.v = 64 - (bitOff + bits - byteOff*8)
		if s.ByteOrder().Uint16([]byte{1, 0}) != 1 {
			r.v = (8-size)*8 + (bitOff - byteOff*8)
		}
	case btf.COREFieldRshiftU64:
		r.v = 64 - bits
		r.validate = true
	}
	return r, err
}

// elementValue is fieldValue of an array element.
func elementValue(s *btf.Spec, kind btf.COREKind, last accessor, bitOff uint64) (value, error) {
	switch kind {
	case btf.COREFieldByteOffset:
		t, err := s.Resolve(last.typ)
		if err != nil {
			return value{}, err
		}
		size, err := loadSize(s, t)
		return value{v: bitOff / 8, size: size, typ: last.typ, validate: true}, err
	case btf.COREFieldByteSize:
		size, err := s.SizeOf(last.typ)
		return value{v: size, validate: true}, err
	}
	return value{}, specError(ErrUnsupported, "the kind does not apply to an array element")
}

// loadSize is the size of what a load of a field loads: of an array, its
// innermost element.
func loadSize(s *btf.Spec, t btf.Type) (uint64, error) {
	for range maxSteps {
		if t.Kind() != btf.KindArray {
			return s.SizeOf(t.ID())
		}
		var err error
		if t, err = s.Resolve(t.Elem()); err != nil {
			return 0, err
		}
	}
	return 0, &errDeep{t.ID()}
}

// bitfieldLoad is the smallest aligned load, no smaller than the field's type,
// that has all bits of a bit field.
func bitfieldLoad(size, bitOff, bits uint64) (loadSize, byteOff uint64, err error) {
	if size == 0 {
		return 0, 0, specError(ErrFormat, "a bit field of a type without a size")
	}
	byteOff = bitOff / 8 / size * size
	for bitOff+bits-byteOff*8 > size*8 {
		if size >= 8 {
			return 0, 0, specError(ErrLimit, "a bit field of "+strconv.FormatUint(bits, 10)+" bits that no load of 8 bytes has")
		}
		size *= 2
		byteOff = bitOff / 8 / size * size
	}
	return size, byteOff, nil
}

// typeValue computes a type-based value.
func typeValue(s *btf.Spec, kind btf.COREKind, root btf.Type) (value, error) {
	switch kind {
	case btf.CORETypeIDTarget:
		return value{v: uint64(root.ID())}, nil
	case btf.CORETypeSize:
		size, err := s.SizeOf(root.ID())
		return value{v: size, validate: true}, err
	}
	return value{v: 1, validate: true}, nil
}

// enumValue computes an enumerator-based value.
func enumValue(s *btf.Spec, kind btf.COREKind, last accessor) value {
	if kind == btf.COREEnumvalExists {
		return value{v: 1, validate: true}
	}
	t := s.Type(last.typ)
	v := t.Enumerator(last.idx).Value
	if t.Kind() == btf.KindEnum {
		v = uint64(int64(int32(v))) // whether it is signed or not
	}
	return value{v: v, validate: true}
}

// absentValue is the value without a target, or errAbsent.
func absentValue(kind btf.COREKind) (value, error) {
	switch kind {
	case btf.COREFieldExists, btf.CORETypeExists, btf.CORETypeMatches, btf.COREEnumvalExists, btf.CORETypeSize, btf.CORETypeIDTarget:
		return value{}, nil
	}
	return value{}, errAbsent
}

// resizable reports whether a load or store of one size may become one of
// another: pointers, and integers that are not signed.
func resizable(ls *btf.Spec, local value, ts *btf.Spec, target value) bool {
	l, t := ls.Type(local.typ), ts.Type(target.typ)
	if l.Kind() == btf.KindPtr && t.Kind() == btf.KindPtr {
		return true
	}
	return l.Kind() == btf.KindInt && t.Kind() == btf.KindInt && !l.Signed() && !t.Signed()
}
