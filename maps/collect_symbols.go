package maps

import (
	"cmp"
	"fmt"
	"sort"

	"github.com/lode-bpf/lode/btf"
	"github.com/lode-bpf/lode/elf"
)

// symbolIndex finds the symbols of one section by name.
type symbolIndex struct {
	syms  []elf.Symbol
	first map[string]int32 // position in syms of the first of a name
	next  []int32          // the next of the same name, -1 at the end
}

func (x *symbolIndex) add(y elf.Symbol) {
	if x.first == nil {
		x.first = map[string]int32{}
	}
	n := int32(len(x.syms))
	before, ok := x.first[y.Name()]
	if !ok {
		before = -1
	}
	x.first[y.Name()] = n
	x.syms = append(x.syms, y)
	x.next = append(x.next, before)
}

// named returns the symbol of that name, and how many there are. Of several it
// is the one with the given value, if any has it.
func (x *symbolIndex) named(name string, value uint64) (y elf.Symbol, n int) {
	if x == nil {
		return elf.Symbol{}, 0
	}
	at, ok := x.first[name]
	if !ok {
		return elf.Symbol{}, 0
	}
	for ; at >= 0; at = x.next[at] {
		if n++; n == 1 || x.syms[at].Value() == value {
			y = x.syms[at]
		}
	}
	return y, n
}

// indexSymbols reads the symbol table once, for all sections that define maps.
func (c *collector) indexSymbols() {
	if c.symbols != nil {
		return
	}
	c.symbols = map[int]*symbolIndex{}
	for _, s := range append([]elf.Section{c.maps, c.arena}, append(c.data, c.ops...)...) {
		if s.Valid() {
			c.symbols[s.Index()] = &symbolIndex{}
		}
	}
	for y := range c.f.Symbols() {
		if x := c.symbols[y.SectionIndex()]; x != nil && (y.Type() == elf.STT_OBJECT || y.Type() == elf.STT_NOTYPE) {
			x.add(y)
		}
	}
}

// functionAt returns the name of the function that begins at value in a
// section, among all function symbols of the file.
func (c *collector) functionAt(section int, value uint64) (string, bool) {
	if c.functions == nil {
		c.functions = &symbolIndex{}
		for y := range c.f.Symbols() {
			if y.Type() == elf.STT_FUNC {
				c.functions.syms = append(c.functions.syms, y)
			}
		}
		syms := c.functions.syms
		sort.SliceStable(syms, func(i, j int) bool {
			a, b := syms[i], syms[j]
			return cmp.Or(cmp.Compare(a.SectionIndex(), b.SectionIndex()), cmp.Compare(a.Value(), b.Value())) < 0
		})
	}
	syms := c.functions.syms
	i := sort.Search(len(syms), func(i int) bool {
		return cmp.Or(cmp.Compare(syms[i].SectionIndex(), section), cmp.Compare(syms[i].Value(), value)) >= 0
	})
	if i == len(syms) || syms[i].SectionIndex() != section || syms[i].Value() != value {
		return "", false
	}
	return syms[i].Name(), true
}

// variable is a VAR of a DATASEC at its place in the section.
type variable struct {
	Var
	typ     btf.TypeID // the VAR itself
	linkage btf.Linkage
}

// variables lists the variables of a section's DATASEC, sorted by offset. A
// compiler leaves the offsets in the DATASEC 0 (and its size), a linker sets
// them: the symbol table is what counts, and the DATASEC where it has a size
// and the symbol table has no such name.
func (c *collector) variables(sec elf.Section, ds btf.Type) ([]variable, error) {
	c.indexSymbols()
	vars := make([]variable, 0, ds.NumVars()) // 12 bytes of the file for each
	for _, info := range ds.Vars() {
		t := c.btf.Type(info.Type)
		bad := &DefinitionError{Section: sec.Name(), Offset: uint64(info.Offset), Map: t.Name()}
		if t.Kind() == btf.KindFunc {
			bad.Reason = "BTF lists a function among the variables"
			return nil, bad
		}
		if t.Kind() != btf.KindVar {
			bad.Reason = fmt.Sprintf("BTF lists type %d, a %v, among the variables", info.Type, t.Kind())
			return nil, bad
		}
		if t.Linkage() == btf.LinkageExtern {
			bad.Reason = "declared extern: link the files that define and use it first (bpftool gen object)"
			return nil, bad
		}
		v := variable{typ: info.Type, linkage: t.Linkage(), Var: Var{Name: t.Name(), Type: t.Elem(), Static: t.Linkage() == btf.LinkageStatic}}
		y, n := c.symbols[sec.Index()].named(v.Name, uint64(info.Offset))
		switch {
		case n == 0 && ds.Size() == 0:
			bad.Reason = "BTF describes a variable for which the section has no symbol"
			return nil, bad
		case n > 1 && (ds.Size() == 0 || y.Value() != uint64(info.Offset)):
			bad.Reason = fmt.Sprintf("%d symbols have this name, and BTF does not tell them apart", n)
			return nil, bad
		case n == 0:
			v.Offset, v.Size = uint64(info.Offset), uint64(info.Size)
		default:
			v.Offset, v.Size = y.Value(), y.Size()
			if v.Size == 0 {
				v.Size = uint64(info.Size)
			}
			v.Static = v.Static || y.Visibility() == elf.STV_HIDDEN || y.Visibility() == elf.STV_INTERNAL
		}
		if size := sec.Size(); v.Offset > size || v.Size > size-v.Offset {
			bad.Offset, bad.Reason = v.Offset, fmt.Sprintf("variable of %d bytes ends after its section of %d", v.Size, size)
			return nil, bad
		}
		vars = append(vars, v)
	}
	sort.SliceStable(vars, func(i, j int) bool { return vars[i].Offset < vars[j].Offset })
	for i := 1; i < len(vars); i++ {
		if a, b := vars[i-1], vars[i]; a.Offset+a.Size > b.Offset {
			return nil, &DefinitionError{Section: sec.Name(), Offset: b.Offset, Map: b.Name,
				Reason: fmt.Sprintf("variable overlaps %q, which has %d bytes at 0x%x", a.Name, a.Size, a.Offset)}
		}
	}
	return vars, nil
}
