package maps

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"sync/atomic"
	"time"
	"unsafe"

	"github.com/lode-bpf/lode/sys"
)

// A UserRing is the producer of a user ring buffer (sys.MapTypeUserRingBuf),
// which a program drains with bpf_user_ringbuf_drain. Any number of goroutines
// may use it.
type UserRing struct {
	m      *Map
	wait   *waiter
	mu     sync.Mutex
	closed bool

	consumerPage, producerPages []byte
	consumer, producer          *uint64
	ring                        unsafe.Pointer
	size, mask                  uint64
}

// NewUserRing maps the ring buffer. The Map stays the caller's and may be
// closed before the UserRing.
func NewUserRing(m *Map) (*UserRing, error) {
	fail := func(err error) error { return &OpError{Op: "write user ring buffer", Map: m.name, Err: err} }
	if m.typ != sys.MapTypeUserRingBuf {
		return nil, fail(ErrMapType)
	}
	page, size := os.Getpagesize(), int(m.maxEntries)
	if size <= 0 || size&(size-1) != 0 {
		return nil, fail(fmt.Errorf("%w: a ring of %d bytes", ErrSize, m.maxEntries))
	}
	u := &UserRing{m: m, size: uint64(size), mask: uint64(size - 1)}
	var err error
	if u.consumerPage, err = m.k.Mmap(m.fd.Int(), 0, page, sys.PROT_READ, sys.MAP_SHARED); err != nil {
		return nil, fail(err)
	}
	if u.producerPages, err = m.k.Mmap(m.fd.Int(), int64(page), page+2*size, sys.PROT_READ|sys.PROT_WRITE, sys.MAP_SHARED); err != nil {
		return nil, fail(errors.Join(err, u.unmap()))
	}
	fd, err := m.fd.Dup()
	if err == nil {
		u.wait, err = newWaiter(fd, m.name)
	}
	if err != nil {
		return nil, fail(errors.Join(err, u.unmap()))
	}
	u.consumer = (*uint64)(at(u.consumerPage))
	u.producer = (*uint64)(at(u.producerPages))
	u.ring = unsafe.Pointer(&u.producerPages[page])
	return u, nil
}

// Reserve takes n bytes of the ring, to be written in place and then given to
// Submit or Discard. Records come to the program in the order of their Reserve;
// one that is not submitted holds up those behind it. If there is no space the
// error matches ErrFull; see Wait.
func (u *UserRing) Reserve(n int) ([]byte, error) {
	if n < 0 || uint64(n) > u.size-ringHeader {
		return nil, u.fail(fmt.Errorf("%w: a record of %d bytes in a ring of %d", ErrSize, n, u.size))
	}
	need := (uint64(n) + ringHeader + 7) &^ 7
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.closed {
		return nil, u.fail(ErrClosed)
	}
	pos := atomic.LoadUint64(u.producer)
	if u.size-(pos-atomic.LoadUint64(u.consumer)) < need {
		return nil, u.fail(ErrFull)
	}
	head := unsafe.Add(u.ring, pos&u.mask)
	*(*uint32)(unsafe.Add(head, 4)) = 0
	atomic.StoreUint32((*uint32)(head), uint32(n)|ringBusy)
	atomic.StoreUint64(u.producer, pos+need)
	return unsafe.Slice((*byte)(unsafe.Add(head, ringHeader)), n)[:n:n], nil
}

// Submit lets the program see a record from Reserve, which must not be used
// any more.
func (u *UserRing) Submit(record []byte) error { return u.finish(record, 0) }

// Discard gives a record from Reserve up: the program passes over it.
func (u *UserRing) Discard(record []byte) error { return u.finish(record, ringDiscard) }

func (u *UserRing) finish(record []byte, mark uint32) error {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.closed {
		return u.fail(ErrClosed)
	}
	// A record without bytes still points behind its header.
	p := uintptr(unsafe.Pointer(unsafe.SliceData(record)))
	off := uint64(p) - uint64(uintptr(u.ring)) - ringHeader
	if p < uintptr(u.ring)+ringHeader || off >= 2*u.size {
		return u.fail(fmt.Errorf("%w: these bytes are not from Reserve", ErrRange))
	}
	head := (*uint32)(unsafe.Add(u.ring, off&u.mask))
	length := atomic.LoadUint32(head)
	if length != uint32(len(record))|ringBusy {
		return u.fail(fmt.Errorf("%w: these bytes are not a record of Reserve that is still open", ErrRange))
	}
	atomic.StoreUint32(head, uint32(len(record))|mark)
	return nil
}

// Write copies a record into the ring and submits it.
func (u *UserRing) Write(record []byte) (int, error) {
	to, err := u.Reserve(len(record))
	if err != nil {
		return 0, err
	}
	return copy(to, record), u.Submit(to)
}

// Wait waits until n bytes can be reserved: the error is nil, the context's,
// os.ErrDeadlineExceeded or ErrClosed. The kernel wakes it when a program has
// drained the ring, unless the program asked for no wakeup.
func (u *UserRing) Wait(ctx context.Context, n int) error {
	if n < 0 || uint64(n) > u.size-ringHeader {
		return u.fail(fmt.Errorf("%w: a record of %d bytes in a ring of %d", ErrSize, n, u.size))
	}
	need := (uint64(n) + ringHeader + 7) &^ 7
	err := u.wait.wait(ctx, true, func() bool {
		u.mu.Lock()
		defer u.mu.Unlock()
		return !u.closed && u.size-(atomic.LoadUint64(u.producer)-atomic.LoadUint64(u.consumer)) >= need
	})
	if err != nil {
		return u.fail(err)
	}
	return nil
}

// SetDeadline ends a Wait, also one that is under way, at that time. The zero
// time is none.
func (u *UserRing) SetDeadline(t time.Time) error { return u.wait.setDeadline(t) }

func (u *UserRing) fail(err error) error {
	return &OpError{Op: "write user ring buffer", Map: u.m.name, Err: err}
}

// Close ends a Wait that is under way and unmaps the ring: records that were
// reserved must not be used any more. A second Close does nothing.
func (u *UserRing) Close() error {
	err := u.wait.close()
	u.mu.Lock()
	defer u.mu.Unlock()
	u.closed = true
	return errors.Join(err, u.unmap())
}

func (u *UserRing) unmap() error {
	var errs []error
	for _, pages := range [][]byte{u.consumerPage, u.producerPages} {
		if pages != nil {
			errs = append(errs, u.m.k.Munmap(pages))
		}
	}
	u.consumerPage, u.producerPages = nil, nil
	return errors.Join(errs...)
}
