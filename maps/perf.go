package maps

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"iter"
	"os"
	"sync/atomic"
	"time"
	"unsafe"

	"github.com/lode-bpf/lode/sys"
)

// Of include/uapi/linux/perf_event.h: where struct perf_event_mmap_page has the
// positions, and the types of record that an output event has.
const (
	perfDataHead     = 1024
	perfDataTail     = 1032
	perfRecordLost   = 2
	perfRecordSample = 9
	perfHeaderSize   = 8 // type, misc, size
)

// PerfOptions adjusts NewPerfReader.
type PerfOptions struct {
	// PagesPerCPU is the size of each CPU's buffer, rounded up to a power of
	// two; 0 stands for 8.
	PagesPerCPU int

	// Watermark is how many bytes are to wait in a CPU's buffer before the
	// reader is woken; 0 wakes it for every sample.
	Watermark int
}

// A PerfReader is the consumer of a perf event array (sys.MapTypePerfEventArray)
// that programs write samples to with bpf_perf_event_output: one buffer for
// each CPU. One goroutine uses it; Close and SetDeadline may be called from any.
// New programs do better with a ring buffer.
type PerfReader struct {
	m     *Map
	wait  *waiter
	rings []*perfRing
	inUse

	samples, lost, unknown uint64
}

// perfRing is the buffer of one CPU.
type perfRing struct {
	cpu        int
	fd         *sys.FD
	pages      []byte
	data       []byte
	head, tail *uint64
	pos        uint64 // of the next record
	seam       []byte // a record that wraps around is put together here
}

// A PerfSample is one sample of a program.
type PerfSample struct {
	CPU  int
	Data []byte // what the program wrote, and up to 7 zero bytes of padding

	// Lost, if not 0, says that the kernel had to drop so many samples of this
	// CPU here, for want of space. Data is nil then.
	Lost uint64
}

// NewPerfReader opens a buffer on each CPU that is online and puts it into the
// map. It needs CAP_PERFMON. The Map stays the caller's; closing the reader
// clears its slots.
func NewPerfReader(m *Map, opts PerfOptions) (*PerfReader, error) {
	r := &PerfReader{m: m}
	if m.typ != sys.MapTypePerfEventArray {
		return nil, r.fail(ErrMapType)
	}
	pages := 1
	for pages < opts.PagesPerCPU || opts.PagesPerCPU <= 0 && pages < 8 {
		if pages *= 2; pages > 1<<20 {
			return nil, r.fail(fmt.Errorf("%w: %d pages for each CPU", ErrLimit, opts.PagesPerCPU))
		}
	}
	if opts.Watermark < 0 || opts.Watermark >= pages*os.Getpagesize() {
		return nil, r.fail(fmt.Errorf("%w: a watermark of %d bytes in a buffer of %d", ErrRange, opts.Watermark, pages*os.Getpagesize()))
	}
	err := r.open(pages, uint32(opts.Watermark))
	if err == nil {
		err = r.start()
	}
	if err != nil {
		return nil, r.fail(errors.Join(err, r.closeRings()))
	}
	return r, nil
}

// open makes the buffer of each CPU.
func (r *PerfReader) open(pages int, watermark uint32) error {
	cpus, err := sys.PossibleCPUs()
	if err != nil {
		return err
	}
	page := os.Getpagesize()
	for cpu := range min(cpus, int(r.m.maxEntries)) {
		fd, err := openPerfOutput(cpu, watermark)
		if sys.ErrnoOf(err) == sys.ENODEV {
			continue // not online
		}
		if err != nil {
			return fmt.Errorf("CPU %d: %w", cpu, err)
		}
		ring := &perfRing{cpu: cpu, fd: fd}
		r.rings = append(r.rings, ring)
		if ring.pages, err = r.m.k.Mmap(fd.Int(), 0, page+pages*page, sys.PROT_READ|sys.PROT_WRITE, sys.MAP_SHARED); err != nil {
			return fmt.Errorf("CPU %d: %w", cpu, err)
		}
		ring.data = ring.pages[page:]
		ring.head = (*uint64)(unsafe.Pointer(&ring.pages[perfDataHead]))
		ring.tail = (*uint64)(unsafe.Pointer(&ring.pages[perfDataTail]))
		if err := enablePerf(fd.Int(), true); err != nil {
			return fmt.Errorf("CPU %d: %w", cpu, err)
		}
	}
	return nil
}

// start lets programs write to the buffers.
func (r *PerfReader) start() error {
	fds := make([]int, len(r.rings))
	for i, ring := range r.rings {
		fds[i] = ring.fd.Int()
	}
	epoll, err := openEpoll(fds)
	if err != nil {
		return err
	}
	if r.wait, err = newWaiter(epoll, r.m.name); err != nil {
		return err
	}
	r.wait.idle = drainEpoll
	for _, ring := range r.rings {
		if err := r.m.SetSlot(uint32(ring.cpu), ring.fd.Int()); err != nil {
			return err
		}
	}
	return nil
}

func (r *PerfReader) fail(err error) error {
	return &OpError{Op: "read perf buffers", Map: r.m.name, Err: err}
}

// ready reports whether a CPU has something to read.
func (r *PerfReader) ready() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed.Load() {
		return false
	}
	for _, ring := range r.rings {
		if ring.pos != atomic.LoadUint64(ring.head) {
			return true
		}
	}
	return false
}

// Wait waits for samples: until there are some (nil), the context ends (its
// error), the deadline passes (os.ErrDeadlineExceeded) or the reader is closed
// (ErrClosed). Samples below the watermark do not wake it; Drain finds them.
func (r *PerfReader) Wait(ctx context.Context) error {
	if r.closed.Load() {
		return r.fail(ErrClosed)
	}
	if err := r.wait.wait(ctx, false, r.ready); err != nil {
		return r.fail(err)
	}
	return nil
}

// All delivers samples as they come, each valid until the loop goes on, and
// waits when there are none. Samples of one CPU come in order. It ends after
// the error that Wait returned. The loop may close the reader.
func (r *PerfReader) All(ctx context.Context) iter.Seq2[PerfSample, error] {
	return func(yield func(PerfSample, error) bool) {
		for {
			if err := r.Wait(ctx); err != nil {
				yield(PerfSample{}, err)
				return
			}
			going := true
			for s := range r.Drain() {
				if going = yield(s, nil); !going {
					break
				}
			}
			if !going {
				return
			}
		}
	}
}

// Drain delivers what is there and returns without waiting.
func (r *PerfReader) Drain() iter.Seq[PerfSample] {
	return func(yield func(PerfSample) bool) {
		if !r.enter() {
			return
		}
		// What could fail in the end is to clear a slot, of a buffer that nobody reads.
		defer r.leave(r.releaseRings)
		for _, ring := range r.rings {
			if r.closed.Load() || !r.drain(ring, yield) {
				return
			}
		}
	}
}

// drain delivers the samples of one CPU. The position is given back after each,
// and the lock is not held while the loop's body runs.
func (r *PerfReader) drain(ring *perfRing, yield func(PerfSample) bool) bool {
	end := atomic.LoadUint64(ring.head)
	for ring.pos < end {
		s, ok := r.next(ring, end)
		going := !ok || yield(s)
		if r.closed.Load() {
			return going
		}
		atomic.StoreUint64(ring.tail, ring.pos)
		if !going {
			return false
		}
	}
	return true
}

// next takes one record; ok is false if it is of no interest.
func (r *PerfReader) next(ring *perfRing, end uint64) (s PerfSample, ok bool) {
	var header [perfHeaderSize]byte
	ring.copy(header[:], ring.pos)
	kind, size := binary.NativeEndian.Uint32(header[:]), uint64(binary.NativeEndian.Uint16(header[6:]))
	if size < perfHeaderSize || size > end-ring.pos {
		ring.pos = end // no kernel writes that; what follows cannot be found
		r.unknown++
		return s, false
	}
	body := ring.view(ring.pos+perfHeaderSize, size-perfHeaderSize)
	ring.pos += size
	switch {
	case kind == perfRecordSample && len(body) >= 4:
		n := min(int(binary.NativeEndian.Uint32(body)), len(body)-4)
		r.samples++
		return PerfSample{CPU: ring.cpu, Data: body[4 : 4+n : 4+n]}, true
	case kind == perfRecordLost && len(body) >= 16:
		lost := binary.NativeEndian.Uint64(body[8:])
		r.lost += lost
		return PerfSample{CPU: ring.cpu, Lost: lost}, true
	}
	r.unknown++
	return s, false
}

// copy copies bytes of the buffer, around its end.
func (p *perfRing) copy(to []byte, pos uint64) {
	at := pos & uint64(len(p.data)-1)
	n := copy(to, p.data[at:])
	copy(to[n:], p.data)
}

// view is bytes of the buffer, in place unless they go around its end.
func (p *perfRing) view(pos, n uint64) []byte {
	at := pos & uint64(len(p.data)-1)
	if n <= uint64(len(p.data))-at {
		return p.data[at : at+n]
	}
	if uint64(cap(p.seam)) < n {
		p.seam = make([]byte, n)
	}
	p.copy(p.seam[:n], pos)
	return p.seam[:n]
}

// SetDeadline ends a Wait, also one that is under way, at that time. The zero
// time is none.
func (r *PerfReader) SetDeadline(t time.Time) error { return r.wait.setDeadline(t) }

// PerfStats counts what a reader has seen.
type PerfStats struct {
	Samples uint64 // delivered
	Lost    uint64 // that the kernel says it dropped
	Unknown uint64 // records of another type
	Wakeups uint64 // of Wait by the kernel
}

// Stats is for the goroutine that reads.
func (r *PerfReader) Stats() PerfStats {
	return PerfStats{Samples: r.samples, Lost: r.lost, Unknown: r.unknown, Wakeups: r.wait.wakeups.Load()}
}

// Close ends a Wait that is under way, takes the buffers out of the map and
// releases them. A loop over All or Drain, here or in another goroutine, ends after
// the sample that it is at; the buffers go with it. A second Close does nothing.
func (r *PerfReader) Close() error {
	if r.closed.Swap(true) {
		return nil
	}
	return r.closeRings()
}

func (r *PerfReader) closeRings() error {
	var errs []error
	if r.wait != nil {
		errs = append(errs, r.wait.close())
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.inside == 0 {
		errs = append(errs, r.releaseRings())
	}
	return errors.Join(errs...)
}

// releaseRings takes the buffers out of the map and unmaps them; r.mu is held.
func (r *PerfReader) releaseRings() error {
	var errs []error
	for _, ring := range r.rings {
		if r.m.FD() >= 0 {
			if err := r.m.Delete(u32Key(ring.cpu)); !errors.Is(err, ErrNotExist) {
				errs = append(errs, err)
			}
		}
		if ring.pages != nil {
			errs = append(errs, r.m.k.Munmap(ring.pages))
		}
		errs = append(errs, ring.fd.Close())
	}
	r.rings = nil
	return errors.Join(errs...)
}

func u32Key(n int) []byte { return nativeEndian.AppendUint32(nil, uint32(n)) }
