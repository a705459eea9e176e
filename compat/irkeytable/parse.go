package irkeytable

import (
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/lode-bpf/lode"
	"github.com/lode-bpf/lode/elf"
	"github.com/lode-bpf/lode/insn"
	"github.com/lode-bpf/lode/maps"
	"github.com/lode-bpf/lode/sys"
)

// Section is the name of the section with map definitions.
const Section = "lirc_mode2/maps"

// Sections of parameters.
const (
	dataSection = ".data"
	bssSection  = ".bss"
)

// Fallback is what lode.Open calls for an object whose map definitions the
// standard parser does not understand. For definitions in another section than
// this package's it returns cause.
func Fallback(b []byte, opts lode.ParseOptions, cause error) (*lode.Object, error) {
	var unknown *maps.NotUnderstoodError
	if !errors.As(cause, &unknown) || unknown.Section != Section {
		return nil, cause
	}
	return Parse(b, opts)
}

// Parse reads a decoder. Its programs get the type lirc_mode2, and each
// parameter the value that it has in the file. The result is an object like any
// other.
func Parse(b []byte, po lode.ParseOptions) (*lode.Object, error) {
	po.Claim = append(po.Claim[:len(po.Claim):len(po.Claim)], Section, dataSection, bssSection)
	o, err := lode.Parse(b, po)
	if err != nil {
		return nil, err
	}
	if err := addMaps(o); err != nil {
		return nil, err
	}
	for _, p := range o.Programs {
		if p.Type == sys.ProgTypeUnspec && strings.HasPrefix(p.Section, "lirc_mode2/") {
			p.Type, p.AttachType = sys.ProgTypeLIRCMode2, sys.AttachLIRCMode2
		}
		if err := setParameters(o, p.Func); err != nil {
			return nil, err
		}
	}
	for _, f := range o.Subprograms {
		if err := setParameters(o, f); err != nil {
			return nil, err
		}
	}
	return o, nil
}

// A DefinitionError reports a map or parameter that is not as ir-keytable has
// them.
type DefinitionError struct {
	Section string
	Symbol  string
	Offset  uint64 // in the section
	Reason  string
}

func (e *DefinitionError) Error() string {
	return fmt.Sprintf("irkeytable: section %q, %q at %#x: %s", e.Section, e.Symbol, e.Offset, e.Reason)
}

// Sizes of a definition in bytes: five members of 32 bits (type, key size, value
// size, entries, flags), and two that this package takes as zero only: the
// number of an inner map, and a NUMA node.
const (
	minSize = 20
	maxSize = 28
)

// addMaps adds a map for each symbol of the section.
func addMaps(o *lode.Object) error {
	for _, s := range o.Claimed(Section) {
		fail := func(format string, args ...any) error {
			return &DefinitionError{Section, s.Name, s.Offset, fmt.Sprintf(format, args...)}
		}
		if len(s.Data) < minSize || len(s.Data) > maxSize || len(s.Data)%4 != 0 {
			return fail("%d bytes, of which the section has %d; a definition has %d to %d, a multiple of 4", s.Size, len(s.Data), minSize, maxSize)
		}
		var fields [maxSize / 4]uint32
		for i := range len(s.Data) / 4 {
			fields[i] = o.File.ByteOrder().Uint32(s.Data[4*i:])
		}
		m := &lode.Map{Legacy: true, Spec: maps.Spec{
			Name: s.Name, Type: sys.MapType(fields[0]), KeySize: fields[1], ValueSize: fields[2], MaxEntries: fields[3], Flags: fields[4],
			Section: s.Section, SectionIndex: s.SectionIndex, Offset: s.Offset, Size: s.Size, Static: !s.Global,
		}}
		if fields[5] != 0 || fields[6] != 0 || m.Type == sys.MapTypeArrayOfMaps || m.Type == sys.MapTypeHashOfMaps {
			return fail("maps of maps and NUMA nodes are not supported in this format; define the map in section \".maps\"")
		}
		if err := o.AddMap(m); err != nil {
			return fail("%v", err)
		}
	}
	return nil
}

// setParameters writes the values of parameters into the instructions of a
// function that refer to them. These references are resolved then.
func setParameters(o *lode.Object, f *insn.Func) error {
	var failed error
	f.Refs = slices.DeleteFunc(f.Refs, func(r insn.Ref) bool {
		if r.Symbol.SectionName != dataSection && r.Symbol.SectionName != bssSection || failed != nil {
			return false
		}
		failed = setParameter(o, f, r)
		return failed == nil
	})
	return failed
}

func setParameter(o *lode.Object, f *insn.Func, r insn.Ref) error {
	fail := func(reason string) error {
		return &DefinitionError{r.Symbol.SectionName, r.Symbol.Name, r.Symbol.Value,
			fmt.Sprintf("instruction %d of %q: %s", r.Index, f.Name, reason)}
	}
	if r.Index+1 >= len(f.Insns) || !f.Insns[r.Index].Op.IsWide() {
		return fail("a parameter stands in a load of 64 bits, and nowhere else")
	}
	at := &f.Insns[r.Index]
	value, ok := parameter(o.File.Section(r.Symbol.Section), int64(r.Symbol.Value)+int64(at.Imm), o.File.ByteOrder())
	if !ok {
		return fail("the parameter reaches past the end of its section")
	}
	at.Imm = int32(value)
	return nil
}

// parameter is the value of the 32 bits at a place of a section.
func parameter(s elf.Section, at int64, order binary.ByteOrder) (uint32, bool) {
	if at < 0 || uint64(at) > s.Size() || s.Size()-uint64(at) < 4 {
		return 0, false
	}
	if s.Type() == elf.SHT_NOBITS {
		return 0, true
	}
	return order.Uint32(s.Data()[at:]), true
}
