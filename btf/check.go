package btf

// checkRefs judges what scan found. The second pass over the types runs only
// when something is out of range, or when the file has names that are too
// long for the limit, of which a type might use one.
func (sc *scanner) checkRefs(long []uint32) error {
	s := sc.s
	if int64(sc.maxID) >= int64(s.NumTypes()) || sc.maxName != 0 && sc.maxName >= s.strEnd() || len(long) > 0 {
		c := checker{s: s, long: long, name: sc.lim.Name}
		for i := range s.offs {
			if err := c.check(i); err != nil {
				return err
			}
		}
	}
	for _, id := range sc.tags {
		if err := s.checkTag(s.Type(id)); err != nil {
			return err
		}
	}
	return nil
}

// A checker looks at every reference of every type, and knows where it is.
type checker struct {
	s    *Spec
	long []uint32 // see Spec.checkStrings
	name int      // Limits.Name
	id   TypeID   // the type being looked at
}

// check looks at the i-th type.
func (c *checker) check(i int) error {
	s := c.s
	c.id = s.first + TypeID(i)
	t := s.Type(c.id)
	off := int(s.offs[i])
	if !t.Kind().known() {
		return nil // its name and third word mean something we do not know
	}
	k := &kinds[t.Kind()]
	if err := c.nameAt(off, "name_off"); err != nil {
		return err
	}
	if k.ref {
		if err := c.idAt(off+8, "type"); err != nil {
			return err
		}
	}
	if t.Kind() == KindArray {
		if err := c.idAt(off+typeSize, "array.type"); err != nil {
			return err
		}
		return c.idAt(off+typeSize+4, "array.index_type")
	}
	at := off + typeSize + int(k.extra)
	for range t.elems() {
		if err := c.element(t.Kind(), at); err != nil {
			return err
		}
		at += int(k.elem)
	}
	return nil
}

// element looks at one member, parameter, enumerator or variable.
func (c *checker) element(kind Kind, at int) error {
	if kind == KindDatasec {
		return c.idAt(at, "var.type")
	}
	if err := c.nameAt(at, "element.name_off"); err != nil {
		return err
	}
	switch kind {
	case KindStruct, KindUnion, KindFuncProto:
		return c.idAt(at+4, "element.type")
	}
	return nil
}

func (c *checker) idAt(at int, field string) error {
	id := le32(c.s.types[at:])
	if int64(id) < int64(c.s.NumTypes()) {
		return nil
	}
	return c.fail(at, field, id, Range, "no such type")
}

func (c *checker) nameAt(at int, field string) error {
	off := le32(c.s.types[at:])
	if off != 0 && off >= c.s.strEnd() {
		return c.fail(at, field, off, Name, "past the end of the strings")
	}
	// The stretches are sorted and few: the string section has at most one
	// for each Limits.Name bytes.
	lo, hi := 0, len(c.long)/2
	for lo < hi {
		m := int(uint(lo+hi) / 2)
		if off >= c.long[2*m+1] {
			lo = m + 1
		} else {
			hi = m
		}
	}
	if lo < len(c.long)/2 && off >= c.long[2*lo] {
		return c.fail(at, field, off, Limit, "name longer than Limits.Name")
	}
	return nil
}

func (c *checker) fail(at int, field string, v uint32, k ErrorKind, detail string) error {
	return &FormatError{Part: "types", Index: int(c.id), Offset: c.s.typAt + int64(at),
		Field: field, Value: uint64(v), Kind: k, Detail: detail}
}

// checkTag checks that the component that a DECL_TAG speaks of exists: -1 for
// the whole, or the number of a member or parameter.
func (s *Spec) checkTag(t Type) error {
	if t.Kind() != KindDeclTag {
		return nil
	}
	i := t.ComponentIndex()
	target := s.Type(t.Elem())
	n := 0
	switch target.Kind() {
	case KindStruct, KindUnion:
		n = target.Vlen()
	case KindFunc:
		if p := s.Type(target.Elem()); p.Kind() == KindFuncProto {
			n = p.Vlen()
		}
	}
	if i == -1 || i >= 0 && i < n {
		return nil
	}
	return &FormatError{Part: "types", Index: int(t.id), Offset: s.typAt + int64(s.offs[t.id-s.first]) + typeSize,
		Field: "component_idx", Value: uint64(uint32(i)), Kind: Range, Detail: "the tagged type has no such member or parameter"}
}
