package link

import (
	"bytes"
	"errors"
	"strconv"
	"strings"

	"github.com/lode-bpf/lode/sys"
)

// PerfEvent attaches a program to a perf event, whose descriptor stays the caller's,
// and enables it: with a link where the kernel has these (Linux 5.15), else by
// ioctl. cookie is what bpf_get_attach_cookie returns; it needs the link.
func PerfEvent(k sys.Kernel, prog, event int, cookie uint64) (*Link, error) {
	e, err := dup(k, event)
	l, err := onEvent(k, prog, e, err, cookie, nil)
	return attached(k, prog, "perf event", l, err, sys.ProgTypePerfEvent, sys.ProgTypeKprobe, sys.ProgTypeTracepoint)
}

// onEvent attaches a program to an event that the Link owns from now on, together with
// what undo removes when the event is closed; errOpen is the error of opening it, if
// that failed. Both are gone if it fails.
func onEvent(k sys.Kernel, prog int, event *sys.FD, errOpen error, cookie uint64, undo func() error) (*Link, error) {
	l := &Link{held: []*sys.FD{event}}
	if undo != nil {
		l.undo = func() error { return errors.Join(event.Close(), undo()) }
	}
	err := errOpen
	if err == nil {
		err = l.runOn(k, prog, event, cookie)
	}
	if err != nil {
		return nil, errors.Join(err, l.release())
	}
	return l, nil
}

// runOn lets an event run a program: with a link, or by ioctl on kernels that do not
// know such links.
func (l *Link) runOn(k sys.Kernel, prog int, event *sys.FD, cookie uint64) (err error) {
	l.fd, err = sys.LinkCreate(k, &sys.LinkCreatePerfEventAttr{ProgFD: int32(prog), Target: event.Num(), AttachType: sys.AttachPerfEvent, BPFCookie: cookie})
	switch {
	case err == nil:
	case cookie != 0: // which only links have
		return explain(k, sys.FeaturePerfLink, err, nil)
	case sys.ErrnoOf(err) == sys.EINVAL:
		_, err = k.Call(&sys.Ioctl{FD: event.Int(), Request: sys.PERF_EVENT_IOC_SET_BPF, Arg: prog, ArgFD: true})
	}
	if err != nil {
		return err
	}
	_, err = k.Call(&sys.Ioctl{FD: event.Int(), Request: sys.PERF_EVENT_IOC_ENABLE})
	return err
}

// Types of perf events (include/uapi/linux/perf_event.h).
const perfTypeTracepoint = 2

// inTracefs tries a call on a file of tracefs in each place where that may be, until the
// file is there: the two usual ones, then where the process's table of mounts has it.
// The error is that of the first.
func inTracefs(k sys.Kernel, call func(root string) error) error {
	first := call("/sys/kernel/tracing")
	if sys.ErrnoOf(first) != sys.ENOENT {
		return first
	}
	if err := call("/sys/kernel/debug/tracing"); sys.ErrnoOf(err) != sys.ENOENT {
		return err
	}
	f := &sys.ReadFile{Path: "/proc/self/mountinfo"}
	if _, err := k.Call(f); err != nil {
		return err
	}
	for line := range strings.Lines(string(f.Data)) {
		mount, source, ok := strings.Cut(line, " - ")
		fields := strings.Fields(mount)
		if ok && len(fields) >= 5 && fields[3] == "/" && strings.HasPrefix(source, "tracefs ") && !strings.Contains(fields[4], `\`) {
			if err := call(fields[4]); sys.ErrnoOf(err) != sys.ENOENT {
				return err
			}
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
	event, err := openTracepoint(k, category, name)
	l, err := onEvent(k, prog, event, err, cookie, nil)
	return attached(k, prog, "tracepoint "+strconv.Quote(category+"/"+name), l, err, sys.ProgTypeTracepoint)
}

func openTracepoint(k sys.Kernel, category, name string) (*sys.FD, error) {
	for _, s := range [...]string{category, name} {
		if err := checkName(s); err != nil {
			return nil, err
		}
	}
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
