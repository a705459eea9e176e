package link

import (
	"errors"
	"strconv"
	"strings"
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
	l, err := kprobe(k, prog, o)
	return attached(k, prog, o.what(), l, err, sys.ProgTypeKprobe)
}

func kprobe(k sys.Kernel, prog int, o KprobeOptions) (*Link, error) {
	if err := checkName(o.Symbol); err != nil {
		return nil, err
	}
	if o.Legacy {
		return legacyKprobe(k, prog, o)
	}
	event, err := probeEvent(k, "kprobe", o.Symbol, o.Offset, o.Return, 0, -1)
	if noPMU(err) {
		return legacyKprobe(k, prog, o)
	}
	if sys.ErrnoOf(err) == sys.ENOENT {
		err = explainSymbols(k, []string{o.Symbol}, err)
	}
	return onEvent(k, prog, event, err, o.Cookie, nil)
}

// noPMU says whether an event could not be opened because the kernel has none for
// probes.
func noPMU(err error) bool {
	var call *sys.Error
	return errors.As(err, &call) && call.Op == "read" && call.Errno == sys.ENOENT
}

// probeNumber makes the names of probe events unique in this process.
var probeNumber atomic.Uint64

// legacyGroup is the group of the probe events that are made through tracefs.
const legacyGroup = "lode"

// legacyKprobe makes a probe event through tracefs, and attaches to it as to a
// tracepoint.
func legacyKprobe(k sys.Kernel, prog int, o KprobeOptions) (*Link, error) {
	const file = "kprobe_events"
	name, err := eventName(k, o.Symbol)
	if err != nil {
		return nil, err
	}
	command := "p:"
	if o.Return {
		command = "r:"
	}
	command += legacyGroup + "/" + name + " " + o.Symbol
	if o.Offset != 0 {
		command += "+0x" + strconv.FormatUint(o.Offset, 16)
	}
	remove := func() error { return writeTrace(k, file, "-:"+legacyGroup+"/"+name+"\n") }
	if err := writeTrace(k, file, command+"\n"); err != nil {
		remove() // in case that only the answer failed
		if sys.ErrnoOf(err) != sys.ENOENT && sys.ErrnoOf(err) != sys.EINVAL {
			return nil, err
		}
		if _, errRead := readTrace(k, file); errRead != nil {
			return nil, &sys.NotSupported{Feature: "kprobes (CONFIG_KPROBE_EVENTS)", Since: "4.1", Err: err}
		}
		return nil, explainSymbols(k, []string{o.Symbol}, err)
	}
	event, err := openTracepoint(k, legacyGroup, name)
	return onEvent(k, prog, event, err, o.Cookie, remove)
}

// eventName is a name for a probe event: the symbol, the process and a number, at
// most 64 bytes as the kernel wants it.
func eventName(k sys.Kernel, symbol string) (string, error) {
	id, err := readSys(k, "/proc/self/stat") // the process as the kernel numbers it
	if err != nil {
		return "", err
	}
	pid, _, _ := strings.Cut(id, " ")
	out := []byte(symbol)
	for i, c := range out {
		if !('a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9') {
			out[i] = '_'
		}
	}
	return string(out[:min(len(out), 24)]) + "_" + pid + "_" + strconv.FormatUint(probeNumber.Add(1), 10), nil
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
		return attached(k, prog, what, nil, &CountError{len(o.Symbols), len(o.Addrs), len(o.Cookies)})
	}
	l, err := attach(k, attr.AttachType, attr, nil)
	if sys.ErrnoOf(err) == sys.ESRCH {
		err = explainSymbols(k, o.Symbols, err)
	}
	return attached(k, prog, what, l, err, sys.ProgTypeKprobe)
}

// A CountError says that the lists of a multi-probe do not fit together.
type CountError struct{ Places, Addrs, Cookies int }

func (e *CountError) Error() string {
	return "want names or addresses, and no cookies or as many: got " + strconv.Itoa(e.Places) + " names, " +
		strconv.Itoa(e.Addrs) + " addresses, " + strconv.Itoa(e.Cookies) + " cookies"
}
