package static

import (
	"errors"
	"strconv"
)

// What an error is about, for errors.Is.
var (
	ErrDuplicate   = errors.New("defined twice")
	ErrMismatch    = errors.New("does not match")
	ErrUnsupported = errors.New("not supported")
	ErrFormat      = errors.New("malformed")
	ErrLimit       = errors.New("limit exceeded")
)

// An Error says why objects cannot be linked.
type Error struct {
	Input   string // file that is at fault, as its Input names it
	Other   string // file that it disagrees with, if any
	Section string
	Symbol  string
	Kind    error
	Detail  string
	Err     error // cause
}

func (e *Error) Error() string {
	s := "static: "
	if e.Input != "" {
		s += strconv.Quote(e.Input) + ": "
	}
	if e.Section != "" {
		s += "section " + strconv.Quote(e.Section) + ": "
	}
	if e.Symbol != "" {
		s += "symbol " + strconv.Quote(e.Symbol) + ": "
	}
	s += e.Detail
	if e.Other != "" {
		s += " (see " + strconv.Quote(e.Other) + ")"
	}
	if e.Err != nil {
		s += ": " + e.Err.Error()
	}
	return s
}

// Is reports whether target is the error's kind.
func (e *Error) Is(target error) bool { return target == e.Kind }

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }
