package conf

import (
	"errors"
	"strconv"
)

// Limits of a configuration file. A file beyond one of them is refused with an
// error that matches [ErrLimit].
const (
	MaxFileSize     = 64 << 10 // bytes
	MaxLines        = 1024
	MaxLineLength   = 1 << 10 // bytes, without the line feed
	MaxPathElements = 16      // of a directory
	MaxFiles        = 64      // in pinning.conf.d
)

// ErrLimit matches every error about a limit of this package.
var ErrLimit = errors.New("conf: limit exceeded")

// A SyntaxError says where a configuration file is wrong, and how. Nothing of
// that file is used.
type SyntaxError struct {
	File   string
	Line   int // from 1
	Col    int // in bytes, from 1
	Reason string
	Limit  bool // a limit of this package is exceeded
}

// Error is "FILE:LINE:COL: reason".
func (e *SyntaxError) Error() string {
	return showFile(e.File) + ":" + strconv.Itoa(e.Line) + ":" + strconv.Itoa(e.Col) + ": " + e.Reason
}

// Is matches ErrLimit.
func (e *SyntaxError) Is(target error) bool { return target == ErrLimit && e.Limit }

// A FileError says why a configuration file was not read at all.
type FileError struct {
	File   string
	Reason string
	Limit  bool  // a limit of this package is exceeded
	Err    error // the system's, if there is one
}

// Error is "FILE: reason".
func (e *FileError) Error() string {
	if e.Err != nil {
		return showFile(e.File) + ": " + e.Reason + ": " + e.Err.Error()
	}
	return showFile(e.File) + ": " + e.Reason
}

// Unwrap is the system's error.
func (e *FileError) Unwrap() error { return e.Err }

// Is matches ErrLimit.
func (e *FileError) Is(target error) bool { return target == ErrLimit && e.Limit }

// A Finding is something odd in a file that was read nevertheless, in [Lenient]
// mode.
type Finding struct {
	File string `json:"file"`
	Line int    `json:"line"`
	Col  int    `json:"col"`
	Text string `json:"text"`
}

// String is "FILE:LINE:COL: text".
func (f Finding) String() string {
	return showFile(f.File) + ":" + strconv.Itoa(f.Line) + ":" + strconv.Itoa(f.Col) + ": " + f.Text
}

// A DecisionError says that no path can be decided for a map or program.
type DecisionError struct {
	Kind   string // "map" or "program"
	Name   string
	Origin Origin // the line of the configuration that is involved, if one is
	Err    error  // a *NameError or *ValueError, or what else is wrong
}

// Error names the map or program and the line.
func (e *DecisionError) Error() string {
	s := "conf: " + e.Kind + " " + strconv.Quote(e.Name) + ": " + e.Err.Error()
	if e.Origin.IsSet() {
		s += " (" + e.Origin.String() + ")"
	}
	return s
}

// Unwrap is what is wrong.
func (e *DecisionError) Unwrap() error { return e.Err }

// A ValueError says that the pin value of a map definition has no meaning here.
type ValueError struct {
	Value uint32
}

// Error names the value and how to give it a meaning.
func (e *ValueError) Error() string {
	v := strconv.FormatUint(uint64(e.Value), 10)
	if e.Value <= lastReserved {
		return "pin value " + v + " has no meaning in a BTF map definition: 0 is not pinned, 1 is pinned by name, 3 and above can be configured"
	}
	return "pin value " + v + " is not configured: a line \"" + v + " DIRECTORY\" in " + MainFile + " gives it a meaning"
}

// showFile is a file name as it stands if that is plain, else quoted.
func showFile(name string) string {
	for i := 0; i < len(name); i++ {
		if c := name[i]; c <= ' ' || c == ':' || c == '"' || c >= 0x7f {
			return strconv.Quote(name)
		}
	}
	if name == "" {
		return `""`
	}
	return name
}
