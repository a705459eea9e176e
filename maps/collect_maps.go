package maps

import (
	"fmt"
	"math/bits"

	"github.com/lode-bpf/lode/btf"
	"github.com/lode-bpf/lode/sys"
)

// collectMaps reads the variables of section ".maps". Only their types count:
// the members of the structure are the attributes (Documentation/bpf/libbpf,
// "BTF-style map definitions"; the macros __uint, __type, __array and __ulong
// of bpf_helpers.h).
func (c *collector) collectMaps() error {
	if !c.maps.Valid() {
		return nil
	}
	if c.btf == nil {
		return &DefinitionError{Section: mapsSection, Reason: "the file has no BTF, which describes these maps; compile with -g"}
	}
	ds, ok := c.btf.Find(mapsSection, btf.KindDatasec)
	if !ok {
		return &DefinitionError{Section: mapsSection, Reason: "BTF does not describe this section; compile with -g"}
	}
	vars, err := c.variables(c.maps, ds)
	if err != nil {
		return err
	}
	for _, v := range vars {
		s, err := c.mapOf(v)
		if err != nil {
			return err
		}
		if err := c.add(s); err != nil {
			return err
		}
	}
	return c.collectSlots()
}

// mapOf is the map that a variable of ".maps" defines.
func (c *collector) mapOf(v variable) (*Spec, error) {
	s := &Spec{Name: v.Name, BTF: c.btf, Section: mapsSection, SectionIndex: c.maps.Index(),
		Offset: v.Offset, Size: v.Size, Static: v.linkage == btf.LinkageStatic}
	p := mapParser{c: c, spec: s}
	t, err := c.btf.Resolve(v.Type)
	if err != nil {
		return nil, p.badErr("", "type of the variable", err)
	}
	if t.Kind() != btf.KindStruct {
		return nil, p.bad("", fmt.Sprintf("variable is a %v, want a struct whose members are the map's attributes", t.Kind()))
	}
	if uint64(t.Size()) > v.Size {
		return nil, p.bad("", fmt.Sprintf("struct has %d bytes, its variable only %d", t.Size(), v.Size))
	}
	return s, p.parse(t)
}

// mapParser reads one structure of attributes.
type mapParser struct {
	c     *collector
	spec  *Spec
	inner bool // the template within another definition
	seen  uint // attributes met, one bit each
}

// bad is not inlined: a table of attributes calls it, all of them for a broken file.
//
//go:noinline
func (p *mapParser) bad(field, reason string) *DefinitionError {
	return &DefinitionError{Section: p.spec.Section, Offset: p.spec.Offset, Map: p.spec.Name, Field: field, Reason: reason}
}

func (p *mapParser) badErr(field, reason string, err error) *DefinitionError {
	e := p.bad(field, reason)
	e.Err = err
	return e
}

// attributes are the members that a definition may have, in the order of their
// bits in mapParser.seen.
var attributes = [...]struct {
	name string
	read func(*mapParser, btf.Member) *DefinitionError
}{
	{"type", func(p *mapParser, m btf.Member) *DefinitionError { return p.uint(m, (*uint32)(&p.spec.Type)) }},
	{"max_entries", func(p *mapParser, m btf.Member) *DefinitionError { return p.uint(m, &p.spec.MaxEntries) }},
	{"map_flags", func(p *mapParser, m btf.Member) *DefinitionError { return p.uint(m, &p.spec.Flags) }},
	{"numa_node", func(p *mapParser, m btf.Member) *DefinitionError { return p.uint(m, &p.spec.NumaNode) }},
	{"key_size", (*mapParser).keySize},
	{"value_size", (*mapParser).valueSize},
	{"key", (*mapParser).key},
	{"value", (*mapParser).value},
	{"values", nil}, // read after the others: it needs the type
	{"pinning", (*mapParser).pinning},
	{"map_extra", (*mapParser).extra},
}

// parse reads the attributes.
func (p *mapParser) parse(t btf.Type) error {
	var values btf.Member
	for i, m := range t.Members() {
		n := -1
		for k := range attributes {
			if attributes[k].name == m.Name {
				n = k
			}
		}
		if n < 0 {
			return &NotUnderstoodError{Section: p.spec.Section, Symbol: p.spec.Name, Size: p.spec.Size,
				Reason: fmt.Sprintf("unknown attribute %q", m.Name)}
		}
		if p.seen&(1<<n) != 0 {
			return p.bad(m.Name, "attribute is given twice")
		}
		p.seen |= 1 << n
		if m.Name == "values" {
			if i != t.NumMembers()-1 {
				return p.bad(m.Name, "must be the last member")
			}
			values = m
			continue
		}
		if err := attributes[n].read(p, m); err != nil {
			return err
		}
	}
	if p.spec.Type == 0 {
		return p.bad("type", "map has no type")
	}
	if values.Name != "" {
		return p.values(values)
	}
	return nil
}

// uint reads the encoding int (*name)[N], of which N counts.
func (p *mapParser) uint(m btf.Member, to *uint32) *DefinitionError {
	t, err := p.c.btf.Resolve(m.Type)
	if err != nil {
		return p.badErr(m.Name, "type of the attribute", err)
	}
	if t.Kind() != btf.KindPtr {
		return p.bad(m.Name, fmt.Sprintf("attribute is a %v, want a pointer to an array (__uint)", t.Kind()))
	}
	a, err := p.c.btf.Resolve(t.Elem())
	if err != nil {
		return p.badErr(m.Name, "type of the attribute", err)
	}
	if a.Kind() != btf.KindArray {
		return p.bad(m.Name, fmt.Sprintf("attribute points to a %v, want an array (__uint)", a.Kind()))
	}
	*to = a.Nelems()
	return nil
}

// size reads a size that another attribute may have given already.
func (p *mapParser) size(m btf.Member, to *uint32) *DefinitionError {
	var n uint32
	if err := p.uint(m, &n); err != nil {
		return err
	}
	return p.setSize(m.Name, uint64(n), to)
}

func (p *mapParser) setSize(field string, n uint64, to *uint32) *DefinitionError {
	if n > 1<<32-1 {
		return p.bad(field, fmt.Sprintf("size %d does not fit into 32 bits", n))
	}
	if *to != 0 && uint64(*to) != n {
		return p.bad(field, fmt.Sprintf("size %d contradicts the %d given before", n, *to))
	}
	*to = uint32(n)
	return nil
}

// typed reads the encoding T *name, of which T and its size count.
func (p *mapParser) typed(m btf.Member, id *btf.TypeID, size *uint32) *DefinitionError {
	t, err := p.c.btf.Resolve(m.Type)
	if err != nil {
		return p.badErr(m.Name, "type of the attribute", err)
	}
	if t.Kind() != btf.KindPtr {
		return p.bad(m.Name, fmt.Sprintf("attribute is a %v, want a pointer to the type (__type)", t.Kind()))
	}
	n, err := p.c.btf.SizeOf(t.Elem())
	if err != nil {
		return p.badErr(m.Name, "size of the type", err)
	}
	*id = t.Elem()
	return p.setSize(m.Name, n, size)
}

func (p *mapParser) keySize(m btf.Member) *DefinitionError   { return p.size(m, &p.spec.KeySize) }
func (p *mapParser) valueSize(m btf.Member) *DefinitionError { return p.size(m, &p.spec.ValueSize) }

func (p *mapParser) key(m btf.Member) *DefinitionError {
	return p.typed(m, &p.spec.Key, &p.spec.KeySize)
}

func (p *mapParser) value(m btf.Member) *DefinitionError {
	return p.typed(m, &p.spec.Value, &p.spec.ValueSize)
}

// pinning keeps any value: which mean something is the configuration's matter.
func (p *mapParser) pinning(m btf.Member) *DefinitionError {
	if p.inner {
		return p.bad(m.Name, "an inner map cannot be pinned by its definition")
	}
	return p.uint(m, &p.spec.Pinning)
}

// extra reads map_extra: __uint, or __ulong, an enumeration of one value.
func (p *mapParser) extra(m btf.Member) *DefinitionError {
	t, err := p.c.btf.Resolve(m.Type)
	if err != nil {
		return p.badErr(m.Name, "type of the attribute", err)
	}
	if k := t.Kind(); k == btf.KindEnum || k == btf.KindEnum64 {
		if t.NumEnumerators() != 1 {
			return p.bad(m.Name, fmt.Sprintf("enumeration has %d values, want one (__ulong)", t.NumEnumerators()))
		}
		p.spec.Extra = t.Enumerator(0).Value
		return nil
	}
	var n uint32
	if err := p.uint(m, &n); err != nil {
		return err
	}
	p.spec.Extra = uint64(n)
	return nil
}

// values reads T *values[], whose T is the template of the inner maps or the
// prototype of the programs.
func (p *mapParser) values(m btf.Member) error {
	if p.inner {
		return p.bad(m.Name, "an inner map cannot have inner maps itself")
	}
	want := btf.KindStruct
	switch p.spec.Type {
	case sys.MapTypeArrayOfMaps, sys.MapTypeHashOfMaps:
	case sys.MapTypeProgArray:
		want = btf.KindFuncProto
	default:
		return p.bad(m.Name, fmt.Sprintf("a map of type %v has no initial values", p.spec.Type))
	}
	if bad := p.setSize(m.Name, 4, &p.spec.ValueSize); bad != nil {
		return bad
	}
	t, bad := p.pointee(m)
	if bad != nil {
		return bad
	}
	if t.Kind() != want {
		return p.bad(m.Name, fmt.Sprintf("elements point to a %v, want a %v", t.Kind(), want))
	}
	p.c.valuesAt[p.spec] = uint64(m.BitOffset / 8)
	if want == btf.KindFuncProto {
		return nil
	}
	in := &Spec{Name: p.spec.Name + ".inner", BTF: p.c.btf, Section: p.spec.Section, SectionIndex: p.spec.SectionIndex, Offset: p.spec.Offset}
	q := mapParser{c: p.c, spec: in, inner: true}
	p.spec.Inner = in
	return q.parse(t)
}

// pointee is what the elements of the array "values" point to.
func (p *mapParser) pointee(m btf.Member) (btf.Type, error) {
	a, err := p.c.btf.Resolve(m.Type)
	if err != nil {
		return a, p.badErr(m.Name, "type of the attribute", err)
	}
	if a.Kind() != btf.KindArray || a.Nelems() != 0 {
		return a, p.bad(m.Name, "want an array without a length (__array)")
	}
	t, err := p.c.btf.Resolve(a.Elem())
	if err != nil {
		return t, p.badErr(m.Name, "type of the elements", err)
	}
	if t.Kind() != btf.KindPtr {
		return t, p.bad(m.Name, fmt.Sprintf("elements are %v, want pointers", t.Kind()))
	}
	t, err = p.c.btf.Resolve(t.Elem())
	if err != nil {
		return t, p.badErr(m.Name, "type of the elements", err)
	}
	return t, nil
}

// memoryProduct is the number of bytes that the entries of a map need.
func memoryProduct(s *Spec) (hi, lo uint64) {
	if !hasEntries(s.Type) {
		return 0, uint64(s.MaxEntries)
	}
	return bits.Mul64(uint64(s.MaxEntries), uint64(s.KeySize)+uint64(s.ValueSize))
}
