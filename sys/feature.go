package sys

import (
	"iter"
	"strings"
)

// A Feature is something that a kernel has or lacks: one of the Feature
// constants, a program type, a map type, a helper in a program type, a hook.
// Features are comparable and can be keys of maps.
type Feature uint64

// The upper byte of a Feature is its kind.
const (
	featurePlain Feature = iota << 56
	featureProgType
	featureMapType
	featureAttach
	featureHelper
)

// Features that are not a type of something.
const (
	FeatureProgName            Feature = iota + 1 // names of programs and maps
	FeatureGlobalData                             // addresses of values of an array in instructions
	FeatureBTF                                    // loading BTF
	FeatureBTFFunc                                // kinds FUNC and FUNC_PROTO
	FeatureBTFGlobalFunc                          // global functions, verified one by one
	FeatureBTFDatasec                             // kinds VAR and DATASEC
	FeatureBTFFloat                               // kind FLOAT
	FeatureBTFDeclTag                             // kind DECL_TAG
	FeatureBTFTypeTag                             // kind TYPE_TAG
	FeatureBTFEnum64                              // kind ENUM64
	FeatureBTFQmarkDatasec                        // DATASEC names that begin with '?'
	FeatureBTFLayout                              // the layout part of the BTF header
	FeatureArrayMmap                              // mmap of arrays
	FeatureExpAttachType                          // expected_attach_type of programs
	FeatureProbeReadKern                          // helpers probe_read_kernel, probe_read_user and the _str forms
	FeatureProgBindMap                            // BPF_PROG_BIND_MAP
	FeatureModuleBTF                              // BTF of kernel modules
	FeaturePerfLink                               // links of perf events
	FeatureBPFCookie                              // helper get_attach_cookie
	FeatureMemcgAccount                           // memory charged to cgroups, not to RLIMIT_MEMLOCK
	FeatureSyscallWrapper                         // system calls are functions __ARCH_sys_NAME
	FeatureUprobeMultiLink                        // links of many uprobes
	FeatureArgCtxTag                              // declaration tag arg:ctx of parameters of global functions
	FeatureLDIMM64FullRangeOff                    // offsets above 512 MiB in addresses of map values
	FeatureUprobeSyscall                          // uprobes that enter by a system call
	FeatureCommonAttrs                            // BPF_COMMON_ATTRS
	FeatureISAv2                                  // jumps less than
	FeatureISAv3                                  // 32-bit jumps
	FeatureISAv4                                  // sign extension, byte swap, long jumps
	FeatureBoundedLoops                           // loops that the verifier can see the end of
	FeatureLargeInsns                             // programs of more than 4096 instructions
	FeatureMapBatch                               // batch commands
	FeaturePathFD                                 // pinning relative to a directory descriptor
	FeatureToken                                  // BPF tokens
	FeaturePerCPUFlags                            // BPF_F_CPU and BPF_F_ALL_CPUS
	featureEnd
)

// plainFeatures are indexed by number.
var plainFeatures = [featureEnd]struct {
	name, since string
}{
	FeatureProgName:            {"prog_name", "4.15"},
	FeatureGlobalData:          {"global_data", "5.2"},
	FeatureBTF:                 {"btf", "4.18"},
	FeatureBTFFunc:             {"btf_func", "5.0"},
	FeatureBTFGlobalFunc:       {"btf_global_func", "5.6"},
	FeatureBTFDatasec:          {"btf_datasec", "5.2"},
	FeatureBTFFloat:            {"btf_float", "5.13"},
	FeatureBTFDeclTag:          {"btf_decl_tag", "5.16"},
	FeatureBTFTypeTag:          {"btf_type_tag", "5.17"},
	FeatureBTFEnum64:           {"btf_enum64", "6.0"},
	FeatureBTFQmarkDatasec:     {"btf_qmark_datasec", "6.9"},
	FeatureBTFLayout:           {"btf_layout", "7.1"},
	FeatureArrayMmap:           {"array_mmap", "5.5"},
	FeatureExpAttachType:       {"exp_attach_type", "4.17"},
	FeatureProbeReadKern:       {"probe_read_kern", "5.5"},
	FeatureProgBindMap:         {"prog_bind_map", "5.10"},
	FeatureModuleBTF:           {"module_btf", "5.11"},
	FeaturePerfLink:            {"perf_link", "5.15"},
	FeatureBPFCookie:           {"bpf_cookie", "5.15"},
	FeatureMemcgAccount:        {"memcg_account", "5.11"},
	FeatureSyscallWrapper:      {"syscall_wrapper", "4.17"},
	FeatureUprobeMultiLink:     {"uprobe_multi_link", "6.6"},
	FeatureArgCtxTag:           {"arg_ctx_tag", "6.8"},
	FeatureLDIMM64FullRangeOff: {"ldimm64_full_range_off", "7.0"},
	FeatureUprobeSyscall:       {"uprobe_syscall", "6.18"},
	FeatureCommonAttrs:         {"common_attrs", "7.2"},
	FeatureISAv2:               {"isa_v2", "4.14"},
	FeatureISAv3:               {"isa_v3", "5.1"},
	FeatureISAv4:               {"isa_v4", "6.6"},
	FeatureBoundedLoops:        {"bounded_loops", "5.3"},
	FeatureLargeInsns:          {"large_insns", "5.2"},
	FeatureMapBatch:            {"map_batch", "5.6"},
	FeaturePathFD:              {"path_fd", "6.5"},
	FeatureToken:               {"token", "6.9"},
	FeaturePerCPUFlags:         {"percpu_flags", "7.0"},
}

// ProgTypeFeature is: the kernel loads programs of a type.
func ProgTypeFeature(t ProgType) Feature { return featureProgType | Feature(t) }

// MapTypeFeature is: the kernel creates maps of a type.
func MapTypeFeature(t MapType) Feature { return featureMapType | Feature(t) }

// AttachTypeFeature is: the kernel has a hook.
func AttachTypeFeature(a AttachType) Feature { return featureAttach | Feature(a) }

// HelperFeature is: programs of a type may call a helper.
func HelperFeature(t ProgType, h Helper) Feature {
	return featureHelper | Feature(t&0xffffff)<<32 | Feature(h)
}

func (f Feature) kind() Feature      { return f &^ (1<<56 - 1) }
func (f Feature) low() uint32        { return uint32(f) }
func (f Feature) progType() ProgType { return ProgType(f>>32) & 0xffffff }

// String is the name of the feature, which [ParseFeature] reads back:
// "prog_name", "map_type hash", "prog_type xdp", "attach_type tcx_ingress",
// "helper xdp redirect_map".
func (f Feature) String() string {
	switch f.kind() {
	case featureProgType:
		return "prog_type " + ProgType(f.low()).String()
	case featureMapType:
		return "map_type " + MapType(f.low()).String()
	case featureAttach:
		return "attach_type " + AttachType(f.low()).String()
	case featureHelper:
		return "helper " + f.progType().String() + " " + Helper(f.low()).String()
	}
	if f < featureEnd && f != 0 {
		return plainFeatures[f].name
	}
	return "unknown feature"
}

// Since is the kernel version that brought the feature, "" if unknown. Kernels
// with backported or disabled parts differ, which is why [Probe] asks.
func (f Feature) Since() string {
	switch f.kind() {
	case featureProgType:
		return ProgType(f.low()).Since()
	case featureMapType:
		return MapType(f.low()).Since()
	case featureAttach:
		return AttachType(f.low()).Since()
	case featureHelper:
		return Helper(f.low()).Since()
	}
	if f < featureEnd {
		return plainFeatures[f].since
	}
	return ""
}

// ParseFeature is the inverse of String.
func ParseFeature(s string) (Feature, bool) {
	kind, name, two := strings.Cut(s, " ")
	if !two {
		for i, p := range plainFeatures {
			if p.name == s && i > 0 {
				return Feature(i), true
			}
		}
		return 0, false
	}
	switch kind {
	case "prog_type":
		t, ok := ParseProgType(name)
		return ProgTypeFeature(t), ok
	case "map_type":
		t, ok := ParseMapType(name)
		return MapTypeFeature(t), ok
	case "attach_type":
		t, ok := ParseAttachType(name)
		return AttachTypeFeature(t), ok
	case "helper":
		typ, helper, _ := strings.Cut(name, " ")
		t, okT := ParseProgType(typ)
		h, okH := ParseHelper(helper)
		return HelperFeature(t, h), okT && okH
	}
	return 0, false
}

// AllFeatures lists everything that can be asked for except helpers, of which
// there are thousands: see [HelperFeature].
func AllFeatures() iter.Seq[Feature] {
	return func(yield func(Feature) bool) {
		for f := FeatureProgName; f < featureEnd; f++ {
			if !yield(f) {
				return
			}
		}
		for t := range ProgTypes() {
			if !yield(ProgTypeFeature(t)) {
				return
			}
		}
		for t := range MapTypes() {
			if !yield(MapTypeFeature(t)) {
				return
			}
		}
		for a := range AttachTypes() {
			if !yield(AttachTypeFeature(a)) {
				return
			}
		}
	}
}
