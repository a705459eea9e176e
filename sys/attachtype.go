package sys

import "iter"

// An AttachType is a hook that programs of some type attach to. Zero is a hook, too:
// [AttachCgroupInetIngress].
type AttachType uint32

// AttachType values (enum bpf_attach_type in include/uapi/linux/bpf.h).
const (
	AttachCgroupInetIngress          AttachType = 0
	AttachCgroupInetEgress           AttachType = 1
	AttachCgroupInetSockCreate       AttachType = 2
	AttachCgroupSockOps              AttachType = 3
	AttachSKSKBStreamParser          AttachType = 4
	AttachSKSKBStreamVerdict         AttachType = 5
	AttachCgroupDevice               AttachType = 6
	AttachSKMsgVerdict               AttachType = 7
	AttachCgroupInet4Bind            AttachType = 8
	AttachCgroupInet6Bind            AttachType = 9
	AttachCgroupInet4Connect         AttachType = 10
	AttachCgroupInet6Connect         AttachType = 11
	AttachCgroupInet4PostBind        AttachType = 12
	AttachCgroupInet6PostBind        AttachType = 13
	AttachCgroupUDP4SendMsg          AttachType = 14
	AttachCgroupUDP6SendMsg          AttachType = 15
	AttachLIRCMode2                  AttachType = 16
	AttachFlowDissector              AttachType = 17
	AttachCgroupSysctl               AttachType = 18
	AttachCgroupUDP4RecvMsg          AttachType = 19
	AttachCgroupUDP6RecvMsg          AttachType = 20
	AttachCgroupGetSockOpt           AttachType = 21
	AttachCgroupSetSockOpt           AttachType = 22
	AttachTraceRawTP                 AttachType = 23
	AttachTraceFentry                AttachType = 24
	AttachTraceFexit                 AttachType = 25
	AttachModifyReturn               AttachType = 26
	AttachLSMMac                     AttachType = 27
	AttachTraceIter                  AttachType = 28
	AttachCgroupInet4GetPeerName     AttachType = 29
	AttachCgroupInet6GetPeerName     AttachType = 30
	AttachCgroupInet4GetSockName     AttachType = 31
	AttachCgroupInet6GetSockName     AttachType = 32
	AttachXDPDevMap                  AttachType = 33
	AttachCgroupInetSockRelease      AttachType = 34
	AttachXDPCPUMap                  AttachType = 35
	AttachSKLookup                   AttachType = 36
	AttachXDP                        AttachType = 37
	AttachSKSKBVerdict               AttachType = 38
	AttachSKReuseportSelect          AttachType = 39
	AttachSKReuseportSelectOrMigrate AttachType = 40
	AttachPerfEvent                  AttachType = 41
	AttachTraceKprobeMulti           AttachType = 42
	AttachLSMCgroup                  AttachType = 43
	AttachStructOps                  AttachType = 44
	AttachNetfilter                  AttachType = 45
	AttachTCXIngress                 AttachType = 46
	AttachTCXEgress                  AttachType = 47
	AttachTraceUprobeMulti           AttachType = 48
	AttachCgroupUnixConnect          AttachType = 49
	AttachCgroupUnixSendMsg          AttachType = 50
	AttachCgroupUnixRecvMsg          AttachType = 51
	AttachCgroupUnixGetPeerName      AttachType = 52
	AttachCgroupUnixGetSockName      AttachType = 53
	AttachNetkitPrimary              AttachType = 54
	AttachNetkitPeer                 AttachType = 55
	AttachTraceKprobeSession         AttachType = 56
	AttachTraceUprobeSession         AttachType = 57
	AttachTraceFsession              AttachType = 58
	AttachTraceFentryMulti           AttachType = 59
	AttachTraceFexitMulti            AttachType = 60
	AttachTraceFsessionMulti         AttachType = 61
)

// attachTypes is indexed by number.
var attachTypes = [...]enumRow{
	AttachCgroupInetIngress:          {"cgroup_inet_ingress", "4.10"},
	AttachCgroupInetEgress:           {"cgroup_inet_egress", "4.10"},
	AttachCgroupInetSockCreate:       {"cgroup_inet_sock_create", "4.10"},
	AttachCgroupSockOps:              {"cgroup_sock_ops", "4.13"},
	AttachSKSKBStreamParser:          {"sk_skb_stream_parser", "4.14"},
	AttachSKSKBStreamVerdict:         {"sk_skb_stream_verdict", "4.14"},
	AttachCgroupDevice:               {"cgroup_device", "4.15"},
	AttachSKMsgVerdict:               {"sk_msg_verdict", "4.17"},
	AttachCgroupInet4Bind:            {"cgroup_inet4_bind", "4.17"},
	AttachCgroupInet6Bind:            {"cgroup_inet6_bind", "4.17"},
	AttachCgroupInet4Connect:         {"cgroup_inet4_connect", "4.17"},
	AttachCgroupInet6Connect:         {"cgroup_inet6_connect", "4.17"},
	AttachCgroupInet4PostBind:        {"cgroup_inet4_post_bind", "4.17"},
	AttachCgroupInet6PostBind:        {"cgroup_inet6_post_bind", "4.17"},
	AttachCgroupUDP4SendMsg:          {"cgroup_udp4_sendmsg", "4.18"},
	AttachCgroupUDP6SendMsg:          {"cgroup_udp6_sendmsg", "4.18"},
	AttachLIRCMode2:                  {"lirc_mode2", "4.18"},
	AttachFlowDissector:              {"flow_dissector", "4.20"},
	AttachCgroupSysctl:               {"cgroup_sysctl", "5.2"},
	AttachCgroupUDP4RecvMsg:          {"cgroup_udp4_recvmsg", "5.2"},
	AttachCgroupUDP6RecvMsg:          {"cgroup_udp6_recvmsg", "5.2"},
	AttachCgroupGetSockOpt:           {"cgroup_getsockopt", "5.3"},
	AttachCgroupSetSockOpt:           {"cgroup_setsockopt", "5.3"},
	AttachTraceRawTP:                 {"trace_raw_tp", "5.5"},
	AttachTraceFentry:                {"trace_fentry", "5.5"},
	AttachTraceFexit:                 {"trace_fexit", "5.5"},
	AttachModifyReturn:               {"modify_return", "5.7"},
	AttachLSMMac:                     {"lsm_mac", "5.7"},
	AttachTraceIter:                  {"trace_iter", "5.8"},
	AttachCgroupInet4GetPeerName:     {"cgroup_inet4_getpeername", "5.8"},
	AttachCgroupInet6GetPeerName:     {"cgroup_inet6_getpeername", "5.8"},
	AttachCgroupInet4GetSockName:     {"cgroup_inet4_getsockname", "5.8"},
	AttachCgroupInet6GetSockName:     {"cgroup_inet6_getsockname", "5.8"},
	AttachXDPDevMap:                  {"xdp_devmap", "5.8"},
	AttachCgroupInetSockRelease:      {"cgroup_inet_sock_release", "5.9"},
	AttachXDPCPUMap:                  {"xdp_cpumap", "5.9"},
	AttachSKLookup:                   {"sk_lookup", "5.9"},
	AttachXDP:                        {"xdp", "5.9"},
	AttachSKSKBVerdict:               {"sk_skb_verdict", "5.13"},
	AttachSKReuseportSelect:          {"sk_reuseport_select", "5.14"},
	AttachSKReuseportSelectOrMigrate: {"sk_reuseport_select_or_migrate", "5.14"},
	AttachPerfEvent:                  {"perf_event", "5.15"},
	AttachTraceKprobeMulti:           {"trace_kprobe_multi", "5.18"},
	AttachLSMCgroup:                  {"lsm_cgroup", "6.0"},
	AttachStructOps:                  {"struct_ops", "6.4"},
	AttachNetfilter:                  {"netfilter", "6.4"},
	AttachTCXIngress:                 {"tcx_ingress", "6.6"},
	AttachTCXEgress:                  {"tcx_egress", "6.6"},
	AttachTraceUprobeMulti:           {"trace_uprobe_multi", "6.6"},
	AttachCgroupUnixConnect:          {"cgroup_unix_connect", "6.7"},
	AttachCgroupUnixSendMsg:          {"cgroup_unix_sendmsg", "6.7"},
	AttachCgroupUnixRecvMsg:          {"cgroup_unix_recvmsg", "6.7"},
	AttachCgroupUnixGetPeerName:      {"cgroup_unix_getpeername", "6.7"},
	AttachCgroupUnixGetSockName:      {"cgroup_unix_getsockname", "6.7"},
	AttachNetkitPrimary:              {"netkit_primary", "6.7"},
	AttachNetkitPeer:                 {"netkit_peer", "6.7"},
	AttachTraceKprobeSession:         {"trace_kprobe_session", "6.10"},
	AttachTraceUprobeSession:         {"trace_uprobe_session", "6.13"},
	AttachTraceFsession:              {"trace_fsession", "7.0"},
	AttachTraceFentryMulti:           {"trace_fentry_multi", "7.2"},
	AttachTraceFexitMulti:            {"trace_fexit_multi", "7.2"},
	AttachTraceFsessionMulti:         {"trace_fsession_multi", "7.2"},
}

// String is the name of the attach type as in the UAPI, in lower case and without its prefix,
// or "attach type(N)" for a number that this package does not know.
func (v AttachType) String() string { return enumString("attachtype", attachTypes[:], uint32(v)) }

// Since is the kernel version that brought it, such as "5.8"; "" if unknown.
func (v AttachType) Since() string { return enumSince(attachTypes[:], uint32(v)) }

// ParseAttachType is the inverse of String.
func ParseAttachType(s string) (AttachType, bool) {
	n, ok := enumParse("attachtype", attachTypes[:], s)
	return AttachType(n), ok
}

// AttachTypes lists the known values in order.
func AttachTypes() iter.Seq[AttachType] { return enumAll[AttachType](attachTypes[:], 0) }
