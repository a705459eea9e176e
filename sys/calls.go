package sys

// The typed wrappers: one function a command. k is usually [Live]; every
// function that returns an *FD gives its ownership to the caller.

// returnsFD says whether the result of a command is a new descriptor.
func returnsFD(cmd Cmd) bool {
	switch cmd {
	case CmdMapCreate, CmdProgLoad, CmdObjGet, CmdProgGetFDByID, CmdMapGetFDByID, CmdRawTracepointOpen, CmdBTFLoad,
		CmdBTFGetFDByID, CmdLinkCreate, CmdLinkGetFDByID, CmdEnableStats, CmdIterCreate, CmdTokenCreate:
		return true
	}
	return false
}

func callFD(k Kernel, cmd Cmd, attr Attr) (*FD, error) {
	n, err := k.BPF(cmd, attr)
	if err != nil {
		return nil, err
	}
	return NewFD(k, n), nil
}

func call(k Kernel, cmd Cmd, attr Attr) error {
	_, err := k.BPF(cmd, attr)
	return err
}

// MapCreate creates a map (BPF_MAP_CREATE).
func MapCreate(k Kernel, attr *MapCreateAttr) (*FD, error) { return callFD(k, CmdMapCreate, attr) }

// MapLookupElem copies the value of attr.Key to attr.Value (BPF_MAP_LOOKUP_ELEM).
// [MapLookup] is the same without a Kernel and without allocation.
func MapLookupElem(k Kernel, attr *MapElemAttr) error { return call(k, CmdMapLookupElem, attr) }

// MapUpdateElem sets the value of a key (BPF_MAP_UPDATE_ELEM).
func MapUpdateElem(k Kernel, attr *MapElemAttr) error { return call(k, CmdMapUpdateElem, attr) }

// MapDeleteElem removes a key (BPF_MAP_DELETE_ELEM).
func MapDeleteElem(k Kernel, attr *MapElemAttr) error { return call(k, CmdMapDeleteElem, attr) }

// MapGetNextKey copies the key behind attr.Key, or the first one if that is nil,
// to attr.Value (BPF_MAP_GET_NEXT_KEY); ENOENT at the end.
func MapGetNextKey(k Kernel, attr *MapElemAttr) error { return call(k, CmdMapGetNextKey, attr) }

// MapLookupAndDeleteElem takes an element out of a map (BPF_MAP_LOOKUP_AND_DELETE_ELEM).
func MapLookupAndDeleteElem(k Kernel, attr *MapElemAttr) error {
	return call(k, CmdMapLookupAndDeleteElem, attr)
}

// MapFreeze forbids changes of a map from user space (BPF_MAP_FREEZE).
func MapFreeze(k Kernel, mapFD int) error {
	return call(k, CmdMapFreeze, &MapElemAttr{MapFD: int32(mapFD)})
}

// MapLookupBatch copies up to attr.Count elements (BPF_MAP_LOOKUP_BATCH) and
// leaves their number in attr.Count; with ENOENT they are the last ones.
func MapLookupBatch(k Kernel, attr *MapBatchAttr) error { return call(k, CmdMapLookupBatch, attr) }

// MapLookupAndDeleteBatch takes up to attr.Count elements out (BPF_MAP_LOOKUP_AND_DELETE_BATCH).
func MapLookupAndDeleteBatch(k Kernel, attr *MapBatchAttr) error {
	return call(k, CmdMapLookupAndDeleteBatch, attr)
}

// MapUpdateBatch sets attr.Count elements (BPF_MAP_UPDATE_BATCH); after an error
// attr.Count says how many were done.
func MapUpdateBatch(k Kernel, attr *MapBatchAttr) error { return call(k, CmdMapUpdateBatch, attr) }

// MapDeleteBatch removes attr.Count elements (BPF_MAP_DELETE_BATCH).
func MapDeleteBatch(k Kernel, attr *MapBatchAttr) error { return call(k, CmdMapDeleteBatch, attr) }

// ProgLoad verifies and loads a program (BPF_PROG_LOAD). EAGAIN, which means that
// a signal broke the verifier off, is tried up to five times by the live kernel.
func ProgLoad(k Kernel, attr *ProgLoadAttr) (*FD, error) { return callFD(k, CmdProgLoad, attr) }

// BTFLoad loads BTF (BPF_BTF_LOAD).
func BTFLoad(k Kernel, attr *BTFLoadAttr) (*FD, error) { return callFD(k, CmdBTFLoad, attr) }

// ObjPin gives an object a name in bpffs (BPF_OBJ_PIN).
func ObjPin(k Kernel, attr *ObjAttr) error { return call(k, CmdObjPin, attr) }

// ObjGet opens a pinned object (BPF_OBJ_GET).
func ObjGet(k Kernel, attr *ObjAttr) (*FD, error) { return callFD(k, CmdObjGet, attr) }

// ProgAttach attaches a program to a hook without a link (BPF_PROG_ATTACH).
func ProgAttach(k Kernel, attr *ProgAttachAttr) error { return call(k, CmdProgAttach, attr) }

// ProgDetach is the inverse of ProgAttach (BPF_PROG_DETACH).
func ProgDetach(k Kernel, attr *ProgAttachAttr) error { return call(k, CmdProgDetach, attr) }

// ProgQuery lists the programs on a hook (BPF_PROG_QUERY).
func ProgQuery(k Kernel, attr *ProgQueryAttr) error { return call(k, CmdProgQuery, attr) }

// ProgTestRun runs a program on given data (BPF_PROG_TEST_RUN). EINTR is tried up
// to five times by the live kernel, except with live frames.
func ProgTestRun(k Kernel, attr *ProgTestRunAttr) error { return call(k, CmdProgTestRun, attr) }

// ProgBindMap makes a program hold a map that it does not refer to (BPF_PROG_BIND_MAP).
func ProgBindMap(k Kernel, progFD, mapFD int) error {
	return call(k, CmdProgBindMap, &ProgBindMapAttr{ProgFD: int32(progFD), MapFD: int32(mapFD)})
}

// ProgStreamRead reads what a program wrote to one of its streams
// (BPF_PROG_STREAM_READ_BY_FD, 6.17) and returns the number of bytes.
func ProgStreamRead(k Kernel, progFD int, stream uint32, buf []byte) (int, error) {
	return k.BPF(CmdProgStreamReadByFD, &ProgStreamReadAttr{
		StreamBuf: BytesPtr(buf), StreamBufLen: uint32(len(buf)), StreamID: stream, ProgFD: int32(progFD)})
}

// ProgAssocStructOps ties a program to the struct_ops map that its calls go to
// (BPF_PROG_ASSOC_STRUCT_OPS).
func ProgAssocStructOps(k Kernel, progFD, mapFD int) error {
	return call(k, CmdProgAssocStructOps, &ProgAssocStructOpsAttr{ProgFD: int32(progFD), MapFD: int32(mapFD)})
}

// RawTracepointOpen attaches a program to a raw tracepoint, or one that was loaded
// with its target to that (BPF_RAW_TRACEPOINT_OPEN).
func RawTracepointOpen(k Kernel, attr *RawTracepointOpenAttr) (*FD, error) {
	return callFD(k, CmdRawTracepointOpen, attr)
}

// A LinkAttr is one of the LinkCreate*Attr structs.
type LinkAttr interface {
	Attr
	linkCreate()
}

// LinkCreate attaches a program or a struct_ops map with a link (BPF_LINK_CREATE).
func LinkCreate(k Kernel, attr LinkAttr) (*FD, error) { return callFD(k, CmdLinkCreate, attr) }

// LinkUpdate replaces what a link attaches (BPF_LINK_UPDATE).
func LinkUpdate(k Kernel, attr *LinkUpdateAttr) error { return call(k, CmdLinkUpdate, attr) }

// LinkDetach detaches a link that stays open (BPF_LINK_DETACH).
func LinkDetach(k Kernel, linkFD int) error {
	return call(k, CmdLinkDetach, &LinkDetachAttr{LinkFD: int32(linkFD)})
}

// IterCreate starts one pass of an iterator (BPF_ITER_CREATE): reading the
// descriptor runs the program.
func IterCreate(k Kernel, linkFD int) (*FD, error) {
	return callFD(k, CmdIterCreate, &IterCreateAttr{LinkFD: int32(linkFD)})
}

// EnableStats makes the kernel count runs of programs for as long as the descriptor
// is open (BPF_ENABLE_STATS).
func EnableStats(k Kernel, kind uint32) (*FD, error) {
	return callFD(k, CmdEnableStats, &EnableStatsAttr{Type: kind})
}

// TaskFDQuery tells what a perf event descriptor of a process is attached to
// (BPF_TASK_FD_QUERY).
func TaskFDQuery(k Kernel, attr *TaskFDQueryAttr) error { return call(k, CmdTaskFDQuery, attr) }

// TokenCreate makes a BPF token from a bpffs that delegates rights (BPF_TOKEN_CREATE, 6.9).
func TokenCreate(k Kernel, bpffsFD int) (*FD, error) {
	return callFD(k, CmdTokenCreate, &TokenCreateAttr{BPFFSFD: int32(bpffsFD)})
}
