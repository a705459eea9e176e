package prog

import (
	"errors"
	"math"
	"time"

	"github.com/lode-bpf/lode/sys"
)

// A Run is one test run: what the program is given, and where the kernel puts
// what it leaves (BPF_PROG_TEST_RUN). Which fields a program type takes differs:
// programs on packets take Data, and most of them a Context; tracing programs
// and those of type syscall a Context or nothing. A field that the type does not
// take is EINVAL, a type that cannot be run matches errors.ErrUnsupported.
type Run struct {
	Data    []byte // packet, from its Ethernet header (netfilter: IP header) on
	Context []byte // the type's context: struct __sk_buff, struct xdp_md, u64 arguments …

	// DataOut and ContextOut are filled and cut to what there is. If they are
	// too short the run fails with ENOSPC and they have as much as fits.
	// DataOut may be left empty if the packet is of no interest.
	DataOut    []byte
	ContextOut []byte

	Repeat    int    // how often the program is run; 0 is once
	Flags     uint32 // sys.BPF_F_TEST_…
	CPU       uint32 // with sys.BPF_F_TEST_RUN_ON_CPU
	BatchSize int    // with sys.BPF_F_TEST_XDP_LIVE_FRAMES: packets at a time; 0 leaves it to the kernel

	// What the run yields.
	Return   uint32        // value that the program returned, the last time
	Duration time.Duration // of one run, on average
	Room     int           // bytes that DataOut would have needed
}

// Run runs the program on r and leaves the results in it. With live frames
// (sys.BPF_F_TEST_XDP_LIVE_FRAMES) packets are really sent, and a signal may
// interrupt the run: sys.EINTR.
func (p *Program) Run(r *Run) error {
	if r.Repeat < 0 || r.Repeat > math.MaxInt32 || r.BatchSize < 0 || r.BatchSize > math.MaxInt32 {
		return &RunError{Program: p.String(), Err: sys.EINVAL}
	}
	a := sys.ProgTestRunAttr{
		ProgFD: p.fd.Num(), Repeat: uint32(r.Repeat), Flags: r.Flags, CPU: r.CPU, BatchSize: uint32(r.BatchSize),
		DataSizeIn: uint32(len(r.Data)), DataIn: sys.BytesPtr(r.Data), DataSizeOut: uint32(len(r.DataOut)), DataOut: sys.BytesPtr(r.DataOut),
		CtxSizeIn: uint32(len(r.Context)), CtxIn: sys.BytesPtr(r.Context), CtxSizeOut: uint32(len(r.ContextOut)), CtxOut: sys.BytesPtr(r.ContextOut),
	}
	err := sys.ProgTestRun(p.fd.Kernel(), &a)
	if err != nil && !errors.Is(err, sys.ENOSPC) {
		return &RunError{Program: p.String(), Err: err}
	}
	r.Return, r.Duration = a.RetVal, time.Duration(a.Duration)
	r.Room = int(a.DataSizeOut)
	if len(r.DataOut) > 0 {
		r.DataOut = r.DataOut[:min(len(r.DataOut), int(a.DataSizeOut))]
	}
	if len(r.ContextOut) > 0 {
		r.ContextOut = r.ContextOut[:min(len(r.ContextOut), int(a.CtxSizeOut))]
	}
	if err != nil {
		return &RunError{Program: p.String(), Err: err}
	}
	return nil
}

// A RunError is a test run that failed.
type RunError struct {
	Program string
	Err     error
}

func (e *RunError) Error() string { return "prog: test run of " + e.Program + ": " + e.Err.Error() }

// Unwrap is the error of the system call.
func (e *RunError) Unwrap() error { return e.Err }

// growth is how much a program may lengthen a packet in Test.
const growth = 256

// Test runs the program once on a packet and returns its verdict and the packet
// as it left it.
func (p *Program) Test(packet []byte) (verdict uint32, out []byte, err error) {
	r := Run{Data: packet, DataOut: make([]byte, len(packet)+growth)}
	if err := p.Run(&r); errors.Is(err, sys.ENOSPC) {
		r.DataOut = make([]byte, r.Room)
		if err := p.Run(&r); err != nil {
			return 0, nil, err
		}
	} else if err != nil {
		return 0, nil, err
	}
	return r.Return, r.DataOut, nil
}

// Benchmark runs the program n times on r and returns how long one run takes.
// Types whose runs the kernel cannot repeat are run once a call: that includes
// the system call.
func (p *Program) Benchmark(n int, r Run) (time.Duration, error) {
	switch p.typ {
	case sys.ProgTypeSyscall, sys.ProgTypeRawTracepoint, sys.ProgTypeRawTracepointWritable, sys.ProgTypeTracing, sys.ProgTypeStructOps:
		r.Repeat = 0
		start := time.Now()
		for range n {
			if err := p.Run(&r); err != nil {
				return 0, err
			}
		}
		return time.Since(start) / time.Duration(max(n, 1)), nil
	}
	r.Repeat = n
	err := p.Run(&r)
	return r.Duration, err
}
