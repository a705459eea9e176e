package reloc

import (
	"errors"
	"fmt"
	"sort"
	"strconv"

	"github.com/lode-bpf/lode/btf"
	"github.com/lode-bpf/lode/insn"
)

// What an error is about, for errors.Is.
var (
	ErrFormat      = errors.New("malformed")
	ErrRange       = errors.New("out of range")
	ErrUnresolved  = errors.New("not found")
	ErrAmbiguous   = errors.New("ambiguous")
	ErrMismatch    = errors.New("does not match")
	ErrUnsupported = errors.New("not supported")
	ErrLimit       = errors.New("limit exceeded")
	ErrCycle       = errors.New("recursion")
	ErrNoEnv       = errors.New("nothing is known of the kernel")
)

// A Source is a place in the source code, as line info has it. The zero Source
// is an unknown place.
type Source struct {
	File   string
	Line   uint32
	Column uint32
	Text   string // the line itself
}

func (s Source) String() string {
	if s.File == "" && s.Line == 0 {
		return ""
	}
	return s.File + ":" + strconv.FormatUint(uint64(s.Line), 10)
}

// SourceAt is the source line that instruction i of a function belongs to.
func SourceAt(b *btf.Spec, f *insn.Func, i int) Source {
	if b == nil {
		return Source{}
	}
	n := sort.Search(len(f.Lines), func(n int) bool { return f.Lines[n].Index > i })
	if n == 0 {
		return Source{}
	}
	l := f.Lines[n-1]
	s := Source{Line: l.Line(), Column: l.Column()}
	s.File, _ = b.String(l.FileOff)
	s.Text, _ = b.String(l.LineOff)
	return s
}

// A RefError is a reference that could not be resolved.
type RefError struct {
	Func    string
	Section string
	Index   int    // slot in Func
	Offset  uint64 // of the slot in Section, in bytes
	Symbol  string
	Source  Source
	Record  int // in Result.Records, -1 if there is no record
	Kind    error
	Detail  string
	Hint    string // the next thing to try
	Err     error  // cause, if it comes from outside
}

func (e *RefError) Error() string {
	s := fmt.Sprintf("reloc: instruction %d of %q (%q+%#x", e.Index, e.Func, e.Section, e.Offset)
	if src := e.Source.String(); src != "" {
		s += ", " + quote(src)
	}
	s += ")"
	if e.Symbol != "" {
		s += ": " + quote(e.Symbol)
	}
	s += ": " + e.Detail
	if e.Detail == "" {
		s += e.Kind.Error()
	}
	if e.Err != nil {
		s += ": " + e.Err.Error()
	}
	if e.Hint != "" {
		s += "; " + e.Hint
	}
	return s
}

// Is reports whether target is the error's kind.
func (e *RefError) Is(target error) bool { return target == e.Kind }

// Unwrap returns the cause.
func (e *RefError) Unwrap() error { return e.Err }

// A LimitError is a limit that linking met.
type LimitError struct {
	Program string
	Limit   string // field of Limits
	Max     int
	Detail  string
}

func (e *LimitError) Error() string {
	return fmt.Sprintf("reloc: program %q: %s: limit %s of %d exceeded", e.Program, e.Detail, e.Limit, e.Max)
}

// Is reports whether target is ErrLimit.
func (e *LimitError) Is(target error) bool { return target == ErrLimit }

// A ProgramError is what keeps a program from being loaded.
type ProgramError struct {
	Program string
	Errs    []error // at least one
	More    int     // how many others there are, of functions with a great many
}

func (e *ProgramError) Error() string {
	s := fmt.Sprintf("program %q: %v", e.Program, e.Errs[0])
	if n := len(e.Errs) - 1 + e.More; n > 0 {
		s += fmt.Sprintf(" (and %d more)", n)
	}
	return s
}

// Unwrap returns every error.
func (e *ProgramError) Unwrap() []error { return e.Errs }

// maxErrs is how many errors a program lists of one function that came with
// them: a function may be in any number of programs.
const maxErrs = 8

// failMore counts errors that are not listed, after those that are.
func (p *Program) failMore(n int) {
	if pe, ok := p.Err.(*ProgramError); ok && n > 0 {
		pe.More += n
	}
}

// fail adds an error to a program. It is not inlined, nor are its like: they are
// called in many places, and only when something is wrong.
//
//go:noinline
func (p *Program) fail(err error) {
	pe, ok := p.Err.(*ProgramError)
	if !ok {
		pe = &ProgramError{Program: p.Name}
		if p.Err != nil {
			pe.Errs = append(pe.Errs, p.Err)
		}
		p.Err = pe
	}
	pe.Errs = append(pe.Errs, err)
}

// quote is for errors. It is not inlined, as strconv.Quote is, in all of them.
//
//go:noinline
func quote(s string) string { return strconv.Quote(s) }
