package link

import (
	"bytes"
	"errors"
	"iter"
	"strconv"
	"strings"

	"github.com/lode-bpf/lode/sys"
)

// PerfEvent attaches a program to a perf event, whose descriptor stays the caller's,
// and enables it: with a link where the kernel has these (Linux 5.15), else by
// ioctl. cookie is what bpf_get_attach_cookie returns; it needs the link.
func PerfEvent(k sys.Kernel, prog, event int, cookie uint64) (*Link, error) {
	const what = "perf event"
	e, err := dup(k, event)
	if err != nil {
		return nil, wrap("attaching", what, err)
	}
	return checked(k, prog, sys.ProgTypePerfEvent, sys.ProgTypeKprobe, sys.ProgTypeTracepoint)(onEvent(k, prog, e, cookie, what, nil))
}

// onEvent attaches a program to an event that the Link owns from now on, together
// with what undo removes. Both are gone if it fails.
func onEvent(k sys.Kernel, prog int, event *sys.FD, cookie uint64, what string, undo func() error) (*Link, error) {
	l := &Link{k: k, what: what, held: []*sys.FD{event}}
	err := sys.Probe(k, sys.FeaturePerfLink)
	var absent *sys.NotSupported
	switch {
	case errors.As(err, &absent) && cookie == 0:
		_, err = k.Call(&sys.Ioctl{FD: event.Int(), Request: sys.PERF_EVENT_IOC_SET_BPF, Arg: prog, ArgFD: true})
	case absent != nil: // a cookie needs the link
	default:
		l.fd, err = sys.LinkCreate(k, &sys.LinkCreatePerfEventAttr{ProgFD: int32(prog), Target: event.Num(), AttachType: sys.AttachPerfEvent, BPFCookie: cookie})
	}
	if err == nil {
		_, err = k.Call(&sys.Ioctl{FD: event.Int(), Request: sys.PERF_EVENT_IOC_ENABLE})
	}
	if err != nil {
		l.fd.Close()
		event.Close()
		if undo != nil {
			err = errors.Join(err, undo())
		}
		return nil, wrap("attaching", what, err)
	}
	if undo == nil {
		return l, nil
	}
	// A probe event can be removed only after its last perf event is closed.
	l.undo = func() error { return errors.Join(event.Close(), undo()) }
	return l, nil
}

// Types of perf events (include/uapi/linux/perf_event.h).
const perfTypeTracepoint = 2

// traceRoots are the places where tracefs may be: the two usual ones, then where the
// process's table of mounts has it.
func traceRoots(k sys.Kernel) iter.Seq[string] {
	return func(yield func(string) bool) {
		if !yield("/sys/kernel/tracing") || !yield("/sys/kernel/debug/tracing") {
			return
		}
		f := &sys.ReadFile{Path: "/proc/self/mountinfo"}
		if _, err := k.Call(f); err != nil {
			return
		}
		for line := range strings.Lines(string(f.Data)) {
			mount, source, ok := strings.Cut(line, " - ")
			fields := strings.Fields(mount)
			if ok && len(fields) >= 5 && fields[3] == "/" && strings.HasPrefix(source, "tracefs ") && !strings.Contains(fields[4], `\`) {
				if !yield(fields[4]) {
					return
				}
			}
		}
	}
}

// inTracefs tries a call on a file of tracefs in each of its places, until the file
// is there. The error is that of the first.
func inTracefs(k sys.Kernel, call func(root string) error) error {
	var first error
	for root := range traceRoots(k) {
		err := call(root)
		if sys.ErrnoOf(err) != sys.ENOENT {
			return err
		}
		if first == nil {
			first = err
		}
	}
	return first
}

// readTrace reads a file of tracefs.
func readTrace(k sys.Kernel, name string) (text string, err error) {
	err = inTracefs(k, func(root string) error {
		f := &sys.ReadFile{Path: root + "/" + name}
		_, err := k.Call(f)
		text = string(bytes.TrimSpace(f.Data))
		return err
	})
	return text, err
}

// writeTrace appends a line to a file of tracefs.
func writeTrace(k sys.Kernel, name, line string) error {
	return inTracefs(k, func(root string) error {
		_, err := k.Call(&sys.WriteFile{Path: root + "/" + name, Data: line})
		return err
	})
}

// A NameError says that a name cannot be part of a path or of a command to the
// kernel.
type NameError struct{ Name string }

func (e *NameError) Error() string { return "bad name " + strconv.Quote(e.Name) }

// checkName lets through what names of tracepoints, probes and functions have.
func checkName(s string) error {
	ok := s != "" && s != "." && s != ".."
	for _, c := range []byte(s) {
		ok = ok && ('a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || strings.IndexByte("_.-$", c) >= 0)
	}
	if !ok {
		return &NameError{s}
	}
	return nil
}

// Tracepoint attaches a program to a tracepoint, such as "sched", "sched_switch".
// It needs tracefs, mounted at one of its two usual places.
func Tracepoint(k sys.Kernel, prog int, category, name string, cookie uint64) (*Link, error) {
	what := "tracepoint " + strconv.Quote(category+"/"+name)
	if err := errors.Join(checkName(category), checkName(name)); err != nil {
		return nil, wrap("attaching", what, err)
	}
	event, err := openTracepoint(k, category, name)
	if err != nil {
		return nil, wrap("attaching", what, err)
	}
	return checked(k, prog, sys.ProgTypeTracepoint)(onEvent(k, prog, event, cookie, what, nil))
}

func openTracepoint(k sys.Kernel, category, name string) (*sys.FD, error) {
	text, err := readTrace(k, "events/"+category+"/"+name+"/id")
	if err != nil {
		return nil, err
	}
	id, err := strconv.ParseUint(text, 10, 32)
	if err != nil {
		return nil, err
	}
	return openEvent(k, &sys.PerfEventOpen{Type: perfTypeTracepoint, Config: id, SamplePeriod: 1, PID: -1})
}

func openEvent(k sys.Kernel, e *sys.PerfEventOpen) (*sys.FD, error) {
	n, err := k.Call(e)
	if err != nil {
		return nil, err
	}
	return sys.NewFD(k, n), nil
}
