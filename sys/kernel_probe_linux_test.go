package sys

import (
	"errors"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/lode-bpf/lode/internal/ktest"
)

// since says whether version "5.8" is not newer than the running kernel.
func reached(since string) bool {
	ma, mi, _ := strings.Cut(since, ".")
	major, _ := strconv.Atoi(ma)
	minor, _ := strconv.Atoi(mi)
	return ktestVersion(major, minor)
}

// What the kernel answers agrees with the version that is said to have brought the
// feature: nothing is there before its time, and what is left out is listed.
func TestKernelProbes(t *testing.T) {
	k := kernelTest(t)
	s := NewFeatures(k)
	for f := range AllFeatures() {
		has, err := s.Has(f)
		switch {
		case err != nil:
			t.Logf("cannot be asked: %v", err)
		case has && !reached(f.Since()):
			t.Errorf("%s is here before Linux %s", f, f.Since())
		case !has && reached(f.Since()):
			t.Logf("left out: %v", s.Probe(f))
		}
	}
	// What every kernel of the matrix has, whatever its configuration.
	for _, f := range []Feature{FeatureProgName, FeatureGlobalData, FeatureBTF, FeatureBTFFunc, FeatureBTFGlobalFunc, FeatureBTFDatasec,
		FeatureArrayMmap, FeatureExpAttachType, FeatureProbeReadKern, FeatureProgBindMap, FeatureISAv2, FeatureISAv3, FeatureBoundedLoops,
		FeatureLargeInsns, FeatureMapBatch, MapTypeFeature(MapTypeHash), MapTypeFeature(MapTypeRingBuf), MapTypeFeature(MapTypeHashOfMaps),
		MapTypeFeature(MapTypeSKStorage), MapTypeFeature(MapTypeLPMTrie), MapTypeFeature(MapTypeDevMapHash),
		ProgTypeFeature(ProgTypeXDP), ProgTypeFeature(ProgTypeSKLookup), ProgTypeFeature(ProgTypeCgroupSockAddr),
		AttachTypeFeature(AttachXDP), AttachTypeFeature(AttachCgroupInetEgress), AttachTypeFeature(AttachSKLookup), AttachTypeFeature(AttachCgroupUDP6RecvMsg)} {
		if has, err := s.Has(f); !has || err != nil {
			t.Errorf("%s: %v", f, s.Probe(f))
		}
	}
	_, err := os.Stat("/sys/kernel/btf/vmlinux")
	for _, f := range []Feature{MapTypeFeature(MapTypeStructOps), ProgTypeFeature(ProgTypeStructOps)} {
		if has, _ := s.Has(f); has != (err == nil) {
			t.Errorf("%s is %t, the kernel's BTF: %v; one needs the other", f, has, err)
		}
	}
	for _, f := range []Feature{FeatureModuleBTF, FeatureMemcgAccount, FeaturePerfLink, FeatureBPFCookie, FeatureBTFFloat, FeatureBTFDeclTag, FeatureBTFTypeTag,
		FeatureBTFEnum64, FeatureBTFQmarkDatasec, FeatureArgCtxTag, FeatureISAv4, FeaturePathFD, FeatureToken, FeatureCommonAttrs, FeatureBTFLayout,
		MapTypeFeature(MapTypeBloomFilter), MapTypeFeature(MapTypeUserRingBuf), MapTypeFeature(MapTypeCgrpStorage), MapTypeFeature(MapTypeArena),
		MapTypeFeature(MapTypeInsnArray), MapTypeFeature(MapTypeRHash), ProgTypeFeature(ProgTypeSyscall), ProgTypeFeature(ProgTypeNetfilter),
		AttachTypeFeature(AttachTCXIngress), AttachTypeFeature(AttachCgroupUnixConnect), FeaturePerCPUFlags} {
		if has, err := s.Has(f); err == nil && has != reached(f.Since()) {
			t.Errorf("%s came with Linux %s, but here it is %t: %v", f, f.Since(), has, s.Probe(f))
		}
	}
}

func TestKernelProbeHelpers(t *testing.T) {
	k := kernelTest(t)
	for _, tt := range []struct {
		typ    ProgType
		helper string
		want   bool
	}{
		{ProgTypeXDP, "map_lookup_elem", true}, {ProgTypeXDP, "redirect_map", true}, {ProgTypeXDP, "skb_store_bytes", false},
		{ProgTypeSchedCls, "skb_store_bytes", true}, {ProgTypeXDP, "tail_call", true}, {ProgTypeXDP, "get_prandom_u32", true},
		{ProgTypeKprobe, "probe_read_kernel", true}, {ProgTypeTracepoint, "xdp_adjust_head", false}, {ProgTypeXDP, "unspec", false},
		{ProgTypeXDP, "fib_lookup", true}, {ProgTypeSocketFilter, "get_stackid", false}, {ProgTypeCgroupSockAddr, "bind", true},
	} {
		h, ok := ParseHelper(tt.helper)
		if !ok {
			t.Fatalf("no helper %q", tt.helper)
		}
		err := probe(k, HelperFeature(tt.typ, h))
		if (err == nil) != tt.want || err != nil && !errors.Is(err, errors.ErrUnsupported) {
			t.Errorf("%s in %s: %v", tt.helper, tt.typ, err)
		}
	}
	var unaskable *UnaskableError
	if err := probe(k, HelperFeature(ProgTypeLSM, 1)); !errors.As(err, &unaskable) {
		t.Errorf("lsm: %v", err)
	}
	// A socket filter may call any helper only once the kernel knows its number.
	known := 0
	for h := Helper(1); int(h) < NumHelpers; h++ {
		if probe(k, HelperFeature(ProgTypeXDP, h)) == nil {
			known++
			if !reached(h.Since()) {
				t.Errorf("helper %s is here before Linux %s", h, h.Since())
			}
		}
	}
	t.Logf("xdp programs may call %d helpers", known)
}

// The set of a kernel survives being written and read.
func TestKernelFeaturesRecord(t *testing.T) {
	k := kernelTest(t)
	s := NewFeatures(k)
	if err := s.ProbeAll(); err != nil {
		t.Logf("not everything can be asked here: %v", err)
	}
	text, err := s.MarshalText()
	if err != nil {
		t.Fatal(err)
	}
	back := NewFeatures(nil)
	if err := back.UnmarshalText(text); err != nil {
		t.Fatal(err)
	}
	again, _ := back.MarshalText()
	if diff := cmp.Diff(string(text), string(again)); diff != "" {
		t.Errorf("(-written +read):\n%s", diff)
	}
	ktest.NoFDLeaks(t)
	for f := range AllFeatures() {
		Probe(k, f)
		Probe(k, f)
	}
}
