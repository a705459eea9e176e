package reloc

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/lode-bpf/lode/btf"
)

// Path is what the relocation speaks of, in C notation:
//
//	struct inode.i_atime.tv_sec    a field
//	struct task_struct.comm[3]     an element of a field that is an array
//	enum zone_type::ZONE_MOVABLE   an enumerator
//	struct sock                    a type
//
// Flavours are shown. An access string that makes no sense is shown as it is.
func (d *Decision) Path() string {
	if !d.Local.Valid() {
		return "a type that does not exist"
	}
	class := classOf(d.Kind)
	sp, _ := parseSpec(d.Local.Spec(), d.Local.ID(), d.Access, class, nil)
	s := typeName(d.Local)
	switch {
	case sp.err != nil || class == classUnknown:
		return s + " (access string " + quote(cut(d.Access)) + ")"
	case class == classEnum:
		return s + "::" + cName(sp.acc[0].name)
	}
	return s + accessText(sp.acc)
}

// accessText writes accessors in C notation.
func accessText(acc []accessor) string {
	var b strings.Builder
	for i, a := range acc {
		switch {
		case a.name != "":
			b.WriteString("." + cName(a.name))
		case i > 0 || a.idx != 0:
			b.WriteString("[" + strconv.Itoa(a.idx) + "]")
		}
	}
	return b.String()
}

// typeName is how C names a type.
func typeName(t btf.Type) string {
	name := cName(t.Name())
	switch t.Kind() {
	case btf.KindStruct:
		name = "struct " + name
	case btf.KindUnion:
		name = "union " + name
	case btf.KindEnum, btf.KindEnum64:
		name = "enum " + name
	case btf.KindFwd:
		if name = "struct " + name; t.KindFlag() {
			name = "union " + cName(t.Name())
		}
	}
	return strings.TrimSuffix(name, " ")
}

// cName is a name as it stands, or quoted if it is none of C.
func cName(name string) string {
	for i := 0; i < len(name); i++ {
		c := name[i]
		if !(c == '_' || c == ' ' || '0' <= c && c <= '9' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z') {
			return quote(name)
		}
	}
	return name
}

var outcomeNames = [...]string{OutcomeInvalid: "invalid", OutcomeValue: "value", OutcomeAbsent: "absent", OutcomePoison: "poison"}

func (o Outcome) String() string { return nameOf(outcomeNames[:], int(o)) }

var guardNames = [...]string{GuardNone: "", GuardUnknown: "unknown", Guarded: "guarded", Unguarded: "unguarded"}

func (g Guard) String() string { return nameOf(guardNames[:], int(g)) }

func nameOf(names []string, i int) string {
	if i < len(names) {
		return names[i]
	}
	return strconv.Itoa(i)
}

// String is one line: what was asked, what it came to, and why.
func (d *Decision) String() string {
	where := fmt.Sprintf("%q[%d]", d.Func, d.Index)
	if src := d.Source.String(); src != "" {
		where += fmt.Sprintf(" (%q)", src)
	}
	return fmt.Sprintf("%s: %s of %s: %s", where, d.Kind, d.Path(), d.Verdict())
}

// Verdict says what the relocation came to, and why.
func (d *Decision) Verdict() string {
	switch d.Outcome {
	case OutcomeValue:
		s := fmt.Sprintf("%d → %d", int64(d.Old), int64(d.New))
		if d.Target.Valid() {
			s += " (" + target(d.Target, d.Module) + ")"
		}
		if d.Resized {
			s += ", access resized"
		}
		return s
	case OutcomeAbsent:
		return fmt.Sprintf("%d → 0: %s", int64(d.Old), d.why())
	case OutcomePoison:
		return fmt.Sprintf("poisoned, %s: %s", d.Guard, d.why())
	}
	if e, ok := d.Err.(*COREError); ok {
		s := "error: " + e.Detail
		if e.Err != nil {
			s += ": " + e.Err.Error()
		}
		return s
	}
	return "error"
}

// target names a target type.
func target(t btf.Type, module string) string {
	s := typeName(t) + " [" + strconv.Itoa(int(t.ID())) + "]"
	if module != "" {
		s += " of module " + quote(module)
	}
	return s
}

// why says why there is no target.
func (d *Decision) why() string {
	if d.NoResize {
		return target(d.Target, d.Module) + " has the field with another size, and this access cannot be resized"
	}
	if d.Considered == 0 {
		return "there is no " + typeName(d.Local)
	}
	parts := make([]string, 0, len(d.Candidates))
	for i := range d.Candidates {
		if c := &d.Candidates[i]; c.Drop != DropPruned {
			parts = append(parts, target(c.Type, c.Module)+" "+d.Reason(c))
		}
	}
	if n := d.Considered - len(parts); n > 0 {
		parts = append(parts, fmt.Sprintf("%d more", n))
	}
	return strings.Join(parts, "; ")
}

// Reason says why a candidate was dropped.
func (d *Decision) Reason(c *Candidate) string {
	sp, _ := parseSpec(d.Local.Spec(), d.Local.ID(), d.Access, classOf(d.Kind), nil)
	part := ""
	if c.Step < len(sp.acc) {
		part = strings.TrimPrefix(accessText(sp.acc[c.Step:c.Step+1]), ".")
		if classOf(d.Kind) == classEnum {
			part = cName(sp.acc[0].name)
		}
	}
	switch c.Drop {
	case DropNone:
		return fmt.Sprintf("matches: %d", int64(c.Value))
	case DropMember:
		return "has no member " + part
	case DropType:
		return "has a member " + part + " of another type"
	case DropIndex:
		return "has no element " + part
	case DropEnum:
		return "has no enumerator " + part
	case DropPruned:
		return fmt.Sprintf("was dropped by record %d", c.By)
	}
	return "differs"
}
