package link

import (
	"encoding/binary"

	"github.com/lode-bpf/lode/sys"
)

// IterOptions narrow an iterator down. At most one of Map, Cgroup and the task
// fields is set; which one fits depends on the program's target.
type IterOptions struct {
	Map int // descriptor of a map, for iterators over elements; 0: none

	Cgroup      int    // descriptor of a cgroup directory; 0: none
	CgroupID    uint64 // the same by id
	CgroupOrder uint32 // CgroupSelf …; needed with either

	TID, PID uint32 // one thread, or the threads of one process
	PIDFD    int    // the same by descriptor
}

// Orders of a cgroup iterator (enum bpf_cgroup_iter_order).
const (
	CgroupSelf = iota + 1
	CgroupDescendantsPre
	CgroupDescendantsPost
	CgroupAncestorsUp
	CgroupChildren
)

// Iter makes a link of an iterator program. [Link.Open] starts a pass; a pinned link
// is read like a file.
func Iter(k sys.Kernel, prog int, o IterOptions) (*Link, error) {
	attr := &sys.LinkCreateIterAttr{ProgFD: int32(prog), AttachType: sys.AttachTraceIter}
	if info := o.info(); info != nil {
		attr.IterInfo, attr.IterInfoLen = sys.BytesPtr(info), uint32(len(info))
	}
	l, err := attach(k, sys.AttachTraceIter, attr, nil)
	return attached(k, prog, "iterator", l, err, sys.ProgTypeTracing)
}

// info is union bpf_iter_link_info, as long as the kernel that knows the field has
// it; nil for no options.
func (o IterOptions) info() []byte {
	e := binary.NativeEndian
	switch {
	case o.Map != 0:
		return e.AppendUint32(nil, uint32(o.Map))
	case o.CgroupOrder != 0:
		b := e.AppendUint32(nil, o.CgroupOrder)
		b = e.AppendUint32(b, uint32(o.Cgroup))
		return e.AppendUint64(b, o.CgroupID)
	case o.TID != 0 || o.PID != 0 || o.PIDFD != 0:
		b := e.AppendUint32(nil, o.TID)
		b = e.AppendUint32(b, o.PID)
		return e.AppendUint32(b, uint32(o.PIDFD))
	}
	return nil
}

// Open starts a pass of an iterator: reading the descriptor until its end runs the
// program for each object and returns what it writes.
func (l *Link) Open() (*sys.FD, error) {
	fd, err := sys.IterCreate(l.k, l.FD())
	if err != nil {
		return nil, wrap("opening", l.what, err)
	}
	return fd, nil
}
