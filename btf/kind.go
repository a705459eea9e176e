package btf

import "strconv"

// A TypeID names a type within a [Spec]: its position in the type section,
// counted from 1 (or, in a split BTF, from where its base ends). 0 is void.
type TypeID uint32

// A Kind is the kind of a type: bits 24 to 30 of the info word of struct
// btf_type (include/uapi/linux/btf.h, BTF_KIND_*). Values above [KindEnum64]
// are kinds that this package does not know; they are accepted where the
// file's layout section says how long they are.
type Kind uint8

const (
	KindVoid      Kind = 0  // no type; BTF_KIND_UNKN
	KindInt       Kind = 1  // integer, boolean or character
	KindPtr       Kind = 2  // pointer
	KindArray     Kind = 3  // array
	KindStruct    Kind = 4  // structure
	KindUnion     Kind = 5  // union
	KindEnum      Kind = 6  // enumeration with values of up to 32 bits
	KindFwd       Kind = 7  // forward declaration of a structure or union
	KindTypedef   Kind = 8  // typedef
	KindVolatile  Kind = 9  // volatile
	KindConst     Kind = 10 // const
	KindRestrict  Kind = 11 // restrict
	KindFunc      Kind = 12 // function: a name for a FuncProto
	KindFuncProto Kind = 13 // function prototype
	KindVar       Kind = 14 // variable
	KindDatasec   Kind = 15 // the variables of one ELF section
	KindFloat     Kind = 16 // floating-point number
	KindDeclTag   Kind = 17 // btf_decl_tag attribute
	KindTypeTag   Kind = 18 // btf_type_tag attribute
	KindEnum64    Kind = 19 // enumeration with values of up to 64 bits
)

// What the info word can hold: a kind of 7 bits, a vlen of 24.
const (
	maxKind = 0x7f
	maxVlen = 0xffffff
)

// typeSize is the size of struct btf_type, which every type begins with.
const typeSize = 12

// kindInfo is what one row of the format says about a kind.
type kindInfo struct {
	name  string // as the specification spells it, without BTF_KIND_
	extra uint8  // bytes that follow struct btf_type
	elem  uint8  // bytes for each of the vlen elements after that
	ref   bool   // the third word is a type id, otherwise a size (or unused)
}

// kinds is the table of Documentation/bpf/btf.rst, section 2.2. It drives
// parsing, printing and building.
var kinds = [...]kindInfo{
	KindVoid:      {name: "UNKN"},
	KindInt:       {name: "INT", extra: 4},
	KindPtr:       {name: "PTR", ref: true},
	KindArray:     {name: "ARRAY", extra: 12},
	KindStruct:    {name: "STRUCT", elem: 12},
	KindUnion:     {name: "UNION", elem: 12},
	KindEnum:      {name: "ENUM", elem: 8},
	KindFwd:       {name: "FWD"},
	KindTypedef:   {name: "TYPEDEF", ref: true},
	KindVolatile:  {name: "VOLATILE", ref: true},
	KindConst:     {name: "CONST", ref: true},
	KindRestrict:  {name: "RESTRICT", ref: true},
	KindFunc:      {name: "FUNC", ref: true},
	KindFuncProto: {name: "FUNC_PROTO", elem: 8, ref: true},
	KindVar:       {name: "VAR", extra: 4, ref: true},
	KindDatasec:   {name: "DATASEC", elem: 12},
	KindFloat:     {name: "FLOAT"},
	KindDeclTag:   {name: "DECL_TAG", extra: 4, ref: true},
	KindTypeTag:   {name: "TYPE_TAG", ref: true},
	KindEnum64:    {name: "ENUM64", elem: 12},
}

// String is the kind's name in the specification, without its prefix.
func (k Kind) String() string {
	if int(k) < len(kinds) {
		return kinds[k].name
	}
	return "UNKNOWN(" + strconv.Itoa(int(k)) + ")"
}

// known reports whether the package knows what the kind means.
func (k Kind) known() bool { return k != KindVoid && int(k) < len(kinds) }

// modifier reports whether the kind only qualifies or renames another type.
func (k Kind) modifier() bool {
	switch k {
	case KindTypedef, KindVolatile, KindConst, KindRestrict, KindTypeTag:
		return true
	}
	return false
}

// Linkage says where a function or variable is visible (BTF_FUNC_*, BTF_VAR_*).
type Linkage uint32

const (
	LinkageStatic Linkage = 0
	LinkageGlobal Linkage = 1
	LinkageExtern Linkage = 2
)

// String is "static", "global" or "extern".
func (l Linkage) String() string {
	switch l {
	case LinkageStatic:
		return "static"
	case LinkageGlobal:
		return "global"
	case LinkageExtern:
		return "extern"
	}
	return "linkage(" + strconv.Itoa(int(l)) + ")"
}

// IntEncoding are the encoding bits of an INT (BTF_INT_*).
type IntEncoding uint8

const (
	IntSigned IntEncoding = 1 << 0
	IntChar   IntEncoding = 1 << 1
	IntBool   IntEncoding = 1 << 2
)

// String lists the bits as bpftool does: "(none)", "SIGNED", "CHAR", "BOOL".
func (e IntEncoding) String() string {
	switch e {
	case 0:
		return "(none)"
	case IntSigned:
		return "SIGNED"
	case IntChar:
		return "CHAR"
	case IntBool:
		return "BOOL"
	}
	return "UNKN"
}

// COREKind says what a CO-RE relocation record asks for (enum
// bpf_core_relo_kind in include/uapi/linux/bpf.h).
type COREKind uint32

const (
	COREFieldByteOffset COREKind = 0  // offset of the field in bytes
	COREFieldByteSize   COREKind = 1  // size of the field in bytes
	COREFieldExists     COREKind = 2  // 1 if the field exists, else 0
	COREFieldSigned     COREKind = 3  // 1 if the field is signed, else 0
	COREFieldLshiftU64  COREKind = 4  // left shift that extracts a bit field
	COREFieldRshiftU64  COREKind = 5  // right shift that extracts a bit field
	CORETypeIDLocal     COREKind = 6  // id of the type in the object's BTF
	CORETypeIDTarget    COREKind = 7  // id of the type in the kernel's BTF
	CORETypeExists      COREKind = 8  // 1 if the type exists, else 0
	CORETypeSize        COREKind = 9  // size of the type in bytes
	COREEnumvalExists   COREKind = 10 // 1 if the enumerator exists, else 0
	COREEnumvalValue    COREKind = 11 // value of the enumerator
	CORETypeMatches     COREKind = 12 // 1 if the type matches the local one, else 0
)

var coreKinds = [...]string{
	COREFieldByteOffset: "byte_off",
	COREFieldByteSize:   "byte_sz",
	COREFieldExists:     "field_exists",
	COREFieldSigned:     "signed",
	COREFieldLshiftU64:  "lshift_u64",
	COREFieldRshiftU64:  "rshift_u64",
	CORETypeIDLocal:     "local_type_id",
	CORETypeIDTarget:    "target_type_id",
	CORETypeExists:      "type_exists",
	CORETypeSize:        "type_size",
	COREEnumvalExists:   "enumval_exists",
	COREEnumvalValue:    "enumval_value",
	CORETypeMatches:     "type_matches",
}

// String is the short name that loaders print, for example "byte_off".
func (k COREKind) String() string {
	if int(k) < len(coreKinds) {
		return coreKinds[k]
	}
	return "core_kind(" + strconv.FormatUint(uint64(k), 10) + ")"
}
