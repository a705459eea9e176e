package lode

import (
	"fmt"
	"slices"
	"sort"

	"github.com/lode-bpf/lode/elf"
	"github.com/lode-bpf/lode/maps"
)

// The verbs below are conveniences: the slices of an Object may be edited
// directly as well. Every inconsistency that editing can cause (two maps of one
// name, a slot that names a map which is gone) is found by Plan.

// AddMap adds a map definition of the caller's own. References of the object's
// code to it are bound in one of two ways: a definition with the place of a
// symbol (SectionIndex, Offset, Size; see Claimed) gets the references to that
// symbol; one without a place gets the references to an undefined symbol of
// its name (`extern` in C).
func (o *Object) AddMap(m *Map) error {
	if m.Name == "" {
		return fmt.Errorf("add map: it has no name")
	}
	if o.Map(m.Name) != nil {
		return fmt.Errorf("add map %q: the object has a map of that name; use ReplaceMap or remove it first", m.Name)
	}
	o.Maps = append(o.Maps, m)
	return nil
}

// RemoveMap removes a map definition. Programs that refer to it fail to
// relocate, unless another definition takes its place.
func (o *Object) RemoveMap(name string) error {
	i := slices.IndexFunc(o.Maps, func(m *Map) bool { return m.Name == name })
	if i < 0 {
		return &NoSuchError{What: "map", Name: name}
	}
	o.Maps = slices.Delete(o.Maps, i, i+1)
	return nil
}

// ReplaceMap puts another definition in the place of the map called name: it
// gets the references to the old one, whatever its own name is.
func (o *Object) ReplaceMap(name string, by *Map) error {
	old := o.Map(name)
	if old == nil {
		return &NoSuchError{What: "map", Name: name}
	}
	if by.Name != name && o.Map(by.Name) != nil {
		return fmt.Errorf("replace map %q by %q: the object has a map of that name", name, by.Name)
	}
	by.Section, by.SectionIndex, by.Offset, by.Size = old.Section, old.SectionIndex, old.Offset, old.Size
	o.rename(name, by.Name)
	o.Maps[slices.Index(o.Maps, old)] = by
	return nil
}

// RenameMap gives a map another name, in slots and templates too.
func (o *Object) RenameMap(name, to string) error {
	m := o.Map(name)
	if m == nil {
		return &NoSuchError{What: "map", Name: name}
	}
	if o.Map(to) != nil {
		return fmt.Errorf("rename map %q to %q: the object has a map of that name", name, to)
	}
	o.rename(name, to)
	m.Name = to
	return nil
}

// rename changes the references between definitions from one map name to another.
func (o *Object) rename(from, to string) {
	for _, m := range o.Maps {
		if m.InnerMap == from {
			m.InnerMap = to
		}
		for i := range m.Slots {
			if m.Slots[i].Map == from {
				m.Slots[i].Map = to
			}
		}
	}
}

// UseMap makes the object use a map that exists instead of creating its own.
// The caller keeps owning it. Plan checks that it fits the definition.
func (o *Object) UseMap(name string, m *maps.Map) error {
	d := o.Map(name)
	if d == nil {
		return &NoSuchError{What: "map", Name: name}
	}
	d.Use = m
	return nil
}

// Only turns loading off for all programs but those named.
func (o *Object) Only(names ...string) error {
	for _, n := range names {
		if o.Program(n) == nil {
			return &NoSuchError{What: "program", Name: n}
		}
	}
	for _, p := range o.Programs {
		p.AutoLoad = slices.Contains(names, p.Name)
	}
	return nil
}

// A Symbol is a symbol of a section that the caller has claimed.
type Symbol struct {
	Name         string
	Section      string
	SectionIndex int
	Offset, Size uint64
	Global       bool
	Data         []byte // the symbol's bytes; views the file
}

// Claimed lists the data symbols of a section in the order of their offsets:
// what a program needs to know to give definitions for them.
func (o *Object) Claimed(section string) []Symbol {
	var out []Symbol
	for s := range o.File.Symbols() {
		sec := s.Section()
		if !sec.Valid() || sec.Name() != section || s.Type() == elf.STT_SECTION || s.Type() == elf.STT_FILE {
			continue
		}
		y := Symbol{Name: s.Name(), Section: section, SectionIndex: sec.Index(), Offset: s.Value(), Size: s.Size(), Global: s.Bind() != elf.STB_LOCAL}
		if b := sec.Data(); y.Offset <= uint64(len(b)) && y.Size <= uint64(len(b))-y.Offset {
			y.Data = b[y.Offset : y.Offset+y.Size : y.Offset+y.Size]
		}
		out = append(out, y)
	}
	sort.SliceStable(out, func(i, j int) bool { return out[i].Offset < out[j].Offset })
	return out
}

// A NoSuchError reports a name that the object does not have.
type NoSuchError struct {
	What string // "map", "program", "variable"
	Name string
}

func (e *NoSuchError) Error() string { return fmt.Sprintf("the object has no %s %q", e.What, e.Name) }
