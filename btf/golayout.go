package btf

import (
	"strconv"
	"strings"
)

// A goLayout is how a structure or union looks in Go.
type goLayout struct {
	align  uint64 // of the Go type on a machine with 64 bits
	fields []goField
}

// A goField is a field, a gap, or a remark between fields.
type goField struct {
	name    string // "_" for a gap, empty for a remark
	typ     string
	inner   []goField // of a field whose type is a structure without a name
	comment string
}

// goValue is a member's type in Go.
type goValue struct {
	typ   string
	inner []goField
	size  uint64
	align uint64
	note  string
}

// layout computes the layout of a structure or union, once.
func (p *goPrinter) layout(t Type) (goLayout, error) {
	if l, ok := p.layouts[t.id]; ok {
		return l, nil
	}
	// This also makes sure that nothing contains itself, or is too deep for
	// the recursion from here to goValue and back.
	if _, err := p.align.of(t.id); err != nil {
		return goLayout{}, err
	}
	l, err := p.structLayout(t, false)
	if err != nil {
		return goLayout{}, err
	}
	if uint64(t.Size())%l.align != 0 {
		if l, err = p.structLayout(t, true); err != nil { // Go would make it longer
			return goLayout{}, err
		}
	}
	p.layouts[t.id] = l
	return l, nil
}

// structLayout places the members one after the other. If flat, every member
// with an alignment becomes bytes.
func (p *goPrinter) structLayout(t Type, flat bool) (goLayout, error) {
	if t.Kind() == KindUnion {
		return p.unionLayout(t, flat)
	}
	l := goLayout{align: 1}
	used := newNameSpace("_")
	end := uint64(0)
	gap := func(to uint64, comment string) {
		if to > end || comment != "" {
			l.fields = append(l.fields, goField{name: "_", typ: "[" + strconv.FormatUint(max(to, end)-end, 10) + "]byte", comment: comment})
			end = max(to, end)
		}
	}
	var bitfields []string
	size := uint64(t.Size())
	for _, m := range t.Members() {
		at := uint64(m.BitOffset) / 8
		if m.BitSize != 0 || m.BitOffset%8 != 0 {
			bitfields = append(bitfields, identifier(m.Name)+" at bit "+strconv.Itoa(int(m.BitOffset))+", "+strconv.Itoa(int(m.BitSize))+" wide")
			continue
		}
		v, err := p.value(m.Type)
		if err != nil {
			return l, err
		}
		if at < end || v.size > size-min(at, size) {
			l.fields = append(l.fields, goField{comment: identifier(m.Name) + " at byte " + strconv.FormatUint(at, 10) + " overlaps"})
			continue
		}
		gap(at, strings.Join(bitfields, "; "))
		bitfields = nil
		if v.size == 0 {
			// At the end of a structure, Go makes room behind such a field.
			l.fields = append(l.fields, goField{comment: identifier(m.Name) + " " + v.typ + " follows"})
			continue
		}
		if at%v.align != 0 || flat && v.align > 1 {
			v = goValue{typ: bytesType(v.size), size: v.size, align: 1, note: v.typ + ", not aligned"}
		}
		l.fields = append(l.fields, goField{name: used.take(fieldName(m.Name, at), m.Type), typ: v.typ, inner: v.inner, comment: v.note})
		l.align = max(l.align, v.align)
		end = at + v.size
	}
	gap(size, strings.Join(bitfields, "; "))
	return l, nil
}

// fieldName is the Go name of a member.
func fieldName(name string, at uint64) string {
	if name == "" {
		name = "Anon" + strconv.FormatUint(at, 10)
	}
	return camel(name)
}

// unionLayout makes a union bytes, with the alignment of its members.
func (p *goPrinter) unionLayout(t Type, flat bool) (goLayout, error) {
	l := goLayout{align: 1}
	var members []string
	for _, m := range t.Members() {
		v, err := p.value(m.Type)
		if err != nil {
			return l, err
		}
		l.align = max(l.align, min(v.align, 8))
		members = append(members, identifier(m.Name)+" "+v.typ)
	}
	if flat {
		l.align = 1
	}
	if l.align > 1 {
		l.fields = append(l.fields, goField{name: "_", typ: "[0]" + goInteger(l.align, false)})
	}
	if t.Size() > 0 {
		l.fields = append(l.fields, goField{name: "Bytes", typ: bytesType(uint64(t.Size())), comment: strings.Join(members, "; ")})
	}
	return l, nil
}

func bytesType(n uint64) string { return "[" + strconv.FormatUint(n, 10) + "]byte" }

// value is the Go type for values of a type.
func (p *goPrinter) value(id TypeID) (goValue, error) {
	size, err := p.s.SizeOf(id)
	if err != nil {
		return goValue{}, err
	}
	v := goValue{size: size}
	t := p.s.Type(id)
	dims := ""
	for { // SizeOf has bounded the chain
		if t.Kind() == KindArray {
			dims += "[" + strconv.Itoa(int(t.Nelems())) + "]"
		} else if !t.Kind().modifier() && t.Kind() != KindVar {
			break
		}
		t = p.s.Type(t.Elem())
	}
	elem, _ := p.s.SizeOf(t.id)
	switch t.Kind() {
	case KindInt:
		v.typ, v.align = goNumber(t), elem
		if elem > 8 {
			v.align, v.note = 1, "an integer of "+strconv.FormatUint(elem, 10)+" bytes"
		}
	case KindFloat:
		v.typ, v.align = bytesType(elem), 1
		if elem == 4 || elem == 8 {
			v.typ, v.align = "float"+strconv.FormatUint(8*elem, 10), elem
		}
	case KindPtr:
		v.typ, v.align = goInteger(elem, false), elem
		v.note = "a pointer"
	case KindEnum, KindEnum64:
		v.align = elem
		if v.typ = goInteger(elem, t.Signed()); p.cName(t) != "" {
			v.typ = p.name(t)
		}
		p.todo = append(p.todo, t.id)
	default:
		l, err := p.layout(t)
		if err != nil {
			return v, err
		}
		v.align = l.align
		if p.cName(t) != "" {
			v.typ = p.name(t)
			p.todo = append(p.todo, t.id)
		} else {
			v.typ, v.inner = "struct", l.fields
		}
	}
	v.typ = dims + v.typ
	return v, nil
}

// goNumber is the Go type of an Int.
func goNumber(t Type) string {
	switch size := t.Size(); {
	case t.Encoding()&IntBool != 0 && size == 1:
		return "bool"
	case size == 1 || size == 2 || size == 4 || size == 8:
		return goInteger(uint64(size), t.Signed())
	default:
		return bytesType(uint64(size))
	}
}

// body prints the fields of a structure.
func (p *goPrinter) body(l goLayout, depth int) {
	tabs := strings.Repeat("\t", depth)
	if len(l.fields) == 0 {
		p.put("struct{}")
		return
	}
	p.put("struct {\n")
	for _, f := range l.fields {
		p.put(tabs, "\t")
		switch {
		case f.name == "":
			p.put("// ", f.comment, "\n")
			continue
		case f.inner != nil:
			p.put(f.name, " ", strings.TrimSuffix(f.typ, "struct"))
			p.body(goLayout{fields: f.inner}, depth+1)
		default:
			p.put(f.name, " ", f.typ)
		}
		if f.comment != "" {
			p.put(" // ", f.comment)
		}
		p.put("\n")
		if p.budget < 0 {
			break
		}
	}
	p.put(tabs, "}")
}
