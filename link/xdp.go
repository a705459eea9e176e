package link

import (
	"errors"

	"github.com/lode-bpf/lode/sys"
)

// An XDPMode says who runs the program.
type XDPMode uint32

// The modes (XDP_FLAGS_* in include/uapi/linux/if_link.h).
const (
	XDPAuto    XDPMode = 0 // the driver if it can, else the kernel's generic code
	XDPGeneric XDPMode = 1 << 1
	XDPDriver  XDPMode = 1 << 2
	XDPOffload XDPMode = 1 << 3 // the hardware
)

// XDPOptions say where an XDP program goes.
type XDPOptions struct {
	IfIndex int
	Mode    XDPMode
}

func xdpName(o XDPOptions) string { return onInterface(sys.AttachXDP, o.IfIndex) }

// XDP attaches a program to a network device with a link (Linux 5.9). A device runs
// one program a mode: see TakenError.
func XDP(k sys.Kernel, prog int, o XDPOptions) (*Link, error) {
	l, err := attach(k, sys.AttachXDP, &sys.LinkCreateAttr{ProgFD: int32(prog), Target: int32(o.IfIndex),
		AttachType: sys.AttachXDP, Flags: uint32(o.Mode)}, func() []uint32 { return xdpPrograms(k, o.IfIndex) })
	if sys.ErrnoOf(err) == sys.EINVAL { // which the kernel also says of a device that is not there
		if _, errInfo := xdpState(k, o.IfIndex); errors.Is(errInfo, sys.ENODEV) {
			return attached(k, prog, xdpName(o), nil, errInfo)
		}
	}
	return attached(k, prog, xdpName(o), l, err, sys.ProgTypeXDP)
}

// Attributes of XDP in messages about devices.
const (
	iflaXDP            = 43
	iflaXDPFD          = 1
	iflaXDPFlags       = 3
	iflaXDPProgID      = 4
	iflaXDPGenericID   = 6
	iflaXDPDriverID    = 5
	iflaXDPOffloadID   = 7
	iflaXDPExpectedFD  = 8
	xdpUpdateIfNoExist = 1 << 0
	xdpReplace         = 1 << 4
)

// XDPNetlink attaches a program to a network device by netlink: without a link, as
// every kernel since 4.8 can, and the only way to use hardware before 5.9. The
// program stays attached when the process ends without Close.
func XDPNetlink(k sys.Kernel, prog int, o XDPOptions) (*Link, error) {
	x := &xdpProgram{k: k, o: o}
	err := x.put(prog, -1)
	if err != nil {
		err = explain(k, 0, err, func() []uint32 { return xdpPrograms(k, o.IfIndex) })
	}
	return attached(k, prog, xdpName(o), &Link{undo: x.remove, update: x.put}, err, sys.ProgTypeXDP)
}

// An xdpProgram is a program on a device without a link.
type xdpProgram struct {
	k    sys.Kernel
	o    XDPOptions
	prog *sys.FD // what is attached: only it is detached or replaced
}

func (x *xdpProgram) put(prog, old int) error {
	fd, err := dup(x.k, prog)
	if err != nil {
		return err
	}
	flags, expected := uint32(xdpUpdateIfNoExist), -1
	if x.prog != nil {
		flags, expected = xdpReplace, x.prog.Int()
		if old >= 0 {
			expected = old
		}
	}
	if err := x.set(fd.Int(), expected, flags); err != nil {
		fd.Close()
		return err
	}
	x.prog.Close()
	x.prog = fd
	return nil
}

func (x *xdpProgram) remove() error {
	defer x.prog.Close()
	return x.set(-1, x.prog.Int(), xdpReplace)
}

func (x *xdpProgram) set(prog, expected int, flags uint32) error {
	nested := message(nil).attrU32(iflaXDPFD, uint32(prog)).attrU32(iflaXDPFlags, flags|uint32(x.o.Mode))
	if expected >= 0 {
		nested = nested.attrU32(iflaXDPExpectedFD, uint32(expected))
	}
	const fdAt = ifInfoEnd + 4 + 4 // behind the headers of both attributes
	_, err := send(x.k, linkMessage(rtmSetLink, x.o.IfIndex).attr(iflaXDP|nlaNested, nested), fdAt)
	return err
}

// An XDPState is what runs on a device: ids of programs, 0 for none.
type XDPState struct{ Generic, Driver, Offload uint32 }

// XDPQuery asks which XDP programs a device runs.
func XDPQuery(k sys.Kernel, ifIndex int) (XDPState, error) {
	s, err := xdpState(k, ifIndex)
	return s, wrap("asking about", onInterface(sys.AttachXDP, ifIndex), err)
}

func xdpState(k sys.Kernel, ifIndex int) (XDPState, error) {
	answers, err := send(k, linkMessage(rtmGetLink, ifIndex), 0)
	if err != nil || len(answers) == 0 {
		return XDPState{}, err
	}
	x := attribute(fixed(answers[0], ifInfoEnd), iflaXDP)
	return XDPState{attributeU32(x, iflaXDPGenericID), attributeU32(x, iflaXDPDriverID), attributeU32(x, iflaXDPOffloadID)}, nil
}

func xdpPrograms(k sys.Kernel, ifIndex int) (ids []uint32) {
	s, _ := xdpState(k, ifIndex)
	for _, id := range []uint32{s.Generic, s.Driver, s.Offload} {
		if id != 0 {
			ids = append(ids, id)
		}
	}
	return ids
}
