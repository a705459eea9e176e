package gen

import (
	"encoding/binary"

	"github.com/lode-bpf/lode/btf"
)

// BTF is the contents of a .BTF section that stands alone, with types of every
// kind. A nil order is drawn.
func (g *Gen) BTF(order binary.ByteOrder) []byte {
	if drawn := g.order(); order == nil {
		order = drawn
	}
	t := newTypes(g)
	t.some(10 + g.n(40))
	t.datasec(g.name(".data"), 1+g.n(4))
	return must(t.b.Bytes(order))
}

// must is for what cannot fail unless this package is wrong: the builders only
// refuse what their formats cannot express.
func must(b []byte, err error) []byte {
	if err != nil {
		panic("gen: made something that cannot be written: " + err.Error())
	}
	return b
}

// A sized is a type that variables can have.
type sized struct {
	id          btf.TypeID
	size, align uint32
	integer     bool // may be a bit field
}

// A types is BTF in the making.
type types struct {
	g     *Gen
	b     btf.Builder
	sized []sized
	int   sized // signed, 4 bytes
	u32   sized
	u64   sized
	proto btf.TypeID // of an entry program: int (void *)
}

func newTypes(g *Gen) *types {
	t := &types{g: g}
	t.int = t.integer("int", 4, btf.IntSigned)
	t.u32 = t.integer("unsigned int", 4, 0)
	t.u64 = t.integer("unsigned long long", 8, 0)
	t.integer("char", 1, btf.IntSigned)
	t.integer("unsigned short", 2, 0)
	t.proto = t.b.AddFuncProto(t.int.id, btf.Param{Name: "ctx", Type: t.b.NextID() + 1})
	t.b.AddPtr(0)
	return t
}

func (t *types) add(s sized) sized {
	t.sized = append(t.sized, s)
	return s
}

func (t *types) integer(name string, size uint32, enc btf.IntEncoding) sized {
	return t.add(sized{t.b.AddInt(name, size, enc), size, size, true})
}

func (t *types) pointer(to btf.TypeID) sized { return t.add(sized{t.b.AddPtr(to), 8, 8, false}) }

// makers add a type each; one is drawn at a time.
var makers = []func(*types){
	func(t *types) { t.pointer(pick(t.g, t.sized).id) },
	func(t *types) { t.derived(t.b.AddConst) },
	func(t *types) { t.derived(t.b.AddVolatile) },
	func(t *types) {
		t.derived(func(id btf.TypeID) btf.TypeID { return t.b.AddTypedef(t.g.name("type"), id) })
	},
	func(t *types) { t.b.AddRestrict(t.pointer(pick(t.g, t.sized).id).id) },
	(*types).array,
	func(t *types) { t.structure(1 + t.g.n(6)) },
	func(t *types) { t.structure(1 + t.g.n(6)) },
	(*types).union,
	(*types).enum,
	(*types).enum64,
	func(t *types) { t.pointer(t.b.AddFwd(t.g.name("later"), t.g.once(2))) },
	(*types).function,
	func(t *types) { t.add(sized{t.b.AddFloat(t.g.name("float"), 8), 8, 8, false}) },
	func(t *types) { t.pointer(t.b.AddTypeTag(t.g.name("tag"), pick(t.g, t.sized).id)) },
	(*types).list,
}

// some adds n types or more.
func (t *types) some(n int) {
	for range n {
		pick(t.g, makers)(t)
	}
}

// derived adds a type of the same size as another.
func (t *types) derived(add func(btf.TypeID) btf.TypeID) {
	of := pick(t.g, t.sized)
	t.add(sized{add(of.id), of.size, of.align, false})
}

func (t *types) array() {
	of := pick(t.g, t.sized)
	n := uint32(t.g.n(6))
	if of.size*n > 1<<10 {
		n = 1
	}
	t.add(sized{t.b.AddArray(of.id, t.u32.id, n), of.size * n, of.align, false})
}

// structure adds a structure whose members stand where a compiler puts them.
func (t *types) structure(n int) (sized, []btf.Member) {
	bits := t.g.once(4)
	var members []btf.Member
	at, align := uint32(0), uint32(1)
	for range n {
		of := pick(t.g, t.sized)
		if at+of.size > 1<<14 {
			continue
		}
		at = (at + of.align - 1) &^ (of.align - 1)
		m := btf.Member{Name: t.g.name("m"), Type: of.id, BitOffset: 8 * at}
		if bits && of.integer && t.g.once(2) {
			m.BitSize = 1 + uint32(t.g.n(int(8*of.size)))
		}
		members = append(members, m)
		at += of.size
		align = max(align, of.align)
	}
	size := (at + align - 1) &^ (align - 1)
	s := t.add(sized{t.b.AddStruct(t.g.name("struct"), size, members...), size, align, false})
	if t.g.once(4) {
		t.b.AddDeclTag(t.g.name("decl"), s.id, t.g.n(len(members)+1)-1)
	}
	return s, members
}

func (t *types) union() {
	size, align := uint32(0), uint32(1)
	var members []btf.Member
	for range 1 + t.g.n(4) {
		of := pick(t.g, t.sized)
		members = append(members, btf.Member{Name: t.g.name("u"), Type: of.id})
		size, align = max(size, of.size), max(align, of.align)
	}
	size = (size + align - 1) &^ (align - 1)
	t.add(sized{t.b.AddUnion(t.g.name("union"), size, members...), size, align, false})
}

// list adds a structure with a pointer to itself.
func (t *types) list() {
	id := t.b.NextID()
	t.b.AddStruct(t.g.name("list"), 8, btf.Member{Name: "next", Type: id + 1})
	t.pointer(id)
	t.add(sized{id, 8, 8, false})
}

func (t *types) enumerators(number func() uint64) []btf.Enumerator {
	values := make([]btf.Enumerator, 1+t.g.n(5))
	for i := range values {
		values[i] = btf.Enumerator{Name: t.g.name("E"), Value: number()}
	}
	return values
}

func (t *types) enum() {
	values := t.enumerators(func() uint64 { return uint64(int64(t.g.number())) })
	t.add(sized{t.b.AddEnum(t.g.name("enum"), 4, true, values...), 4, 4, false})
}

func (t *types) enum64() {
	values := t.enumerators(t.g.src.Uint64)
	t.add(sized{t.b.AddEnum64(t.g.name("enum"), 8, false, values...), 8, 8, false})
}

// function adds a function and its prototype.
func (t *types) function() {
	params := make([]btf.Param, t.g.n(5))
	for i := range params {
		params[i] = btf.Param{Name: t.g.name("p"), Type: pick(t.g, t.sized).id}
	}
	t.b.AddFunc(t.g.name("func"), t.b.AddFuncProto(pick(t.g, t.sized).id, params...), btf.LinkageGlobal)
}

// A variable is a global one, with its place in a section.
type variable struct {
	name         string
	offset, size uint32
}

// datasec adds a section of n variables and returns them with its size.
func (t *types) datasec(name string, n int) (vars []variable, size uint32) {
	var infos []btf.VarSecinfo
	for range n {
		of := pick(t.g, t.sized)
		if of.size == 0 {
			of = t.u64
		}
		size = (size + of.align - 1) &^ (of.align - 1)
		v := variable{t.g.name("var"), size, of.size}
		infos = append(infos, btf.VarSecinfo{Type: t.b.AddVar(v.name, of.id, btf.LinkageGlobal), Offset: size, Size: of.size})
		vars = append(vars, v)
		size += of.size
	}
	t.b.AddDatasec(name, size, infos...)
	return vars, size
}
