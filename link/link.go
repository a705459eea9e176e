package link

import (
	"errors"
	"strconv"
	"sync"

	"github.com/lode-bpf/lode/sys"
)

// A Link is an attachment. It may be used by several goroutines.
type Link struct {
	k    sys.Kernel
	what string // for errors: "xdp on interface 3"

	mu     sync.Mutex
	fd     *sys.FD   // BPF link; nil for attachments without one
	held   []*sys.FD // what must stay open as long as it: perf events
	undo   func() error
	update func(prog, old int) error
	closed bool
}

// ErrClosed is the error of a method of a Link that was closed.
var ErrClosed = errors.New("link: closed")

// FD is the descriptor of the BPF link, -1 if there is none or it is closed. It
// stays the Link's.
func (l *Link) FD() int { return l.fd.Int() }

// String says what is attached where.
func (l *Link) String() string { return l.what }

// Close ends the attachment, unless it is a BPF link that has a pin or another
// descriptor. Calling it again does nothing.
func (l *Link) Close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return nil
	}
	l.closed = true
	return wrap("detaching", l.what, l.release())
}

// release undoes in the reverse order of attaching.
func (l *Link) release() error {
	err := l.fd.Close()
	if l.undo != nil {
		err = errors.Join(err, l.undo())
	}
	for i := len(l.held) - 1; i >= 0; i-- {
		err = errors.Join(err, l.held[i].Close())
	}
	return err
}

// Detach ends the attachment even if it is a BPF link with pins or other
// descriptors; these keep an empty link. Links of tracing programs and of perf
// events cannot be detached that way: EOPNOTSUPP.
func (l *Link) Detach() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return ErrClosed
	}
	if l.fd != nil {
		return wrap("detaching", l.what, sys.LinkDetach(l.k, l.fd.Int()))
	}
	l.closed = true
	return wrap("detaching", l.what, l.release())
}

// Update puts another program in the place of the attached one. Traffic sees one or
// the other, never none.
func (l *Link) Update(prog int) error { return l.replace(prog, -1) }

// Replace is Update on the condition that old is what is attached now.
func (l *Link) Replace(prog, old int) error { return l.replace(prog, old) }

func (l *Link) replace(prog, old int) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return ErrClosed
	}
	if l.fd == nil {
		if l.update == nil {
			return wrap("updating", l.what, &sys.Error{Op: "update", Errno: sys.EOPNOTSUPP, Hint: "this way of attaching has no replacement"})
		}
		return wrap("updating", l.what, l.update(prog, old))
	}
	a := &sys.LinkUpdateAttr{LinkFD: l.fd.Num(), NewFD: int32(prog)}
	if old >= 0 {
		a.OldFD, a.Flags = int32(old), sys.BPF_F_REPLACE
	}
	return wrap("updating", l.what, sys.LinkUpdate(l.k, a))
}

// Pin gives the link a name in bpffs: it outlives the process then.
func (l *Link) Pin(path string) error {
	return l.pin(&sys.ObjAttr{Pathname: sys.StringPtr(path)})
}

// PinAt is Pin relative to a directory (Linux 6.5).
func (l *Link) PinAt(dir int, name string) error {
	return l.pin(&sys.ObjAttr{Pathname: sys.StringPtr(name), FileFlags: sys.BPF_F_PATH_FD, PathFD: int32(dir)})
}

func (l *Link) pin(a *sys.ObjAttr) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case l.closed:
		return ErrClosed
	case l.fd == nil:
		return wrap("pinning", l.what, &sys.Error{Op: "pin", Errno: sys.EOPNOTSUPP, Hint: "it was attached without a BPF link"})
	}
	a.BPFFD = l.fd.Num()
	return wrap("pinning", l.what, sys.ObjPin(l.k, a))
}

// Unpin removes the name that [Link.Pin] gave it, also if another process did. The link
// ends when it is closed then, if it has no other pin and descriptor. A name that
// belongs to another link stays: EEXIST.
func (l *Link) Unpin(path string) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return ErrClosed
	}
	return wrap("unpinning", l.what, l.unpin(path))
}

func (l *Link) unpin(path string) error {
	fd, err := sys.ObjGet(l.k, &sys.ObjAttr{Pathname: sys.StringPtr(path)})
	if err != nil {
		return err
	}
	defer fd.Close()
	var own, there sys.LinkInfo
	if err := errors.Join(sys.ObjGetInfoByFD(l.k, l.fd.Int(), &own), sys.ObjGetInfoByFD(l.k, fd.Int(), &there)); err != nil {
		return err
	}
	if own.ID != there.ID {
		return &sys.Error{Op: "unlink", Subject: strconv.Quote(path), Errno: sys.EEXIST, Hint: "another link has that name"}
	}
	return l.k.UnlinkAt(sys.AT_FDCWD, path, 0)
}

// FromFD takes ownership of the descriptor of a BPF link.
func FromFD(fd *sys.FD) *Link { return &Link{k: fd.Kernel(), fd: fd, what: "link " + fd.String()} }

// FromPin opens a pinned link.
func FromPin(k sys.Kernel, path string) (*Link, error) {
	fd, err := sys.ObjGet(k, &sys.ObjAttr{Pathname: sys.StringPtr(path)})
	if err != nil {
		return nil, wrap("opening", "pin", err)
	}
	l := &Link{k: k, fd: fd, what: "pinned link"}
	if _, err := l.Info(); err != nil {
		fd.Close()
		return nil, err
	}
	return l, nil
}

// FromID opens a link by its id.
func FromID(k sys.Kernel, id uint32) (*Link, error) {
	fd, err := sys.GetFDByID(k, sys.ObjLink, id, 0)
	if err != nil {
		return nil, wrap("opening", "link", err)
	}
	return &Link{k: k, fd: fd, what: "link"}, nil
}
