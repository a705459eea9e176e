package link

import (
	"encoding/binary"
	"errors"
	"math/bits"

	"github.com/lode-bpf/lode/sys"
)

// A TCDirection is a side of the clsact qdisc.
type TCDirection uint32

// The directions: handles of the parents of filters (include/uapi/linux/pkt_sched.h).
const (
	TCIngress TCDirection = 0xfffffff2
	TCEgress  TCDirection = 0xfffffff3
)

// String is "ingress" or "egress".
func (d TCDirection) String() string {
	if d == TCIngress {
		return "ingress"
	}
	return "egress"
}

// TCOptions say where a classic tc filter goes. The kernel chooses what is 0.
type TCOptions struct {
	IfIndex   int
	Direction TCDirection
	Priority  uint16 // smaller runs earlier; a free one in front of all others by default
	Handle    uint32 // 1 by default
	Name      string // shown by tc; "lode" by default
}

// Numbers of tc (pkt_sched.h, pkt_cls.h, rtnetlink.h).
const (
	tcClsactHandle = 0xffff0000
	tcClsactParent = 0xfffffff1
	tcaKind        = 1
	tcaOptions     = 2
	tcaBPFFD       = 6
	tcaBPFName     = 7
	tcaBPFFlags    = 8
	tcaBPFID       = 11
	tcDirectAction = 1
	protocolAll    = 3
)

// TC attaches a sched_cls program as a classic filter in direct-action mode, as
// `tc filter add dev … bpf da` does: on any kernel since 4.5, next to filters of
// others. The clsact qdisc that it hangs on is made if the device has none. Close
// removes the filter, and the qdisc if this Link made it and no filter is left.
func TC(k sys.Kernel, prog int, o TCOptions) (*Link, error) {
	if o.Name == "" {
		o.Name = "lode"
	}
	if o.Handle == 0 {
		o.Handle = 1
	}
	f := &tcFilter{k: k, o: o}
	err := f.makeQdisc()
	if err == nil {
		if err = f.put(prog, -1); err != nil {
			err = errors.Join(explain(k, 0, err, nil), f.removeQdisc())
		}
	}
	return attached(k, prog, "tc "+o.Direction.String()+onDevice(o.IfIndex), &Link{undo: f.remove, update: f.put}, err, sys.ProgTypeSchedCls)
}

// A tcFilter is a filter that is there, or about to be.
type tcFilter struct {
	k         sys.Kernel
	o         TCOptions
	prog      uint32 // id of what is attached
	attached  bool
	madeQdisc bool
}

// tcMessage is struct tcmsg in front of the attributes: info holds the priority and
// the protocol in network byte order.
func (f *tcFilter) tcMessage(typ, flags uint16, handle, parent, info uint32) message {
	return newMessage(typ, flags).u32(0, uint32(f.o.IfIndex), handle, parent, info)
}

func (f *tcFilter) info() uint32 {
	protocol := uint16(protocolAll)
	if binary.NativeEndian.Uint16([]byte{0, 1}) != 1 {
		protocol = bits.ReverseBytes16(protocol)
	}
	return uint32(f.o.Priority)<<16 | uint32(protocol)
}

func (f *tcFilter) makeQdisc() error {
	_, err := send(f.k, f.tcMessage(rtmNewQdisc, nlmCreate|nlmExcl, tcClsactHandle, tcClsactParent, 0).attrString(tcaKind, "clsact"), 0)
	switch sys.ErrnoOf(err) {
	case 0:
		f.madeQdisc = err == nil
		return err
	case sys.EEXIST: // a clsact or an ingress qdisc; filters find out which
		return nil
	}
	return err
}

// put adds the filter, or replaces its program.
func (f *tcFilter) put(prog, old int) error {
	if old >= 0 {
		if err := f.expect(old); err != nil {
			return err
		}
	}
	flags := uint16(nlmCreate | nlmExcl | nlmEcho)
	if f.attached {
		flags = nlmCreate | nlmReplace | nlmEcho
	}
	options := message(nil).attrU32(tcaBPFFD, uint32(prog)).attrString(tcaBPFName, f.o.Name).attrU32(tcaBPFFlags, tcDirectAction)
	m := f.tcMessage(rtmNewTFilter, flags, f.o.Handle, uint32(f.o.Direction), f.info()).attrString(tcaKind, "bpf")
	fdAt := len(m) + 4 + 4
	answers, err := send(f.k, m.attr(tcaOptions|nlaNested, options), fdAt)
	if err != nil {
		return err
	}
	for _, a := range answers {
		if len(a) >= tcEnd && binary.NativeEndian.Uint16(a[4:]) == rtmNewTFilter {
			f.o.Handle = binary.NativeEndian.Uint32(a[24:])
			f.o.Priority = uint16(binary.NativeEndian.Uint32(a[32:]) >> 16)
			f.prog = attributeU32(attribute(fixed(a, tcEnd), tcaOptions), tcaBPFID)
			f.attached = true
		}
	}
	if !f.attached {
		return sys.EPROTO // without the echo the filter's priority is not known
	}
	return nil
}

// expect checks that a program is the attached one.
func (f *tcFilter) expect(prog int) error {
	var info sys.ProgInfo
	if err := sys.ObjGetInfoByFD(f.k, prog, &info); err != nil {
		return err
	}
	if info.ID != f.prog {
		return sys.ENOENT
	}
	return nil
}

func (f *tcFilter) remove() error {
	_, err := send(f.k, f.tcMessage(rtmDelTFilter, 0, f.o.Handle, uint32(f.o.Direction), f.info()).attrString(tcaKind, "bpf"), 0)
	if errors.Is(err, sys.ENOENT) || errors.Is(err, sys.ENODEV) || errors.Is(err, sys.EINVAL) {
		err = nil // somebody else removed the filter, its qdisc or the device
	}
	return errors.Join(err, f.removeQdisc())
}

// removeQdisc removes the qdisc that this filter made if it has no filters.
func (f *tcFilter) removeQdisc() error {
	if !f.madeQdisc {
		return nil
	}
	for _, d := range []TCDirection{TCIngress, TCEgress} {
		answers, err := send(f.k, f.tcMessage(rtmGetTFilter, nlmDump, 0, uint32(d), 0), 0)
		if len(answers) > 0 || err != nil {
			return nil // in use, or gone together with the device
		}
	}
	_, err := send(f.k, f.tcMessage(rtmDelQdisc, 0, tcClsactHandle, tcClsactParent, 0).attrString(tcaKind, "clsact"), 0)
	if errors.Is(err, sys.ENOENT) || errors.Is(err, sys.ENODEV) || errors.Is(err, sys.EINVAL) {
		return nil
	}
	return err
}
