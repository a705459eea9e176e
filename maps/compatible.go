package maps

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/lode-bpf/lode/btf"
	"github.com/lode-bpf/lode/sys"
)

// A Row is one difference between a definition and a map that exists.
type Row struct {
	Field      string // "type", "key size", "value type", "inner max entries" ...
	Definition string
	Existing   string
}

// A MismatchError says that a map that exists is not what a definition asks
// for, one row for each field that differs. It is never a matter of one field:
// all are compared.
type MismatchError struct {
	Map  string // the name in the definition
	ID   uint32 // of the existing map
	Rows []Row
}

func (e *MismatchError) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "maps: map %q does not match the existing map with id %d", e.Map, e.ID)
	for i, r := range e.Rows {
		b.WriteString([...]string{": ", "; "}[min(i, 1)])
		fmt.Fprintf(&b, "%s: defined as %s, existing is %s", r.Field, r.Definition, r.Existing)
	}
	return b.String()
}

// Compatible says whether a map that exists can stand in for the one that the
// definition would create, and returns a *MismatchError if not. The definition
// is normalised first (see Normalize). Compared are the type, both sizes, the
// number of entries, the flags, map_extra; the layout of the value where both
// sides have BTF for it; and the inner map where info has one. Not compared
// are the name, the NUMA node, the contents and whether it is frozen, and what
// a type leaves to each descriptor.
func Compatible(s *Spec, info Info, env Env) error {
	n := Normalize(s, env)
	e := &MismatchError{Map: s.Name, ID: info.ID}
	e.compare("", &n, &info)
	if len(e.Rows) == 0 {
		return nil
	}
	return e
}

func (e *MismatchError) compare(prefix string, n *Spec, info *Info) {
	number := func(field string, a, b uint64) { e.numbers(prefix+field, a, b, "", 10) }
	hex := func(field string, a, b uint64) { e.numbers(prefix+field, a, b, "0x", 16) }

	if n.Type != info.Type {
		e.Rows = append(e.Rows, Row{prefix + "type", n.Type.String(), info.Type.String()})
	}
	number("key size", uint64(n.KeySize), uint64(info.KeySize))
	if n.Type != sys.MapTypeStructOps {
		number("value size", uint64(n.ValueSize), uint64(info.ValueSize))
	}
	if prefix == "" || fixedInner(n) {
		number("max entries", uint64(n.MaxEntries), uint64(info.MaxEntries))
	}
	hex("flags", uint64(n.Flags), uint64(info.Flags))
	hex("map_extra", n.Extra, info.Extra)
	number("interface index", uint64(n.IfIndex), uint64(info.IfIndex))
	if n.BTF != nil && info.BTF != nil && n.Value != 0 && info.Value != 0 && keepsBTF(n.Type) {
		if a, b, differ := differentLayout(n.BTF, n.Value, info.BTF, info.Value); differ && a != b {
			e.Rows = append(e.Rows, Row{prefix + "value type", a, b})
		}
	}
	if prefix == "" && n.Inner != nil && info.Inner != nil {
		e.compare("inner ", n.Inner, info.Inner)
	}
}

// fixedInner says whether the kernel wants inner maps to have as many entries as
// their template: arrays have to, unless BPF_F_INNER_MAP says otherwise.
func fixedInner(s *Spec) bool {
	return s.Type == sys.MapTypeArray && s.Flags&sys.BPF_F_INNER_MAP == 0 || s.Type == sys.MapTypeXSKMap
}

// numbers adds a row if two numbers differ; they are shown in a base, after what
// marks it.
func (e *MismatchError) numbers(field string, a, b uint64, mark string, base int) {
	if a != b {
		e.Rows = append(e.Rows, Row{field, mark + strconv.FormatUint(a, base), mark + strconv.FormatUint(b, base)})
	}
}

// maxCompared bounds how many pairs of types a comparison looks at: values are
// structures of a few hundred members, a hostile file's may be anything.
const maxCompared = 10000

// layoutPair is one comparison that is still to be made.
type layoutPair struct {
	a, b btf.TypeID
	path string // from the value to here, as C writes it
}

// differentLayout compares how two types lay out a value in memory: sizes,
// members by name and offset, kinds. Names of typedefs, signs of integers and
// what pointers point to make no difference to that.
func differentLayout(as *btf.Spec, a btf.TypeID, bs *btf.Spec, b btf.TypeID) (string, string, bool) {
	todo := []layoutPair{{a, b, ""}}
	seen := map[[2]btf.TypeID]bool{}
	for n := 0; len(todo) > 0 && n < maxCompared; n++ {
		p := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		if seen[[2]btf.TypeID{p.a, p.b}] {
			continue
		}
		seen[[2]btf.TypeID{p.a, p.b}] = true
		at, errA := as.Resolve(p.a)
		bt, errB := bs.Resolve(p.b)
		if errA != nil || errB != nil {
			continue // not a value; the kernel has judged its side
		}
		if weakened(at, bt) || weakened(bt, at) {
			continue
		}
		da, db := describeLayout(at), describeLayout(bt)
		if da != db {
			return inPath(p.path, da), inPath(p.path, db), true
		}
		switch at.Kind() {
		case btf.KindArray:
			todo = append(todo, layoutPair{at.Elem(), bt.Elem(), p.path + "[]"})
		case btf.KindStruct, btf.KindUnion:
			for i, m := range at.Members() {
				o := bt.Member(i)
				if m.Name != o.Name || m.BitOffset != o.BitOffset || m.BitSize != o.BitSize {
					return inPath(p.path, describeMember(m)), inPath(p.path, describeMember(o)), true
				}
				if len(todo) < maxCompared {
					todo = append(todo, layoutPair{m.Type, o.Type, p.path + "." + m.Name})
				}
			}
		case btf.KindDatasec:
			if x, y, differ := differentVars(as, at, bs, bt); differ {
				return x, y, true
			}
		}
	}
	return "", "", false
}

func inPath(path, what string) string {
	if path == "" {
		return what
	}
	return fmt.Sprintf("%q: %s", path, what)
}

// weakened reports whether old is what a loader tells a kernel that does not
// know the kind of t: an empty structure for a float (before 5.13), a union
// for a 64-bit enumeration (before 6.0), of the same size.
func weakened(t, old btf.Type) bool {
	if t.Size() != old.Size() {
		return false
	}
	return t.Kind() == btf.KindFloat && old.Kind() == btf.KindStruct && old.NumMembers() == 0 ||
		t.Kind() == btf.KindEnum64 && old.Kind() == btf.KindUnion
}

// describeLayout is what of a type itself, without its parts, lays out memory.
func describeLayout(t btf.Type) string {
	switch k := t.Kind(); k {
	case btf.KindArray:
		return fmt.Sprintf("array of %d", t.Nelems())
	case btf.KindPtr:
		return "pointer"
	case btf.KindStruct, btf.KindUnion:
		word := "struct"
		if k == btf.KindUnion {
			word = "union"
		}
		if t.Name() != "" {
			word += fmt.Sprintf(" %q", t.Name())
		}
		return fmt.Sprintf("%s of %d bytes with %d members", word, t.Size(), t.NumMembers())
	case btf.KindInt, btf.KindEnum, btf.KindEnum64:
		return fmt.Sprintf("integer of %d bytes", t.Size())
	case btf.KindFloat:
		return fmt.Sprintf("float of %d bytes", t.Size())
	case btf.KindDatasec:
		return fmt.Sprintf("section %q with %d variables", t.Name(), t.NumVars())
	default:
		return k.String()
	}
}

func describeMember(m btf.Member) string {
	if m.BitSize != 0 {
		return fmt.Sprintf("member %q at bit %d, %d bits", m.Name, m.BitOffset, m.BitSize)
	}
	return fmt.Sprintf("member %q at byte %d", m.Name, m.BitOffset/8)
}

// differentVars compares which variables a section of data has, and of which
// size. Their offsets are set on the kernel's side only.
func differentVars(as *btf.Spec, a btf.Type, bs *btf.Spec, b btf.Type) (string, string, bool) {
	sizes := make(map[string]uint32, b.NumVars())
	for _, v := range b.Vars() {
		sizes[bs.Type(v.Type).Name()] = v.Size
	}
	for _, v := range a.Vars() {
		name := as.Type(v.Type).Name()
		size, ok := sizes[name]
		if !ok {
			return fmt.Sprintf("variable %q", name), "no such variable", true
		}
		if size != v.Size {
			return fmt.Sprintf("variable %q of %d bytes", name, v.Size), fmt.Sprintf("variable %q of %d bytes", name, size), true
		}
	}
	return "", "", false
}
