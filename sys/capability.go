package sys

import "strconv"

// A capability is a number of capabilities(7).
type capability uint8

const (
	capNetAdmin capability = 12
	capSysAdmin capability = 21
	capPerfmon  capability = 38
	capBPF      capability = 39
)

var capNames = map[capability]string{
	capNetAdmin: "CAP_NET_ADMIN", capSysAdmin: "CAP_SYS_ADMIN", capPerfmon: "CAP_PERFMON", capBPF: "CAP_BPF",
}

func (c capability) String() string {
	if n, ok := capNames[c]; ok {
		return n
	}
	return "capability " + strconv.Itoa(int(c))
}

// neededCaps lists the capabilities that the kernel asks for (kernel/bpf/syscall.c).
// CAP_SYS_ADMIN stands in for each of them.
func neededCaps(cmd Cmd, attr Attr) []capability {
	if w, ok := attr.(*WithCommon); ok {
		attr = w.Attr
	}
	switch cmd {
	case CmdMapCreate:
		if a, ok := attr.(*MapCreateAttr); ok && netAdminMap(a.MapType) {
			return []capability{capBPF, capNetAdmin}
		}
		return []capability{capBPF}
	case CmdProgLoad:
		if a, ok := attr.(*ProgLoadAttr); ok {
			return progCaps(a.ProgType)
		}
	case CmdProgAttach, CmdProgDetach, CmdProgQuery:
		return []capability{capNetAdmin}
	case CmdLinkCreate:
		if l, ok := linkCaps[linkAttachType(attr)]; ok {
			return []capability{l}
		}
	case CmdBTFLoad, CmdTokenCreate:
		return []capability{capBPF}
	case CmdRawTracepointOpen:
		return []capability{capPerfmon}
	case CmdProgGetNextID, CmdMapGetNextID, CmdBTFGetNextID, CmdLinkGetNextID,
		CmdProgGetFDByID, CmdMapGetFDByID, CmdBTFGetFDByID, CmdLinkGetFDByID,
		CmdTaskFDQuery, CmdEnableStats:
		return []capability{capSysAdmin}
	}
	return nil
}

func netAdminMap(t MapType) bool {
	switch t {
	case MapTypeSockMap, MapTypeSockHash, MapTypeDevMap, MapTypeDevMapHash, MapTypeXSKMap:
		return true
	}
	return false
}

func progCaps(t ProgType) []capability {
	switch t {
	case ProgTypeSchedCls, ProgTypeSchedAct, ProgTypeXDP, ProgTypeLWTIn, ProgTypeLWTOut, ProgTypeLWTXmit, ProgTypeLWTSeg6Local,
		ProgTypeSKSKB, ProgTypeSKMsg, ProgTypeFlowDissector, ProgTypeCgroupDevice, ProgTypeCgroupSock, ProgTypeCgroupSockAddr,
		ProgTypeCgroupSockOpt, ProgTypeCgroupSysctl, ProgTypeSockOps, ProgTypeNetfilter:
		return []capability{capBPF, capNetAdmin}
	case ProgTypeKprobe, ProgTypeTracepoint, ProgTypePerfEvent, ProgTypeRawTracepoint, ProgTypeRawTracepointWritable,
		ProgTypeTracing, ProgTypeLSM, ProgTypeStructOps:
		return []capability{capBPF, capPerfmon}
	case ProgTypeExt:
		return []capability{capBPF, capNetAdmin, capPerfmon}
	}
	return []capability{capBPF}
}

// linkCaps are the attach types of links that ask for a capability of their own.
var linkCaps = map[AttachType]capability{
	AttachXDP: capNetAdmin, AttachTCXIngress: capNetAdmin, AttachTCXEgress: capNetAdmin, AttachNetkitPrimary: capNetAdmin,
	AttachNetkitPeer: capNetAdmin, AttachNetfilter: capNetAdmin, AttachPerfEvent: capPerfmon, AttachTraceKprobeMulti: capPerfmon,
	AttachTraceUprobeMulti: capPerfmon, AttachTraceKprobeSession: capPerfmon, AttachTraceUprobeSession: capPerfmon,
	AttachCgroupInetIngress: capNetAdmin, AttachCgroupInetEgress: capNetAdmin, AttachFlowDissector: capNetAdmin, AttachSKLookup: capNetAdmin,
}

// linkAttachType is the attach type of any LinkCreate*Attr.
func linkAttachType(attr Attr) AttachType {
	if attr == nil {
		return ^AttachType(0)
	}
	p, l := attr.raw()
	f := l.byName("attach_type")
	if f == nil {
		return ^AttachType(0)
	}
	return AttachType(f.number(p))
}
