package elf

import "strconv"

// Helpers that build errors; none is on the way of a file that is in order, so
// those that would be inlined in many places are not.

//go:noinline
func dec(n int) string { return strconv.Itoa(n) }

//go:noinline
func udec(n uint64) string { return strconv.FormatUint(n, 10) }

// headerError is about a field of the ELF header.
//
//go:noinline
func (p *parser) headerError(at int, field string, value uint64, kind Kind, detail string) error {
	return &FormatError{Index: -1, Offset: int64(at), Field: field, Value: value, Kind: kind, Detail: detail}
}

// sectionError is about a field of a section header.
//
//go:noinline
func (p *parser) sectionError(section, field int, name string, value uint64, kind Kind, detail string) error {
	s := Section{p.File, section}
	return &FormatError{Section: s.Name(), Index: section, Offset: int64(s.at()) + int64(field), Field: name, Value: value, Kind: kind, Detail: detail}
}

// recordError is about a record in a section, at a place in the file.
func (p *parser) recordError(section, record int, at uint64, field string, value uint64, kind Kind, detail string) error {
	return &FormatError{Section: Section{p.File, section}.Name(), Index: record, Offset: int64(at), Field: field, Value: value, Kind: kind, Detail: detail}
}

// A nameFault is what is wrong with a name; the zero nameFault is no fault.
type nameFault struct {
	kind   Kind
	detail string
}

// nameError places a fault.
func (p *parser) nameError(fault nameFault, section, record int, at uint64, field string, value uint32) error {
	s := ""
	if record >= 0 {
		s = Section{p.File, section}.Name()
	} else {
		record = section
	}
	return &FormatError{Section: s, Index: record, Offset: int64(at), Field: field, Value: uint64(value), Kind: fault.kind, Detail: fault.detail}
}
