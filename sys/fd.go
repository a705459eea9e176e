package sys

import (
	"strconv"
	"sync/atomic"
)

// An FD owns a descriptor: Close closes it, once, and nothing else does. There
// is no finalizer: a descriptor that is forgotten stays open until the process
// ends, and one that is in use is never closed behind its user's back. See
// [TrackFDs] for a way to find forgotten ones in tests.
//
// An FD may be used by several goroutines; Close waits for nobody, so whoever
// closes it first makes sure that the others are done with its number.
type FD struct {
	k Kernel
	n atomic.Int64 // descriptor, or -1 after Close or Release
}

// NewFD takes ownership of descriptor n, which came from k (nil: the live kernel).
func NewFD(k Kernel, n int) *FD {
	if k == nil {
		k = Live()
	}
	f := &FD{k: k}
	f.n.Store(int64(n))
	trackOpen(f, n)
	return f
}

// Int is the descriptor's number; -1 once it is closed.
func (f *FD) Int() int {
	if f == nil {
		return -1
	}
	return int(f.n.Load())
}

// Num is Int in the type of descriptor fields of the *Attr structs.
func (f *FD) Num() int32 { return int32(f.Int()) }

// Kernel is what the descriptor belongs to.
func (f *FD) Kernel() Kernel { return f.k }

// Close closes the descriptor. Calling it again, at once from several
// goroutines, or on a nil *FD does nothing.
func (f *FD) Close() error {
	n := f.take()
	if n < 0 {
		return nil
	}
	return f.k.Close(n)
}

// Release gives ownership of the descriptor to the caller; f is closed from then
// on. It returns -1 if f was closed before.
func (f *FD) Release() int { return f.take() }

func (f *FD) take() int {
	if f == nil {
		return -1
	}
	n := int(f.n.Swap(-1))
	if n >= 0 {
		trackClose(f)
	}
	return n
}

// Dup makes another descriptor of the same object. On a closed FD it is EBADF.
func (f *FD) Dup() (*FD, error) {
	n := f.Int()
	if n < 0 {
		return nil, &Error{Op: "dup", Errno: EBADF, Hint: "the descriptor was closed before"}
	}
	d, err := f.k.Dup(n)
	if err != nil {
		return nil, err
	}
	return NewFD(f.k, d), nil
}

// String is "fd 7" or "closed fd".
func (f *FD) String() string {
	if n := f.Int(); n >= 0 {
		return "fd " + strconv.Itoa(n)
	}
	return "closed fd"
}
