package sys

import "iter"

// A LinkType is what the kernel calls a link by.
type LinkType uint32

// LinkType values (enum bpf_link_type in include/uapi/linux/bpf.h).
const (
	LinkTypeUnspec        LinkType = 0
	LinkTypeRawTracepoint LinkType = 1
	LinkTypeTracing       LinkType = 2
	LinkTypeCgroup        LinkType = 3
	LinkTypeIter          LinkType = 4
	LinkTypeNetNS         LinkType = 5
	LinkTypeXDP           LinkType = 6
	LinkTypePerfEvent     LinkType = 7
	LinkTypeKprobeMulti   LinkType = 8
	LinkTypeStructOps     LinkType = 9
	LinkTypeNetfilter     LinkType = 10
	LinkTypeTCX           LinkType = 11
	LinkTypeUprobeMulti   LinkType = 12
	LinkTypeNetkit        LinkType = 13
	LinkTypeSockMap       LinkType = 14
	LinkTypeTracingMulti  LinkType = 15
)

// linkTypes is indexed by number.
var linkTypes = [...]enumRow{
	LinkTypeUnspec:        {"unspec", ""},
	LinkTypeRawTracepoint: {"raw_tracepoint", "5.7"},
	LinkTypeTracing:       {"tracing", "5.7"},
	LinkTypeCgroup:        {"cgroup", "5.7"},
	LinkTypeIter:          {"iter", "5.8"},
	LinkTypeNetNS:         {"netns", "5.8"},
	LinkTypeXDP:           {"xdp", "5.9"},
	LinkTypePerfEvent:     {"perf_event", "5.15"},
	LinkTypeKprobeMulti:   {"kprobe_multi", "5.18"},
	LinkTypeStructOps:     {"struct_ops", "6.4"},
	LinkTypeNetfilter:     {"netfilter", "6.4"},
	LinkTypeTCX:           {"tcx", "6.6"},
	LinkTypeUprobeMulti:   {"uprobe_multi", "6.6"},
	LinkTypeNetkit:        {"netkit", "6.7"},
	LinkTypeSockMap:       {"sockmap", "6.10"},
	LinkTypeTracingMulti:  {"tracing_multi", "7.2"},
}

// String is the name of the link type as in the UAPI, in lower case and without its prefix,
// or "link type(N)" for a number that this package does not know.
func (v LinkType) String() string { return enumString("linktype", linkTypes[:], uint32(v)) }

// Since is the kernel version that brought it, such as "5.8"; "" if unknown.
func (v LinkType) Since() string { return enumSince(linkTypes[:], uint32(v)) }

// ParseLinkType is the inverse of String.
func ParseLinkType(s string) (LinkType, bool) {
	n, ok := enumParse("linktype", linkTypes[:], s)
	return LinkType(n), ok
}

// LinkTypes lists the known values in order, without the unspecified one.
func LinkTypes() iter.Seq[LinkType] { return enumAll[LinkType](linkTypes[:], 1) }
