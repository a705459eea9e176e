package prog

import "github.com/lode-bpf/lode/sys"

// ruleFlags are the properties of a row of the table.
type ruleFlags uint16

const (
	fArgs      ruleFlags = 1 << iota // "/anything" may follow
	fNeeded                          // attach type needed to attach
	fOptional                        // expected attach type optional
	fSleepable                       // BPF_F_SLEEPABLE
	fFrags                           // BPF_F_XDP_HAS_FRAGS
	fUSDT                            // USDT probe
	fTarget                          // BTF id of the target needed
	fReturn                          // probe at the return
)

// A ruleRow is a row of the section table.
type ruleRow struct {
	name   string
	typ    sys.ProgType
	attach sys.AttachType
	flags  ruleFlags
	kind   AttachKind
}

// rules is the table of section names (Documentation/bpf/libbpf/program_types.rst),
// searched from the top.
var rules = [...]ruleRow{
	{"socket", sys.ProgTypeSocketFilter, 0, 0, AttachNone},
	{"sk_reuseport/migrate", sys.ProgTypeSKReuseport, sys.AttachSKReuseportSelectOrMigrate, fNeeded, AttachNone},
	{"sk_reuseport", sys.ProgTypeSKReuseport, sys.AttachSKReuseportSelect, fNeeded, AttachNone},
	{"kprobe", sys.ProgTypeKprobe, 0, fArgs, AttachKprobe},
	{"uprobe", sys.ProgTypeKprobe, 0, fArgs, AttachUprobe},
	{"uprobe.s", sys.ProgTypeKprobe, 0, fArgs | fSleepable, AttachUprobe},
	{"kretprobe", sys.ProgTypeKprobe, 0, fArgs | fReturn, AttachKprobe},
	{"uretprobe", sys.ProgTypeKprobe, 0, fArgs | fReturn, AttachUprobe},
	{"uretprobe.s", sys.ProgTypeKprobe, 0, fArgs | fSleepable | fReturn, AttachUprobe},
	{"kprobe.multi", sys.ProgTypeKprobe, sys.AttachTraceKprobeMulti, fArgs, AttachKprobeMulti},
	{"kretprobe.multi", sys.ProgTypeKprobe, sys.AttachTraceKprobeMulti, fArgs | fReturn, AttachKprobeMulti},
	{"kprobe.session", sys.ProgTypeKprobe, sys.AttachTraceKprobeSession, fArgs, AttachKprobeSession},
	{"uprobe.multi", sys.ProgTypeKprobe, sys.AttachTraceUprobeMulti, fArgs, AttachUprobeMulti},
	{"uretprobe.multi", sys.ProgTypeKprobe, sys.AttachTraceUprobeMulti, fArgs | fReturn, AttachUprobeMulti},
	{"uprobe.session", sys.ProgTypeKprobe, sys.AttachTraceUprobeSession, fArgs, AttachUprobeMulti},
	{"uprobe.multi.s", sys.ProgTypeKprobe, sys.AttachTraceUprobeMulti, fArgs | fSleepable, AttachUprobeMulti},
	{"uretprobe.multi.s", sys.ProgTypeKprobe, sys.AttachTraceUprobeMulti, fArgs | fSleepable | fReturn, AttachUprobeMulti},
	{"uprobe.session.s", sys.ProgTypeKprobe, sys.AttachTraceUprobeSession, fArgs | fSleepable, AttachUprobeMulti},
	{"ksyscall", sys.ProgTypeKprobe, 0, fArgs, AttachKsyscall},
	{"kretsyscall", sys.ProgTypeKprobe, 0, fArgs | fReturn, AttachKsyscall},
	{"usdt", sys.ProgTypeKprobe, 0, fArgs | fUSDT, AttachUSDT},
	{"usdt.s", sys.ProgTypeKprobe, 0, fArgs | fUSDT | fSleepable, AttachUSDT},
	{"tc/ingress", sys.ProgTypeSchedCls, sys.AttachTCXIngress, 0, AttachNone},
	{"tc/egress", sys.ProgTypeSchedCls, sys.AttachTCXEgress, 0, AttachNone},
	{"tcx/ingress", sys.ProgTypeSchedCls, sys.AttachTCXIngress, 0, AttachNone},
	{"tcx/egress", sys.ProgTypeSchedCls, sys.AttachTCXEgress, 0, AttachNone},
	{"tc", sys.ProgTypeSchedCls, 0, 0, AttachNone},
	{"classifier", sys.ProgTypeSchedCls, 0, 0, AttachNone},
	{"action", sys.ProgTypeSchedAct, 0, 0, AttachNone},
	{"netkit/primary", sys.ProgTypeSchedCls, sys.AttachNetkitPrimary, 0, AttachNone},
	{"netkit/peer", sys.ProgTypeSchedCls, sys.AttachNetkitPeer, 0, AttachNone},
	{"tracepoint", sys.ProgTypeTracepoint, 0, fArgs, AttachTracepoint},
	{"tp", sys.ProgTypeTracepoint, 0, fArgs, AttachTracepoint},
	{"tracepoint.s", sys.ProgTypeTracepoint, 0, fArgs | fSleepable, AttachTracepoint},
	{"tp.s", sys.ProgTypeTracepoint, 0, fArgs | fSleepable, AttachTracepoint},
	{"raw_tracepoint", sys.ProgTypeRawTracepoint, 0, fArgs, AttachRawTracepoint},
	{"raw_tp", sys.ProgTypeRawTracepoint, 0, fArgs, AttachRawTracepoint},
	{"raw_tracepoint.s", sys.ProgTypeRawTracepoint, 0, fArgs | fSleepable, AttachRawTracepoint},
	{"raw_tp.s", sys.ProgTypeRawTracepoint, 0, fArgs | fSleepable, AttachRawTracepoint},
	{"raw_tracepoint.w", sys.ProgTypeRawTracepointWritable, 0, fArgs, AttachRawTracepoint},
	{"raw_tp.w", sys.ProgTypeRawTracepointWritable, 0, fArgs, AttachRawTracepoint},
	{"tp_btf", sys.ProgTypeTracing, sys.AttachTraceRawTP, fArgs | fTarget, AttachTracing},
	{"tp_btf.s", sys.ProgTypeTracing, sys.AttachTraceRawTP, fArgs | fTarget | fSleepable, AttachTracing},
	{"fentry", sys.ProgTypeTracing, sys.AttachTraceFentry, fArgs | fTarget, AttachTracing},
	{"fmod_ret", sys.ProgTypeTracing, sys.AttachModifyReturn, fArgs | fTarget, AttachTracing},
	{"fexit", sys.ProgTypeTracing, sys.AttachTraceFexit, fArgs | fTarget, AttachTracing},
	{"fentry.s", sys.ProgTypeTracing, sys.AttachTraceFentry, fArgs | fTarget | fSleepable, AttachTracing},
	{"fmod_ret.s", sys.ProgTypeTracing, sys.AttachModifyReturn, fArgs | fTarget | fSleepable, AttachTracing},
	{"fexit.s", sys.ProgTypeTracing, sys.AttachTraceFexit, fArgs | fTarget | fSleepable, AttachTracing},
	{"fsession", sys.ProgTypeTracing, sys.AttachTraceFsession, fArgs | fTarget, AttachTracing},
	{"fsession.s", sys.ProgTypeTracing, sys.AttachTraceFsession, fArgs | fTarget | fSleepable, AttachTracing},
	{"fsession.multi", sys.ProgTypeTracing, sys.AttachTraceFsessionMulti, fArgs, AttachTracingMulti},
	{"fsession.multi.s", sys.ProgTypeTracing, sys.AttachTraceFsessionMulti, fArgs | fSleepable, AttachTracingMulti},
	{"fentry.multi", sys.ProgTypeTracing, sys.AttachTraceFentryMulti, fArgs, AttachTracingMulti},
	{"fexit.multi", sys.ProgTypeTracing, sys.AttachTraceFexitMulti, fArgs, AttachTracingMulti},
	{"fentry.multi.s", sys.ProgTypeTracing, sys.AttachTraceFentryMulti, fArgs | fSleepable, AttachTracingMulti},
	{"fexit.multi.s", sys.ProgTypeTracing, sys.AttachTraceFexitMulti, fArgs | fSleepable, AttachTracingMulti},
	{"freplace", sys.ProgTypeExt, 0, fArgs | fTarget, AttachFreplace},
	{"lsm", sys.ProgTypeLSM, sys.AttachLSMMac, fArgs | fTarget, AttachLSM},
	{"lsm.s", sys.ProgTypeLSM, sys.AttachLSMMac, fArgs | fTarget | fSleepable, AttachLSM},
	{"lsm_cgroup", sys.ProgTypeLSM, sys.AttachLSMCgroup, fArgs | fTarget, AttachNone},
	{"iter", sys.ProgTypeTracing, sys.AttachTraceIter, fArgs | fTarget, AttachIter},
	{"iter.s", sys.ProgTypeTracing, sys.AttachTraceIter, fArgs | fTarget | fSleepable, AttachIter},
	{"syscall", sys.ProgTypeSyscall, 0, fSleepable, AttachNone},
	{"xdp.frags/devmap", sys.ProgTypeXDP, sys.AttachXDPDevMap, fFrags, AttachNone},
	{"xdp/devmap", sys.ProgTypeXDP, sys.AttachXDPDevMap, fNeeded, AttachNone},
	{"xdp.frags/cpumap", sys.ProgTypeXDP, sys.AttachXDPCPUMap, fFrags, AttachNone},
	{"xdp/cpumap", sys.ProgTypeXDP, sys.AttachXDPCPUMap, fNeeded, AttachNone},
	{"xdp.frags", sys.ProgTypeXDP, sys.AttachXDP, fFrags, AttachNone},
	{"xdp", sys.ProgTypeXDP, sys.AttachXDP, fNeeded | fOptional, AttachNone},
	{"perf_event", sys.ProgTypePerfEvent, 0, 0, AttachNone},
	{"lwt_in", sys.ProgTypeLWTIn, 0, 0, AttachNone},
	{"lwt_out", sys.ProgTypeLWTOut, 0, 0, AttachNone},
	{"lwt_xmit", sys.ProgTypeLWTXmit, 0, 0, AttachNone},
	{"lwt_seg6local", sys.ProgTypeLWTSeg6Local, 0, 0, AttachNone},
	{"sockops", sys.ProgTypeSockOps, sys.AttachCgroupSockOps, fNeeded | fOptional, AttachNone},
	{"sk_skb/stream_parser", sys.ProgTypeSKSKB, sys.AttachSKSKBStreamParser, fNeeded | fOptional, AttachNone},
	{"sk_skb/stream_verdict", sys.ProgTypeSKSKB, sys.AttachSKSKBStreamVerdict, fNeeded | fOptional, AttachNone},
	{"sk_skb/verdict", sys.ProgTypeSKSKB, sys.AttachSKSKBVerdict, fNeeded | fOptional, AttachNone},
	{"sk_skb", sys.ProgTypeSKSKB, 0, 0, AttachNone},
	{"sk_msg", sys.ProgTypeSKMsg, sys.AttachSKMsgVerdict, fNeeded | fOptional, AttachNone},
	{"lirc_mode2", sys.ProgTypeLIRCMode2, sys.AttachLIRCMode2, fNeeded | fOptional, AttachNone},
	{"flow_dissector", sys.ProgTypeFlowDissector, sys.AttachFlowDissector, fNeeded | fOptional, AttachNone},
	{"cgroup_skb/ingress", sys.ProgTypeCgroupSKB, sys.AttachCgroupInetIngress, fNeeded | fOptional, AttachNone},
	{"cgroup_skb/egress", sys.ProgTypeCgroupSKB, sys.AttachCgroupInetEgress, fNeeded | fOptional, AttachNone},
	{"cgroup/skb", sys.ProgTypeCgroupSKB, 0, 0, AttachNone},
	{"cgroup/sock_create", sys.ProgTypeCgroupSock, sys.AttachCgroupInetSockCreate, fNeeded, AttachNone},
	{"cgroup/sock_release", sys.ProgTypeCgroupSock, sys.AttachCgroupInetSockRelease, fNeeded, AttachNone},
	{"cgroup/sock", sys.ProgTypeCgroupSock, sys.AttachCgroupInetSockCreate, fNeeded | fOptional, AttachNone},
	{"cgroup/post_bind4", sys.ProgTypeCgroupSock, sys.AttachCgroupInet4PostBind, fNeeded, AttachNone},
	{"cgroup/post_bind6", sys.ProgTypeCgroupSock, sys.AttachCgroupInet6PostBind, fNeeded, AttachNone},
	{"cgroup/bind4", sys.ProgTypeCgroupSockAddr, sys.AttachCgroupInet4Bind, fNeeded, AttachNone},
	{"cgroup/bind6", sys.ProgTypeCgroupSockAddr, sys.AttachCgroupInet6Bind, fNeeded, AttachNone},
	{"cgroup/connect4", sys.ProgTypeCgroupSockAddr, sys.AttachCgroupInet4Connect, fNeeded, AttachNone},
	{"cgroup/connect6", sys.ProgTypeCgroupSockAddr, sys.AttachCgroupInet6Connect, fNeeded, AttachNone},
	{"cgroup/connect_unix", sys.ProgTypeCgroupSockAddr, sys.AttachCgroupUnixConnect, fNeeded, AttachNone},
	{"cgroup/sendmsg4", sys.ProgTypeCgroupSockAddr, sys.AttachCgroupUDP4SendMsg, fNeeded, AttachNone},
	{"cgroup/sendmsg6", sys.ProgTypeCgroupSockAddr, sys.AttachCgroupUDP6SendMsg, fNeeded, AttachNone},
	{"cgroup/sendmsg_unix", sys.ProgTypeCgroupSockAddr, sys.AttachCgroupUnixSendMsg, fNeeded, AttachNone},
	{"cgroup/recvmsg4", sys.ProgTypeCgroupSockAddr, sys.AttachCgroupUDP4RecvMsg, fNeeded, AttachNone},
	{"cgroup/recvmsg6", sys.ProgTypeCgroupSockAddr, sys.AttachCgroupUDP6RecvMsg, fNeeded, AttachNone},
	{"cgroup/recvmsg_unix", sys.ProgTypeCgroupSockAddr, sys.AttachCgroupUnixRecvMsg, fNeeded, AttachNone},
	{"cgroup/getpeername4", sys.ProgTypeCgroupSockAddr, sys.AttachCgroupInet4GetPeerName, fNeeded, AttachNone},
	{"cgroup/getpeername6", sys.ProgTypeCgroupSockAddr, sys.AttachCgroupInet6GetPeerName, fNeeded, AttachNone},
	{"cgroup/getpeername_unix", sys.ProgTypeCgroupSockAddr, sys.AttachCgroupUnixGetPeerName, fNeeded, AttachNone},
	{"cgroup/getsockname4", sys.ProgTypeCgroupSockAddr, sys.AttachCgroupInet4GetSockName, fNeeded, AttachNone},
	{"cgroup/getsockname6", sys.ProgTypeCgroupSockAddr, sys.AttachCgroupInet6GetSockName, fNeeded, AttachNone},
	{"cgroup/getsockname_unix", sys.ProgTypeCgroupSockAddr, sys.AttachCgroupUnixGetSockName, fNeeded, AttachNone},
	{"cgroup/sysctl", sys.ProgTypeCgroupSysctl, sys.AttachCgroupSysctl, fNeeded, AttachNone},
	{"cgroup/getsockopt", sys.ProgTypeCgroupSockOpt, sys.AttachCgroupGetSockOpt, fNeeded, AttachNone},
	{"cgroup/setsockopt", sys.ProgTypeCgroupSockOpt, sys.AttachCgroupSetSockOpt, fNeeded, AttachNone},
	{"cgroup/dev", sys.ProgTypeCgroupDevice, sys.AttachCgroupDevice, fNeeded | fOptional, AttachNone},
	{"struct_ops", sys.ProgTypeStructOps, 0, fArgs, AttachStructOps},
	{"struct_ops.s", sys.ProgTypeStructOps, 0, fArgs | fSleepable, AttachStructOps},
	{"sk_lookup", sys.ProgTypeSKLookup, sys.AttachSKLookup, fNeeded, AttachNone},
	{"netfilter", sys.ProgTypeNetfilter, sys.AttachNetfilter, 0, AttachNone},
}

// rule is the row as a Rule.
func (r *ruleRow) rule() Rule {
	out := Rule{
		Name: r.name, Args: r.flags&fArgs != 0, Type: r.typ, AttachType: r.attach, AttachKind: r.kind,
		AttachTypeNeeded: r.flags&fNeeded != 0, AttachTypeOptional: r.flags&fOptional != 0,
		NeedsTarget: r.flags&fTarget != 0, USDT: r.flags&fUSDT != 0, ReturnProbe: r.flags&fReturn != 0,
	}
	if r.flags&fSleepable != 0 {
		out.Flags |= sys.BPF_F_SLEEPABLE
	}
	if r.flags&fFrags != 0 {
		out.Flags |= sys.BPF_F_XDP_HAS_FRAGS
	}
	return out
}
