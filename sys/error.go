package sys

import (
	"errors"
	"strconv"
	"strings"
)

// ErrNotSupported is what every call of [Live] matches on systems other than
// Linux.
var ErrNotSupported = errors.New("sys: bpf(2) exists on Linux only")

// An Error is a system call that failed. errors.Is matches the error number
// and, through it, fs.ErrNotExist, fs.ErrExist and fs.ErrPermission.
type Error struct {
	Op      string // the call: "BPF_MAP_CREATE", "openat2"
	Cmd     Cmd    // the command, if Op is one of bpf(2)
	Subject string // what it was done to: `hash map "counts"`, a quoted path; may be empty
	Errno   Errno
	Hint    string // what to do about it, if that is known
}

// Error is one line: the call, its subject, the error and the hint.
func (e *Error) Error() string { return "sys: " + e.text() }

func (e *Error) text() string {
	s := e.Op
	if e.Subject != "" {
		s += " of " + e.Subject
	}
	if e.Errno == ENOTSUPP {
		s += ": operation not supported (ENOTSUPP)"
	} else {
		s += ": " + e.Errno.Error()
	}
	if e.Hint != "" {
		s += ": " + e.Hint
	}
	return s
}

// Unwrap is the error number.
func (e *Error) Unwrap() error { return e.Errno }

// Is makes every error of a system without bpf(2) match ErrNotSupported, and
// ENOTSUPP match errors.ErrUnsupported.
func (e *Error) Is(target error) bool {
	switch target {
	case ErrNotSupported:
		return e.Errno == ENOSYS && !onLinux
	case errors.ErrUnsupported:
		return e.Errno == ENOTSUPP
	}
	return false
}

// quote is for text from files. It is not inlined, as strconv.Quote is, wherever
// something is quoted.
//
//go:noinline
func quote(s string) string { return strconv.Quote(s) }

// ErrnoOf is the error number inside err; 0 if there is none.
func ErrnoOf(err error) Errno {
	for err != nil {
		switch e := err.(type) {
		case Errno:
			return e
		case interface{ Unwrap() error }:
			err = e.Unwrap()
		case interface{ Unwrap() []error }:
			for _, one := range e.Unwrap() {
				if n := ErrnoOf(one); n != 0 {
					return n
				}
			}
			return 0
		default:
			return 0
		}
	}
	return 0
}

// A NotSupported error says that the kernel lacks a feature.
type NotSupported struct {
	Feature string // what is missing: "map type arena"
	Since   string // the kernel version that brought it, "" if unknown
	Err     error  // what the kernel answered when asked; may be nil
}

// Error names the feature and the version that brought it.
func (e *NotSupported) Error() string {
	s := "sys: this kernel lacks " + e.Feature
	if e.Since != "" {
		s += " (it came with Linux " + e.Since + "; a kernel's configuration may leave it out)"
	}
	if call, ok := e.Err.(*Error); ok {
		return s + ": " + call.text()
	}
	if e.Err != nil {
		s += ": " + e.Err.Error()
	}
	return s
}

// Unwrap is what the kernel answered.
func (e *NotSupported) Unwrap() error { return e.Err }

// Is matches errors.ErrUnsupported.
func (e *NotSupported) Is(target error) bool { return target == errors.ErrUnsupported }

// bpfError is the error of a bpf command.
func bpfError(cmd Cmd, attr Attr, n Errno) *Error {
	return &Error{Op: cmdName(cmd), Cmd: cmd &^ CmdCommonAttrs, Subject: subject(attr), Errno: n}
}

// cmdName is the UAPI name of a command.
func cmdName(cmd Cmd) string { return "BPF_" + strings.ToUpper((cmd &^ CmdCommonAttrs).String()) }

// subject says in a few words what a command is about.
func subject(attr Attr) string {
	switch a := attr.(type) {
	case *WithCommon:
		return subject(a.Attr)
	case *MapCreateAttr:
		return named(a.MapType.String()+" map", a.MapName)
	case *ProgLoadAttr:
		return named(a.ProgType.String()+" program", a.ProgName)
	case *ObjAttr:
		return quote(a.Pathname.string())
	case *RawTracepointOpenAttr:
		if !a.Name.IsNil() {
			return "tracepoint " + quote(a.Name.string())
		}
	case *ProgAttachAttr:
		return "hook " + a.AttachType.String()
	case *ProgQueryAttr:
		return "hook " + a.AttachType.String()
	case *GetIDAttr:
		return "id " + strconv.FormatUint(uint64(a.ID), 10)
	}
	if attr != nil {
		p, l := attr.raw()
		if f := l.byName("attach_type"); f != nil {
			return "hook " + AttachType(f.number(p)).String()
		}
	}
	return ""
}

func named(what string, n ObjName) string {
	if n == (ObjName{}) {
		return what
	}
	return what + " " + quote(n.String())
}
