package btf

import (
	"strconv"
	"strings"
)

// declarator prints a type around the name of what has it: "char *name[4]".
//
// A C declaration is written from the inside out, so the chain of types is
// walked from the name: a pointer adds "*" on the left, an array or function
// on the right, until a type with a name, or a structure, ends it.
func (p *cPrinter) declarator(id TypeID, name string, depth int) error {
	decl, quals := name, ""
	for n := 0; ; n++ {
		if n > maxChain {
			return &TypeError{Op: "print", ID: id, At: id, Kind: Limit, Detail: "more than " + strconv.Itoa(maxChain) + " pointers, arrays and qualifiers"}
		}
		t := p.s.Type(id)
		switch t.Kind() {
		case KindConst:
			quals = qualify(quals, "const ")
		case KindVolatile:
			quals = qualify(quals, "volatile ")
		case KindRestrict:
			quals = qualify(quals, "restrict ")
		case KindTypeTag:
			quals += typeTag(t)
		case KindPtr:
			decl = "*" + quals + decl
			quals = ""
		case KindArray:
			decl = group(decl) + "[" + strconv.FormatUint(uint64(t.Nelems()), 10) + "]"
		case KindFuncProto:
			args, err := p.params(t, depth)
			if err != nil {
				return err
			}
			decl, quals = group(decl)+args, ""
		default:
			p.put(quals)
			if err := p.base(t, depth); err != nil {
				return err
			}
			if decl != "" {
				p.put(" ", decl)
			}
			return nil
		}
		if len(decl)+len(quals) > p.budget {
			return &TypeError{Op: "print", ID: id, At: id, Kind: Limit, Detail: "anonymous types that repeat one another"}
		}
		id = t.Elem()
	}
}

// qualify adds a qualifier, once: an array and its elements may both have it.
func qualify(quals, q string) string {
	if strings.Contains(quals, q) {
		return quals
	}
	return quals + q
}

// group protects a pointer from what comes on the right.
func group(decl string) string {
	if strings.HasPrefix(decl, "*") {
		return "(" + decl + ")"
	}
	return decl
}

// typeTag is the attribute that makes a TypeTag; one that cannot be written
// as a C string is left out.
func typeTag(t Type) string {
	name := t.Name()
	for i := range len(name) {
		if c := name[i]; c < ' ' || c > '~' || c == '"' || c == '\\' {
			return ""
		}
	}
	if t.KindFlag() {
		if identifier(name) != name {
			return ""
		}
		return "__attribute__((" + name + ")) "
	}
	return "__attribute__((btf_type_tag(\"" + name + "\"))) "
}

// params is the list of parameters of a function, in parentheses.
func (p *cPrinter) params(t Type, depth int) (string, error) {
	if t.NumParams() == 0 {
		return "(void)", nil
	}
	if t.NumParams() == 1 && t.Param(0).Type == 0 {
		return "()", nil // what clang makes of it: nothing is known of the parameters
	}
	if depth >= maxDepth {
		return "", &TypeError{Op: "print", ID: t.id, At: t.id, Kind: Limit, Detail: "types nested deeper than " + strconv.Itoa(maxDepth)}
	}
	// What the parameters print goes to the end of the buffer, and from there
	// into the declarator.
	start := len(p.b)
	p.put("(")
	for i, a := range t.Params() {
		if i > 0 {
			p.put(", ")
		}
		if a.Type == 0 {
			p.put("...")
			continue
		}
		name := a.Name
		if name != "" {
			name = identifier(name)
		}
		if err := p.declarator(a.Type, name, depth+1); err != nil {
			return "", err
		}
		if p.budget < 0 {
			return "", &TypeError{Op: "print", ID: t.id, At: t.id, Kind: Limit, Detail: "anonymous types that repeat one another"}
		}
	}
	p.put(")")
	args := string(p.b[start:])
	p.b = p.b[:start]
	return args, nil
}

// base prints the type that ends a declarator.
func (p *cPrinter) base(t Type, depth int) error {
	switch t.Kind() {
	case KindInt, KindFloat:
		if isCNumber(t) {
			p.put(t.Name())
		} else {
			p.put(p.names.of(t))
		}
	case KindTypedef:
		p.put(p.names.of(t))
	case KindFwd:
		p.put(cTag(t), " ", p.fwdName(t))
	case KindStruct, KindUnion:
		if t.Name() == "" {
			return p.composite(t, depth)
		}
		p.put(cTag(t), " ", p.names.of(t))
	case KindEnum, KindEnum64:
		if t.Name() == "" {
			p.anonymousEnum(t, depth)
			return nil
		}
		p.put("enum ", p.names.of(t))
	default:
		p.put("void")
	}
	return nil
}

// fwdName is the name of what a forward declaration declares.
func (p *cPrinter) fwdName(t Type) string {
	if p.names.same(t) {
		return identifier(t.Name())
	}
	return p.names.of(t)
}

// anonymousEnum prints an enumeration inside another type. Its enumerators
// can be declared once only; later it is the integer that it is.
func (p *cPrinter) anonymousEnum(t Type, depth int) {
	if p.state[t.id]&cDone != 0 {
		p.put(cInteger(uint64(t.Size()), t.Signed()))
		return
	}
	p.state[t.id] |= cDone
	p.enum(t, "", depth)
}

// enum prints the definition of an enumeration.
func (p *cPrinter) enum(t Type, name string, depth int) {
	p.put("enum ")
	if name != "" {
		p.put(name, " ")
	}
	p.put("{\n")
	natural := uint32(4)
	for i, e := range t.Enumerators() {
		p.indent(depth + 1)
		p.put(p.names.enumerator(t, i, e), " = ")
		if t.Signed() {
			v := int64(e.Value)
			if v != int64(int32(v)) {
				natural = 8
			}
			p.putSigned(v)
		} else {
			p.putUint(e.Value)
			if e.Value>>32 != 0 {
				natural = 8
				p.put("ULL")
			}
		}
		p.put(",\n")
	}
	if t.Vlen() == 0 { // an enumeration that was only declared
		p.indent(depth + 1)
		p.put("__btf_enum_", strconv.Itoa(int(t.id)), " = 0,\n")
	}
	p.indent(depth)
	p.put("}")
	if t.Size() != natural {
		p.put(" __attribute__((mode(", map[uint32]string{1: "QI", 2: "HI", 4: "SI", 8: "DI"}[t.Size()], ")))")
	}
}

func (p *cPrinter) putSigned(v int64) {
	switch {
	case v == -1<<63: // C has no literal for it
		p.put("-9223372036854775807LL - 1")
	case v != int64(int32(v)):
		p.put(strconv.FormatInt(v, 10), "LL")
	default:
		p.put(strconv.FormatInt(v, 10))
	}
}

// cInteger is the C name of an integer of a size.
func cInteger(size uint64, signed bool) string {
	name := ""
	switch size {
	case 1:
		name = "char"
	case 2:
		name = "short"
	case 4:
		name = "int"
	case 8:
		name = "long long"
	case 16:
		name = "__int128"
	default:
		return ""
	}
	if signed {
		return "signed " + name
	}
	return "unsigned " + name
}

// cNumberOfSize is what stands for a number whose name C does not have.
func cNumberOfSize(t Type) string {
	if n := cInteger(uint64(t.Size()), t.Signed()); n != "" {
		return n
	}
	return "struct { unsigned char bytes[" + strconv.Itoa(int(t.Size())) + "]; }"
}

// isCNumber reports whether the name of an Int or Float is one that C has,
// for a number of that size on a machine with 64 bits.
func isCNumber(t Type) bool {
	if t.Kind() == KindFloat {
		return t.Name() == "float" && t.Size() == 4 || t.Name() == "double" && t.Size() == 8
	}
	size, ok := cWords(t.Name())
	return ok && (size == t.Size() || size == 8 && t.Size() == 4 && strings.Contains(t.Name(), "long"))
}

// cWords understands the words of an integer type in any order.
func cWords(name string) (size uint32, ok bool) {
	words := [...]string{"char", "short", "int", "long", "signed", "unsigned", "_Bool", "__int128"}
	var n [len(words)]int
	for rest := name; rest != ""; {
		var w string
		w, rest, _ = strings.Cut(rest, " ")
		i := 0
		for i < len(words) && words[i] != w {
			i++
		}
		if i == len(words) {
			return 0, false
		}
		n[i]++
	}
	char, short, integer, long, sign, boolean, wide := n[0], n[1], n[2], n[3], n[4]+n[5], n[6], n[7]
	if sign > 1 || integer > 1 {
		return 0, false
	}
	switch {
	case char == 1 && short+integer+long+boolean+wide == 0:
		return 1, true
	case boolean == 1 && char+short+integer+long+sign+wide == 0:
		return 1, true
	case short == 1 && char+long+boolean+wide == 0:
		return 2, true
	case (long == 1 || long == 2) && char+short+boolean+wide == 0:
		return 8, true
	case wide == 1 && char+short+integer+long+boolean == 0:
		return 16, true
	case long+char+short+boolean+wide == 0 && integer+sign > 0:
		return 4, true
	}
	return 0, false
}
