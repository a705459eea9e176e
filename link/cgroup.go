package link

import (
	"strconv"

	"github.com/lode-bpf/lode/sys"
)

// openDir opens a directory for as long as a call needs it.
func openDir(k sys.Kernel, path string) (*sys.FD, error) {
	n, err := k.OpenAt(sys.AT_FDCWD, path, sys.OpenHow{Flags: sys.O_RDONLY | sys.O_DIRECTORY})
	if err != nil {
		return nil, err
	}
	return sys.NewFD(k, n), nil
}

// Cgroup attaches a program to a cgroup, given by the path of its directory, with a
// link. Several programs can be attached; they run in the order of attaching. The
// zero Anchor works from Linux 5.7 on, others from 6.17 on. a is one of the
// AttachCgroup… hooks or AttachLSMCgroup.
func Cgroup(k sys.Kernel, prog int, path string, a sys.AttachType, at Anchor) (*Link, error) {
	what := a.String() + " on cgroup " + strconv.Quote(path)
	dir, err := openDir(k, path)
	if err != nil {
		return attached(k, prog, what, nil, err)
	}
	defer dir.Close()
	flags, relative := at.fields()
	l, err := attach(k, a, &sys.LinkCreateCgroupAttr{ProgFD: int32(prog), Target: dir.Num(), AttachType: a,
		Flags: flags, Relative: relative, ExpectedRevision: at.Revision},
		func() []uint32 { return query(k, dir.Int(), a) })
	return attached(k, prog, what, l, err, cgroupType(a))
}

// CgroupAttach attaches without a link, as loaders did before Linux 5.7. flags are
// BPF_F_ALLOW_MULTI (several programs), BPF_F_ALLOW_OVERRIDE (children may replace
// it) or 0 (one program for the whole tree). Update needs BPF_F_ALLOW_MULTI.
func CgroupAttach(k sys.Kernel, prog int, path string, a sys.AttachType, flags uint32) (*Link, error) {
	what := a.String() + " on cgroup " + strconv.Quote(path)
	dir, err := openDir(k, path)
	if err != nil {
		return attached(k, prog, what, nil, err)
	}
	c := &cgroupProgram{k: k, dir: dir, hook: a, flags: flags}
	if err = c.put(prog, -1); err != nil {
		err = explain(k, sys.AttachTypeFeature(a), err, func() []uint32 { return query(k, dir.Int(), a) })
		dir.Close()
	}
	return attached(k, prog, what, &Link{held: []*sys.FD{dir}, undo: c.remove, update: c.put}, err, cgroupType(a))
}

// A cgroupProgram is a program that is attached to a cgroup without a link.
type cgroupProgram struct {
	k     sys.Kernel
	dir   *sys.FD
	hook  sys.AttachType
	flags uint32
	prog  *sys.FD // what is attached; detaching names it
}

// put attaches a program, in the place of the present one if there is one. old, if
// not negative, must be the present one.
func (c *cgroupProgram) put(prog, old int) error {
	n, err := c.k.Dup(prog)
	if err != nil {
		return err
	}
	fd := sys.NewFD(c.k, n)
	attr := &sys.ProgAttachAttr{Target: c.dir.Num(), AttachBPFFD: fd.Num(), AttachType: c.hook, AttachFlags: c.flags}
	if c.prog != nil {
		attr.AttachFlags |= sys.BPF_F_REPLACE
		attr.ReplaceBPFFD = c.prog.Num()
		if old >= 0 {
			attr.ReplaceBPFFD = int32(old)
		}
	}
	if err := sys.ProgAttach(c.k, attr); err != nil {
		fd.Close()
		return err
	}
	c.prog.Close()
	c.prog = fd
	return nil
}

func (c *cgroupProgram) remove() error {
	defer c.prog.Close()
	return sys.ProgDetach(c.k, &sys.ProgAttachAttr{Target: c.dir.Num(), AttachBPFFD: c.prog.Num(), AttachType: c.hook})
}
