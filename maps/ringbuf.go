package maps

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"os"
	"sync/atomic"
	"time"
	"unsafe"

	"github.com/lode-bpf/lode/sys"
)

// Record header of ring buffers (BPF_RINGBUF_* in include/uapi/linux/bpf.h): a
// length of 30 bits and two marks, then 4 bytes for the kernel.
const (
	ringBusy    = 1 << 31 // not yet submitted
	ringDiscard = 1 << 30 // given up by the program
	ringHeader  = 8
)

// A RingReader is the consumer of a ring buffer (sys.MapTypeRingBuf). There is
// one for each ring buffer, and one goroutine uses it; Close and SetDeadline
// may be called from any.
//
//	for sample, err := range r.All(ctx) {
//		...
//	}
//
// Samples are not copied: they are memory of the ring, which the program writes
// again once they are released. A program that finds the ring full gets no
// space, and the kernel does not count that: count it in the program.
type RingReader struct {
	m    *Map
	wait *waiter
	inUse

	consumerPage, producerPages []byte
	consumer, producer          *uint64 // positions, in bytes since the beginning
	ring                        unsafe.Pointer
	size, mask                  uint64

	pos      uint64 // of the next record to deliver
	released uint64 // what the kernel was told last

	samples, discarded uint64
}

// NewRingReader maps the ring buffer. The Map stays the caller's and may be
// closed before the reader.
func NewRingReader(m *Map) (*RingReader, error) {
	fail := func(err error) error { return &OpError{Op: "read ring buffer", Map: m.name, Err: err} }
	if m.typ != sys.MapTypeRingBuf {
		return nil, fail(ErrMapType)
	}
	if m.flags&sys.BPF_F_RB_OVERWRITE != 0 {
		return nil, fail(&both{ErrMapType, errors.New("in a ring buffer that overwrites, records change while they are read")})
	}
	page, size := os.Getpagesize(), int(m.maxEntries)
	if size <= 0 || size&(size-1) != 0 {
		return nil, fail(fmt.Errorf("%w: a ring of %d bytes", ErrSize, m.maxEntries))
	}
	r := &RingReader{m: m, size: uint64(size), mask: uint64(size - 1)}
	var err error
	if r.consumerPage, err = m.k.Mmap(m.fd.Int(), 0, page, sys.PROT_READ|sys.PROT_WRITE, sys.MAP_SHARED); err != nil {
		return nil, fail(err)
	}
	// The data follows the producer's page twice, so that no record has a seam.
	if r.producerPages, err = m.k.Mmap(m.fd.Int(), int64(page), page+2*size, sys.PROT_READ, sys.MAP_SHARED); err != nil {
		return nil, fail(errors.Join(err, r.unmap()))
	}
	fd, err := m.fd.Dup()
	if err == nil {
		r.wait, err = newWaiter(fd, m.name)
	}
	if err != nil {
		return nil, fail(errors.Join(err, r.unmap()))
	}
	r.consumer = (*uint64)(at(r.consumerPage))
	r.producer = (*uint64)(at(r.producerPages))
	r.ring = unsafe.Pointer(&r.producerPages[page])
	r.pos = atomic.LoadUint64(r.consumer)
	r.released = r.pos
	return r, nil
}

// Poll fills samples with what is there, without waiting, and returns how many.
// They are valid until the next Release, Wait or Close.
func (r *RingReader) Poll(samples [][]byte) int {
	if len(samples) == 0 {
		return 0
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed.Load() {
		return 0
	}
	n := 0
	r.scan(func(sample []byte) bool {
		samples[n] = sample
		n++
		return n < len(samples)
	})
	return n
}

// scan delivers records up to the first that is not submitted.
func (r *RingReader) scan(yield func([]byte) bool) {
	pos, mask, ring := r.pos, r.mask, r.ring
	end := atomic.LoadUint64(r.producer)
	for pos < end {
		head := unsafe.Add(ring, pos&mask)
		word := atomic.LoadUint32((*uint32)(head))
		if word&ringBusy != 0 {
			break
		}
		length := uint64(word &^ ringDiscard)
		if length > r.size {
			break // no kernel writes that
		}
		pos += (length + ringHeader + 7) &^ 7
		r.pos = pos
		if word&ringDiscard != 0 {
			r.discarded++
			continue
		}
		r.samples++
		if !yield(unsafe.Slice((*byte)(unsafe.Add(head, ringHeader)), length)) {
			return
		}
	}
}

// Release gives the space of all samples delivered so far back to the program.
func (r *RingReader) Release() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.closed.Load() {
		r.release()
	}
}

// release stores the position with a full barrier: the kernel wakes us for a
// record only if it sees that all before were consumed, so the store must not
// be passed by the look for more that follows it.
func (r *RingReader) release() {
	if r.released != r.pos {
		r.released = r.pos
		atomic.StoreUint64(r.consumer, r.pos)
	}
}

// ready reports whether there is a record to take.
func (r *RingReader) ready() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed.Load() || r.pos >= atomic.LoadUint64(r.producer) {
		return false
	}
	return atomic.LoadUint32((*uint32)(unsafe.Add(r.ring, r.pos&r.mask)))&ringBusy == 0
}

// Wait releases all samples and waits for another: until there is one (nil),
// the context ends (its error), the deadline passes (os.ErrDeadlineExceeded) or
// the reader is closed (ErrClosed). It holds no thread.
func (r *RingReader) Wait(ctx context.Context) error {
	r.Release()
	if r.closed.Load() {
		return r.fail(ErrClosed)
	}
	if err := r.wait.wait(ctx, false, r.ready); err != nil {
		return r.fail(err)
	}
	return nil
}

func (r *RingReader) fail(err error) error {
	return &OpError{Op: "read ring buffer", Map: r.m.name, Err: err}
}

// releaseEvery is after how many bytes All gives space back in the midst of a
// batch, as a part of the ring: often enough for the program not to run out.
const releaseEvery = 8

// All delivers samples as they come, each valid until the loop goes on, and
// waits when there are none. It ends after the error that Wait returned, which
// is delivered with a nil sample. The loop may close the reader.
func (r *RingReader) All(ctx context.Context) iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) {
		for {
			if err := r.Wait(ctx); err != nil {
				yield(nil, err)
				return
			}
			if !r.batch(yield) {
				return
			}
		}
	}
}

// Drain delivers what is there and returns without waiting; samples are valid
// until the loop goes on.
func (r *RingReader) Drain() iter.Seq[[]byte] {
	return func(yield func([]byte) bool) {
		r.batch(func(b []byte, _ error) bool { return yield(b) })
	}
}

// batch delivers what is there. The lock is not held while the loop's body
// runs, which may close the reader; the memory stays until the loop is left.
func (r *RingReader) batch(yield func([]byte, error) bool) bool {
	going := true
	if !r.enter() {
		return true
	}
	defer r.leave(r.unmap) // which can only fail for a ring that is not mapped
	limit := r.size / releaseEvery
	r.scan(func(sample []byte) bool {
		going = yield(sample, nil)
		if r.closed.Load() {
			return false
		}
		if r.pos-r.released >= limit {
			r.release()
		}
		return going
	})
	r.Release()
	return going
}

// Read appends the next sample to buf, waiting for it if there is none, and
// releases it: the form for those who keep what they read.
func (r *RingReader) Read(ctx context.Context, buf []byte) ([]byte, error) {
	var one [1][]byte
	for {
		if n := r.Poll(one[:]); n == 1 {
			buf = append(buf, one[0]...)
			r.Release()
			return buf, nil
		}
		if err := r.Wait(ctx); err != nil {
			return buf, err
		}
	}
}

// SetDeadline ends a Wait, also one that is under way, at that time. The zero
// time is none.
func (r *RingReader) SetDeadline(t time.Time) error { return r.wait.setDeadline(t) }

// Pending is how many bytes of the ring are taken: by records to come, headers
// included, and by samples that are not released.
func (r *RingReader) Pending() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed.Load() {
		return 0
	}
	return int(atomic.LoadUint64(r.producer) - atomic.LoadUint64(r.consumer))
}

// RingStats counts what a reader has seen.
type RingStats struct {
	Samples   uint64 // delivered
	Discarded uint64 // given up by the program after it had reserved them
	Wakeups   uint64 // of Wait by the kernel
}

// Stats is for the goroutine that reads.
func (r *RingReader) Stats() RingStats {
	return RingStats{Samples: r.samples, Discarded: r.discarded, Wakeups: r.wait.wakeups.Load()}
}

// Close ends a Wait that is under way and unmaps the ring: samples of Poll must not
// be used any more. A loop over All or Drain, here or in another goroutine, ends
// after the sample that it is at; the memory goes with it. A second Close does
// nothing.
func (r *RingReader) Close() error {
	if r.closed.Swap(true) {
		return nil
	}
	err := r.wait.close()
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.inside > 0 {
		return err
	}
	return errors.Join(err, r.unmap())
}

func (r *RingReader) unmap() error {
	var errs []error
	for _, pages := range [][]byte{r.consumerPage, r.producerPages} {
		if pages != nil {
			errs = append(errs, r.m.k.Munmap(pages))
		}
	}
	r.consumerPage, r.producerPages = nil, nil
	return errors.Join(errs...)
}
