package btf

import (
	"strconv"
	"strings"
)

// A Field is a place inside a type, found by its path.
type Field struct {
	Type      TypeID // of the field, with its typedefs and qualifiers
	BitOffset uint64 // from the beginning of the outermost type
	BitSize   uint32 // 0: not a bit field
}

// ByteOffset is the offset in bytes of a field that is not a bit field.
func (f Field) ByteOffset() uint64 { return f.BitOffset / 8 }

// A PathError says which part of a path there is not.
type PathError struct {
	Path string
	Part string // the name or index that was not found
	In   string // the type that does not have it
	Err  error  // ErrNotFound, or why the type has no parts
}

// Error is one line.
func (e *PathError) Error() string {
	return "btf: " + strconv.Quote(e.Path) + ": " + strconv.Quote(e.Part) + " in " + e.In + ": " + strings.TrimPrefix(e.Err.Error(), "btf: ")
}

// Unwrap is the cause.
func (e *PathError) Unwrap() error { return e.Err }

// Lookup finds what a path names: a structure, union or typedef, and inside it
// member after member, for example "task_struct.comm", "task_struct.se.load"
// or "task_struct.comm[3]". A first word "struct", "union" or "enum" narrows
// the search. Members of structures without a name are found as in C. A
// path of one name finds the type itself.
func (s *Spec) Lookup(path string) (Field, error) {
	first, rest, more := cutPath(path)
	kinds := []Kind{KindStruct, KindUnion, KindTypedef, KindEnum, KindEnum64, KindInt, KindFloat, KindVar}
	name := first
	for prefix, k := range map[string][]Kind{"struct ": {KindStruct}, "union ": {KindUnion}, "enum ": {KindEnum, KindEnum64}} {
		if after, ok := strings.CutPrefix(first, prefix); ok {
			name, kinds = after, k
		}
	}
	t, ok := s.Find(name, kinds...)
	if !ok {
		return Field{}, &PathError{Path: path, Part: first, In: "the types", Err: ErrNotFound}
	}
	f := Field{Type: t.id}
	for more {
		var part string
		part, rest, more = cutPath(rest)
		g, err := s.step(f.Type, part)
		if err != nil {
			return Field{}, &PathError{Path: path, Part: part, In: s.describe(f.Type), Err: err}
		}
		g.BitOffset += f.BitOffset
		f = g
	}
	return f, nil
}

// OffsetOf is the offset in bytes of what a path names, and an error for a
// bit field; see [Spec.Lookup].
func (s *Spec) OffsetOf(path string) (uint64, error) {
	f, err := s.Lookup(path)
	if err != nil {
		return 0, err
	}
	if f.BitSize != 0 || f.BitOffset%8 != 0 {
		return 0, &TypeError{Op: "offset", ID: f.Type, At: f.Type, Kind: Unsupported, Detail: path + " is a bit field"}
	}
	return f.BitOffset / 8, nil
}

// cutPath takes the first name or index off a path, and reports whether there
// is more.
func cutPath(path string) (first, rest string, more bool) {
	for i := 1; i < len(path); i++ {
		switch path[i] {
		case '.':
			// A dot at the beginning belongs to the name of a section.
			return path[:i], path[i+1:], true
		case '[':
			return path[:i], path[i:], true
		}
	}
	return path, "", false
}

// describe names a type in an error.
func (s *Spec) describe(id TypeID) string {
	t, err := s.Resolve(id)
	if err != nil {
		return "type " + strconv.Itoa(int(id))
	}
	if n := t.Name(); n != "" {
		return strings.ToLower(t.Kind().String()) + " " + strconv.Quote(n)
	}
	return "an anonymous " + strings.ToLower(t.Kind().String())
}

// step goes from a type to one of its parts.
func (s *Spec) step(id TypeID, part string) (Field, error) {
	t := s.Type(id)
	if t.Kind() == KindVar {
		id = t.Elem()
	}
	t, err := s.Resolve(id)
	if err != nil {
		return Field{}, err
	}
	if idx, ok := strings.CutPrefix(part, "["); ok {
		n, err := strconv.ParseUint(strings.TrimSuffix(idx, "]"), 10, 32)
		if err != nil || !strings.HasSuffix(idx, "]") || t.Kind() != KindArray || n >= uint64(t.Nelems()) && t.Nelems() != 0 {
			return Field{}, ErrNotFound
		}
		size, err := s.SizeOf(t.Elem())
		if err != nil {
			return Field{}, err
		}
		if size > 1<<32 {
			return Field{}, &TypeError{Op: "offset", ID: id, At: t.id, Kind: Limit, Detail: "elements of more than 4 GiB"}
		}
		return Field{Type: t.Elem(), BitOffset: 8 * n * size}, nil
	}
	return s.findMember(t, part)
}

// findMember looks for a member, also inside members without a name, in the
// order of the file. Every structure is looked at once: where one is reached
// a second time, it still does not have the member.
func (s *Spec) findMember(root Type, name string) (Field, error) {
	type place struct {
		t   Type
		off uint64
	}
	todo := []place{{t: root}}
	seen := map[TypeID]bool{root.id: true}
	for len(todo) > 0 {
		p := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		first := len(todo)
		for _, m := range p.t.Members() {
			off := p.off + uint64(m.BitOffset)
			if m.Name == name && name != "" {
				return Field{Type: m.Type, BitOffset: off, BitSize: m.BitSize}, nil
			}
			if m.Name != "" || m.BitSize != 0 {
				continue
			}
			if u, err := s.Resolve(m.Type); err == nil && u.is(KindStruct, KindUnion) && !seen[u.id] {
				seen[u.id] = true
				todo = append(todo, place{u, off})
			}
		}
		// What was found first is looked into first.
		for i, j := first, len(todo)-1; i < j; i, j = i+1, j-1 {
			todo[i], todo[j] = todo[j], todo[i]
		}
	}
	return Field{}, ErrNotFound
}
