package btf

import (
	"errors"
	"strconv"
)

// ErrorKind says in which way bytes contradict the format.
type ErrorKind uint8

const (
	Truncated   ErrorKind = iota + 1 // something ends after its container does
	Range                            // a number outside what the format allows
	Overlap                          // two things claim the same bytes
	Loop                             // types refer to each other in a circle
	Limit                            // within the format, but above a limit of Limits
	Unsupported                      // a version, kind or form this package cannot read
	Name                             // a name that the string section does not hold
)

// Sentinels for errors.Is, one for each ErrorKind.
var (
	ErrTruncated   = errors.New("truncated")
	ErrRange       = errors.New("out of range")
	ErrOverlap     = errors.New("overlap")
	ErrLoop        = errors.New("loop")
	ErrLimit       = errors.New("limit exceeded")
	ErrUnsupported = errors.New("unsupported")
	ErrName        = errors.New("bad name")
)

var sentinels = [...]error{
	Truncated: ErrTruncated, Range: ErrRange, Overlap: ErrOverlap, Loop: ErrLoop,
	Limit: ErrLimit, Unsupported: ErrUnsupported, Name: ErrName,
}

// String is the text of the kind's sentinel.
func (k ErrorKind) String() string {
	if k == 0 || int(k) >= len(sentinels) {
		return "error kind " + strconv.Itoa(int(k))
	}
	return sentinels[k].Error()
}

// ErrNoBTF is returned for a file or kernel that has no BTF.
var ErrNoBTF = errors.New("btf: no BTF")

// ErrNotFound is returned when nothing has the wanted name.
var ErrNotFound = errors.New("btf: not found")

// A FormatError says what is wrong with BTF or .BTF.ext data, and where.
type FormatError struct {
	Part   string    // "header", "types", "strings", "layout", "func_info", "line_info", "core_relo"
	Index  int       // type id in "types", record number in the .BTF.ext parts; -1 if none
	Offset int64     // byte offset in the input; -1 if the error has no single place
	Field  string    // the field, as the specification names it
	Value  uint64    // what it holds
	Kind   ErrorKind // how that is wrong
	Detail string    // what was expected
}

// Error is one line: where, which field, what it holds, what was expected.
func (e *FormatError) Error() string {
	b := append(make([]byte, 0, 96), "btf: "...)
	b = append(b, e.Part...)
	if e.Index >= 0 {
		b = append(b, '[')
		b = strconv.AppendInt(b, int64(e.Index), 10)
		b = append(b, ']')
	}
	if e.Field != "" {
		b = append(b, ": "...)
		b = append(b, e.Field...)
		b = append(b, ' ')
		b = strconv.AppendUint(b, e.Value, 10)
	}
	b = append(b, ": "...)
	b = append(b, e.Kind.String()...)
	if e.Detail != "" {
		b = append(b, " ("...)
		b = append(b, e.Detail...)
		b = append(b, ')')
	}
	if e.Offset >= 0 {
		b = append(b, " at 0x"...)
		b = strconv.AppendInt(b, e.Offset, 16)
	}
	return string(b)
}

// Is makes errors.Is(err, ErrLimit) and its siblings work.
func (e *FormatError) Is(target error) bool {
	return e.Kind != 0 && int(e.Kind) < len(sentinels) && sentinels[e.Kind] == target
}

// A Finding is something odd but harmless: parsing went on.
type Finding struct {
	Part   string // as in FormatError
	Index  int    // type id or record number; -1 if none
	Offset int64  // byte offset in the input
	Text   string // one sentence
}
