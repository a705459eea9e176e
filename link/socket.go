package link

import (
	"strconv"

	"github.com/lode-bpf/lode/sys"
)

// NetNS attaches a flow dissector or sk_lookup program to a network namespace, given
// by a descriptor of /proc/PID/ns/net or of a mount of it. a is AttachFlowDissector
// or AttachSKLookup.
func NetNS(k sys.Kernel, prog, ns int, a sys.AttachType) (*Link, error) {
	want := sys.ProgTypeSKLookup
	if a == sys.AttachFlowDissector {
		want = sys.ProgTypeFlowDissector
	}
	l, err := attach(k, a, &sys.LinkCreateAttr{ProgFD: int32(prog), Target: int32(ns), AttachType: a},
		func() []uint32 { return query(k, ns, a) })
	return attached(k, prog, a.String()+" on a network namespace", l, err, want)
}

// SockMap attaches a program to the sockets of a sockmap or sockhash: with a link
// where the kernel has these (Linux 6.10), else without. Kernels before 5.18 cannot
// tell whether the hook is free; there the program replaces another one.
func SockMap(k sys.Kernel, prog, mapFD int, a sys.AttachType) (*Link, error) {
	fd, err := sys.LinkCreate(k, &sys.LinkCreateAttr{ProgFD: int32(prog), Target: int32(mapFD), AttachType: a})
	l := &Link{fd: fd}
	switch sys.ErrnoOf(err) {
	case 0:
	case sys.EINVAL: // the kernel has no such links, or the program does not fit
		l, err = sockMapProgram(k, prog, mapFD, a)
	default:
		err = explain(k, sys.AttachTypeFeature(a), err, func() []uint32 { return query(k, mapFD, a) })
	}
	return attached(k, prog, a.String()+" on a sockmap", l, err, sockMapType(a))
}

func sockMapType(a sys.AttachType) sys.ProgType {
	if a == sys.AttachSKMsgVerdict {
		return sys.ProgTypeSKMsg
	}
	return sys.ProgTypeSKSKB
}

// sockMapProgram attaches without a link, and only to a hook that is free, as far as
// that can be asked: the kernel would replace a program without a word.
func sockMapProgram(k sys.Kernel, prog, mapFD int, a sys.AttachType) (*Link, error) {
	if ids := query(k, mapFD, a); len(ids) > 0 {
		return nil, &TakenError{Programs: ids, Names: programNames(k, ids), Err: &sys.Error{Op: "BPF_PROG_ATTACH", Errno: sys.EBUSY}}
	}
	return attachByProgram(k, prog, mapFD, a)
}

// attachByProgram attaches by BPF_PROG_ATTACH to a target that it keeps open.
func attachByProgram(k sys.Kernel, prog, target int, a sys.AttachType) (*Link, error) {
	t, err := dup(k, target)
	if err != nil {
		return nil, err
	}
	p, err := dup(k, prog)
	if err != nil {
		t.Close()
		return nil, err
	}
	attr := &sys.ProgAttachAttr{Target: t.Num(), AttachBPFFD: p.Num(), AttachType: a}
	if err := sys.ProgAttach(k, attr); err != nil {
		p.Close()
		t.Close()
		return nil, explain(k, sys.AttachTypeFeature(a), err, nil)
	}
	return &Link{held: []*sys.FD{t, p}, undo: func() error { return sys.ProgDetach(k, attr) }}, nil
}

func dup(k sys.Kernel, fd int) (*sys.FD, error) {
	n, err := k.Dup(fd)
	if err != nil {
		return nil, err
	}
	return sys.NewFD(k, n), nil
}

// Options of sockets (include/uapi/asm-generic/socket.h).
const (
	solSocket         = 1
	soDetachFilter    = 27
	soAttachBPF       = 50
	soAttachReuseport = 52
	soDetachReuseport = 68
)

// SocketFilter attaches a socket_filter program to one socket, whose descriptor stays
// the caller's. Closing the Link or the socket detaches it.
func SocketFilter(k sys.Kernel, prog, socket int) (*Link, error) {
	l, err := socketOption(k, prog, socket, soAttachBPF, soDetachFilter)
	return attached(k, prog, "filter on socket "+strconv.Itoa(socket), l, err, sys.ProgTypeSocketFilter)
}

// SKReuseport attaches a program that chooses among the sockets of a SO_REUSEPORT
// group to the group of one of them.
func SKReuseport(k sys.Kernel, prog, socket int) (*Link, error) {
	l, err := socketOption(k, prog, socket, soAttachReuseport, soDetachReuseport)
	return attached(k, prog, "sk_reuseport on socket "+strconv.Itoa(socket), l, err, sys.ProgTypeSKReuseport, sys.ProgTypeSocketFilter)
}

func socketOption(k sys.Kernel, prog, socket, on, off int) (*Link, error) {
	s, err := dup(k, socket)
	if err != nil {
		return nil, err
	}
	set := func(prog, _ int) error {
		_, err := k.Call(&sys.SetSockOpt{FD: s.Int(), Level: solSocket, Name: on, Value: int32(prog), ValueFD: true})
		return err
	}
	if err := set(prog, -1); err != nil {
		s.Close()
		return nil, err
	}
	return &Link{held: []*sys.FD{s}, update: set, undo: func() error {
		_, err := k.Call(&sys.SetSockOpt{FD: s.Int(), Level: solSocket, Name: off})
		return err
	}}, nil
}

// LIRC attaches a lirc_mode2 program to a /dev/lirc device, given by a descriptor.
// The kernel has no link for it.
func LIRC(k sys.Kernel, prog, device int) (*Link, error) {
	l, err := attachByProgram(k, prog, device, sys.AttachLIRCMode2)
	return attached(k, prog, "lirc_mode2", l, err, sys.ProgTypeLIRCMode2)
}
