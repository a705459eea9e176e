package iproute2

import (
	"context"
	"crypto/sha1"
	"encoding/hex"
	"fmt"

	"github.com/lode-bpf/lode"
	"github.com/lode-bpf/lode/btf"
	"github.com/lode-bpf/lode/maps"
	"github.com/lode-bpf/lode/sys"
)

// Section is the name of the section with legacy definitions.
const Section = "maps"

// Options says what tc's and ip's command line says beside the file.
type Options struct {
	// Type is the type of programs whose section names do not tell it (the
	// numeric and "prog" sections). 0 takes the type of the first program
	// that has one.
	Type sys.ProgType

	// Section is the section to load, with what it reaches by tail calls.
	// Empty loads every program, and with Type set the section that tc and
	// ip take by default for that type if the object has it.
	Section string
}

// DefaultSection is the section that iproute2 loads if none is given.
func DefaultSection(t sys.ProgType) string {
	switch t {
	case sys.ProgTypeSchedCls:
		return "classifier"
	case sys.ProgTypeSchedAct:
		return "action"
	case sys.ProgTypeXDP, sys.ProgTypeLWTIn, sys.ProgTypeLWTOut, sys.ProgTypeLWTXmit, sys.ProgTypeLWTSeg6Local:
		return "prog"
	}
	return ""
}

// Load is lode.Load with the fallback to this package: objects in the standard format
// load as ever, those with legacy definitions as tc and ip load them.
func Load(ctx context.Context, path string, opts lode.LoadOptions) (*lode.Collection, error) {
	opts.Fallback = Fallback
	return lode.Load(ctx, path, opts)
}

// Fallback is that of Options{}: every program is loaded.
func Fallback(b []byte, opts lode.ParseOptions, cause error) (*lode.Object, error) {
	return Options{}.Fallback(b, opts, cause)
}

// Fallback is for lode.ParseOptions: what Open calls for an object whose map
// definitions the standard parser does not understand; cause is the error that
// said so. A file that is not understood here either is a *FallbackError.
func (opts Options) Fallback(b []byte, po lode.ParseOptions, cause error) (*lode.Object, error) {
	o, err := opts.Parse(b, po)
	if err != nil {
		return nil, &FallbackError{Err: err, Cause: cause}
	}
	return o, nil
}

// A FallbackError is a file that neither parser understands.
type FallbackError struct {
	Err   error // of this package
	Cause error // of the standard parser
}

func (e *FallbackError) Error() string {
	return e.Err.Error() + " (before that: " + e.Cause.Error() + ")"
}
func (e *FallbackError) Unwrap() []error {
	return []error{e.Err, e.Cause}
}

// A DefinitionError reports a definition in the section "maps" that is not one.
type DefinitionError struct {
	Symbol string
	Offset uint64 // in the section
	Reason string
}

func (e *DefinitionError) Error() string {
	return fmt.Sprintf("iproute2: section %q, map %q at %#x: %s", Section, e.Symbol, e.Offset, e.Reason)
}

// Parse reads an object with legacy definitions, and with definitions in
// ".maps" too where it has both and the names differ. The result is an object
// like any other.
func (opts Options) Parse(b []byte, po lode.ParseOptions) (*lode.Object, error) {
	po.Claim = append(po.Claim[:len(po.Claim):len(po.Claim)], Section)
	o, err := lode.Parse(b, po)
	if err != nil {
		return nil, err
	}
	sum := sha1.Sum(b)
	o.Hash = hex.EncodeToString(sum[:])
	defs, err := addMaps(o)
	if err != nil {
		return nil, err
	}
	if err := joinMaps(o, defs); err != nil {
		return nil, err
	}
	return o, opts.selectPrograms(o, defs)
}

// A legacy is a map of the object and the definition that it was made from.
type legacy struct {
	*lode.Map
	def Definition
}

// addMaps adds a map for each symbol in the section.
func addMaps(o *lode.Object) ([]legacy, error) {
	syms := o.Claimed(Section)
	if len(syms) == 0 {
		return nil, &DefinitionError{Reason: "the section has no symbols that define maps"}
	}
	var out []legacy
	var end uint64
	sec := o.File.Section(syms[0].SectionIndex)
	for i, s := range syms {
		if i > 0 && s.Offset == syms[i-1].Offset {
			o.Findings = append(o.Findings, lode.Finding{Stage: "iproute2", Text: fmt.Sprintf("%q is another name for map %q", s.Name, syms[i-1].Name)})
			continue
		}
		s = withSize(s, syms[i+1:], sec.Data())
		if s.Offset < end {
			return nil, &DefinitionError{Symbol: s.Name, Offset: s.Offset, Reason: "the definition overlaps the one before it"}
		}
		end = s.Offset + s.Size
		d, err := read(o, s)
		if err != nil {
			return nil, err
		}
		m := &lode.Map{Legacy: true, Spec: d.spec(o, s)}
		if err := o.AddMap(m); err != nil {
			return nil, &DefinitionError{Symbol: s.Name, Offset: s.Offset, Reason: err.Error()}
		}
		out = append(out, legacy{m, d})
	}
	return out, nil
}

// withSize gives a symbol without a size, as an assembler makes them, the bytes
// up to the next symbol.
func withSize(s lode.Symbol, next []lode.Symbol, section []byte) lode.Symbol {
	if s.Size != 0 || s.Offset > uint64(len(section)) {
		return s
	}
	end := uint64(len(section))
	for _, n := range next {
		if n.Offset > s.Offset {
			end = min(end, n.Offset)
			break
		}
	}
	s.Size = end - s.Offset
	s.Data = section[s.Offset:end:end]
	return s
}

// read decodes one definition, by the members' names if the object has them.
func read(o *lode.Object, s lode.Symbol) (Definition, error) {
	fail := func(reason string) error { return &DefinitionError{Symbol: s.Name, Offset: s.Offset, Reason: reason} }
	if s.Data == nil {
		return Definition{}, fail(fmt.Sprintf("%d bytes reach past the end of the section", s.Size))
	}
	order := o.File.ByteOrder()
	if t, ok := variableType(o.BTF, s.Name); ok {
		if d, reason, ok := decodeNamed(o.BTF, t, s.Data, order); ok {
			if reason != "" {
				return d, fail(reason)
			}
			return d, nil
		}
	}
	d, reason := decode(s.Data, order)
	if reason != "" {
		return d, fail(reason)
	}
	if s.Size == 28 {
		o.Findings = append(o.Findings, lode.Finding{Stage: "iproute2", Text: fmt.Sprintf(
			"map %q has 28 bytes and no BTF: read as iproute2 does (id at 20, pinning at 24); other loaders had other members there", s.Name)})
	}
	return d, nil
}

// variableType is the struct of a global variable.
func variableType(s *btf.Spec, name string) (btf.Type, bool) {
	if s == nil {
		return btf.Type{}, false
	}
	v, ok := s.Find(name, btf.KindVar)
	if !ok {
		return btf.Type{}, false
	}
	t, err := s.Resolve(v.Elem())
	return t, err == nil && t.Kind() == btf.KindStruct
}

// spec is the definition as the loader knows maps.
func (d Definition) spec(o *lode.Object, s lode.Symbol) maps.Spec {
	m := maps.Spec{
		Name: s.Name, Type: sys.MapType(d.Type), KeySize: d.SizeKey, ValueSize: d.SizeValue, MaxEntries: d.MaxElem,
		Flags: d.Flags, Pinning: d.Pinning, NumaNode: d.NumaNode,
		Section: s.Section, SectionIndex: s.SectionIndex, Offset: s.Offset, Size: s.Size, Static: !s.Global,
	}
	if d.isOuter() {
		m.ValueSize = 4
	}
	m.BTF, m.Key, m.Value = o.BTF, 0, 0
	if key, value, ok := annotated(o.BTF, s.Name, d); ok {
		m.Key, m.Value = key, value
	}
	return m
}

func (d Definition) isOuter() bool {
	return sys.MapType(d.Type) == sys.MapTypeArrayOfMaps || sys.MapType(d.Type) == sys.MapTypeHashOfMaps
}

// annotated finds the types that BPF_ANNOTATE_KV_PAIR gives to a map: a struct
// ____btf_map_NAME with the members key and value. They count only if they
// have the sizes of the definition, because the kernel refuses others.
func annotated(s *btf.Spec, name string, d Definition) (key, value btf.TypeID, ok bool) {
	if s == nil {
		return 0, 0, false
	}
	t, ok := s.Find("____btf_map_"+name, btf.KindStruct)
	if !ok || t.Vlen() != 2 || t.Member(0).Name != "key" || t.Member(1).Name != "value" {
		return 0, 0, false
	}
	key, value = t.Member(0).Type, t.Member(1).Type
	k, kerr := s.SizeOf(key)
	v, verr := s.SizeOf(value)
	return key, value, kerr == nil && verr == nil && k == uint64(d.SizeKey) && v == uint64(d.SizeValue)
}

// joinMaps gives each map of maps its template and its initial contents.
func joinMaps(o *lode.Object, defs []legacy) error {
	for i, outer := range defs {
		if !outer.def.isOuter() {
			continue
		}
		fail := func(reason string) error {
			return &DefinitionError{Symbol: outer.Name, Offset: outer.Offset, Reason: reason}
		}
		if outer.def.InnerID == 0 {
			return fail("a map of maps needs an inner_id: the id of the map that shows what its inner maps are like")
		}
		outer.Refill = true
		for j, inner := range defs {
			if i == j || inner.def.ID != outer.def.InnerID {
				continue
			}
			if inner.def.isOuter() {
				return fail(fmt.Sprintf("its inner map %q is a map of maps; the kernel allows one level", inner.Name))
			}
			if outer.InnerMap == "" {
				outer.InnerMap = inner.Name
			}
			if inner.def.InnerID != 0 || inner.def.InnerIndex == NoIndex {
				continue
			}
			if outer.Type == sys.MapTypeArrayOfMaps && inner.def.InnerIndex >= outer.MaxEntries {
				return fail(fmt.Sprintf("inner map %q goes to index %d, but the map has %d elements", inner.Name, inner.def.InnerIndex, outer.MaxEntries))
			}
			outer.Slots = append(outer.Slots, maps.Slot{Index: inner.def.InnerIndex, Map: inner.Name})
		}
		if outer.InnerMap == "" {
			return fail(fmt.Sprintf("no map has the id %d that its inner_id names", outer.def.InnerID))
		}
		if err := checkSlots(outer); err != nil {
			return err
		}
	}
	return nil
}

// checkSlots refuses two maps for one slot.
func checkSlots(m legacy) error {
	seen := map[uint32]maps.Slot{}
	for _, s := range m.Slots {
		if o, dup := seen[s.Index]; dup {
			return &DefinitionError{Symbol: m.Name, Offset: m.Offset, Reason: fmt.Sprintf("both %q and %q go to index %d", o.Map+o.Program, s.Map+s.Program, s.Index)}
		}
		seen[s.Index] = s
	}
	return nil
}

// A NoSectionError reports a section to load that the object does not have.
type NoSectionError struct {
	Section string
	Has     []string // the sections with programs
}

func (e *NoSectionError) Error() string {
	return fmt.Sprintf("iproute2: the object has no program in section %q, only in %q", e.Section, e.Has)
}
