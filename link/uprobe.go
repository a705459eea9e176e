package link

import (
	"strconv"

	"github.com/lode-bpf/lode/sys"
)

// UprobeOptions say where a uprobe goes.
type UprobeOptions struct {
	Path   string // executable or library; "archive!/member" if it is stored in a zip archive
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
	l, err := uprobe(k, prog, o)
	return attached(k, prog, o.what(), l, err, sys.ProgTypeKprobe)
}

func uprobe(k sys.Kernel, prog int, o UprobeOptions) (*Link, error) {
	offset, err := fileOffset(o.Path, o.Symbol, o.Offset)
	if err != nil {
		return nil, err
	}
	var config uint64
	if o.RefCounter != 0 {
		bit, err := pmuBit(k, "uprobe", "ref_ctr_offset")
		if err != nil {
			return nil, err
		}
		config = o.RefCounter << bit
	}
	pid := o.PID
	if pid == 0 {
		pid = -1
	}
	file, _ := splitMember(o.Path)
	event, err := probeEvent(k, "uprobe", file, offset, o.Return, config, pid)
	if noPMU(err) {
		err = &sys.NotSupported{Feature: "perf events of uprobes (CONFIG_UPROBE_EVENTS)", Since: "4.17", Err: err}
	}
	return onEvent(k, prog, event, err, o.Cookie, nil)
}

// UprobeMultiOptions say where a uprobe.multi or uprobe.session program goes in one
// file: to functions by name, or to offsets in the file.
type UprobeMultiOptions struct {
	Path        string // as in UprobeOptions
	Symbols     []string
	Offsets     []uint64 // in the file on disk
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
			return attached(k, prog, what, nil, err)
		}
	}
	n := len(offsets)
	if n == 0 || len(o.Symbols) > 0 && len(o.Offsets) > 0 || len(o.Cookies) > 0 && len(o.Cookies) != n || len(o.RefCounters) > 0 && len(o.RefCounters) != n {
		return attached(k, prog, what, nil, &CountError{len(o.Symbols), len(o.Offsets), len(o.Cookies)})
	}
	file, _ := splitMember(o.Path)
	attr := &sys.LinkCreateUprobeMultiAttr{ProgFD: int32(prog), AttachType: sys.AttachTraceUprobeMulti, Path: sys.StringPtr(file),
		Offsets: sys.SlicePtr(offsets), RefCtrOffsets: sys.SlicePtr(o.RefCounters), Cookies: sys.SlicePtr(o.Cookies), Count: uint32(n), PID: uint32(o.PID)}
	if o.Session {
		attr.AttachType = sys.AttachTraceUprobeSession
	}
	if o.Return {
		attr.UprobeMultiFlags = sys.BPF_F_UPROBE_MULTI_RETURN
	}
	l, err := attach(k, attr.AttachType, attr, nil)
	return attached(k, prog, what, l, err, sys.ProgTypeKprobe)
}
