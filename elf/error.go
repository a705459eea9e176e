package elf

import (
	"errors"
	"fmt"
	"strconv"
)

// A Kind says in which way a file contradicts the format.
type Kind uint8

const (
	Truncated   Kind = iota + 1 // the file ends before what it announces
	Range                       // a number points outside what it counts
	Overlap                     // two things claim the same bytes
	Loop                        // a chain of references comes back to itself
	Limit                       // within the format, but beyond a limit of [Limits]
	Unsupported                 // a form of the format that is not read here
	Name                        // a name that is not one
)

var kinds = [...]struct {
	name     string
	sentinel error
}{
	0:           {"no error", nil},
	Truncated:   {"truncated", ErrTruncated},
	Range:       {"out of range", ErrRange},
	Overlap:     {"overlap", ErrOverlap},
	Loop:        {"loop", ErrLoop},
	Limit:       {"limit exceeded", ErrLimit},
	Unsupported: {"unsupported", ErrUnsupported},
	Name:        {"bad name", ErrName},
}

// String is the kind in words.
func (k Kind) String() string {
	if int(k) < len(kinds) {
		return kinds[k].name
	}
	return "kind " + strconv.Itoa(int(k))
}

// One sentinel for each Kind: errors.Is(err, ErrLimit) holds for every
// *FormatError of that kind.
var (
	ErrTruncated   = errors.New("elf: truncated")
	ErrRange       = errors.New("elf: out of range")
	ErrOverlap     = errors.New("elf: overlap")
	ErrLoop        = errors.New("elf: loop")
	ErrLimit       = errors.New("elf: limit exceeded")
	ErrUnsupported = errors.New("elf: unsupported")
	ErrName        = errors.New("elf: bad name")
)

// A FormatError says where a file contradicts the format, and how.
type FormatError struct {
	Section string // name of the section, empty for the ELF header
	Index   int    // number of the section, symbol or record; -1 if there is none
	Offset  int64  // where the offending bytes stand in the file; at most its length
	Field   string // the specification's name of the field
	Value   uint64 // what was found there
	Kind    Kind
	Detail  string // what was expected
}

// Error is one line, from the outermost place to what was expected. Text that
// comes from the file is quoted.
func (e *FormatError) Error() string {
	where := "elf: "
	if e.Section != "" {
		where += "section " + quote(e.Section) + ": "
	}
	if e.Index >= 0 {
		where += "[" + strconv.Itoa(e.Index) + "]: "
	}
	return fmt.Sprintf("%s%s %#x: %s: %s (file offset %#x)", where, e.Field, e.Value, e.Kind, e.Detail, e.Offset)
}

// Is reports whether target is the sentinel of the error's kind.
func (e *FormatError) Is(target error) bool {
	return int(e.Kind) < len(kinds) && kinds[e.Kind].sentinel != nil && kinds[e.Kind].sentinel == target
}

// A Finding is something odd in a file that is harmless to its readers: it is
// reported, and parsing goes on.
type Finding struct {
	Section string // name of the section, empty for the ELF header
	Index   int    // number of the section, symbol or record; -1 if there is none
	Offset  int64  // where it stands in the file; less than its length
	Field   string // the specification's name of the field
	Value   uint64 // what was found there
	Detail  string // what is odd about it
}

// String is one line; text that comes from the file is quoted.
func (f Finding) String() string {
	where := ""
	if f.Section != "" {
		where = "section " + quote(f.Section) + ": "
	}
	if f.Index >= 0 {
		where += "[" + strconv.Itoa(f.Index) + "]: "
	}
	return fmt.Sprintf("%s%s %#x: %s (file offset %#x)", where, f.Field, f.Value, f.Detail, f.Offset)
}

// quote quotes text from a file, shortened to what a person reads.
func quote(s string) string {
	const most = 80
	if len(s) > most {
		return strconv.Quote(s[:most]) + "..."
	}
	return strconv.Quote(s)
}
