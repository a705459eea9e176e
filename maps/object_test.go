package maps

import (
	"encoding/binary"
	"testing"

	"github.com/lode-bpf/lode/btf"
	"github.com/lode-bpf/lode/elf"
)

// object builds an ELF file with map definitions that no compiler would write.
type object struct {
	tb    testing.TB
	order binary.ByteOrder
	elf   elf.Builder
	btf   btf.Builder

	int, index btf.TypeID
	vars       []btf.VarSecinfo
	maps       int // section ".maps"
	end        uint64
}

func newObject(tb testing.TB) *object {
	o := &object{tb: tb, order: binary.LittleEndian}
	o.elf.Machine, o.elf.Type = elf.EM_BPF, elf.ET_REL
	o.int = o.btf.AddInt("int", 4, btf.IntSigned)
	o.index = o.btf.AddInt("__ARRAY_SIZE_TYPE__", 4, 0)
	return o
}

// section adds a section of PROGBITS, or of NOBITS if data is nil.
func (o *object) section(name string, data []byte, size uint64) int {
	s := elf.SectionDef{Name: name, Type: elf.SHT_PROGBITS, Flags: elf.SHF_ALLOC | elf.SHF_WRITE, Addralign: 8, Data: data}
	if data == nil {
		s.Type, s.Size = elf.SHT_NOBITS, size
	}
	return o.elf.AddSection(s)
}

// attr is a member of a definition.
type attr struct {
	name string
	typ  btf.TypeID
}

// uint is the encoding of a number.
func (o *object) uint(name string, n uint32) attr {
	return attr{name, o.btf.AddPtr(o.btf.AddArray(o.int, o.index, n))}
}

// typ is the encoding of a type.
func (o *object) typ(name string, id btf.TypeID) attr { return attr{name, o.btf.AddPtr(id)} }

// values is the array of inner maps or programs.
func (o *object) values(to btf.TypeID) attr {
	return attr{"values", o.btf.AddArray(o.btf.AddPtr(to), o.index, 0)}
}

// structOf is a definition's type.
func (o *object) structOf(attrs ...attr) btf.TypeID {
	members := make([]btf.Member, len(attrs))
	for i, a := range attrs {
		members[i] = btf.Member{Name: a.name, Type: a.typ, BitOffset: uint32(64 * i)}
	}
	size := 8 * len(attrs)
	if n := len(attrs); n > 0 && attrs[n-1].name == "values" {
		size -= 8
	}
	return o.btf.AddStruct("", uint32(size), members...)
}

// place adds a variable of section ".maps" with its symbol.
func (o *object) place(name string, typ btf.TypeID, linkage btf.Linkage, size uint64) uint64 {
	at := o.end
	o.end += size
	o.vars = append(o.vars, btf.VarSecinfo{Type: o.btf.AddVar(name, typ, linkage), Size: uint32(size)})
	bind := elf.STB_GLOBAL
	if linkage == btf.LinkageStatic {
		bind = elf.STB_LOCAL
	}
	if o.maps == 0 {
		o.maps = o.section(".maps", make([]byte, 4096), 0)
	}
	o.elf.AddSymbol(elf.SymbolDef{Name: name, Bind: bind, Type: elf.STT_OBJECT, Section: o.maps, Value: at, Size: size})
	return at
}

// add defines a global map.
func (o *object) add(name string, attrs ...attr) uint64 {
	return o.place(name, o.structOf(attrs...), btf.LinkageGlobal, uint64(8*max(1, len(attrs))))
}

// hash are the attributes of a map that nothing is wrong with.
func (o *object) hash() []attr {
	return []attr{o.uint("type", 1), o.uint("max_entries", 4), o.uint("key_size", 4), o.uint("value_size", 8)}
}

// bytes writes the file.
func (o *object) bytes() []byte {
	o.tb.Helper()
	if o.maps != 0 {
		o.btf.AddDatasec(".maps", 0, o.vars...)
	}
	raw, err := o.btf.Bytes(o.order)
	if err != nil {
		o.tb.Fatal(err)
	}
	o.elf.AddSection(elf.SectionDef{Name: ".BTF", Type: elf.SHT_PROGBITS, Addralign: 4, Data: raw})
	o.elf.ByteOrder = o.order
	b, err := o.elf.Bytes()
	if err != nil {
		o.tb.Fatal(err)
	}
	return b
}
