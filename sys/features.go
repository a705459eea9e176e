package sys

import (
	"bytes"
	"errors"
	"slices"
	"strconv"
	"strings"
	"sync"
)

// Features is what is known of a kernel: probed when first asked for and
// remembered, or read from a recording. It is safe for concurrent use.
type Features struct {
	k  Kernel // nil: only what is recorded
	mu sync.Mutex

	known map[Feature]error // nil error: present
}

// NewFeatures is an empty set that asks k. With a nil Kernel it knows only what
// Set and UnmarshalText tell it.
func NewFeatures(k Kernel) *Features { return &Features{k: k} }

// liveFeatures are the answers of the running kernel.
var liveFeatures = Features{k: live{}}

// LiveFeatures is the set of the running kernel that the whole process shares.
func LiveFeatures() *Features { return &liveFeatures }

// FeaturesOf is what is known of a kernel: of one made by [WithFeatures] the set
// that it was given, of the running kernel the set that the process shares, of
// any other a new set, which asks it.
func FeaturesOf(k Kernel) *Features {
	switch k := k.(type) {
	case featured:
		return k.features
	case live:
		return LiveFeatures()
	}
	return NewFeatures(k)
}

// WithFeatures is k with features that are given instead of asked for: [Probe],
// and with it everything that depends on a feature, answers from f. With a set
// that was recorded a load makes no probes at all; with one NewFeatures(k) for
// many loads, each probe is made once. It goes around what else wraps a kernel:
//
//	f := sys.NewFeatures(sys.Live())
//	k := sys.WithFeatures(sys.NewRecorder(sys.Live(), w), f)
func WithFeatures(k Kernel, f *Features) Kernel {
	if inner, ok := k.(featured); ok {
		k = inner.Kernel
	}
	return featured{k, f}
}

type featured struct {
	Kernel
	features *Features
}

// IsLive says whether k is the running kernel, with or without features or a token
// of its own, and not something that stands in front of it or in its place.
func IsLive(k Kernel) bool {
	switch k := k.(type) {
	case featured:
		return IsLive(k.Kernel)
	case tokened:
		return IsLive(k.Kernel)
	case live:
		return true
	}
	return false
}

// An UnknownFeatureError says that a recorded set does not have the answer.
type UnknownFeatureError struct{ Feature Feature }

func (e *UnknownFeatureError) Error() string {
	return "sys: the recorded features do not say whether the kernel has " + e.Feature.String()
}

// Probe answers as the function of the same name. Answers are remembered, other
// errors are not.
func (s *Features) Probe(f Feature) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err, ok := s.known[f]; ok {
		return err
	}
	if s.k == nil {
		return &UnknownFeatureError{f}
	}
	err := probe(s.k, f)
	var absent *NotSupported
	if err == nil || errors.As(err, &absent) {
		s.remember(f, err)
	}
	return err
}

func (s *Features) remember(f Feature, err error) {
	if s.known == nil {
		s.known = map[Feature]error{}
	}
	s.known[f] = err
}

// Has says whether the feature is there; the error is about questions that could
// not be asked.
func (s *Features) Has(f Feature) (bool, error) {
	err := s.Probe(f)
	var absent *NotSupported
	if errors.As(err, &absent) {
		return false, nil
	}
	return err == nil, err
}

// Set makes a feature present or absent, whatever the kernel says.
func (s *Features) Set(f Feature, present bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if present {
		s.remember(f, nil)
		return
	}
	s.remember(f, &NotSupported{Feature: f.String(), Since: f.Since()})
}

// ProbeAll asks for every feature of [AllFeatures]. The errors of questions that
// could not be asked are joined.
func (s *Features) ProbeAll() error {
	var errs []error
	for f := range AllFeatures() {
		if _, err := s.Has(f); err != nil {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

// MarshalText writes one line for each known feature, sorted by name, with a '+'
// in front if the kernel has it and a '-' if not.
func (s *Features) MarshalText() ([]byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var lines []string
	for f, err := range s.known {
		sign := "+"
		if err != nil {
			sign = "-"
		}
		lines = append(lines, sign+f.String())
	}
	slices.SortFunc(lines, func(a, b string) int { return strings.Compare(a[1:], b[1:]) })
	return []byte(strings.Join(lines, "\n") + "\n"), nil
}

// A FeatureSyntaxError says which line of a recorded set cannot be read.
type FeatureSyntaxError struct {
	Line int // from 1
	Text string
}

func (e *FeatureSyntaxError) Error() string {
	return "sys: line " + strconv.Itoa(e.Line) + " of recorded features: " + quote(e.Text) + " is no \"+feature\" or \"-feature\" that is known"
}

// UnmarshalText reads what MarshalText wrote and adds it to the set. Empty lines
// and lines that begin with '#' are skipped.
func (s *Features) UnmarshalText(text []byte) error {
	n := 0
	for line := range bytes.Lines(text) {
		n++
		t := strings.TrimSpace(string(line))
		if t == "" || t[0] == '#' {
			continue
		}
		f, ok := ParseFeature(t[1:])
		if !ok || t[0] != '+' && t[0] != '-' {
			return &FeatureSyntaxError{n, t}
		}
		s.Set(f, t[0] == '+')
	}
	return nil
}
