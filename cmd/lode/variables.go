package main

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/lode-bpf/lode"
	"github.com/lode-bpf/lode/btf"
	"github.com/lode-bpf/lode/maps"
	"github.com/lode-bpf/lode/reloc"
)

type variableRow struct {
	Name    string          `json:"name"`
	Section string          `json:"section"`
	Offset  uint64          `json:"offset"`
	Size    uint64          `json:"size"`
	Static  bool            `json:"static"`
	Type    string          `json:"type"`  // as C writes it; empty without BTF
	Value   json.RawMessage `json:"value"` // null if it is too large to be shown
}

// Limits on what is shown of a value: bytes of memory and of text.
const (
	valueBytes = 64 << 10
	valueText  = 200
)

// variables are the global variables of an object, with what they start with.
func variables(o *lode.Object) []variableRow {
	out := []variableRow{}
	for _, m := range o.Maps {
		for _, x := range m.Vars {
			row := variableRow{Name: x.Name, Section: m.Section, Offset: x.Offset, Size: x.Size, Static: x.Static, Type: ctype(o.BTF, x.Type), Value: json.RawMessage("null")}
			if v, err := m.Spec.Variable(x.Name); err == nil && x.Size <= valueBytes {
				row.Value = initial(o, v)
			}
			out = append(out, row)
		}
	}
	return out
}

// initial is the value of a variable as JSON, its bytes in hexadecimal if they
// have no type.
func initial(o *lode.Object, v *maps.Variable) json.RawMessage {
	b, err := v.Bytes()
	if err != nil {
		return json.RawMessage("null")
	}
	if o.BTF != nil && v.Type != 0 {
		if text, err := o.BTF.FormatValue(nil, v.Type, b); err == nil {
			return text
		}
	}
	return json.RawMessage(`"` + hex.EncodeToString(b) + `"`)
}

// shorten cuts a text that is longer than a number of characters.
func shorten(s string, most int) string {
	if utf8.RuneCountInString(s) <= most {
		return s
	}
	return string([]rune(s)[:most-3]) + "..."
}

type externRow struct {
	Name string `json:"name"`
	Kind string `json:"kind"` // "kconfig", "symbol", "kernel variable", "kernel function"
	Weak bool   `json:"weak"`
	Type string `json:"type"` // as C writes it; empty if it is not known
}

var externKinds = map[reloc.ExternKind]string{
	reloc.ExternKconfig: "kconfig", reloc.ExternKsym: "symbol", reloc.ExternTypedVar: "kernel variable", reloc.ExternKfunc: "kernel function",
}

func externs(o *lode.Object) []externRow {
	out := []externRow{}
	for _, x := range o.Externs {
		row := externRow{Name: x.Name, Kind: externKinds[x.Kind], Weak: x.Weak}
		if o.BTF != nil && x.TypeID != 0 {
			row.Type = ctype(o.BTF, o.BTF.Type(x.TypeID).Elem())
		}
		out = append(out, row)
	}
	return out
}

// ctype is the type of a variable or function as C writes it, without qualifiers
// and with "{...}" for the members of what has no name.
func ctype(b *btf.Spec, id btf.TypeID) string {
	if b == nil || id == 0 {
		return ""
	}
	decl := ""
	group := func() string {
		if strings.HasPrefix(decl, "*") {
			return "(" + decl + ")"
		}
		return decl
	}
	for range 64 { // deeper than any declaration; a file may have cycles
		t := b.Type(id)
		switch t.Kind() {
		case btf.KindPtr:
			decl = "*" + decl
		case btf.KindArray:
			decl = fmt.Sprintf("%s[%d]", group(), t.Nelems())
		case btf.KindFuncProto:
			decl = group() + "(" + params(b, t) + ")"
		case btf.KindConst, btf.KindVolatile, btf.KindRestrict, btf.KindTypeTag:
		default:
			if decl != "" && decl[0] != '[' {
				decl = " " + decl
			}
			return cname(t) + decl
		}
		id = t.Elem()
	}
	return "..."
}

// params are the types of a function's parameters, by name only.
func params(b *btf.Spec, t btf.Type) string {
	var out []string
	for _, p := range t.Params() {
		stars, at := "", p.Type
		for range 64 {
			x := b.Type(at)
			switch x.Kind() {
			case btf.KindPtr:
				stars += "*"
			case btf.KindConst, btf.KindVolatile, btf.KindRestrict, btf.KindTypeTag:
			default:
				at = 0
				out = append(out, strings.TrimSpace(cname(x)+" "+stars))
			}
			if at == 0 {
				break
			}
			at = x.Elem()
		}
	}
	if len(out) == 0 {
		return "void"
	}
	return strings.Join(out, ", ")
}

// cname is the name of a type that ends a declaration.
func cname(t btf.Type) string {
	tag := map[btf.Kind]string{btf.KindStruct: "struct ", btf.KindUnion: "union ", btf.KindEnum: "enum ", btf.KindEnum64: "enum ", btf.KindFwd: "struct "}[t.Kind()]
	switch {
	case t.Kind() == btf.KindVoid:
		return "void"
	case t.Name() == "":
		return tag + "{...}"
	}
	if plain := strings.ReplaceAll(t.Name(), " ", ""); quote(plain) == plain {
		return tag + t.Name() // "unsigned int" is one name
	}
	return tag + quote(t.Name())
}
