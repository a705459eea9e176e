package btf

import (
	"io"
	"strconv"
)

// GoOptions say what FormatGo prints.
type GoOptions struct {
	// Package is the name in the package clause; empty for "types".
	Package string
	// Types are printed with all that they contain; nil means every type.
	Types []TypeID
}

// FormatGo prints Go declarations of structures, unions and enumerations with
// the layout that the BTF states, on every machine: every gap is a field of
// its own, so the compiler has none to add. What Go lacks becomes bytes with
// a comment: unions, bit fields, members that are not aligned, numbers of
// more than 64 bits. Pointers become unsigned integers. Typedefs of numbers
// become the numbers.
//
// The declarations are those of a Go file, but for the alignment of columns.
func (s *Spec) FormatGo(w io.Writer, opts GoOptions) error {
	pkg := opts.Package
	if pkg == "" {
		pkg = "types"
	}
	p := &goPrinter{printer: *newPrinter(w), s: s, align: aligner{s: s}, names: make(map[TypeID]string), taken: newNameSpace("_"),
		done: make(map[TypeID]bool), layouts: make(map[TypeID]goLayout), typedefs: typedefNames(s)}
	for b := s; b != nil; b = b.base {
		p.budget += 64 * len(b.raw)
	}
	p.budget += 1 << 20
	p.put("package ", identifier(pkg), "\n")
	roots := opts.Types
	if roots == nil {
		roots = make([]TypeID, s.NumTypes())
		for i := range roots {
			roots[i] = TypeID(i)
		}
	}
	for _, id := range roots {
		p.todo = append(p.todo, id)
		for len(p.todo) > 0 {
			id := p.todo[0]
			p.todo = p.todo[1:]
			if err := p.declare(id); err != nil {
				return err
			}
			if err := p.flush(false); err != nil {
				return err
			}
		}
	}
	return p.flush(true)
}

// A goPrinter prints types as Go.
type goPrinter struct {
	printer
	s        *Spec
	align    aligner
	names    map[TypeID]string // given to types so far
	taken    nameSpace
	typedefs map[TypeID]string // C names of types that have none but by a typedef
	done     map[TypeID]bool
	layouts  map[TypeID]goLayout
	todo     []TypeID
	budget   int
}

func (p *goPrinter) put(text ...string) {
	for _, t := range text {
		p.b = append(p.b, t...)
		p.budget -= len(t)
	}
}

// declare prints a type that Go declares by itself.
func (p *goPrinter) declare(id TypeID) error {
	if p.done[id] {
		return nil
	}
	p.done[id] = true
	t := p.s.Type(id)
	switch t.Kind() {
	case KindTypedef:
		u, err := p.s.Resolve(id)
		if err != nil {
			return err
		}
		if goNamed(u) {
			p.todo = append(p.todo, u.id)
		}
	case KindEnum, KindEnum64:
		p.enum(t)
	case KindStruct, KindUnion:
		if p.cName(t) == "" {
			return nil
		}
		l, err := p.layout(t)
		if err != nil {
			return err
		}
		p.put("\n// ", p.name(t), " is ", cTag(t), " ", identifier(p.cName(t)), ".\ntype ", p.name(t), " ")
		p.body(l, 0)
		p.put("\n")
		if p.budget < 0 {
			return &TypeError{Op: "print", ID: id, At: id, Kind: Limit, Detail: "anonymous types that repeat one another"}
		}
	}
	return nil
}

// goNamed reports whether Go has a declaration for such a type.
func goNamed(t Type) bool {
	switch t.Kind() {
	case KindStruct, KindUnion, KindEnum, KindEnum64:
		return true
	}
	return false
}

// typedefNames finds the types without a name that have a typedef.
func typedefNames(s *Spec) map[TypeID]string {
	names := make(map[TypeID]string)
	for id := TypeID(1); int(id) < s.NumTypes(); id++ {
		t := s.Type(id)
		if t.Kind() != KindTypedef {
			continue
		}
		if u := s.Type(t.Elem()); goNamed(u) && u.Name() == "" && names[u.id] == "" {
			names[u.id] = t.Name()
		}
	}
	return names
}

// cName is the name that a type has in C, if only by a typedef.
func (p *goPrinter) cName(t Type) string {
	if n := t.Name(); n != "" {
		return n
	}
	return p.typedefs[t.id]
}

// name is the Go name of a type.
func (p *goPrinter) name(t Type) string {
	n, ok := p.names[t.id]
	if !ok {
		n = p.taken.take(camel(p.cName(t)), t.id)
		p.names[t.id] = n
	}
	return n
}

// camel turns a C name into an exported Go name: task_struct to TaskStruct.
func camel(name string) string {
	b := make([]byte, 0, len(name))
	up := true
	for i := range len(name) {
		c := name[i]
		switch {
		case c == '_' || !isWord(c):
			// Between digits an underscore tells 1_2 from 12.
			if len(b) > 0 && isDigit(b[len(b)-1]) && i+1 < len(name) && isDigit(name[i+1]) {
				b = append(b, '_')
			}
			up = true
			continue
		case up && c >= 'a' && c <= 'z':
			c -= 'a' - 'A'
		}
		b = append(b, c)
		up = false
	}
	if len(b) == 0 || isDigit(b[0]) {
		b = append([]byte{'X'}, b...)
	}
	return string(b)
}

// enum prints an enumeration as an integer type and constants.
func (p *goPrinter) enum(t Type) {
	typ := goInteger(uint64(t.Size()), t.Signed())
	if p.cName(t) != "" {
		name := p.name(t)
		p.put("\n// ", name, " is enum ", identifier(p.cName(t)), ".\ntype ", name, " ", typ, "\n")
		typ = name
	}
	if t.Vlen() == 0 {
		return
	}
	p.put("\nconst (\n")
	for _, e := range t.Enumerators() {
		v := strconv.FormatUint(e.Value, 10)
		if t.Signed() {
			v = strconv.FormatInt(int64(e.Value), 10)
		}
		if !goFits(e.Value, uint64(t.Size()), t.Signed()) {
			p.put("\t// ", identifier(e.Name), " = ", v, " does not fit in ", strconv.Itoa(int(t.Size())), " bytes\n")
			continue
		}
		p.put("\t", p.taken.take(camel(e.Name), t.id), " ", typ, " = ", v, "\n")
	}
	p.put(")\n")
}

func goFits(v, size uint64, signed bool) bool {
	shift := 64 - 8*size
	if signed {
		return int64(v)<<shift>>shift == int64(v)
	}
	return v<<shift>>shift == v
}

// goInteger is the Go type of an integer of 1, 2, 4 or 8 bytes.
func goInteger(size uint64, signed bool) string {
	n := strconv.FormatUint(8*size, 10)
	if signed {
		return "int" + n
	}
	return "uint" + n
}
