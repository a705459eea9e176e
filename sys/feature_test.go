package sys

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestFeatureText(t *testing.T) {
	for _, tt := range []struct {
		f           Feature
		text, since string
	}{
		{FeatureProgName, "prog_name", "4.15"},
		{FeatureSyscallWrapper, "syscall_wrapper", "4.17"},
		{MapTypeFeature(MapTypeArena), "map_type arena", "6.9"},
		{ProgTypeFeature(ProgTypeXDP), "prog_type xdp", "4.8"},
		{AttachTypeFeature(AttachCgroupInetIngress), "attach_type cgroup_inet_ingress", "4.10"},
		{HelperFeature(ProgTypeXDP, 51), "helper xdp redirect_map", "4.14"},
		{HelperFeature(ProgTypeXDP, 4000), "helper xdp helper(4000)", ""},
		{MapTypeFeature(4000), "map_type maptype(4000)", ""},
	} {
		if tt.f.String() != tt.text || tt.f.Since() != tt.since {
			t.Errorf("%q since %q, want %q since %q", tt.f, tt.f.Since(), tt.text, tt.since)
		}
		if back, ok := ParseFeature(tt.text); tt.since != "" && (!ok || back != tt.f) {
			t.Errorf("ParseFeature(%q) = %q, %t", tt.text, back, ok)
		}
	}
	for _, s := range []string{"", " ", "nothing", "map_type", "map_type ", "map_type nothing", "helper xdp", "helper xdp nothing", "type hash"} {
		if f, ok := ParseFeature(s); ok {
			t.Errorf("ParseFeature(%q) = %q", s, f)
		}
	}
	seen := map[string]bool{}
	for f := range AllFeatures() {
		back, ok := ParseFeature(f.String())
		if !ok || back != f || f.Since() == "" || seen[f.String()] {
			t.Errorf("%q: since %q, comes back as %q", f, f.Since(), back)
		}
		seen[f.String()] = true
	}
}

func TestFeaturesRecorded(t *testing.T) {
	s := NewFeatures(nil)
	s.Set(FeatureBTFEnum64, false)
	s.Set(MapTypeFeature(MapTypeHash), true)
	s.Set(FeatureBTF, true)
	text, err := s.MarshalText()
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff("+btf\n-btf_enum64\n+map_type hash\n", string(text)); diff != "" {
		t.Errorf("text (-want +got):\n%s", diff)
	}
	var back Features
	if err := back.UnmarshalText([]byte("# Linux 5.19\n\n" + string(text))); err != nil {
		t.Fatal(err)
	}
	if err := back.Probe(FeatureBTF); err != nil {
		t.Error(err)
	}
	var absent *NotSupported
	if err := back.Probe(FeatureBTFEnum64); !errors.As(err, &absent) || absent.Since != "6.0" || !errors.Is(err, errors.ErrUnsupported) {
		t.Errorf("absent: %v", err)
	}
	var unknown *UnknownFeatureError
	if has, err := back.Has(FeaturePerfLink); has || !errors.As(err, &unknown) || unknown.Feature != FeaturePerfLink {
		t.Errorf("not recorded: %t, %v", has, err)
	}
	for _, bad := range []string{"btf", "+", "+nothing", "*btf", "+btf\n-map_type x"} {
		var e *FeatureSyntaxError
		if err := new(Features).UnmarshalText([]byte(bad)); !errors.As(err, &e) {
			t.Errorf("%q: %v", bad, err)
		}
	}
}

// refusing is a Kernel that refuses every command.
type refusing struct {
	Kernel
	errno Errno
	calls int
}

func (r *refusing) BPF(cmd Cmd, attr Attr) (int, error) {
	r.calls++
	return -1, bpfError(cmd, attr, r.errno)
}

func TestProbeVerdict(t *testing.T) {
	for _, tt := range []struct {
		errno  Errno
		answer bool
	}{{EINVAL, true}, {E2BIG, true}, {EOPNOTSUPP, true}, {EPERM, false}, {EMFILE, false}, {ENOMEM, false}, {EAGAIN, false}} {
		k := &refusing{errno: tt.errno}
		s := NewFeatures(k)
		has, err := s.Has(MapTypeFeature(MapTypeHash))
		if has || (err == nil) != tt.answer {
			t.Errorf("%s: %t, %v", ErrnoName(tt.errno), has, err)
		}
		s.Has(MapTypeFeature(MapTypeHash))
		if want := map[bool]int{true: 1, false: 2}[tt.answer]; k.calls != want {
			t.Errorf("%s: asked %d times, want %d", ErrnoName(tt.errno), k.calls, want)
		}
	}
	has, err := NewFeatures(newFake()).Has(MapTypeFeature(MapTypeArrayOfMaps))
	if !has || err != nil {
		t.Errorf("a kernel that says yes: %t, %v", has, err)
	}
	if err := probe(newFake(), Feature(0)); !errors.Is(err, errors.ErrUnsupported) {
		t.Errorf("no feature: %v", err)
	}
}

// Every probe closes what it opened, whichever of its calls fails.
func TestProbesCloseEverything(t *testing.T) {
	for f := range AllFeatures() {
		for n := 0; n <= 5; n++ {
			k := newFake()
			probe(&Fault{Kernel: k, N: n, Errno: EINVAL}, f)
			if len(k.open) != 0 {
				t.Errorf("%s leaves %d descriptors open if call %d fails", f, len(k.open), n)
			}
		}
	}
}

func TestPrepareMemlock(t *testing.T) {
	var text strings.Builder
	for _, has := range []bool{true, false} {
		text.Reset()
		k := newFake()
		if !has {
			k.fail[CmdProgLoad] = EINVAL
		}
		if err := PrepareMemlock(NewRecorder(k, &text)); err != nil {
			t.Fatal(err)
		}
		if raised := strings.Contains(text.String(), "raise_memlock"); raised == has {
			t.Errorf("accounting by cgroup %t: %s", has, text.String())
		}
	}
}

// Features that are given are asked for no more, and a kernel that has them is
// otherwise what it was.
func TestWithFeatures(t *testing.T) {
	k := &refusing{errno: EINVAL}
	f := NewFeatures(k)
	f.Set(FeatureMemcgAccount, true)
	with := WithFeatures(k, f)
	if err := PrepareMemlock(with); err != nil || k.calls != 0 {
		t.Errorf("a known feature: %v, %d calls", err, k.calls)
	}
	var absent *NotSupported
	for range 2 {
		if err := Probe(with, FeatureBTF); !errors.As(err, &absent) {
			t.Errorf("one that is not known: %v", err)
		}
	}
	if k.calls != 1 {
		t.Errorf("asked %d times, want once", k.calls)
	}
	if FeaturesOf(with) != f || FeaturesOf(Live()) != LiveFeatures() || FeaturesOf(k) == f {
		t.Error("features of another kernel")
	}
	other := NewFeatures(nil)
	if again := WithFeatures(with, other); FeaturesOf(again) != other {
		t.Error("the second set does not take the place of the first")
	}
	for _, tt := range []struct {
		k    Kernel
		want bool
	}{{Live(), true}, {WithFeatures(Live(), f), true}, {WithToken(Live(), 3), true}, {WithFeatures(WithToken(Live(), 3), f), true}, {k, false}, {with, false}, {NewRecorder(Live(), nil), false}} {
		if got := IsLive(tt.k); got != tt.want {
			t.Errorf("%T is live: %t", tt.k, got)
		}
	}
}
