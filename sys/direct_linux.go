package sys

import "unsafe"

// The direct map operations: no interface in between, nothing allocated, no
// *Error. Key and value point to at least as many bytes as the map's key and
// value have (for per-CPU maps: the value size, rounded up to eight, times
// [PossibleCPUs]); they may be on the stack.
//
// The error is a bare Errno, so that a miss costs nothing.

// MapLookup copies the value of key to value; ENOENT if there is none.
func MapLookup(fd int, key, value unsafe.Pointer, flags uint64) error {
	return elem(CmdMapLookupElem, fd, key, value, flags)
}

// MapUpdate sets the value of key; flags are BPF_ANY, BPF_NOEXIST, BPF_EXIST and
// BPF_F_LOCK.
func MapUpdate(fd int, key, value unsafe.Pointer, flags uint64) error {
	return elem(CmdMapUpdateElem, fd, key, value, flags)
}

// MapDelete removes key; ENOENT if there is none.
func MapDelete(fd int, key unsafe.Pointer) error {
	return elem(CmdMapDeleteElem, fd, key, nil, 0)
}

// MapNextKey copies the key that follows key, or the first if key is nil, to next;
// ENOENT at the end.
func MapNextKey(fd int, key, next unsafe.Pointer) error {
	return elem(CmdMapGetNextKey, fd, key, next, 0)
}

// MapLookupAndDelete copies the value of key to value and removes it. For queues
// and stacks key is nil.
func MapLookupAndDelete(fd int, key, value unsafe.Pointer, flags uint64) error {
	return elem(CmdMapLookupAndDeleteElem, fd, key, value, flags)
}

func elem(cmd Cmd, fd int, key, value unsafe.Pointer, flags uint64) error {
	attr := MapElemAttr{MapFD: int32(fd), Key: UnsafePtr(key), Value: UnsafePtr(value), Flags: flags}
	_, e := bpf(cmd, unsafe.Pointer(&attr), unsafe.Sizeof(attr))
	return bare(e)
}

// errENOTSUPP is the one number of bpf(2) above 255: Go makes errors of the others
// without allocating.
var errENOTSUPP error = ENOTSUPP

func bare(e Errno) error {
	switch e {
	case 0:
		return nil
	case ENOTSUPP:
		return errENOTSUPP
	}
	return e
}

// MapBatch is one of the BPF_MAP_*_BATCH commands. attr.Count is the number of
// elements on input and output, after an error, too.
func MapBatch(cmd Cmd, attr *MapBatchAttr) error {
	_, e := bpf(cmd, unsafe.Pointer(attr), unsafe.Sizeof(*attr))
	return bare(e)
}
