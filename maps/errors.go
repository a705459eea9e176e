package maps

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/lode-bpf/lode/sys"
)

// Sentinels for errors.Is.
var (
	// ErrLimit is in the chain of every error about a limit of this package.
	ErrLimit = errors.New("limit exceeded")

	// ErrNotExist says that a key, slot, variable or map does not exist.
	ErrNotExist = errors.New("does not exist")

	// ErrExist says that a key exists and was to be created.
	ErrExist = errors.New("exists already")

	// ErrFull says that a map holds as many entries as it can.
	ErrFull = errors.New("map is full")

	// ErrRange says that an index is not below the map's number of entries.
	ErrRange = errors.New("index out of range")

	// ErrSize says that a key, a value or a buffer has the wrong size. No
	// system call was made.
	ErrSize = errors.New("wrong size")

	// ErrClosed says that the map or reader was closed.
	ErrClosed = errors.New("closed")

	// ErrMapType says that maps of this type have no such operation.
	ErrMapType = errors.New("not an operation of this map type")
)

// A NotUnderstoodError reports a map definition in a form that Collect does
// not know, such as a section "maps" with C structures of some other loader.
// The file is well-formed otherwise, so another parser may be tried on it. No
// other error means that.
type NotUnderstoodError struct {
	Section string // where the definition stands
	Symbol  string // the map's symbol, empty if the section has none
	Size    uint64 // of the symbol, or of the section, in bytes
	Reason  string // what is not understood
}

func (e *NotUnderstoodError) Error() string {
	if e.Symbol == "" {
		return fmt.Sprintf("maps: section %q (%d bytes): %s", e.Section, e.Size, e.Reason)
	}
	return fmt.Sprintf("maps: map %q in section %q (%d bytes): %s", e.Symbol, e.Section, e.Size, e.Reason)
}

// A DefinitionError reports a map definition that contradicts itself or the
// rest of the file, and where.
type DefinitionError struct {
	Section string // where the definition stands; empty for one made by hand
	Offset  uint64 // of the definition or of the offending bytes, in the section
	Map     string // the map's symbol, empty if the error is about the section
	Field   string // the attribute, as the definition spells it
	Reason  string // what was found and what was expected
	Err     error  // the cause, if there is one
}

func (e *DefinitionError) Error() string {
	var b strings.Builder
	b.WriteString("maps: ")
	if e.Section != "" {
		fmt.Fprintf(&b, "section %q at 0x%x: ", e.Section, e.Offset)
	}
	if e.Map != "" {
		fmt.Fprintf(&b, "map %q: ", e.Map)
	}
	if e.Field != "" {
		fmt.Fprintf(&b, "%q: ", e.Field)
	}
	b.WriteString(e.Reason)
	if e.Err != nil && e.Err != ErrLimit {
		b.WriteString(": ")
		b.WriteString(e.Err.Error())
	}
	return b.String()
}

func (e *DefinitionError) Unwrap() error { return e.Err }

// A Finding is something odd in a definition, or in how the kernel took it,
// that is harmless: work goes on.
type Finding struct {
	Section string // where the definition stands; empty if nowhere
	Map     string // the map, empty if the finding is about the section
	Text    string // what is odd about it
}

func (f Finding) String() string {
	switch {
	case f.Map == "":
		return fmt.Sprintf("section %q: %s", f.Section, f.Text)
	case f.Section == "":
		return fmt.Sprintf("map %q: %s", f.Map, f.Text)
	}
	return fmt.Sprintf("section %q: map %q: %s", f.Section, f.Map, f.Text)
}

// An OpError reports an operation on a map that failed: which, on which map,
// and why. Err is one of this package's sentinels, an error of package sys
// (with the kernel's errno for errors.Is), or both.
type OpError struct {
	Op   string // "lookup", "update", "create" ...
	Map  string // name of the map
	Hint string // what to do about it, if anything is known
	Err  error
}

func (e *OpError) Error() string {
	s := "maps: " + e.Op + " map " + strconv.Quote(e.Map) + ": " + e.Err.Error()
	if e.Hint != "" {
		s += " (" + e.Hint + ")"
	}
	return s
}

func (e *OpError) Unwrap() error { return e.Err }

// both is an error that is a sentinel and the kernel's answer at once.
type both struct{ sentinel, cause error }

func (e *both) Error() string   { return e.sentinel.Error() + ": " + e.cause.Error() }
func (e *both) Unwrap() []error { return []error{e.sentinel, e.cause} }

// noSuchKey is the answer ENOENT to an operation on one key.
type noSuchKey struct{}

func (noSuchKey) Error() string   { return "no such key" }
func (noSuchKey) Unwrap() []error { return []error{ErrNotExist, sys.ENOENT} }

// sizeError reports bytes of the wrong length, before the kernel sees them.
//
//go:noinline
func (m *Map) sizeError(op, what string, got, want int) error {
	return &OpError{Op: op, Map: m.name, Err: &wrongSize{what, got, want}}
}

// wrongSize is ErrSize with its numbers. It and what else the plain operations
// can return does without package fmt, for the sake of small programs.
type wrongSize struct {
	what      string
	got, want int
}

func (e *wrongSize) Error() string {
	return ErrSize.Error() + ": " + e.what + " has " + strconv.Itoa(e.got) + " bytes, want " + strconv.Itoa(e.want)
}

func (e *wrongSize) Is(target error) bool { return target == ErrSize }

// fail is the error of an operation that the kernel refused.
func (m *Map) fail(op string, err error) error {
	e := &OpError{Op: op, Map: m.name, Err: meaning(err)}
	switch n := sys.ErrnoOf(err); {
	case m.fd.Int() < 0:
		e.Err = &both{ErrClosed, err}
	case n == sys.E2BIG && m.isArray():
		e.Err = &both{ErrRange, err}
		e.Hint = "it has " + strconv.FormatUint(uint64(m.maxEntries), 10) + " entries"
	case n == sys.EPERM:
		e.Hint = "the map is frozen, or was opened for reading or for writing only"
	case n == sys.EINVAL && m.valueSize == 0:
		e.Err = &both{ErrMapType, err}
	}
	return e
}

// isArray reports the types whose keys are indices.
func (m *Map) isArray() bool {
	switch m.typ {
	case sys.MapTypeArray, sys.MapTypePerCPUArray, sys.MapTypeProgArray, sys.MapTypePerfEventArray, sys.MapTypeCgroupArray,
		sys.MapTypeArrayOfMaps, sys.MapTypeDevMap, sys.MapTypeCPUMap, sys.MapTypeXSKMap, sys.MapTypeSockMap, sys.MapTypeReuseportSockArray:
		return true
	}
	return false
}

// meaning adds the sentinel of this package that says what an errno means.
func meaning(err error) error {
	switch sys.ErrnoOf(err) {
	case sys.ENOENT:
		return &both{ErrNotExist, err}
	case sys.EEXIST:
		return &both{ErrExist, err}
	case sys.E2BIG, sys.ENOSPC:
		return &both{ErrFull, err}
	case sys.ENOTSUPP, sys.EOPNOTSUPP:
		if err == sys.ENOTSUPP {
			err = &sys.Error{Op: "bpf", Errno: sys.ENOTSUPP} // which has no text of its own
		}
		return &both{ErrMapType, err}
	}
	return err
}
