package corpus

import (
	"encoding/binary"
	"testing"

	"github.com/lode-bpf/lode/btf"
	"github.com/lode-bpf/lode/elf"
)

// A mapClass is an object whose maps are defined in a way that is malformed.
type mapClass struct {
	name string
	make func(m *mapObject)
}

var mapClasses = []mapClass{
	{"M01-variable-past-the-section", func(m *mapObject) { m.define("m", m.hash(), 0, 16); m.size = 8 }},
	{"M01-variable-past-the-section-by-its-types", func(m *mapObject) { m.define("m", m.hash(), 0, 16); m.vars[0].Offset, m.symbols[0].Name = 64, "other" }},
	{"M02-variables-overlap", func(m *mapObject) { m.define("a", m.hash(), 0, 16); m.define("b", m.hash(), 8, 16) }},
	{"M03-sizes-whose-product-overflows", func(m *mapObject) {
		m.define("m", m.structure(m.number("type", 1), m.number("max_entries", 1<<32-1), m.number("key_size", 1<<31), m.number("value_size", 1<<31)), 0, 32)
	}},
	{"M04-name-with-a-path", func(m *mapObject) { m.define("../x", m.hash(), 0, 16) }},
	{"M05-name-of-two-dots", func(m *mapObject) { m.define("..", m.hash(), 0, 16) }},
	{"M06-empty-name", func(m *mapObject) { m.define("", m.hash(), 0, 16) }},
	{"M07-name-with-escapes", func(m *mapObject) { m.define("\x1b[2J\n", m.hash(), 0, 16) }},
	{"M08-map-of-type-int", func(m *mapObject) { m.define("m", m.int, 0, 4) }},
	{"M09-inner-map-is-the-map", func(m *mapObject) {
		// The structure comes behind four types: two for each attribute.
		self := m.btf.NextID() + 4
		values := m.btf.AddArray(m.btf.AddPtr(self), m.int, 0)
		m.define("m", m.structure(m.number("type", 12), btf.Member{Name: "values", Type: values}), 0, 16)
	}},
	{"M11-legacy-maps-of-18-bytes", func(m *mapObject) {
		s := m.elf.AddSection(elf.SectionDef{Name: "maps", Type: elf.SHT_PROGBITS, Flags: elf.SHF_ALLOC | elf.SHF_WRITE, Addralign: 4, Data: make([]byte, 36)})
		for i := range 2 {
			m.elf.AddSymbol(elf.SymbolDef{Name: "m" + string(rune('0'+i)), Bind: elf.STB_GLOBAL, Type: elf.STT_OBJECT, Section: s, Value: uint64(18 * i), Size: 18})
		}
	}},
}

// A mapObject is an object under construction, with a section .maps.
type mapObject struct {
	elf     *elf.Builder
	btf     btf.Builder
	int     btf.TypeID
	size    uint32
	vars    []btf.VarSecinfo
	symbols []elf.SymbolDef
}

func (c mapClass) object(t *testing.T, order binary.ByteOrder) []byte {
	t.Helper()
	m := &mapObject{elf: base(order)}
	m.int = m.btf.AddInt("int", 4, btf.IntSigned)
	c.make(m)
	if m.size > 0 {
		s := m.elf.AddSection(elf.SectionDef{Name: ".maps", Type: elf.SHT_PROGBITS, Flags: elf.SHF_ALLOC | elf.SHF_WRITE, Addralign: 8, Data: make([]byte, m.size)})
		for _, x := range m.symbols {
			x.Section = s
			m.elf.AddSymbol(x)
		}
		m.btf.AddDatasec(".maps", m.size, m.vars...)
	}
	raw, err := m.btf.Bytes(order)
	if err != nil {
		t.Fatalf("%s: %v", c.name, err)
	}
	m.elf.AddSection(elf.SectionDef{Name: ".BTF", Type: elf.SHT_PROGBITS, Addralign: 4, Data: raw})
	return bytesOf(t, m.elf)
}

// define adds a variable of a type to .maps.
func (m *mapObject) define(name string, def btf.TypeID, offset, size uint32) {
	m.vars = append(m.vars, btf.VarSecinfo{Type: m.btf.AddVar(name, def, btf.LinkageGlobal), Offset: offset, Size: size})
	m.symbols = append(m.symbols, elf.SymbolDef{Name: name, Bind: elf.STB_GLOBAL, Type: elf.STT_OBJECT, Value: uint64(offset), Size: uint64(size)})
	m.size = max(m.size, offset+size)
}

// number is an attribute: a pointer to an array of so many elements.
func (m *mapObject) number(name string, n uint32) btf.Member {
	return btf.Member{Name: name, Type: m.btf.AddPtr(m.btf.AddArray(m.int, m.int, n))}
}

func (m *mapObject) structure(members ...btf.Member) btf.TypeID {
	for i := range members {
		members[i].BitOffset = uint32(64 * i)
	}
	return m.btf.AddStruct("", uint32(8*len(members)), members...)
}

func (m *mapObject) hash() btf.TypeID {
	return m.structure(m.number("type", 1), m.number("max_entries", 16))
}
