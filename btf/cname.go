package btf

import "strconv"

// cNames gives every type and enumerator a name that is a C identifier and
// that nothing else in its name space has.
type cNames struct {
	s       *Spec
	tags    nameSpace         // of structures, unions, enumerations
	idents  nameSpace         // of typedefs and enumerators
	renamed map[TypeID]string // types that had to take another name
	enums   map[enumKey]string
}

// enumKey is one enumerator.
type enumKey struct {
	id TypeID
	n  int
}

// init names all types, in the order of their ids.
func (c *cNames) init(s *Spec) {
	c.s = s
	c.tags, c.idents = newNameSpace("___"), newNameSpace("___")
	c.renamed, c.enums = make(map[TypeID]string), make(map[enumKey]string)
	for id := TypeID(1); int(id) < s.NumTypes(); id++ {
		t := s.Type(id)
		switch t.Kind() {
		case KindStruct, KindUnion:
			c.take(&c.tags, t)
		case KindEnum, KindEnum64:
			c.take(&c.tags, t)
			for n, e := range t.Enumerators() {
				if name := c.idents.take(identifier(e.Name), id); name != e.Name {
					c.enums[enumKey{id, n}] = name
				}
			}
		case KindTypedef:
			c.take(&c.idents, t)
		case KindInt, KindFloat:
			if !isCNumber(t) {
				c.take(&c.idents, t)
			}
		}
	}
	for id := TypeID(1); int(id) < s.NumTypes(); id++ {
		if t := s.Type(id); t.Kind() == KindFwd && !c.same(t) {
			c.take(&c.tags, t)
		}
	}
}

// take gives a type its name, or one like it that is free.
func (c *cNames) take(space *nameSpace, t Type) {
	have := t.Name()
	if have == "" {
		return
	}
	if name := space.take(identifier(have), t.id); name != have {
		c.renamed[t.id] = name
	}
}

// A nameSpace gives out names once.
type nameSpace struct {
	sep   string            // between a name and its number
	owner map[string]TypeID // who has a name
	next  map[string]int    // the number to try next
}

func newNameSpace(sep string) nameSpace {
	return nameSpace{sep: sep, owner: make(map[string]TypeID), next: make(map[string]int)}
}

// take gives out a name, or the first of name___2, name___3 that is free.
func (n *nameSpace) take(name string, id TypeID) string {
	if _, taken := n.owner[name]; !taken {
		n.owner[name] = id
		return name
	}
	for i := max(n.next[name], 2); ; i++ {
		try := name + n.sep + strconv.Itoa(i)
		if _, taken := n.owner[try]; !taken {
			n.owner[try] = id
			n.next[name] = i + 1
			return try
		}
	}
}

// same reports whether a forward declaration is of a type that is there.
func (c *cNames) same(t Type) bool {
	id, ok := c.tags.owner[identifier(t.Name())]
	return ok && id != t.id && cTag(c.s.Type(id)) == cTag(t)
}

// of is the name of a type.
func (c *cNames) of(t Type) string {
	if name, ok := c.renamed[t.id]; ok {
		return name
	}
	return t.Name()
}

// enumerator is the name of the n-th value of an enumeration.
func (c *cNames) enumerator(t Type, n int, e Enumerator) string {
	if name, ok := c.enums[enumKey{t.id, n}]; ok {
		return name
	}
	return e.Name
}

// identifier turns a name into a C identifier: other bytes become '_', and a
// keyword gets one at its end.
func identifier(name string) string {
	ok := name != "" && !isDigit(name[0]) && !cKeywords[name]
	for i := 0; ok && i < len(name); i++ {
		ok = isWord(name[i])
	}
	if ok {
		return name
	}
	b := []byte(name)
	for i, c := range b {
		if !isWord(c) {
			b[i] = '_'
		}
	}
	if len(b) == 0 || isDigit(b[0]) {
		b = append([]byte{'_'}, b...)
	}
	if cKeywords[string(b)] {
		b = append(b, '_')
	}
	return string(b)
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

func isWord(c byte) bool {
	return c == '_' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || isDigit(c)
}

// cKeywords are the keywords of C11 and those that GNU C adds without
// underscores. ("bool" is none before C23.)
var cKeywords = func() map[string]bool {
	m := make(map[string]bool)
	for _, k := range [...]string{
		"auto", "break", "case", "char", "const", "continue", "default", "do", "double", "else", "enum", "extern",
		"float", "for", "goto", "if", "inline", "int", "long", "register", "restrict", "return", "short", "signed",
		"sizeof", "static", "struct", "switch", "typedef", "union", "unsigned", "void", "volatile", "while", "asm",
		"typeof", "_Alignas", "_Alignof", "_Atomic", "_Bool", "_Complex", "_Generic", "_Imaginary", "_Noreturn",
		"_Static_assert", "_Thread_local",
		// Compilers declare this one, with a layout that depends on the machine.
		"__builtin_va_list",
	} {
		m[k] = true
	}
	return m
}()
