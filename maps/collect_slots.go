package maps

import (
	"fmt"
	"slices"
	"sort"

	"github.com/lode-bpf/lode/btf"
	"github.com/lode-bpf/lode/elf"
	"github.com/lode-bpf/lode/sys"
)

// A pointer is one relocation of a section of data: eight bytes at offset are
// to hold the address of what stands at value in section, which is named
// symbol if that has a name.
type pointer struct {
	offset  uint64
	section int
	value   uint64
	symbol  string
}

// pointers lists the relocations of a section, sorted by offset, each checked
// to lie inside it and to be the only one for its bytes.
func (c *collector) pointers(sec elf.Section) ([]pointer, error) {
	var ptrs []pointer
	for _, rel := range c.relocs[sec.Index()] {
		ptrs = slices.Grow(ptrs, rel.NumRelocs()) // 16 bytes of the file for each
		for i, r := range rel.Relocs() {
			p, err := c.pointer(sec, rel, r)
			if err != nil {
				err.Reason = fmt.Sprintf("relocation %d of %q: %s", i, rel.Name(), err.Reason)
				return nil, err
			}
			ptrs = append(ptrs, p)
		}
	}
	sort.SliceStable(ptrs, func(i, j int) bool { return ptrs[i].offset < ptrs[j].offset })
	for i := 1; i < len(ptrs); i++ {
		if ptrs[i].offset-ptrs[i-1].offset < 8 {
			return nil, &DefinitionError{Section: sec.Name(), Offset: ptrs[i].offset, Reason: "two relocations for the same bytes"}
		}
	}
	return ptrs, nil
}

func (c *collector) pointer(sec, rel elf.Section, r elf.Reloc) (pointer, *DefinitionError) {
	bad := &DefinitionError{Section: sec.Name(), Offset: r.Offset}
	data := sec.Data()
	if n := uint64(len(data)); r.Offset > n || n-r.Offset < 8 {
		bad.Reason = fmt.Sprintf("offset is outside the section of %d bytes", n)
		return pointer{}, bad
	}
	if r.Type != elf.R_BPF_64_64 && r.Type != elf.R_BPF_64_ABS64 {
		bad.Reason = fmt.Sprintf("type %d is not one of a pointer (R_BPF_64_ABS64)", r.Type)
		return pointer{}, bad
	}
	y := rel.RelocSymbol(r)
	if !y.Valid() || !y.Section().Valid() || y.SectionIndex() == 0 {
		bad.Reason = fmt.Sprintf("symbol %d is not defined in a section of this file", r.Symbol)
		return pointer{}, bad
	}
	// In a SHT_REL section the addend stands in the place itself.
	addend := uint64(r.Addend)
	if !r.HasAddend {
		addend = c.f.ByteOrder().Uint64(data[r.Offset:])
	}
	value := y.Value() + addend
	if size := y.Section().Size(); value < addend || value >= size {
		bad.Reason = fmt.Sprintf("target 0x%x is outside section %q of %d bytes", value, y.Section().Name(), size)
		return pointer{}, bad
	}
	p := pointer{offset: r.Offset, section: y.SectionIndex(), value: value}
	if y.Type() != elf.STT_SECTION && addend == 0 {
		p.symbol = y.Name()
	}
	return p, nil
}

// function is the name of the function that a pointer refers to.
func (c *collector) function(p pointer) (string, bool) {
	y := c.f.Section(p.section)
	if y.Flags()&elf.SHF_EXECINSTR == 0 {
		return "", false
	}
	name, ok := c.functionAt(p.section, p.value)
	if ok && p.symbol != "" {
		name = p.symbol // of two names for one function, the one that was used
	}
	return name, ok
}

// collectSlots reads the initial values of the arrays "values": relocations in
// section ".maps", each inside the variable of one map.
func (c *collector) collectSlots() error {
	ptrs, err := c.pointers(c.maps)
	if err != nil {
		return err
	}
	maps := c.bySection[c.maps.Index()] // sorted by offset
	at := 0
	for _, p := range ptrs {
		for at < len(maps) && maps[at].Offset+maps[at].Size <= p.offset {
			at++
		}
		if at == len(maps) || p.offset < maps[at].Offset {
			return &DefinitionError{Section: mapsSection, Offset: p.offset, Reason: "relocation is not inside a map"}
		}
		if err := c.slot(maps[at], p, maps); err != nil {
			return err
		}
	}
	return nil
}

// slot adds to a map the reference that a relocation inside it makes.
func (c *collector) slot(s *Spec, p pointer, maps []*Spec) error {
	bad := &DefinitionError{Section: s.Section, Offset: p.offset, Map: s.Name, Field: "values"}
	first, ok := c.valuesAt[s]
	if !ok {
		bad.Reason = "relocation in a map that has no initial values"
		return bad
	}
	rel := p.offset - s.Offset
	if rel < first || (rel-first)%8 != 0 || s.Size < 8 || rel > s.Size-8 {
		bad.Reason = fmt.Sprintf("relocation at %d of %d bytes is not one of an element; they begin at %d, 8 bytes each", rel, s.Size, first)
		return bad
	}
	slot := Slot{Index: uint32((rel - first) / 8)} // below Size/8, which is below the section's size
	switch {
	case s.Type == sys.MapTypeProgArray:
		slot.Program, ok = c.function(p)
		if !ok {
			bad.Reason = fmt.Sprintf("element %d does not refer to the start of a function", slot.Index)
			return bad
		}
	default:
		if slot.Map, ok = mapAt(maps, p, c.maps.Index()); !ok {
			bad.Reason = fmt.Sprintf("element %d does not refer to a map of section %q", slot.Index, mapsSection)
			return bad
		}
		if slot.Map == s.Name {
			bad.Reason = fmt.Sprintf("element %d is the map itself", slot.Index)
			return bad
		}
		if s.Type == sys.MapTypeHashOfMaps && s.KeySize != 4 {
			bad.Reason = fmt.Sprintf("keys have %d bytes; only those of 4 can be initialised", s.KeySize)
			return bad
		}
	}
	s.Slots = append(s.Slots, slot)
	return nil
}

// mapAt is the name of the map whose variable begins where p points to.
func mapAt(maps []*Spec, p pointer, section int) (string, bool) {
	if p.section != section {
		return "", false
	}
	i := sort.Search(len(maps), func(i int) bool { return maps[i].Offset >= p.value })
	if i == len(maps) || maps[i].Offset != p.value {
		return "", false
	}
	return maps[i].Name, true
}

// collectStructOps reads the variables of the struct_ops sections: each is a
// map whose value is the variable, with functions where its members point.
func (c *collector) collectStructOps() error {
	for _, sec := range c.ops {
		name := sec.Name()
		if sec.Type() == elf.SHT_NOBITS {
			return &DefinitionError{Section: name, Reason: "section has no bytes (SHT_NOBITS)"}
		}
		var ds btf.Type
		if c.btf != nil {
			ds, _ = c.btf.Find(name, btf.KindDatasec)
		}
		if !ds.Valid() {
			return &DefinitionError{Section: name, Reason: "no BTF describes this section; compile with -g"}
		}
		vars, err := c.variables(sec, ds)
		if err != nil {
			return err
		}
		ptrs, err := c.pointers(sec)
		if err != nil {
			return err
		}
		for _, v := range vars {
			if ptrs, err = c.structOps(sec, v, ptrs); err != nil {
				return err
			}
		}
		if len(ptrs) > 0 {
			return &DefinitionError{Section: name, Offset: ptrs[0].offset, Reason: "relocation is not inside a variable"}
		}
	}
	return nil
}

// structOps adds the map of one variable and returns the pointers that belong
// to those behind it.
func (c *collector) structOps(sec elf.Section, v variable, ptrs []pointer) ([]pointer, error) {
	bad := &DefinitionError{Section: sec.Name(), Offset: v.Offset, Map: v.Name}
	t, err := c.btf.Resolve(v.Type)
	if err != nil {
		bad.Reason, bad.Err = "type of the variable", err
		return nil, bad
	}
	if t.Kind() != btf.KindStruct || uint64(t.Size()) > v.Size {
		bad.Reason = fmt.Sprintf("variable of %d bytes is a %v of %d, want a struct of at most that", v.Size, t.Kind(), t.Size())
		return nil, bad
	}
	data, err := c.copyOf(sec, v.Offset, v.Size)
	if err != nil {
		return nil, err
	}
	s := &Spec{Name: v.Name, Type: sys.MapTypeStructOps, KeySize: 4, MaxEntries: 1, BTF: c.btf, Value: t.ID(),
		Data: data, DataSize: v.Size, DataSection: sec.Index(), Static: v.linkage == btf.LinkageStatic,
		Section: sec.Name(), SectionIndex: sec.Index(), Offset: v.Offset, Size: v.Size,
		Disabled: sec.Name()[0] == '?'}
	if isLink := sec.Name() == opsLink || sec.Name() == "?"+opsLink; isLink {
		s.Flags |= sys.BPF_F_LINK
	}
	for ; len(ptrs) > 0 && ptrs[0].offset < v.Offset+v.Size; ptrs = ptrs[1:] {
		p := ptrs[0]
		at := p.offset - v.Offset
		name, ok := c.function(p)
		if p.offset < v.Offset || v.Size-at < 8 || !ok {
			bad.Offset, bad.Reason = p.offset, "relocation does not put the start of a function into a member"
			return nil, bad
		}
		clear(data[at : at+8]) // the addend, which is no part of the value
		s.Slots = append(s.Slots, Slot{Index: uint32(at), Program: name})
	}
	return ptrs, c.add(s)
}
