package insn

import (
	"errors"
	"fmt"
)

// A Kind says what is wrong with an instruction.
type Kind uint8

const (
	Truncated Kind = iota + 1 // code that ends within a slot or a wide load
	Range                     // a jump out of the code, or a distance that its field cannot hold
	Unknown                   // no defined instruction
	Syntax                    // text that is not an instruction
)

var kinds = [...]struct {
	name     string
	sentinel error
}{
	0:         {"no error", nil},
	Truncated: {"truncated", ErrTruncated},
	Range:     {"out of range", ErrRange},
	Unknown:   {"unknown instruction", ErrUnknown},
	Syntax:    {"syntax", ErrSyntax},
}

// String is the kind in words.
func (k Kind) String() string {
	if int(k) < len(kinds) {
		return kinds[k].name
	}
	return fmt.Sprintf("kind %d", uint8(k))
}

// One sentinel for each Kind: errors.Is(err, ErrRange) holds for every *Error
// of that kind.
var (
	ErrTruncated = errors.New("insn: truncated")
	ErrRange     = errors.New("insn: out of range")
	ErrUnknown   = errors.New("insn: unknown instruction")
	ErrSyntax    = errors.New("insn: syntax")
)

// An Error says what is wrong with which instruction.
type Error struct {
	Kind   Kind
	Index  int         // slot; of text that does not assemble, the slot it would have filled
	Insn   Instruction // the instruction, zero if there is none
	Line   int         // line of the text that does not assemble, from 1; 0 if it is not about text
	Detail string
}

// Error is one line.
func (e *Error) Error() string {
	if e.Line > 0 {
		return fmt.Sprintf("insn: line %d: %s", e.Line, e.Detail)
	}
	if e.Insn == (Instruction{}) {
		return fmt.Sprintf("insn: slot %d: %s: %s", e.Index, e.Kind, e.Detail)
	}
	return fmt.Sprintf("insn: slot %d (%s): %s: %s", e.Index, e.Insn, e.Kind, e.Detail)
}

// Is reports whether target is the sentinel of the error's kind.
func (e *Error) Is(target error) bool {
	return int(e.Kind) < len(kinds) && kinds[e.Kind].sentinel != nil && kinds[e.Kind].sentinel == target
}
