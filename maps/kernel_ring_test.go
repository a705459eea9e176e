package maps

import (
	"context"
	"encoding/binary"
	"errors"
	"os"
	"testing"
	"time"

	"github.com/lode-bpf/lode/internal/ktest"
	"github.com/lode-bpf/lode/sys"
)

// emitter is a program that writes count samples of size bytes to a ring buffer
// in each run. The first word of a sample is the next number in a counter.
func emitter(t testing.TB, ring *Map, size int32, flags int32) *sys.FD {
	counter := newMapOf(t, &Spec{Name: "counter", Type: sys.MapTypeArray, KeySize: 4, ValueSize: 8, MaxEntries: 1})
	return loadProg(t, sys.ProgTypeSocketFilter, code(
		mapValue(6, counter, 0),
		mapFD(1, ring),
		[]ins{
			{op: opMovImm, dst: 2, imm: size},
			{op: opMovImm, dst: 3, imm: 0},
			{op: opCall, imm: 131}, // bpf_ringbuf_reserve
			{op: opJeqImm, dst: 0, off: 7, imm: 0},
			{op: opLdxDW, dst: 1, src: 6},
			{op: opAddImm, dst: 1, imm: 1},
			{op: opStxDW, dst: 6, src: 1},
			{op: opStxDW, dst: 0, src: 1},
			{op: opMovReg, dst: 1, src: 0},
			{op: opMovImm, dst: 2, imm: flags},
			{op: opCall, imm: 132}, // bpf_ringbuf_submit
		}, exit(0)))
}

// TestKernelRingBuf: samples come out whole and in order, around the end of the
// ring, too.
func TestKernelRingBuf(t *testing.T) {
	ktest.NoFDLeaks(t)
	m := newMapOf(t, &Spec{Type: sys.MapTypeRingBuf, MaxEntries: 1}) // becomes a page
	if int(m.MaxEntries()) != os.Getpagesize() {
		t.Fatalf("ring of %d bytes, want a page", m.MaxEntries())
	}
	r, err := NewRingReader(m)
	want(t, err)
	defer r.Close()
	prog := emitter(t, m, 48, 0)
	next := uint64(1)
	for range 10 {
		repeat(t, prog, 50)
		if r.Pending() != 50*56 {
			t.Fatalf("%d bytes pending, want %d", r.Pending(), 50*56)
		}
		for s := range r.Drain() {
			if len(s) != 48 || binary.NativeEndian.Uint64(s) != next {
				t.Fatalf("sample of %d bytes, number %d, want 48 and %d", len(s), binary.NativeEndian.Uint64(s), next)
			}
			next++
		}
	}
	if next != 501 {
		t.Errorf("%d samples, want 500", next-1)
	}
	if s := r.Stats(); s.Samples != 500 {
		t.Errorf("statistics say %+v, want 500 samples", s)
	}
}

// TestKernelRingBufPoll: samples taken by Poll are the program's space again
// only after Release.
func TestKernelRingBufPoll(t *testing.T) {
	m := newMapOf(t, &Spec{Type: sys.MapTypeRingBuf, MaxEntries: 4096})
	r, err := NewRingReader(m)
	want(t, err)
	defer r.Close()
	prog := emitter(t, m, 1000, 0)
	repeat(t, prog, 10) // 4 fit
	samples := make([][]byte, 3)
	if n := r.Poll(samples); n != 3 {
		t.Fatalf("%d samples, want 3", n)
	}
	repeat(t, prog, 1) // no space
	if n := r.Poll(samples); n != 1 {
		t.Fatalf("%d samples, want the fourth only", n)
	}
	if got := binary.NativeEndian.Uint64(samples[0]); got != 4 {
		t.Errorf("sample is number %d, want 4", got)
	}
	r.Release()
	repeat(t, prog, 1)
	if n := r.Poll(samples); n != 1 {
		t.Errorf("%d samples after the release, want 1", n)
	}
	if n := testing.AllocsPerRun(100, func() { r.Poll(samples); r.Release() }); n != 0 {
		t.Errorf("Poll and Release allocate %v times", n)
	}
}

// TestKernelRingBufWait: a wait ends with a sample, a deadline, a context or a
// close, and is woken for each sample.
func TestKernelRingBufWait(t *testing.T) {
	ktest.NoFDLeaks(t)
	m := newMapOf(t, &Spec{Type: sys.MapTypeRingBuf, MaxEntries: 4096})
	r, err := NewRingReader(m)
	want(t, err)
	defer r.Close()
	prog := emitter(t, m, 8, 0)

	want(t, r.SetDeadline(time.Now().Add(time.Millisecond)))
	want(t, r.Wait(context.Background()), os.ErrDeadlineExceeded)
	want(t, r.SetDeadline(time.Time{}))

	ctx, cancel := context.WithTimeout(context.Background(), time.Millisecond)
	want(t, r.Wait(ctx), context.DeadlineExceeded)
	cancel()
	want(t, r.Wait(ctx), context.DeadlineExceeded)

	const rounds = 100
	got := make(chan uint64)
	go func() {
		defer close(got)
		for s, err := range r.All(context.Background()) {
			if err != nil {
				if !errors.Is(err, ErrClosed) {
					t.Error(err)
				}
				return
			}
			got <- binary.NativeEndian.Uint64(s)
		}
	}()
	for i := range uint64(rounds) {
		run(t, prog)
		if n := <-got; n != i+1 {
			t.Fatalf("sample is number %d, want %d", n, i+1)
		}
	}
	want(t, r.Close())
	for range got {
		t.Error("a sample after the close")
	}
	want(t, r.Close())
	want(t, r.Wait(context.Background()), ErrClosed)
	_, err = r.Read(context.Background(), nil)
	want(t, err, ErrClosed)
}

// TestKernelRingBufRead: the form that copies.
func TestKernelRingBufRead(t *testing.T) {
	m := newMapOf(t, &Spec{Type: sys.MapTypeRingBuf, MaxEntries: 4096})
	r, err := NewRingReader(m)
	want(t, err)
	defer r.Close()
	repeat(t, emitter(t, m, 8, 0), 2)
	b, err := r.Read(context.Background(), []byte("ab"))
	want(t, err)
	if len(b) != 10 || binary.NativeEndian.Uint64(b[2:]) != 1 {
		t.Errorf("read % x", b)
	}
	_, err = NewRingReader(newMapOf(t, &Spec{Type: sys.MapTypeArray, KeySize: 4, ValueSize: 4, MaxEntries: 1}))
	want(t, err, ErrMapType)
}

// TestKernelPerfBuffer: samples of bpf_perf_event_output, in order, and the
// count of those that did not fit.
func TestKernelPerfBuffer(t *testing.T) {
	ktest.NoFDLeaks(t)
	m := newMapOf(t, &Spec{Type: sys.MapTypePerfEventArray})
	if m.KeySize() != 4 || m.ValueSize() != 4 || m.MaxEntries() == 0 {
		t.Fatalf("key %d, value %d, entries %d", m.KeySize(), m.ValueSize(), m.MaxEntries())
	}
	r, err := NewPerfReader(m, PerfOptions{PagesPerCPU: 1})
	want(t, err)
	defer r.Close()
	prog := loadProg(t, sys.ProgTypeSchedCls, code(
		[]ins{{op: opMovReg, dst: 6, src: 1}, {op: opStoreDW, dst: 10, off: -16, imm: 7}, {op: opStoreDW, dst: 10, off: -8, imm: 8},
			{op: opMovReg, dst: 1, src: 6}},
		mapFD(2, m),
		[]ins{{op: 0x18, dst: 3, imm: -1}, {}, // BPF_F_CURRENT_CPU
			{op: opMovReg, dst: 4, src: 10}, {op: opAddImm, dst: 4, imm: -16}, {op: opMovImm, dst: 5, imm: 16},
			{op: opCall, imm: 25}}, exit(0))) // bpf_perf_event_output
	total := 0
	for range 20 { // several times around the buffer
		repeat(t, prog, 30)
		want(t, r.Wait(context.Background()))
		for s := range r.Drain() {
			total++
			if len(s.Data) < 16 || binary.NativeEndian.Uint64(s.Data) != 7 || binary.NativeEndian.Uint64(s.Data[8:]) != 8 {
				t.Fatalf("sample is % x", s.Data)
			}
		}
	}
	if total != 600 {
		t.Errorf("%d samples, want 600", total)
	}
	repeat(t, prog, 1000)
	for range r.Drain() {
	}
	repeat(t, prog, 1)
	lost := uint64(0)
	for s := range r.Drain() {
		lost += s.Lost
	}
	if st := r.Stats(); lost == 0 || st.Lost != lost {
		t.Errorf("1000 samples in a page lost %d, statistics say %+v", lost, st)
	}
	want(t, r.SetDeadline(time.Now().Add(-time.Second)))
	want(t, r.Wait(context.Background()), os.ErrDeadlineExceeded)
	want(t, r.Close())
	want(t, r.Wait(context.Background()), ErrClosed)
}

// TestKernelPerfWait: a wait is woken by a sample.
func TestKernelPerfWait(t *testing.T) {
	ktest.NoFDLeaks(t)
	m := newMapOf(t, &Spec{Type: sys.MapTypePerfEventArray})
	r, err := NewPerfReader(m, PerfOptions{})
	want(t, err)
	prog := loadProg(t, sys.ProgTypeSchedCls, code(
		[]ins{{op: opMovReg, dst: 6, src: 1}, {op: opStoreDW, dst: 10, off: -8, imm: 8}, {op: opMovReg, dst: 1, src: 6}},
		mapFD(2, m),
		[]ins{{op: 0x18, dst: 3, imm: -1}, {},
			{op: opMovReg, dst: 4, src: 10}, {op: opAddImm, dst: 4, imm: -8}, {op: opMovImm, dst: 5, imm: 8},
			{op: opCall, imm: 25}}, exit(0)))
	got := make(chan PerfSample)
	go func() {
		defer close(got)
		for s, err := range r.All(context.Background()) {
			if err != nil {
				if !errors.Is(err, ErrClosed) {
					t.Error(err)
				}
				return
			}
			got <- s
		}
	}()
	for range 50 {
		run(t, prog)
		<-got
	}
	want(t, r.Close())
	for range got {
		t.Error("a sample after the close")
	}
}

// TestKernelRingBufCloseWhileReading: a reader may be closed by another goroutine in
// the midst of a batch; the sample at hand stays readable.
func TestKernelRingBufCloseWhileReading(t *testing.T) {
	ktest.NoFDLeaks(t)
	m := newMapOf(t, &Spec{Type: sys.MapTypeRingBuf, MaxEntries: 1 << 16})
	prog := emitter(t, m, 8, 0)
	for range 50 {
		r, err := NewRingReader(m)
		want(t, err)
		repeat(t, prog, 1000)
		reading, done := make(chan struct{}), make(chan int)
		go func() {
			n := 0
			for s, err := range r.All(context.Background()) {
				if err != nil {
					if !errors.Is(err, ErrClosed) {
						t.Error(err)
					}
					break
				}
				if n++; n == 1 {
					close(reading)
				}
				for range 100 {
					n += int(s[3]) // 0 in both byte orders: numbers are small
				}
			}
			done <- n
		}()
		<-reading
		want(t, r.Close())
		if n := <-done; n == 0 || n > 1000 {
			t.Errorf("%d samples", n)
		}
		again, err := NewRingReader(m) // takes what the first has left
		want(t, err)
		for range again.Drain() {
		}
		want(t, again.Close())
	}
}

// TestKernelRingBufCancel: the end of one wait's context does not end the next wait,
// even if a sample comes at the same moment.
func TestKernelRingBufCancel(t *testing.T) {
	ktest.NoFDLeaks(t)
	m := newMapOf(t, &Spec{Type: sys.MapTypeRingBuf, MaxEntries: 4096})
	r, err := NewRingReader(m)
	want(t, err)
	defer r.Close()
	prog := emitter(t, m, 8, 0)
	for range 500 {
		ctx, cancel := context.WithCancel(context.Background())
		emitted := make(chan struct{})
		go func() {
			defer close(emitted)
			run(t, prog)
			cancel()
		}()
		if err := r.Wait(ctx); err != nil {
			want(t, err, context.Canceled)
		}
		<-emitted
		for range r.Drain() {
		}
		go run(t, prog)
		want(t, r.Wait(context.Background()))
		for range r.Drain() {
		}
	}
}
