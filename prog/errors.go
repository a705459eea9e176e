package prog

import (
	"strconv"

	"github.com/lode-bpf/lode/elf"
)

// A FormatError says where a file contradicts itself about its code, and how.
// errors.Is matches the sentinels of package elf: elf.ErrRange, elf.ErrOverlap …
type FormatError struct {
	Section    string // that holds the code
	Function   string // empty if it is about none
	Offset     int64  // bytes from the start of the section; -1 if it is about no place
	RelSection string // that holds the record
	Record     int    // number of the record; -1 if it is about none
	Kind       elf.Kind
	Detail     string
}

// Error is one line, from the outermost place to what is wrong.
func (e *FormatError) Error() string {
	s := "prog: section " + quote(e.Section)
	if e.Function != "" {
		s += ", function " + quote(e.Function)
	}
	if e.Offset >= 0 {
		s += " at 0x" + strconv.FormatInt(e.Offset, 16)
	}
	if e.RelSection != "" {
		s += ", record " + strconv.Itoa(e.Record) + " of " + quote(e.RelSection)
	}
	return s + ": " + e.Kind.String() + ": " + e.Detail
}

// quote is for errors. It is not inlined, as strconv.Quote is, in all of them.
//
//go:noinline
func quote(s string) string { return strconv.Quote(s) }

// Is matches the sentinel of the error's kind.
func (e *FormatError) Is(target error) bool { return (&elf.FormatError{Kind: e.Kind}).Is(target) }

// FindingKind says what a Finding is about.
type FindingKind uint8

const (
	FindingSection  FindingKind = iota // name of a section
	FindingSymbol                      // symbol of a function
	FindingCode                        // instructions
	FindingReloc                       // relocation records
	FindingFuncInfo                    // func_info records of .BTF.ext
	FindingLineInfo                    // line_info records of .BTF.ext
	FindingCORE                        // core_relo records of .BTF.ext
	FindingOrder                       // order of records that are otherwise in use
)

// A Finding is something odd but harmless in a file. Those of FindingReloc,
// FindingFuncInfo, FindingLineInfo and FindingCORE are records that no function
// got; their Counts and what the functions have make up all records of the file.
type Finding struct {
	Kind    FindingKind
	Section string
	Record  int // number of the first record or symbol; -1 if it is about none
	Count   int // how many records or instructions it is about
	Text    string
}

// String is one line; text that comes from the file is quoted.
func (f Finding) String() string {
	s := "section " + quote(f.Section) + ": "
	switch f.Kind {
	case FindingReloc, FindingFuncInfo, FindingLineInfo, FindingCORE:
		s += strconv.Itoa(f.Count) + " " + f.Text + ", the first is number " + strconv.Itoa(f.Record)
	default:
		s += f.Text
	}
	return s
}

// A tally makes one finding of records that have the same oddity.
type tally struct {
	c *collector
	f Finding
}

func (t *tally) add(record int) {
	if t.f.Count == 0 {
		t.f.Record = record
	}
	t.f.Count++
}

func (t *tally) report() {
	if t.f.Count > 0 {
		t.c.find(t.f)
	}
}
