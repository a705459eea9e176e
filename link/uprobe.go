package link

import (
	"strconv"

	"github.com/lode-bpf/lode/sys"
)

// UprobeOptions say where a uprobe goes.
type UprobeOptions struct {
	Path   string // executable or library
	Symbol string // function in it; "" if Offset is an offset in the file
	Offset uint64 // bytes from the function's start, or in the file
	Return bool   // when it returns
	PID    int    // process to trace; 0: all
	Cookie uint64 // what bpf_get_attach_cookie returns (Linux 5.15)

	// RefCounter is the offset in the file of a counter that the kernel
	// increments while the probe is there: the semaphore of a USDT probe.
	RefCounter uint64
}

func (o UprobeOptions) what() string {
	s := "uprobe on "
	if o.Return {
		s = "uretprobe on "
	}
	return s + strconv.Quote(o.Path) + ":" + o.Symbol + "+0x" + strconv.FormatUint(o.Offset, 16)
}

// Uprobe attaches a program to an instruction of a file that processes execute.
func Uprobe(k sys.Kernel, prog int, o UprobeOptions) (*Link, error) {
	offset, err := fileOffset(o.Path, o.Symbol, o.Offset)
	if err != nil {
		return nil, wrap("attaching", o.what(), err)
	}
	var config uint64
	if o.RefCounter != 0 {
		bit, err := pmuBit(k, "uprobe", "ref_ctr_offset")
		if err != nil {
			return nil, wrap("attaching", o.what(), err)
		}
		config = o.RefCounter << bit
	}
	pid := o.PID
	if pid == 0 {
		pid = -1
	}
	event, err := probeEvent(k, "uprobe", o.Path, offset, o.Return, config, pid)
	if err != nil {
		return nil, wrap("attaching", o.what(), err)
	}
	return checked(k, prog, sys.ProgTypeKprobe)(onEvent(k, prog, event, o.Cookie, o.what(), nil))
}

// UprobeMultiOptions say where a uprobe.multi or uprobe.session program goes in one
// file: to functions by name, or to offsets in the file.
type UprobeMultiOptions struct {
	Path        string
	Symbols     []string
	Offsets     []uint64
	RefCounters []uint64 // as in UprobeOptions; one for each, or none
	Cookies     []uint64 // one for each, or none
	Return      bool
	Session     bool // both (Linux 6.13); the program was loaded for AttachTraceUprobeSession
	PID         int  // process to trace; 0: all
}

// UprobeMulti attaches a program to many places of a file at once (Linux 6.6).
func UprobeMulti(k sys.Kernel, prog int, o UprobeMultiOptions) (*Link, error) {
	what := "uprobe.multi on " + strconv.Quote(o.Path)
	offsets := o.Offsets
	if len(o.Symbols) > 0 {
		var err error
		if offsets, err = fileOffsets(o.Path, o.Symbols); err != nil {
			return nil, wrap("attaching", what, err)
		}
	}
	n := len(offsets)
	if n == 0 || len(o.Symbols) > 0 && len(o.Offsets) > 0 || len(o.Cookies) > 0 && len(o.Cookies) != n || len(o.RefCounters) > 0 && len(o.RefCounters) != n {
		return nil, wrap("attaching", what, &CountError{len(o.Symbols), len(o.Offsets), len(o.Cookies)})
	}
	attr := &sys.LinkCreateUprobeMultiAttr{ProgFD: int32(prog), AttachType: sys.AttachTraceUprobeMulti, Path: sys.StringPtr(o.Path),
		Offsets: sys.SlicePtr(offsets), RefCtrOffsets: sys.SlicePtr(o.RefCounters), Cookies: sys.SlicePtr(o.Cookies), Count: uint32(n), PID: uint32(o.PID)}
	if o.Session {
		attr.AttachType = sys.AttachTraceUprobeSession
	}
	if o.Return {
		attr.UprobeMultiFlags = sys.BPF_F_UPROBE_MULTI_RETURN
	}
	return checked(k, prog, sys.ProgTypeKprobe)(attach(k, what, attr.AttachType, attr, nil))
}
