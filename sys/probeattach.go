package sys

// A hookRow says how to ask for a hook: by loading a program for it, or by a link
// that cannot be made.
type hookRow struct {
	prog ProgType
	ret  int32 // what a program for it must return

	// link asks further, for hooks that loading does not check.
	link func(a AttachType, prog int32) LinkAttr
	want [3]Errno // what only a kernel with the hook answers

	attach bool // ask with BPF_PROG_ATTACH instead: the hook has no links

	checked  bool // only a kernel with the hook refuses a program for another one
	noTarget bool // programs for it are loaded without a target, although their type has one
}

// byFD links to a descriptor that is none.
func byFD(a AttachType, prog int32) LinkAttr {
	return &LinkCreateAttr{ProgFD: prog, Target: -1, AttachType: a}
}

// noInterface is an index that no interface has.
const noInterface = 1<<31 - 1

func byInterface(a AttachType, prog int32) LinkAttr {
	return &LinkCreateAttr{ProgFD: prog, Target: noInterface, AttachType: a}
}

// byOffload asks the loopback interface, which has no hardware, to run a program in
// hardware.
func byOffload(a AttachType, prog int32) LinkAttr {
	const loopback, xdpFlagsHWMode = 1, 1 << 3
	return &LinkCreateAttr{ProgFD: prog, Target: loopback, AttachType: a, Flags: xdpFlagsHWMode}
}

func bySymbols(a AttachType, prog int32) LinkAttr {
	return &LinkCreateKprobeMultiAttr{ProgFD: prog, AttachType: a, Count: 1, Syms: SlicePtr([]Pointer{StringPtr("lode no such symbol")})}
}

func byOffsets(a AttachType, prog int32) LinkAttr {
	return &LinkCreateUprobeMultiAttr{ProgFD: prog, AttachType: a, Count: 1, Path: StringPtr("/"), Offsets: SlicePtr([]uint64{1})}
}

// hooks are indexed by attach type. A row without a link is checked when the
// program is loaded.
var hooks = [...]hookRow{
	AttachCgroupInetIngress:          {prog: ProgTypeCgroupSKB, link: byFD, want: [3]Errno{EBADF}},
	AttachCgroupInetEgress:           {prog: ProgTypeCgroupSKB, link: byFD, want: [3]Errno{EBADF}},
	AttachCgroupInetSockCreate:       {prog: ProgTypeCgroupSock},
	AttachCgroupSockOps:              {prog: ProgTypeSockOps, link: byFD, want: [3]Errno{EBADF}},
	AttachSKSKBStreamParser:          {prog: ProgTypeSKSKB, attach: true, want: [3]Errno{EBADF}},
	AttachSKSKBStreamVerdict:         {prog: ProgTypeSKSKB, attach: true, want: [3]Errno{EBADF}},
	AttachCgroupDevice:               {prog: ProgTypeCgroupDevice, link: byFD, want: [3]Errno{EBADF}},
	AttachSKMsgVerdict:               {prog: ProgTypeSKMsg, attach: true, want: [3]Errno{EBADF}},
	AttachCgroupInet4Bind:            {prog: ProgTypeCgroupSockAddr},
	AttachCgroupInet6Bind:            {prog: ProgTypeCgroupSockAddr},
	AttachCgroupInet4Connect:         {prog: ProgTypeCgroupSockAddr},
	AttachCgroupInet6Connect:         {prog: ProgTypeCgroupSockAddr},
	AttachCgroupInet4PostBind:        {prog: ProgTypeCgroupSock},
	AttachCgroupInet6PostBind:        {prog: ProgTypeCgroupSock},
	AttachCgroupUDP4SendMsg:          {prog: ProgTypeCgroupSockAddr},
	AttachCgroupUDP6SendMsg:          {prog: ProgTypeCgroupSockAddr},
	AttachLIRCMode2:                  {prog: ProgTypeLIRCMode2, attach: true, want: [3]Errno{EBADF}},
	AttachFlowDissector:              {prog: ProgTypeFlowDissector, link: byFD, want: [3]Errno{EBADF}},
	AttachCgroupSysctl:               {prog: ProgTypeCgroupSysctl, link: byFD, want: [3]Errno{EBADF}},
	AttachCgroupUDP4RecvMsg:          {prog: ProgTypeCgroupSockAddr, ret: 1},
	AttachCgroupUDP6RecvMsg:          {prog: ProgTypeCgroupSockAddr, ret: 1},
	AttachCgroupGetSockOpt:           {prog: ProgTypeCgroupSockOpt},
	AttachCgroupSetSockOpt:           {prog: ProgTypeCgroupSockOpt},
	AttachTraceRawTP:                 {prog: ProgTypeTracing},
	AttachTraceFentry:                {prog: ProgTypeTracing},
	AttachTraceFexit:                 {prog: ProgTypeTracing},
	AttachModifyReturn:               {prog: ProgTypeTracing},
	AttachLSMMac:                     {prog: ProgTypeLSM},
	AttachTraceIter:                  {prog: ProgTypeTracing},
	AttachCgroupInet4GetPeerName:     {prog: ProgTypeCgroupSockAddr, ret: 1},
	AttachCgroupInet6GetPeerName:     {prog: ProgTypeCgroupSockAddr, ret: 1},
	AttachCgroupInet4GetSockName:     {prog: ProgTypeCgroupSockAddr, ret: 1},
	AttachCgroupInet6GetSockName:     {prog: ProgTypeCgroupSockAddr, ret: 1},
	AttachXDPDevMap:                  {prog: ProgTypeXDP},
	AttachCgroupInetSockRelease:      {prog: ProgTypeCgroupSock},
	AttachXDPCPUMap:                  {prog: ProgTypeXDP},
	AttachSKLookup:                   {prog: ProgTypeSKLookup},
	AttachXDP:                        {prog: ProgTypeXDP, link: byOffload, want: [3]Errno{EOPNOTSUPP, EEXIST, EBUSY}},
	AttachSKSKBVerdict:               {prog: ProgTypeSKSKB, attach: true, want: [3]Errno{EBADF}},
	AttachSKReuseportSelect:          {prog: ProgTypeSKReuseport, checked: true},
	AttachSKReuseportSelectOrMigrate: {prog: ProgTypeSKReuseport, checked: true},
	AttachPerfEvent:                  {prog: ProgTypeTracepoint, link: byFD, want: [3]Errno{EBADF}},
	AttachTraceKprobeMulti:           {prog: ProgTypeKprobe, link: bySymbols, want: [3]Errno{ESRCH, ENOENT}},
	AttachLSMCgroup:                  {prog: ProgTypeLSM},
	AttachStructOps:                  {prog: ProgTypeStructOps},
	AttachNetfilter:                  {prog: ProgTypeNetfilter, ret: 1},
	AttachTCXIngress:                 {prog: ProgTypeSchedCls, link: byInterface, want: [3]Errno{ENODEV}},
	AttachTCXEgress:                  {prog: ProgTypeSchedCls, link: byInterface, want: [3]Errno{ENODEV}},
	AttachTraceUprobeMulti:           {prog: ProgTypeKprobe, link: byOffsets, want: [3]Errno{EBADF}},
	AttachCgroupUnixConnect:          {prog: ProgTypeCgroupSockAddr},
	AttachCgroupUnixSendMsg:          {prog: ProgTypeCgroupSockAddr},
	AttachCgroupUnixRecvMsg:          {prog: ProgTypeCgroupSockAddr, ret: 1},
	AttachCgroupUnixGetPeerName:      {prog: ProgTypeCgroupSockAddr, ret: 1},
	AttachCgroupUnixGetSockName:      {prog: ProgTypeCgroupSockAddr, ret: 1},
	AttachNetkitPrimary:              {prog: ProgTypeSchedCls, link: byInterface, want: [3]Errno{ENODEV}},
	AttachNetkitPeer:                 {prog: ProgTypeSchedCls, link: byInterface, want: [3]Errno{ENODEV}},
	AttachTraceKprobeSession:         {prog: ProgTypeKprobe, link: bySymbols, want: [3]Errno{ESRCH, ENOENT}},
	AttachTraceUprobeSession:         {prog: ProgTypeKprobe, link: byOffsets, want: [3]Errno{EBADF}},
	AttachTraceFsession:              {prog: ProgTypeTracing},
	AttachTraceFentryMulti:           {prog: ProgTypeTracing, noTarget: true},
	AttachTraceFexitMulti:            {prog: ProgTypeTracing, noTarget: true},
	AttachTraceFsessionMulti:         {prog: ProgTypeTracing, noTarget: true},
}

// probeAttachType loads a program for a hook and, where loading does not check it,
// asks for a link or an attach that cannot be made.
func probeAttachType(k Kernel, a AttachType) error {
	if int64(a) >= int64(len(hooks)) {
		return errAbsent
	}
	h := hooks[a]
	t := progTrial(h.prog)
	t.attach, t.code = a, ret(h.ret)
	switch {
	case a == AttachStructOps:
		return probeStructOpsLink(k)
	case h.noTarget:
		t.btfID = 0
		return t.try(k)
	case h.checked:
		return probeChecked(k, t)
	case h.link == nil && !h.attach:
		return tryTarget(k, t)
	}
	p, err := t.load(k)
	if err != nil {
		return err
	}
	defer p.Close()
	if h.attach {
		return wantErrno(ProgAttach(k, &ProgAttachAttr{Target: -1, AttachBPFFD: p.Num(), AttachType: a}), h.want[:]...)
	}
	return wantErrno(done(LinkCreate(k, h.link(a, p.Num()))), h.want[:]...)
}

// probeChecked loads a program for its hook and for one that it cannot have: only a
// kernel that tells hooks apart refuses the second.
func probeChecked(k Kernel, t *trial) error {
	if err := t.try(k); err != nil {
		return err
	}
	t.attach = AttachXDP
	switch err := t.try(k); {
	case err == nil:
		return errAbsent
	case ErrnoOf(err) == EINVAL:
		return nil
	default:
		return err
	}
}

// probeStructOpsLink asks for a struct_ops map that is attached by a link. Its type
// is an id that no struct_ops type has; what matters is which objection comes first.
func probeStructOpsLink(k Kernel) error {
	return wantErrno(done(MapCreate(k, &MapCreateAttr{MapType: MapTypeStructOps, KeySize: 4, ValueSize: 4, MaxEntries: 1,
		MapFlags: BPF_F_LINK, BTFVmlinuxValueTypeID: 1})), ENOTSUPP, ENOENT)
}
