package gen

import (
	"fmt"
	"slices"

	"github.com/lode-bpf/lode/btf"
)

// A Field is one member of a flattened struct.
type Field struct {
	Name   string // the member's name, behind its parent's if the struct has two of that name
	Offset uint32 // in bytes from the start of the struct
	Size   uint32 // in bytes
	Count  uint32 // number of elements of a character array, else 0
	Signed bool
}

// A Layout is a flattened struct.
type Layout struct {
	Struct
	Size   uint32 // of all fields, padded to a multiple of eight
	Fields []Field
}

// NotFoundError says that the BTF does not have a struct: the kernel that it
// comes from is older than the command.
type NotFoundError struct {
	Struct Struct
	Member string // what is missing; "" for all of it
}

func (e *NotFoundError) Error() string {
	return fmt.Sprintf("gen: %s: the BTF has no %s with a member %q", e.Struct.Go, e.Struct.Type, e.Member)
}

// Describe finds the C struct that s describes and flattens it. A member that
// s wants and that the BTF lacks is a *NotFoundError.
func Describe(spec *btf.Spec, s Struct) (Layout, error) {
	root, ok := spec.Find(s.Type, btf.KindStruct, btf.KindUnion)
	if !ok {
		return Layout{}, &NotFoundError{s, ""}
	}
	f := &flattener{spec: spec, s: s}
	id := root.ID()
	if s.Member != "" {
		if id, ok = f.member(root, s.Member); !ok {
			return Layout{}, &NotFoundError{s, s.Member}
		}
	}
	if err := f.walk(id, 0, ""); err != nil {
		return Layout{}, err
	}
	if m := f.missing(); m != "" {
		return Layout{}, &NotFoundError{s, m}
	}
	l := Layout{Struct: s, Fields: f.fields}
	for _, fd := range l.Fields {
		l.Size = max(l.Size, fd.Offset+fd.Size)
	}
	if s.Full {
		l.Size = max(l.Size, root.Size())
	}
	l.Size = (l.Size + 7) &^ 7
	return l, nil
}

// maxDepth bounds the nesting of structs and unions by value.
const maxDepth = 8

type flattener struct {
	spec   *btf.Spec
	s      Struct
	fields []Field
	chosen []string
	depth  int
}

// member finds the member of a union by its name or, if it has none, by the
// name of its own first member.
func (f *flattener) member(root btf.Type, name string) (btf.TypeID, bool) {
	for _, m := range root.Members() {
		if m.Name == name || m.Name == "" && f.first(m.Type, 0) == name {
			return m.Type, true
		}
	}
	return 0, false
}

// first is the name of the first member of a struct, looked for inside unnamed
// members.
func (f *flattener) first(id btf.TypeID, depth int) string {
	t, err := f.spec.Resolve(id)
	if err != nil || depth > maxDepth {
		return ""
	}
	if t.NumMembers() == 0 {
		return ""
	}
	if m := t.Member(0); m.Name == "" {
		return f.first(m.Type, depth+1)
	} else {
		return m.Name
	}
}

// walk adds the members of a struct or union that stands at base; parent is the
// innermost member name on the way to it.
func (f *flattener) walk(id btf.TypeID, base uint32, parent string) error {
	t, err := f.spec.Resolve(id)
	if err != nil {
		return err
	}
	if f.depth++; f.depth > maxDepth {
		return fmt.Errorf("gen: %s is nested too deep", f.s.Go)
	}
	defer func() { f.depth-- }()
	if t.Kind() == btf.KindUnion {
		m, ok := f.choose(t)
		if !ok {
			return nil
		}
		return f.place(m, base, parent)
	}
	for _, m := range t.Members() {
		if err := f.place(m, base, parent); err != nil {
			return err
		}
	}
	return nil
}

// choose picks the member of a union that the struct asks for, wishes in their
// order, else the first.
func (f *flattener) choose(t btf.Type) (btf.Member, bool) {
	for _, want := range f.s.Choose {
		for _, m := range t.Members() {
			if m.Name == want || m.Name == "" && f.first(m.Type, 0) == want {
				f.chosen = append(f.chosen, want)
				return m, true
			}
		}
	}
	if f.s.Bare || t.NumMembers() == 0 {
		return btf.Member{}, false
	}
	return t.Member(0), true
}

// place adds a member: its own members if it is a struct or a union.
func (f *flattener) place(m btf.Member, base uint32, parent string) error {
	t, err := f.spec.Resolve(m.Type)
	if err != nil {
		return err
	}
	off := base + m.BitOffset/8
	switch t.Kind() {
	case btf.KindStruct, btf.KindUnion:
		if m.Name != "" {
			parent = m.Name
		}
		return f.walk(m.Type, off, parent)
	case btf.KindArray:
		size, err := f.spec.SizeOf(m.Type)
		if err != nil {
			return err
		}
		f.fields = append(f.fields, Field{Name: f.name(m.Name, parent), Offset: off, Size: uint32(size), Count: uint32(t.Nelems())})
		return nil
	}
	if m.Name == "" { // padding
		return nil
	}
	size, err := f.spec.SizeOf(m.Type)
	if err != nil {
		return err
	}
	off = off / uint32(size) * uint32(size) // a bit field takes its whole word
	f.fields = append(f.fields, Field{Name: f.name(m.Name, parent), Offset: off, Size: uint32(size), Signed: t.Signed()})
	return nil
}

// name is the name of a member, with its parent's in front if it is taken.
func (f *flattener) name(name, parent string) string {
	for _, fd := range f.fields {
		if fd.Name == name {
			return parent + "_" + name
		}
	}
	return name
}

// missing is a choice that no union offered.
func (f *flattener) missing() string {
	for _, want := range f.s.Choose {
		if !slices.Contains(f.chosen, want) {
			return want
		}
	}
	return ""
}
