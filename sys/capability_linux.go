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

func (c capability) String() string {
	switch c {
	case capNetAdmin:
		return "CAP_NET_ADMIN"
	case capSysAdmin:
		return "CAP_SYS_ADMIN"
	case capPerfmon:
		return "CAP_PERFMON"
	case capBPF:
		return "CAP_BPF"
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
		return linkCaps(linkAttachType(attr))
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

// linkCaps are what links of some attach types ask for beyond the program.
func linkCaps(a AttachType) []capability {
	switch a {
	case AttachXDP, AttachTCXIngress, AttachTCXEgress, AttachNetkitPrimary, AttachNetkitPeer, AttachNetfilter,
		AttachCgroupInetIngress, AttachCgroupInetEgress, AttachFlowDissector, AttachSKLookup:
		return []capability{capNetAdmin}
	case AttachPerfEvent, AttachTraceKprobeMulti, AttachTraceUprobeMulti, AttachTraceKprobeSession, AttachTraceUprobeSession:
		return []capability{capPerfmon}
	}
	return nil
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
