package sys

import "iter"

// A ProgType says what kind of program it is: where it runs and what it may do.
type ProgType uint32

// ProgType values (enum bpf_prog_type in include/uapi/linux/bpf.h).
const (
	ProgTypeUnspec                ProgType = 0
	ProgTypeSocketFilter          ProgType = 1
	ProgTypeKprobe                ProgType = 2
	ProgTypeSchedCls              ProgType = 3
	ProgTypeSchedAct              ProgType = 4
	ProgTypeTracepoint            ProgType = 5
	ProgTypeXDP                   ProgType = 6
	ProgTypePerfEvent             ProgType = 7
	ProgTypeCgroupSKB             ProgType = 8
	ProgTypeCgroupSock            ProgType = 9
	ProgTypeLWTIn                 ProgType = 10
	ProgTypeLWTOut                ProgType = 11
	ProgTypeLWTXmit               ProgType = 12
	ProgTypeSockOps               ProgType = 13
	ProgTypeSKSKB                 ProgType = 14
	ProgTypeCgroupDevice          ProgType = 15
	ProgTypeSKMsg                 ProgType = 16
	ProgTypeRawTracepoint         ProgType = 17
	ProgTypeCgroupSockAddr        ProgType = 18
	ProgTypeLWTSeg6Local          ProgType = 19
	ProgTypeLIRCMode2             ProgType = 20
	ProgTypeSKReuseport           ProgType = 21
	ProgTypeFlowDissector         ProgType = 22
	ProgTypeCgroupSysctl          ProgType = 23
	ProgTypeRawTracepointWritable ProgType = 24
	ProgTypeCgroupSockOpt         ProgType = 25
	ProgTypeTracing               ProgType = 26
	ProgTypeStructOps             ProgType = 27
	ProgTypeExt                   ProgType = 28
	ProgTypeLSM                   ProgType = 29
	ProgTypeSKLookup              ProgType = 30
	ProgTypeSyscall               ProgType = 31
	ProgTypeNetfilter             ProgType = 32
)

// progTypes is indexed by number.
var progTypes = [...]enumRow{
	ProgTypeUnspec:                {"unspec", ""},
	ProgTypeSocketFilter:          {"socket_filter", "3.19"},
	ProgTypeKprobe:                {"kprobe", "4.1"},
	ProgTypeSchedCls:              {"sched_cls", "4.1"},
	ProgTypeSchedAct:              {"sched_act", "4.1"},
	ProgTypeTracepoint:            {"tracepoint", "4.7"},
	ProgTypeXDP:                   {"xdp", "4.8"},
	ProgTypePerfEvent:             {"perf_event", "4.9"},
	ProgTypeCgroupSKB:             {"cgroup_skb", "4.10"},
	ProgTypeCgroupSock:            {"cgroup_sock", "4.10"},
	ProgTypeLWTIn:                 {"lwt_in", "4.10"},
	ProgTypeLWTOut:                {"lwt_out", "4.10"},
	ProgTypeLWTXmit:               {"lwt_xmit", "4.10"},
	ProgTypeSockOps:               {"sock_ops", "4.13"},
	ProgTypeSKSKB:                 {"sk_skb", "4.14"},
	ProgTypeCgroupDevice:          {"cgroup_device", "4.15"},
	ProgTypeSKMsg:                 {"sk_msg", "4.17"},
	ProgTypeRawTracepoint:         {"raw_tracepoint", "4.17"},
	ProgTypeCgroupSockAddr:        {"cgroup_sock_addr", "4.17"},
	ProgTypeLWTSeg6Local:          {"lwt_seg6local", "4.18"},
	ProgTypeLIRCMode2:             {"lirc_mode2", "4.18"},
	ProgTypeSKReuseport:           {"sk_reuseport", "4.19"},
	ProgTypeFlowDissector:         {"flow_dissector", "4.20"},
	ProgTypeCgroupSysctl:          {"cgroup_sysctl", "5.2"},
	ProgTypeRawTracepointWritable: {"raw_tracepoint_writable", "5.2"},
	ProgTypeCgroupSockOpt:         {"cgroup_sockopt", "5.3"},
	ProgTypeTracing:               {"tracing", "5.5"},
	ProgTypeStructOps:             {"struct_ops", "5.6"},
	ProgTypeExt:                   {"ext", "5.6"},
	ProgTypeLSM:                   {"lsm", "5.7"},
	ProgTypeSKLookup:              {"sk_lookup", "5.9"},
	ProgTypeSyscall:               {"syscall", "5.14"},
	ProgTypeNetfilter:             {"netfilter", "6.4"},
}

// String is the name of the program type as in the UAPI, in lower case and without its prefix,
// or "program type(N)" for a number that this package does not know.
func (v ProgType) String() string { return enumString("progtype", progTypes[:], uint32(v)) }

// Since is the kernel version that brought it, such as "5.8"; "" if unknown.
func (v ProgType) Since() string { return enumSince(progTypes[:], uint32(v)) }

// ParseProgType is the inverse of String.
func ParseProgType(s string) (ProgType, bool) {
	n, ok := enumParse("progtype", progTypes[:], s)
	return ProgType(n), ok
}

// ProgTypes lists the known values in order, without the unspecified one.
func ProgTypes() iter.Seq[ProgType] { return enumAll[ProgType](progTypes[:], 1) }
