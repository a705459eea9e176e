package conf

import (
	"errors"
	"strconv"
	"strings"
)

// MaxName is how many bytes a path element may have.
const MaxName = 128

// dotSign stands for '.' in the names of internal maps: bpffs refuses dots, and
// CheckName refuses this character, so that no other name looks like it.
const dotSign = '@'

// A NameError says why a name cannot stand in a path of bpffs.
type NameError struct {
	Name   string
	Pos    int  // of the offending byte; len(Name) if the name as a whole is wrong
	Byte   byte // at Pos; 0 if the name as a whole is wrong
	Reason string
}

// Error quotes the name and points to the byte.
func (e *NameError) Error() string {
	return "name " + quoteShort(e.Name) + ": " + e.Reason
}

// CheckName refuses a name that must not become a path element: all but
//
//	^[A-Za-z0-9_][A-Za-z0-9_-]{0,127}$
//
// A name that is refused is never rewritten, because two names could become one
// that way. The error is a *NameError.
func CheckName(s string) error { return checkName(s, false) }

// CheckElement is CheckName but also accepts what [EncodeInternal] returns. It
// is the check for names that stand in bpffs already or have been decided.
func CheckElement(s string) error { return checkName(s, true) }

func checkName(s string, encoded bool) error {
	switch {
	case s == "":
		return &NameError{Reason: "it is empty"}
	case len(s) > MaxName:
		return &NameError{Name: s, Pos: MaxName, Byte: s[MaxName],
			Reason: "it has " + strconv.Itoa(len(s)) + " bytes, " + strconv.Itoa(MaxName) + " are allowed"}
	}
	for i := 0; i < len(s); i++ {
		c := s[i]
		if isNameByte(c) || c == '-' && i > 0 || c == dotSign && encoded {
			continue
		}
		return &NameError{Name: s, Pos: i, Byte: c, Reason: "byte " + strconv.Itoa(i) + " is " + quoteByte(c) + why(c, i)}
	}
	return nil
}

// isNameByte: bytes that may stand anywhere in a name.
func isNameByte(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '_'
}

func why(c byte, i int) string {
	switch {
	case c == '-':
		return ", which cannot be the first"
	case c == '.':
		return ", which bpffs refuses"
	case c == dotSign && i >= 0:
		return ", which is reserved for the names of internal maps"
	}
	return "; letters, digits, '_' and '-' are allowed"
}

// errNoDot is about names that have no encoded form.
var errNoDot = errors.New("it has no '.', so it is not the name of an internal map")

// EncodeInternal turns the name of an internal map, such as "counter.rodata",
// into a path element, "counter@rodata": every '.', which bpffs refuses,
// becomes '@', which no other name can have. A name without a dot, and one that
// CheckName would refuse for anything but its dots, is an error.
func EncodeInternal(name string) (string, error) {
	if !strings.Contains(name, ".") {
		return "", &NameError{Name: name, Pos: len(name), Reason: errNoDot.Error()}
	}
	for i := 0; i < len(name); i++ {
		if name[i] == dotSign {
			return "", checkName(name, false)
		}
	}
	element := strings.ReplaceAll(name, ".", string(dotSign))
	if err := CheckElement(element); err != nil {
		var bad *NameError
		if errors.As(err, &bad) {
			bad.Name = name
		}
		return "", err
	}
	return element, nil
}

// DecodeInternal is the inverse of EncodeInternal; ok is false for a path
// element that is not of its form.
func DecodeInternal(element string) (name string, ok bool) {
	if strings.IndexByte(element, dotSign) < 0 || CheckElement(element) != nil {
		return "", false
	}
	return strings.ReplaceAll(element, string(dotSign), "."), true
}

// quoteShort quotes text of any length in a bounded number of bytes.
func quoteShort(s string) string {
	const most = 160
	if len(s) > most {
		return strconv.Quote(s[:most]) + "..."
	}
	return strconv.Quote(s)
}

// quoteByte shows one byte: '/' or '\x1b'.
func quoteByte(c byte) string {
	if c >= 0x80 {
		return `'\x` + strconv.FormatUint(uint64(c), 16) + `'`
	}
	return strconv.QuoteRune(rune(c))
}
