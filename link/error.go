package link

import (
	"errors"
	"strconv"
	"strings"

	"github.com/lode-bpf/lode/sys"
)

// An Error says what could not be done to which attachment.
type Error struct {
	Doing string // "attaching", "updating" …
	What  string // "xdp on interface 3"
	Err   error
}

func (e *Error) Error() string { return "link: " + e.Doing + " " + e.What + ": " + e.Err.Error() }

// Unwrap is the cause.
func (e *Error) Unwrap() error { return e.Err }

// wrap says what failed.
//
//go:noinline
func wrap(doing, what string, err error) error {
	if err == nil {
		return nil
	}
	return &Error{doing, what, err}
}

// A TakenError says that a hook has room for one program and has one already.
type TakenError struct {
	Programs []uint32 // ids of the programs that hold it; empty if that cannot be found out
	Names    []string // their names, in the same order; empty texts where these cannot be
	Err      error
}

func (e *TakenError) Error() string {
	if len(e.Programs) == 0 {
		return "the hook is taken: " + e.Err.Error()
	}
	var ids []string
	for i, id := range e.Programs {
		text := strconv.FormatUint(uint64(id), 10)
		if i < len(e.Names) && e.Names[i] != "" {
			text += " " + strconv.Quote(e.Names[i])
		}
		ids = append(ids, text)
	}
	return "the hook is taken by program " + strings.Join(ids, ", ") + ": " + e.Err.Error()
}

// Unwrap is what the kernel answered.
func (e *TakenError) Unwrap() error { return e.Err }

// explain finds out what an error number leaves open: whether the kernel has the
// hook at all, and who holds it. holders may be nil.
func explain(k sys.Kernel, f sys.Feature, err error, holders func() []uint32) error {
	switch sys.ErrnoOf(err) {
	case sys.EINVAL, sys.EOPNOTSUPP, sys.ENOTSUPP, sys.E2BIG:
		var absent *sys.NotSupported
		if f != 0 && errors.As(sys.Probe(k, f), &absent) {
			return absent
		}
		if sys.ErrnoOf(err) == sys.E2BIG && holders != nil { // what network namespaces and cgroups say when they are full
			if ids := holders(); len(ids) > 0 {
				return &TakenError{Programs: ids, Names: programNames(k, ids), Err: err}
			}
		}
	case sys.EBUSY, sys.EEXIST:
		t := &TakenError{Err: err}
		if holders != nil {
			t.Programs = holders()
			t.Names = programNames(k, t.Programs)
		}
		return t
	}
	return err
}

// explainCookie says that a kernel does not know cookies somewhere. f is a feature that
// came at that time or before.
func explainCookie(k sys.Kernel, cookie uint64, f sys.Feature, of, since string, err error) error {
	var absent *sys.NotSupported
	if cookie != 0 && (sys.ErrnoOf(err) == sys.E2BIG || sys.ErrnoOf(err) == sys.EINVAL) && errors.As(sys.Probe(k, f), &absent) {
		return &sys.NotSupported{Feature: "cookies of " + of, Since: since, Err: err}
	}
	return err
}

// attach makes a BPF link.
func attach(k sys.Kernel, a sys.AttachType, attr sys.LinkAttr, holders func() []uint32) (*Link, error) {
	fd, err := sys.LinkCreate(k, attr)
	if err != nil {
		return nil, explain(k, sys.AttachTypeFeature(a), err, holders)
	}
	return &Link{fd: fd}, nil
}

// attached is the end of every attach: it gives the link its kernel and name, or the
// error its form. If the reason is that the program is of none of the types that can be
// attached there, the error says so.
func attached(k sys.Kernel, prog int, what string, l *Link, err error, want ...sys.ProgType) (*Link, error) {
	if err == nil {
		l.k, l.what = k, what
		return l, nil
	}
	var absent *sys.NotSupported
	if len(want) > 0 && !errors.As(err, &absent) {
		err = explainType(k, prog, err, want)
	}
	return nil, wrap("attaching", what, err)
}

// query lists the programs on a hook; nil if that is not allowed or not possible.
func query(k sys.Kernel, target int, a sys.AttachType) []uint32 {
	ids := make([]uint32, 64)
	q := &sys.ProgQueryAttr{Target: int32(target), AttachType: a, ProgIDs: sys.SlicePtr(ids), Count: uint32(len(ids))}
	if sys.ProgQuery(k, q) != nil {
		return nil
	}
	return ids[:min(int(q.Count), len(ids))]
}
