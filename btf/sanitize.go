package btf

import "strings"

// Features are things that kernels learned about BTF one after the other.
type Features uint32

const (
	FeatureFunc         Features = 1 << iota // Func and FuncProto: Linux 5.0
	FeatureDatasec                           // Var and Datasec: 5.2
	FeatureGlobalFunc                        // functions that are global: 5.6
	FeatureFloat                             // Float: 5.13
	FeatureDeclTag                           // DeclTag: 5.16
	FeatureTypeTag                           // TypeTag: 5.17
	FeatureEnum64                            // Enum64, and signed Enum: 6.0
	FeatureQmarkDatasec                      // a name of a Datasec that begins with '?': 6.9
	FeatureLayout                            // the layout section: 7.1
)

var featureNames = [...]string{"func", "datasec", "global_func", "float", "decl_tag", "type_tag", "enum64", "qmark_datasec", "layout"}

// String lists the names of the features, separated by "|".
func (f Features) String() string {
	var names []string
	for i, n := range featureNames {
		if f&(1<<i) != 0 {
			names = append(names, n)
		}
	}
	return strings.Join(names, "|")
}

// sanitize replaces what a kernel lacks. Every replacement is as long as the
// original, and where a type is the size of something, has the same size.
func sanitize(b []byte, base *Spec, missing Features) ([]byte, error) {
	s, err := ParseLimits(b, base, Limits{Size: len(b), Name: len(b)})
	if err != nil {
		return nil, err
	}
	e := newEditor(s)
	placeholder := TypeID(0)
	for t := range s.Types() {
		if !t.Kind().known() && missing&FeatureLayout != 0 {
			return nil, &FormatError{Part: "types", Index: int(t.ID()), Offset: s.typAt + int64(t.off), Field: "kind", Value: uint64(t.Kind()),
				Kind: Unsupported, Detail: "the kernel needs a layout section for it, and knows none"}
		}
		if t.Kind() == KindEnum64 && missing&FeatureEnum64 != 0 && placeholder == 0 {
			placeholder = e.addInt("enum64_placeholder", 1)
		}
		e.sanitizeType(t, missing, placeholder)
	}
	return e.bytes(len(s.layout) > 0 && missing&FeatureLayout == 0)
}

func (e *editor) sanitizeType(t Type, missing Features, placeholder TypeID) {
	lacks := func(f Features) bool { return missing&f != 0 }
	switch t.Kind() {
	case KindFuncProto:
		if lacks(FeatureFunc) {
			e.nameParams(t)
			e.setKind(t, KindEnum)
			e.set(t, 2, 4)
		}
	case KindFunc:
		if lacks(FeatureFunc) {
			e.setInfo(t, KindTypedef, 0)
		} else if lacks(FeatureGlobalFunc) {
			e.setInfo(t, KindFunc, int(LinkageStatic))
		}
	case KindVar:
		if lacks(FeatureDatasec) {
			e.setByteInt(t)
		}
	case KindDatasec:
		if lacks(FeatureDatasec) {
			e.setDatasecStruct(t)
		} else if n := t.Name(); lacks(FeatureQmarkDatasec) && strings.HasPrefix(n, "?") {
			e.setName(t, "_"+n[1:])
		}
	case KindFloat:
		if lacks(FeatureFloat) {
			e.set(t, 0, 0)
			e.setInfo(t, KindStruct, 0)
		}
	case KindDeclTag:
		if lacks(FeatureDeclTag) {
			e.setByteInt(t)
		}
	case KindTypeTag:
		if lacks(FeatureTypeTag) {
			e.set(t, 0, 0)
			e.setInfo(t, KindConst, 0)
		}
	case KindEnum:
		if lacks(FeatureEnum64) {
			e.setKind(t, KindEnum) // without the flag
		}
	case KindEnum64:
		if lacks(FeatureEnum64) {
			e.setKind(t, KindUnion)
			for i := range t.Vlen() {
				e.set(t, 4+3*i, uint32(placeholder))
				e.set(t, 5+3*i, 0)
			}
		}
	}
}

// setByteInt makes a Var or DeclTag an integer of one byte.
func (e *editor) setByteInt(t Type) {
	e.setInfo(t, KindInt, 0)
	e.set(t, 2, 1)
	e.set(t, 3, 8)
}

// setDatasecStruct makes a Datasec a structure whose members have the names
// of the variables.
func (e *editor) setDatasecStruct(t Type) {
	vars := e.vars(t)
	e.setName(t, strings.ReplaceAll(strings.ReplaceAll(t.Name(), ".", "_"), "?", "_"))
	e.setKind(t, KindStruct)
	for i, v := range vars {
		w := 3 + 3*i
		e.set(t, w, e.s.Type(v.Type).NameOff())
		e.set(t, w+1, uint32(v.Type))
		e.set(t, w+2, 8*v.Offset)
	}
}
