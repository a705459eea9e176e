package link

import (
	"errors"
	"strconv"
	"sync/atomic"

	"github.com/lode-bpf/lode/sys"
)

// KprobeOptions say where a kprobe goes.
type KprobeOptions struct {
	Symbol string // function of the kernel or of a module
	Offset uint64 // bytes from its start; 0 for a return probe
	Return bool   // when it returns
	Cookie uint64 // what bpf_get_attach_cookie returns (Linux 5.15)

	// Legacy makes the probe through tracefs, as kernels before 4.17 need it. It is
	// also what is done if the kernel has no perf events for kprobes.
	Legacy bool
}

func (o KprobeOptions) what() string {
	s := "kprobe on "
	if o.Return {
		s = "kretprobe on "
	}
	s += strconv.Quote(o.Symbol)
	if o.Offset != 0 {
		s += "+0x" + strconv.FormatUint(o.Offset, 16)
	}
	return s
}

// Kprobe attaches a program to an instruction of the kernel.
func Kprobe(k sys.Kernel, prog int, o KprobeOptions) (*Link, error) {
	if err := checkName(o.Symbol); err != nil {
		return nil, wrap("attaching", o.what(), err)
	}
	if !o.Legacy {
		event, err := probeEvent(k, "kprobe", o.Symbol, o.Offset, o.Return, 0, -1)
		if err == nil {
			return checked(k, prog, sys.ProgTypeKprobe)(onEvent(k, prog, event, o.Cookie, o.what(), nil))
		}
		var call *sys.Error
		if !errors.As(err, &call) || call.Op != "read" || call.Errno != sys.ENOENT {
			return nil, wrap("attaching", o.what(), err)
		}
	}
	return checked(k, prog, sys.ProgTypeKprobe)(legacyKprobe(k, prog, o))
}

// probeNumber makes the names of probe events unique in this process.
var probeNumber atomic.Uint64

// legacyGroup is the group of the probe events that are made through tracefs.
const legacyGroup = "lode"

func legacyKprobe(k sys.Kernel, prog int, o KprobeOptions) (*Link, error) {
	kind := "p"
	if o.Return {
		kind = "r"
	}
	name, err := eventName(k, o.Symbol)
	if err != nil {
		return nil, wrap("attaching", o.what(), err)
	}
	place := o.Symbol
	if o.Offset != 0 {
		place += "+0x" + strconv.FormatUint(o.Offset, 16)
	}
	return legacyProbe(k, prog, "kprobe_events", name, kind+":"+legacyGroup+"/"+name+" "+place, o.Cookie, o.what())
}

// legacyProbe makes a probe event with a command, and attaches to it as to a
// tracepoint.
func legacyProbe(k sys.Kernel, prog int, file, name, command string, cookie uint64, what string) (*Link, error) {
	if err := writeTrace(k, file, command+"\n"); err != nil {
		return nil, wrap("attaching", what, err)
	}
	undo := func() error { return writeTrace(k, file, "-:"+legacyGroup+"/"+name+"\n") }
	event, err := openTracepoint(k, legacyGroup, name)
	if err != nil {
		return nil, wrap("attaching", what, errors.Join(err, undo()))
	}
	return onEvent(k, prog, event, cookie, what, undo)
}

// eventName is a name for a probe event: the symbol, the process and a number, at
// most 64 bytes as the kernel wants it.
func eventName(k sys.Kernel, symbol string) (string, error) {
	id, err := readSys(k, "/proc/self/stat") // the process as the kernel numbers it
	if err != nil {
		return "", err
	}
	pid := id[:max(0, indexByte(id, ' '))]
	out := []byte(symbol)
	for i, c := range out {
		if !('a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9') {
			out[i] = '_'
		}
	}
	return string(out[:min(len(out), 24)]) + "_" + pid + "_" + strconv.FormatUint(probeNumber.Add(1), 10), nil
}

func indexByte(s string, c byte) int {
	for i := range len(s) {
		if s[i] == c {
			return i
		}
	}
	return -1
}

// Ksyscall attaches a kprobe program to the function of a system call, whatever the
// kernel calls it on this architecture.
func Ksyscall(k sys.Kernel, prog int, name string, ret bool, cookie uint64) (*Link, error) {
	symbol := "__se_sys_" + name
	if sys.Probe(k, sys.FeatureSyscallWrapper) == nil {
		symbol = sys.SyscallPrefix() + name
	}
	return Kprobe(k, prog, KprobeOptions{Symbol: symbol, Return: ret, Cookie: cookie})
}

// KprobeMultiOptions say where a kprobe.multi or kprobe.session program goes: to
// functions by name or by address.
type KprobeMultiOptions struct {
	Symbols []string
	Addrs   []uint64
	Cookies []uint64 // one for each, or none
	Return  bool     // when they return
	Session bool     // both (Linux 6.10); the program was loaded for AttachTraceKprobeSession
}

// KprobeMulti attaches a program to many functions at once (Linux 5.18). The kernel
// wants every symbol to exist and to be traceable.
func KprobeMulti(k sys.Kernel, prog int, o KprobeMultiOptions) (*Link, error) {
	attr := &sys.LinkCreateKprobeMultiAttr{ProgFD: int32(prog), AttachType: sys.AttachTraceKprobeMulti, Cookies: sys.SlicePtr(o.Cookies)}
	if o.Session {
		attr.AttachType = sys.AttachTraceKprobeSession
	}
	if o.Return {
		attr.KprobeMultiFlags = sys.BPF_F_KPROBE_MULTI_RETURN
	}
	n := len(o.Addrs)
	if len(o.Symbols) > 0 {
		n = len(o.Symbols)
		names := make([]sys.Pointer, n)
		for i, s := range o.Symbols {
			names[i] = sys.StringPtr(s)
		}
		attr.Syms = sys.SlicePtr(names)
	} else {
		attr.Addrs = sys.SlicePtr(o.Addrs)
	}
	attr.Count = uint32(n)
	what := "kprobe.multi on " + strconv.Itoa(n) + " functions"
	if len(o.Symbols) > 0 && len(o.Addrs) > 0 || len(o.Cookies) > 0 && len(o.Cookies) != n || n == 0 {
		return nil, wrap("attaching", what, &CountError{len(o.Symbols), len(o.Addrs), len(o.Cookies)})
	}
	return checked(k, prog, sys.ProgTypeKprobe)(attach(k, what, attr.AttachType, attr, nil))
}

// A CountError says that the lists of a multi-probe do not fit together.
type CountError struct{ Places, Addrs, Cookies int }

func (e *CountError) Error() string {
	return "want names or addresses, and no cookies or as many: got " + strconv.Itoa(e.Places) + " names, " +
		strconv.Itoa(e.Addrs) + " addresses, " + strconv.Itoa(e.Cookies) + " cookies"
}
