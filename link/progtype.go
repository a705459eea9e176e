package link

import (
	"slices"
	"strconv"
	"strings"

	"github.com/lode-bpf/lode/sys"
)

// A TypeError says that a program is of another type than what was to be attached.
type TypeError struct {
	Name string         // of the program, at most 15 bytes, as the kernel has it
	Type sys.ProgType   // what it is
	Want []sys.ProgType // what can be attached there
	Err  error          // what the kernel answered
}

func (e *TypeError) Error() string {
	var want []string
	for _, t := range e.Want {
		want = append(want, t.String())
	}
	return "program " + strconv.Quote(e.Name) + " is of type " + e.Type.String() + ", want " + strings.Join(want, " or ") + ": " + e.Err.Error()
}

// Unwrap is what the kernel answered.
func (e *TypeError) Unwrap() error { return e.Err }

// explainType finds out whether an attach failed because of the program's type.
func explainType(k sys.Kernel, prog int, err error, want []sys.ProgType) error {
	var info sys.ProgInfo
	if sys.ObjGetInfoByFD(k, prog, &info) != nil || slices.Contains(want, info.Type) {
		return err
	}
	return &TypeError{Name: info.Name.String(), Type: info.Type, Want: want, Err: err}
}

// cgroupType is the type of the programs that a hook of a cgroup takes.
func cgroupType(a sys.AttachType) sys.ProgType {
	switch a {
	case sys.AttachCgroupInetIngress, sys.AttachCgroupInetEgress:
		return sys.ProgTypeCgroupSKB
	case sys.AttachCgroupInetSockCreate, sys.AttachCgroupInetSockRelease, sys.AttachCgroupInet4PostBind, sys.AttachCgroupInet6PostBind:
		return sys.ProgTypeCgroupSock
	case sys.AttachCgroupSockOps:
		return sys.ProgTypeSockOps
	case sys.AttachCgroupDevice:
		return sys.ProgTypeCgroupDevice
	case sys.AttachCgroupSysctl:
		return sys.ProgTypeCgroupSysctl
	case sys.AttachCgroupGetSockOpt, sys.AttachCgroupSetSockOpt:
		return sys.ProgTypeCgroupSockOpt
	case sys.AttachLSMCgroup:
		return sys.ProgTypeLSM
	}
	return sys.ProgTypeCgroupSockAddr
}

// programNames are the names of programs, empty where they cannot be found out.
func programNames(k sys.Kernel, ids []uint32) []string {
	names := make([]string, len(ids))
	for i, id := range ids {
		fd, err := sys.GetFDByID(k, sys.ObjProg, id, 0)
		if err != nil {
			continue
		}
		var info sys.ProgInfo
		if sys.ObjGetInfoByFD(k, fd.Int(), &info) == nil {
			names[i] = info.Name.String()
		}
		fd.Close()
	}
	return names
}
