package reloc

import (
	"errors"
	"fmt"
	"strconv"

	"github.com/lode-bpf/lode/btf"
)

// maxSteps is BPF_CORE_SPEC_MAX_LEN, the number of steps of an access.
const maxSteps = 64

// A localSpec is an access string taken apart: what a record says in terms of
// the object's own types.
type localSpec struct {
	root   btf.Type
	acc    []accessor // of field and enumerator kinds
	bitOff uint64
	err    error
}

// An accessor is one step that has to be found again in the target: a named
// member, an enumerator, or an array index. Steps through members without a
// name are not: where those stand is the target's affair.
type accessor struct {
	typ  btf.TypeID // the composite or enumeration; the element type of an index
	idx  int
	name string // empty: an index
}

// Classes of relocation kinds: what is looked for in the target.
type coreClass uint8

const (
	classField coreClass = iota
	classType
	classMatch
	classEnum
	classLocal
	classUnknown
)

func classOf(k btf.COREKind) coreClass {
	switch k {
	case btf.COREFieldByteOffset, btf.COREFieldByteSize, btf.COREFieldExists, btf.COREFieldSigned, btf.COREFieldLshiftU64, btf.COREFieldRshiftU64:
		return classField
	case btf.CORETypeIDTarget, btf.CORETypeExists, btf.CORETypeSize:
		return classType
	case btf.CORETypeMatches:
		return classMatch
	case btf.COREEnumvalExists, btf.COREEnumvalValue:
		return classEnum
	case btf.CORETypeIDLocal:
		return classLocal
	}
	return classUnknown
}

// parseAccess reads "0:1:2" into the room given. Numbers are decimal and not
// negative.
func parseAccess(s string, room []int) ([]int, error) {
	steps := room[:0]
	for i := 0; i <= len(s); {
		j := i
		for j < len(s) && s[j] != ':' {
			j++
		}
		if len(steps) == maxSteps {
			return nil, specError(ErrLimit, "an access of more than "+strconv.Itoa(maxSteps)+" steps")
		}
		n, err := strconv.ParseUint(s[i:j], 10, 31)
		if err != nil || s[i] == '+' {
			return nil, specError(ErrFormat, "access string "+quote(cut(s))+" is not a list of numbers")
		}
		steps = append(steps, int(n))
		i = j + 1
	}
	return steps, nil
}

// cut shortens text that is put into a message.
func cut(s string) string {
	if len(s) > 64 {
		return s[:64] + "…"
	}
	return s
}

// A specErr is something wrong with a record in itself.
type specErr struct {
	kind   error
	detail string
}

//go:noinline
func specError(kind error, detail string) error { return &specErr{kind, detail} }

func (e *specErr) Error() string { return e.detail }

// Is reports whether target is the error's kind.
func (e *specErr) Is(target error) bool { return target == e.kind }

// parseSpec takes the access of a record apart. The accessors are appended to
// acc, which is returned.
func parseSpec(s *btf.Spec, id btf.TypeID, access string, class coreClass, acc []accessor) (localSpec, []accessor) {
	sp := localSpec{root: s.Type(id)}
	start := len(acc)
	acc, sp.err = sp.parse(s, access, class, acc)
	if sp.err != nil {
		acc = acc[:start]
	}
	sp.acc = acc[start:len(acc):len(acc)]
	return sp, acc
}

func (sp *localSpec) parse(s *btf.Spec, access string, class coreClass, acc []accessor) ([]accessor, error) {
	if !sp.root.Valid() {
		return acc, specError(ErrFormat, "the root type does not exist")
	}
	var room [maxSteps]int
	steps, err := parseAccess(access, room[:])
	if err != nil {
		return acc, err
	}
	if class == classType || class == classMatch || class == classLocal {
		if access != "0" {
			return acc, specError(ErrFormat, "access string "+quote(cut(access))+" for a kind that accesses nothing")
		}
		return acc, nil
	}
	t, err := s.Resolve(sp.root.ID())
	if err != nil {
		return acc, err
	}
	if class == classEnum {
		if len(steps) != 1 || steps[0] >= t.NumEnumerators() {
			return acc, specError(ErrFormat, "access string "+quote(cut(access))+" names no enumerator of the type")
		}
		return append(acc, accessor{typ: t.ID(), idx: steps[0], name: t.Enumerator(steps[0]).Name}), nil
	}
	if err := addIndex(s, t.ID(), steps[0], &sp.bitOff); err != nil {
		return acc, err
	}
	acc = append(acc, accessor{typ: t.ID(), idx: steps[0]})
	for _, step := range steps[1:] {
		if acc, t, err = sp.step(s, t, step, acc); err != nil {
			return acc, err
		}
	}
	return acc, nil
}

// step takes one step from a type, behind typedefs and qualifiers, to the next.
func (sp *localSpec) step(s *btf.Spec, t btf.Type, step int, acc []accessor) ([]accessor, btf.Type, error) {
	switch t.Kind() {
	case btf.KindStruct, btf.KindUnion:
		if step >= t.NumMembers() {
			return acc, t, specError(ErrFormat, "member "+strconv.Itoa(step)+" of a type with "+strconv.Itoa(t.NumMembers()))
		}
		m := t.Member(step)
		sp.bitOff += uint64(m.BitOffset)
		if m.Name != "" {
			acc = append(acc, accessor{typ: t.ID(), idx: step, name: m.Name})
		}
		next, err := s.Resolve(m.Type)
		return acc, next, err
	case btf.KindArray:
		if uint64(step) >= uint64(t.Nelems()) && !flexible(s, acc, t) {
			return acc, t, specError(ErrFormat, "element "+strconv.Itoa(step)+" of an array of "+strconv.FormatUint(uint64(t.Nelems()), 10))
		}
		next, err := s.Resolve(t.Elem())
		if err == nil {
			err = addIndex(s, next.ID(), step, &sp.bitOff)
		}
		return append(acc, accessor{typ: next.ID(), idx: step}), next, err
	}
	return acc, t, specError(ErrFormat, "a step into a type that has no members ("+t.Kind().String()+")")
}

// flexible reports whether an array reached by the accessors may be accessed at
// any index: it has no elements and is the last member of its structure.
func flexible(s *btf.Spec, acc []accessor, array btf.Type) bool {
	if array.Nelems() != 0 || len(acc) == 0 {
		return false
	}
	last := acc[len(acc)-1]
	return last.name != "" && last.idx == s.Type(last.typ).NumMembers()-1
}

// addIndex adds the bits before element idx of an array of the type.
func addIndex(s *btf.Spec, id btf.TypeID, idx int, bits *uint64) error {
	size, err := s.SizeOf(id)
	if err != nil {
		return err
	}
	const limit = 1 << 48
	if size > limit || idx > 0 && size > limit/uint64(idx) {
		return specError(ErrRange, "element "+strconv.Itoa(idx)+" lies too far away")
	}
	*bits += uint64(idx) * size * 8
	return nil
}

// A COREError is a relocation that contradicts itself, the instruction that it
// applies to, or the target.
type COREError struct {
	Decision *Decision
	Kind     error
	Detail   string
	Err      error
}

func (e *COREError) Error() string {
	d := e.Decision
	s := fmt.Sprintf("reloc: instruction %d of %q", d.Index, d.Func)
	if src := d.Source.String(); src != "" {
		s += fmt.Sprintf(" (%q)", src)
	}
	s += fmt.Sprintf(": CO-RE %s of %s: %s", d.Kind, d.Path(), e.Detail)
	if e.Err != nil {
		s += ": " + e.Err.Error()
	}
	return s
}

// Is reports whether target is the error's kind.
func (e *COREError) Is(target error) bool { return target == e.Kind }

// Unwrap returns the cause.
func (e *COREError) Unwrap() error { return e.Err }

// kindOf is what an error of this package or of btf is about.
func kindOf(err error) error {
	for _, k := range []error{ErrFormat, ErrRange, ErrLimit, ErrUnsupported, ErrAmbiguous, ErrMismatch, ErrNoEnv} {
		if errors.Is(err, k) {
			return k
		}
	}
	if errors.Is(err, btf.ErrLimit) {
		return ErrLimit
	}
	return ErrFormat
}
