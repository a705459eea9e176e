package link

import (
	"strconv"

	"github.com/lode-bpf/lode/sys"
)

// An Anchor says where among the programs of a hook a new one goes. The zero Anchor
// is the end. The program or link that it names must be on the hook; on a cgroup,
// links stand beside links only.
type Anchor struct {
	Before, After bool   // of what FD or ID names; of all if they name nothing
	FD            int    // descriptor of a program, or of a link
	ID            uint32 // the same by id
	Link          bool   // FD or ID is a link, not a program

	// Revision, if not 0, must be the hook's revision: the attach fails with
	// ESTALE if anything changed since it was asked for.
	Revision uint64
}

// fields are the anchor in the kernel's form.
func (a Anchor) fields() (flags uint32, relative int32) {
	if a.Before {
		flags |= sys.BPF_F_BEFORE
	}
	if a.After {
		flags |= sys.BPF_F_AFTER
	}
	if a.Link {
		flags |= sys.BPF_F_LINK
	}
	if a.ID != 0 {
		return flags | sys.BPF_F_ID, int32(a.ID)
	}
	return flags, int32(a.FD)
}

func onInterface(a sys.AttachType, index int) string { return a.String() + onDevice(index) }

func onDevice(index int) string { return " on interface " + strconv.Itoa(index) }

// TCX attaches a sched_cls program to the ingress or egress of an interface, in
// order with others (Linux 6.6). a is AttachTCXIngress or AttachTCXEgress.
func TCX(k sys.Kernel, prog, ifIndex int, a sys.AttachType, at Anchor) (*Link, error) {
	flags, relative := at.fields()
	l, err := attach(k, a, &sys.LinkCreateTCXAttr{ProgFD: int32(prog), Target: int32(ifIndex), AttachType: a,
		Flags: flags, Relative: relative, ExpectedRevision: at.Revision}, nil)
	return attached(k, prog, onInterface(a, ifIndex), l, err, sys.ProgTypeSchedCls)
}

// Netkit attaches a sched_cls program to a netkit device (Linux 6.7), whose primary
// end is given in both cases. a is AttachNetkitPrimary or AttachNetkitPeer.
func Netkit(k sys.Kernel, prog, ifIndex int, a sys.AttachType, at Anchor) (*Link, error) {
	flags, relative := at.fields()
	l, err := attach(k, a, &sys.LinkCreateNetkitAttr{ProgFD: int32(prog), Target: int32(ifIndex), AttachType: a,
		Flags: flags, Relative: relative, ExpectedRevision: at.Revision}, nil)
	return attached(k, prog, onInterface(a, ifIndex), l, err, sys.ProgTypeSchedCls)
}

// A Hook is what Query found.
type Hook struct {
	Programs []uint32 // ids, in the order in which they run
	Links    []uint32 // ids of the links that hold them, 0 for programs without; nil on kernels before 6.6 and for other hooks
	Revision uint64   // changes with every attach and detach; 0 on hooks without
	Flags    uint32   // how the programs of a cgroup are attached
}

// maxPrograms is how many programs of one hook Query reports.
const maxPrograms = 256

// Query lists what is attached to a hook: target is an interface index for tcx and
// netkit, and a descriptor for everything else.
func Query(k sys.Kernel, target int, a sys.AttachType) (Hook, error) {
	programs, links := make([]uint32, maxPrograms), make([]uint32, maxPrograms)
	q := &sys.ProgQueryAttr{Target: int32(target), AttachType: a, ProgIDs: sys.SlicePtr(programs), Count: maxPrograms}
	ordered := a == sys.AttachTCXIngress || a == sys.AttachTCXEgress || a == sys.AttachNetkitPrimary || a == sys.AttachNetkitPeer
	if ordered {
		q.LinkIDs = sys.SlicePtr(links)
	}
	if err := sys.ProgQuery(k, q); err != nil {
		return Hook{}, wrap("asking about", a.String(), explain(k, sys.AttachTypeFeature(a), err, nil))
	}
	n := min(int(q.Count), maxPrograms)
	h := Hook{Programs: programs[:n], Revision: q.Revision, Flags: q.AttachFlags}
	if ordered {
		h.Links = links[:n]
	}
	return h, nil
}
