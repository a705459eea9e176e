package btf

import "iter"

// A Member is one member of a Struct or Union.
type Member struct {
	Name      string
	Type      TypeID
	BitOffset uint32 // from the beginning of the structure
	BitSize   uint32 // 0: not a bit field
}

// A Param is one parameter of a FuncProto. A last one with type 0 and no name
// stands for "...".
type Param struct {
	Name string
	Type TypeID
}

// An Enumerator is one value of an Enum or Enum64.
type Enumerator struct {
	Name  string
	Value uint64 // sign-extended if the type is Signed
}

// A VarSecinfo places one variable in the section that a Datasec describes.
type VarSecinfo struct {
	Type   TypeID // a Var; a Func where kernel functions are declared
	Offset uint32 // in the section, in bytes
	Size   uint32 // in bytes
}

func (t Type) is(a, b Kind) bool { k := t.Kind(); return k == a || k == b }

// NumMembers is the number of members of a Struct or Union.
func (t Type) NumMembers() int {
	if !t.is(KindStruct, KindUnion) {
		return 0
	}
	return t.Vlen()
}

// Member returns the i-th member; a zero Member if there is none.
func (t Type) Member(i int) Member {
	if i < 0 || i >= t.NumMembers() {
		return Member{}
	}
	return t.member(i)
}

func (t Type) member(i int) Member {
	w := 3 + 3*i
	m := Member{Name: t.s.str(t.word(w)), Type: TypeID(t.word(w + 1)), BitOffset: t.word(w + 2)}
	if t.KindFlag() {
		m.BitOffset, m.BitSize = m.BitOffset&0xffffff, m.BitOffset>>24
	}
	return m
}

// Members are the members of a Struct or Union.
func (t Type) Members() iter.Seq2[int, Member] {
	return func(yield func(int, Member) bool) {
		for i := range t.NumMembers() {
			if !yield(i, t.member(i)) {
				return
			}
		}
	}
}

// NumParams is the number of parameters of a FuncProto.
func (t Type) NumParams() int {
	if t.Kind() != KindFuncProto {
		return 0
	}
	return t.Vlen()
}

// Param returns the i-th parameter; a zero Param if there is none.
func (t Type) Param(i int) Param {
	if i < 0 || i >= t.NumParams() {
		return Param{}
	}
	return Param{Name: t.s.str(t.word(3 + 2*i)), Type: TypeID(t.word(4 + 2*i))}
}

// Params are the parameters of a FuncProto.
func (t Type) Params() iter.Seq2[int, Param] {
	return func(yield func(int, Param) bool) {
		for i := range t.NumParams() {
			if !yield(i, t.Param(i)) {
				return
			}
		}
	}
}

// NumEnumerators is the number of values of an Enum or Enum64.
func (t Type) NumEnumerators() int {
	if !t.is(KindEnum, KindEnum64) {
		return 0
	}
	return t.Vlen()
}

// Enumerator returns the i-th value; a zero Enumerator if there is none.
func (t Type) Enumerator(i int) Enumerator {
	if i < 0 || i >= t.NumEnumerators() {
		return Enumerator{}
	}
	if t.Kind() == KindEnum64 {
		w := 3 + 3*i
		return Enumerator{Name: t.s.str(t.word(w)), Value: uint64(t.word(w+1)) | uint64(t.word(w+2))<<32}
	}
	w := 3 + 2*i
	e := Enumerator{Name: t.s.str(t.word(w)), Value: uint64(t.word(w + 1))}
	if t.KindFlag() {
		e.Value = uint64(int64(int32(e.Value)))
	}
	return e
}

// Enumerators are the values of an Enum or Enum64.
func (t Type) Enumerators() iter.Seq2[int, Enumerator] {
	return func(yield func(int, Enumerator) bool) {
		for i := range t.NumEnumerators() {
			if !yield(i, t.Enumerator(i)) {
				return
			}
		}
	}
}

// NumVars is the number of variables of a Datasec.
func (t Type) NumVars() int {
	if t.Kind() != KindDatasec {
		return 0
	}
	return t.Vlen()
}

// Var returns the i-th variable; a zero VarSecinfo if there is none.
func (t Type) Var(i int) VarSecinfo {
	if i < 0 || i >= t.NumVars() {
		return VarSecinfo{}
	}
	w := 3 + 3*i
	return VarSecinfo{Type: TypeID(t.word(w)), Offset: t.word(w + 1), Size: t.word(w + 2)}
}

// Vars are the variables of a Datasec.
func (t Type) Vars() iter.Seq2[int, VarSecinfo] {
	return func(yield func(int, VarSecinfo) bool) {
		for i := range t.NumVars() {
			if !yield(i, t.Var(i)) {
				return
			}
		}
	}
}
