package btf

import (
	"encoding/binary"
	"math"
	"strings"
)

// A Builder makes BTF: types are added one by one, each gets the next id, and
// Bytes writes them all. A type may refer to types that come later; Bytes
// checks that they came. Strings are stored once.
//
// The zero Builder makes BTF that stands alone. The first thing that goes
// wrong is kept, makes everything after it have no effect, and is returned by
// Bytes.
type Builder struct {
	base   *Spec
	first  TypeID
	n      int    // types added
	types  []byte // in little endian until Bytes
	strs   *strtab
	layout []byte
	err    error
}

// NewBuilder begins BTF that is split from a base, or stands alone if the
// base is nil. Strings of the base are used where they serve.
func NewBuilder(base *Spec) *Builder {
	b := &Builder{base: base, strs: newStrtab(base)}
	if base != nil {
		b.first = TypeID(base.NumTypes())
	}
	return b
}

// init makes the zero Builder ready.
func (b *Builder) init() {
	if b.strs == nil {
		b.strs = newStrtab(nil)
	}
	if b.first == 0 {
		b.first = 1
	}
}

// NextID is the id that the next type will get.
func (b *Builder) NextID() TypeID {
	b.init()
	return b.first + TypeID(b.n)
}

// AddString stores a string that no type uses, such as a line of source, and
// returns its offset.
func (b *Builder) AddString(s string) uint32 {
	b.init()
	if strings.IndexByte(s, 0) >= 0 {
		b.fail("string", uint64(len(s)), Name, "a string cannot hold a NUL")
		return 0
	}
	if uint64(len(b.strs.b))+uint64(len(s))+1 > math.MaxUint32-uint64(b.strs.off) {
		b.fail("string", uint64(len(b.strs.b)), Limit, "the string section ends at 4 GiB")
		return 0
	}
	return b.strs.add(s)
}

func (b *Builder) fail(field string, v uint64, k ErrorKind, detail string) {
	if b.err == nil {
		b.err = &FormatError{Part: "types", Index: int(b.first) + b.n, Offset: -1, Field: field, Value: v, Kind: k, Detail: detail}
	}
}

// begin writes struct btf_type and returns the type's id.
func (b *Builder) begin(name string, kind Kind, flag bool, vlen int, third uint32) TypeID {
	off := b.AddString(name)
	if vlen < 0 || vlen > maxVlen {
		b.fail("vlen", uint64(vlen), Limit, "BTF_MAX_VLEN")
		return 0
	}
	if int(b.first)+b.n > maxTypes {
		b.fail("types", uint64(b.n), Limit, "BTF_MAX_TYPE")
	}
	if b.err != nil {
		return 0
	}
	info := uint32(kind)<<24 | uint32(vlen)
	if flag {
		info |= 1 << 31
	}
	id := b.NextID()
	b.n++
	b.words(off, info, third)
	return id
}

func (b *Builder) words(w ...uint32) {
	if b.err != nil {
		return
	}
	for _, v := range w {
		b.types = binary.LittleEndian.AppendUint32(b.types, v)
	}
}

// AddInt adds an integer of size bytes.
func (b *Builder) AddInt(name string, size uint32, enc IntEncoding) TypeID {
	id := b.begin(name, KindInt, false, 0, size)
	if size > 16 {
		b.fail("size", uint64(size), Range, "an INT has at most 16 bytes")
	}
	b.words(uint32(enc)<<24 | size*8)
	return id
}

// AddFloat adds a floating-point number of size bytes.
func (b *Builder) AddFloat(name string, size uint32) TypeID {
	if !floatSize(size) {
		b.fail("size", uint64(size), Range, "a FLOAT has 2, 4, 8, 12 or 16 bytes")
	}
	return b.begin(name, KindFloat, false, 0, size)
}

// AddPtr adds a pointer to a type.
func (b *Builder) AddPtr(to TypeID) TypeID { return b.begin("", KindPtr, false, 0, uint32(to)) }

// AddTypedef adds a typedef.
func (b *Builder) AddTypedef(name string, of TypeID) TypeID {
	return b.begin(name, KindTypedef, false, 0, uint32(of))
}

// AddConst, AddVolatile and AddRestrict add a qualifier to a type.
func (b *Builder) AddConst(of TypeID) TypeID { return b.begin("", KindConst, false, 0, uint32(of)) }

// AddVolatile adds volatile to a type.
func (b *Builder) AddVolatile(of TypeID) TypeID {
	return b.begin("", KindVolatile, false, 0, uint32(of))
}

// AddRestrict adds restrict to a type.
func (b *Builder) AddRestrict(of TypeID) TypeID {
	return b.begin("", KindRestrict, false, 0, uint32(of))
}

// AddTypeTag adds a btf_type_tag attribute to a type.
func (b *Builder) AddTypeTag(value string, of TypeID) TypeID {
	return b.begin(value, KindTypeTag, false, 0, uint32(of))
}

// AddDeclTag adds a btf_decl_tag attribute: to a type, function or variable
// as a whole if component is -1, otherwise to a member or parameter of it.
func (b *Builder) AddDeclTag(value string, to TypeID, component int) TypeID {
	id := b.begin(value, KindDeclTag, false, 0, uint32(to))
	b.words(uint32(int32(component)))
	return id
}

// AddArray adds an array of n elements.
func (b *Builder) AddArray(elem, index TypeID, n uint32) TypeID {
	id := b.begin("", KindArray, false, 0, 0)
	b.words(uint32(elem), uint32(index), n)
	return id
}

// AddFwd adds a forward declaration of a structure or union.
func (b *Builder) AddFwd(name string, union bool) TypeID {
	return b.begin(name, KindFwd, union, 0, 0)
}

// AddStruct adds a structure of size bytes.
func (b *Builder) AddStruct(name string, size uint32, members ...Member) TypeID {
	return b.composite(KindStruct, name, size, members)
}

// AddUnion adds a union of size bytes.
func (b *Builder) AddUnion(name string, size uint32, members ...Member) TypeID {
	return b.composite(KindUnion, name, size, members)
}

func (b *Builder) composite(kind Kind, name string, size uint32, members []Member) TypeID {
	flag := false
	for _, m := range members {
		flag = flag || m.BitSize != 0
	}
	id := b.begin(name, kind, flag, len(members), size)
	for _, m := range members {
		off := m.BitOffset
		if flag {
			if off > 0xffffff || m.BitSize > 0xff {
				b.fail("member offset", uint64(off), Range, "in a type with bit fields an offset has 24 bits and a size 8")
			}
			off |= m.BitSize << 24
		}
		b.words(b.AddString(m.Name), uint32(m.Type), off)
	}
	return id
}

// AddEnum adds an enumeration of size bytes. It becomes an Enum64 if a value
// needs more than 32 bits; use [Builder.AddEnum64] to have one in any case.
func (b *Builder) AddEnum(name string, size uint32, signed bool, values ...Enumerator) TypeID {
	for _, v := range values {
		if signed && v.Value != uint64(int64(int32(v.Value))) || !signed && v.Value > math.MaxUint32 {
			return b.AddEnum64(name, size, signed, values...)
		}
	}
	b.enumSize(size)
	id := b.begin(name, KindEnum, signed, len(values), size)
	for _, v := range values {
		b.words(b.AddString(v.Name), uint32(v.Value))
	}
	return id
}

// AddEnum64 adds an enumeration whose values may have 64 bits.
func (b *Builder) AddEnum64(name string, size uint32, signed bool, values ...Enumerator) TypeID {
	b.enumSize(size)
	id := b.begin(name, KindEnum64, signed, len(values), size)
	for _, v := range values {
		b.words(b.AddString(v.Name), uint32(v.Value), uint32(v.Value>>32))
	}
	return id
}

func (b *Builder) enumSize(size uint32) {
	if !enumSize(size) {
		b.fail("size", uint64(size), Range, "an enumeration has 1, 2, 4 or 8 bytes")
	}
}

// AddFuncProto adds a function prototype. A last parameter that is zero
// stands for "...".
func (b *Builder) AddFuncProto(returns TypeID, params ...Param) TypeID {
	id := b.begin("", KindFuncProto, false, len(params), uint32(returns))
	for _, p := range params {
		b.words(b.AddString(p.Name), uint32(p.Type))
	}
	return id
}

// AddFunc adds a function with a prototype.
func (b *Builder) AddFunc(name string, proto TypeID, linkage Linkage) TypeID {
	return b.begin(name, KindFunc, false, int(linkage), uint32(proto))
}

// AddVar adds a variable.
func (b *Builder) AddVar(name string, typ TypeID, linkage Linkage) TypeID {
	id := b.begin(name, KindVar, false, 0, uint32(typ))
	b.words(uint32(linkage))
	return id
}

// AddDatasec adds the variables of an ELF section of size bytes.
func (b *Builder) AddDatasec(name string, size uint32, vars ...VarSecinfo) TypeID {
	id := b.begin(name, KindDatasec, false, len(vars), size)
	for _, v := range vars {
		b.words(uint32(v.Type), v.Offset, v.Size)
	}
	return id
}
