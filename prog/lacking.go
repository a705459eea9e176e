package prog

import (
	"errors"

	"github.com/lode-bpf/lode/sys"
)

// loadError says what the kernel lacks, if that is why.
func (l *loader) loadError(err error) error {
	e := &LoadError{Program: l.spec.Name, Section: l.spec.Section, Type: l.spec.Type, Err: err}
	if errors.Is(err, sys.EINVAL) || errors.Is(err, sys.E2BIG) {
		if absent := l.lacks(err); absent != nil {
			e.Err = &lackingError{err, absent}
		}
	}
	return e
}

// lacks finds what of a load the kernel does not have.
func (l *loader) lacks(err error) (absent *sys.NotSupported) {
	features := []sys.Feature{sys.ProgTypeFeature(l.spec.Type), sys.AttachTypeFeature(l.spec.AttachType)}
	if l.opts.Token != 0 {
		features = append(features, sys.FeatureToken)
	}
	for _, f := range features {
		if errors.As(sys.Probe(l.k, f), &absent) {
			return absent
		}
	}
	a := l.attr()
	for _, n := range newArguments {
		if drop(a, n.what) && l.reaches(*a) {
			return &sys.NotSupported{Feature: n.name, Since: n.since, Err: err}
		}
	}
	return nil
}

// newArguments are what of BPF_PROG_LOAD not all kernels know (5.10 is the oldest),
// newest first, so that what is left out one after the other ends with what the
// kernel does know: flags, and other fields under numbers that no flag has.
var newArguments = [...]struct {
	what        uint32
	name, since string
}{
	{argSignature, "signed programs (signature)", "6.18"},
	{argFDArrayCount, "binding of fd_array (fd_array_cnt)", "6.14"},
	{sys.BPF_F_TEST_REG_INVARIANTS, "checks of register invariants (BPF_F_TEST_REG_INVARIANTS)", "6.8"},
	{sys.BPF_F_XDP_DEV_BOUND_ONLY, "programs bound to a device (BPF_F_XDP_DEV_BOUND_ONLY)", "6.3"},
	{sys.BPF_F_XDP_HAS_FRAGS, "XDP programs for packets in fragments (BPF_F_XDP_HAS_FRAGS)", "5.18"},
	{argFDArray, "descriptors by index (fd_array)", "5.14"},
}

const (
	argSignature    = 3
	argFDArrayCount = 5
	argFDArray      = 6
)

// drop makes a load do without one of them and says whether it was in use.
func drop(a *sys.ProgLoadAttr, what uint32) bool {
	before := *a
	switch what {
	case argSignature:
		a.Signature, a.SignatureSize, a.KeyringID = sys.Pointer{}, 0, 0
	case argFDArrayCount:
		a.FDArrayCount = 0
	case argFDArray:
		a.FDArray = sys.Pointer{}
	case sys.BPF_F_XDP_DEV_BOUND_ONLY, sys.BPF_F_XDP_HAS_FRAGS:
		if a.ProgType == sys.ProgTypeXDP { // for others they are wrong on all kernels
			a.ProgFlags &^= what
		}
	default:
		a.ProgFlags &^= what
	}
	return *a != before
}

// reaches says whether the verifier gets to see a program with these arguments,
// whatever it thinks of it.
func (l *loader) reaches(a sys.ProgLoadAttr) bool {
	log := make([]byte, 256)
	a.LogLevel, a.LogBuf, a.LogSize = sys.BPF_LOG_LEVEL1, sys.BytesPtr(log), uint32(len(log))
	fd, err := sys.ProgLoad(l.k, &a)
	fd.Close()
	return err == nil || log[0] != 0
}

// A lackingError is a failed call and the missing feature that explains it.
type lackingError struct {
	err    error
	absent *sys.NotSupported
}

func (e *lackingError) Error() string   { return e.err.Error() + "; " + e.absent.Error() }
func (e *lackingError) Unwrap() []error { return []error{e.err, e.absent} }
