package sys

import (
	"strconv"
	"strings"
)

// A Call is one system call that attaching programs makes besides bpf(2):
// a pointer to a [PerfEventOpen], [Ioctl], [SetSockOpt], [Netlink], [ReadFile] or
// [WriteFile]. [Kernel].Call makes it; results other than a descriptor or a count
// are left in the struct.
type Call interface {
	op() string             // its name in errors
	subject() string        // what it is about, in errors
	text(t *tape) string    // its arguments, in recordings
	opens() string          // kind of the descriptor that it returns, or ""
	output() string         // what it left in the struct, in recordings
	replay(out string) bool // the inverse of output
	do() (int, error)       // makes it; the error is a bare Errno
}

// A PerfEventOpen is perf_event_open(2) with the fields that probes and
// tracepoints use. The event is created disabled and closed on exec.
type PerfEventOpen struct {
	Type         uint32 // PERF_TYPE_*, or the number of a PMU such as kprobe
	Config       uint64
	Name         string // kprobe and uprobe: the function or file (config1)
	Config2      uint64 // kprobe and uprobe: the offset
	SamplePeriod uint64
	Frequency    bool // SamplePeriod is in samples a second
	PID, CPU     int  // -1: any
}

func (c *PerfEventOpen) op() string             { return "perf_event_open" }
func (c *PerfEventOpen) opens() string          { return "perf" }
func (c *PerfEventOpen) output() string         { return "" }
func (c *PerfEventOpen) replay(out string) bool { return out == "" }

func (c *PerfEventOpen) subject() string {
	if c.Name != "" {
		return quote(c.Name)
	}
	return "event type " + strconv.FormatUint(uint64(c.Type), 10)
}

func (c *PerfEventOpen) text(*tape) string {
	s := " type=" + strconv.FormatUint(uint64(c.Type), 10) + " config=0x" + strconv.FormatUint(c.Config, 16)
	if c.Name != "" {
		s += " name=" + quote(c.Name) + " offset=0x" + strconv.FormatUint(c.Config2, 16)
	}
	if c.SamplePeriod != 0 {
		s += " period=" + strconv.FormatUint(c.SamplePeriod, 10)
	}
	return s + " pid=" + strconv.Itoa(c.PID) + " cpu=" + strconv.Itoa(c.CPU)
}

// An Ioctl is ioctl(2) with a number for its argument.
type Ioctl struct {
	FD      int
	Request uint
	Arg     int  // a number, or
	ArgFD   bool // a descriptor
}

func (c *Ioctl) op() string             { return "ioctl(0x" + strconv.FormatUint(uint64(c.Request), 16) + ")" }
func (c *Ioctl) subject() string        { return "" }
func (c *Ioctl) opens() string          { return "" }
func (c *Ioctl) output() string         { return "" }
func (c *Ioctl) replay(out string) bool { return out == "" }

func (c *Ioctl) text(t *tape) string {
	arg := strconv.Itoa(c.Arg)
	if c.ArgFD {
		arg = t.fd(c.Arg)
	}
	return " fd=" + t.fd(c.FD) + " arg=" + arg
}

// A SetSockOpt is setsockopt(2) with a descriptor or a number for its value.
type SetSockOpt struct {
	FD, Level, Name int
	Value           int32
	ValueFD         bool // Value is a descriptor
}

func (c *SetSockOpt) op() string {
	return "setsockopt(" + strconv.Itoa(c.Level) + ", " + strconv.Itoa(c.Name) + ")"
}
func (c *SetSockOpt) subject() string        { return "" }
func (c *SetSockOpt) opens() string          { return "" }
func (c *SetSockOpt) output() string         { return "" }
func (c *SetSockOpt) replay(out string) bool { return out == "" }

func (c *SetSockOpt) text(t *tape) string {
	v := strconv.Itoa(int(c.Value))
	if c.ValueFD {
		v = t.fd(int(c.Value))
	}
	return " fd=" + t.fd(c.FD) + " value=" + v
}

// A Netlink sends one request to the kernel and collects the answers, on a socket
// of its own in the network namespace of the calling thread. The request is a
// whole message with its header; length, sequence number, NLM_F_REQUEST and
// NLM_F_ACK are filled in. An error that the kernel reports is the call's error;
// its explanation, if there is one, goes to Explanation.
type Netlink struct {
	Protocol    int // NETLINK_ROUTE is 0
	Message     []byte
	FDAt        int      // where in Message a descriptor stands, 0 for nowhere; for recordings
	Answers     [][]byte // messages with their headers, without the final acknowledgement
	Explanation string
}

func (c *Netlink) op() string      { return "netlink" }
func (c *Netlink) subject() string { return c.Explanation }
func (c *Netlink) opens() string   { return "" }

func (c *Netlink) text(t *tape) string {
	m := append([]byte(nil), c.Message...)
	s := ""
	if c.FDAt > 0 && c.FDAt+4 <= len(m) {
		f := field{size: 4}
		s = " prog=" + t.fd(int(int32(f.number(BytesPtr(m[c.FDAt:]).ptr))))
		clear(m[c.FDAt : c.FDAt+4])
	}
	return " protocol=" + strconv.Itoa(c.Protocol) + " message=" + hexText(m) + s
}

func (c *Netlink) output() string {
	var list []string
	for _, a := range c.Answers {
		list = append(list, hexText(a))
	}
	if list == nil {
		return ""
	}
	return " answers=" + strings.Join(list, ",")
}

func (c *Netlink) replay(out string) bool {
	list, ok := strings.CutPrefix(out, "answers=")
	if out == "" || !ok {
		return out == ""
	}
	for _, a := range strings.Split(list, ",") {
		b, ok := parseHex(a)
		if !ok {
			return false
		}
		c.Answers = append(c.Answers, b)
	}
	return true
}

// A ReadFile reads a file of the kernel's, such as the id of a tracepoint.
type ReadFile struct {
	Path string
	Data []byte // at most 64 MiB
}

func (c *ReadFile) op() string        { return "read" }
func (c *ReadFile) subject() string   { return quote(c.Path) }
func (c *ReadFile) opens() string     { return "" }
func (c *ReadFile) text(*tape) string { return " path=" + quote(c.Path) }
func (c *ReadFile) output() string    { return " data=" + quote(string(c.Data)) }

func (c *ReadFile) replay(out string) bool {
	s, ok := strings.CutPrefix(out, "data=")
	if !ok {
		return false
	}
	s, err := strconv.Unquote(s)
	c.Data = []byte(s)
	return err == nil
}

// A WriteFile writes to a file of the kernel's that exists, at its end.
type WriteFile struct {
	Path, Data string
}

func (c *WriteFile) op() string             { return "write" }
func (c *WriteFile) subject() string        { return quote(c.Data) + " to " + quote(c.Path) }
func (c *WriteFile) opens() string          { return "" }
func (c *WriteFile) output() string         { return "" }
func (c *WriteFile) replay(out string) bool { return out == "" }

func (c *WriteFile) text(*tape) string {
	return " path=" + quote(c.Path) + " data=" + quote(c.Data)
}

// Call records and makes the call.
func (r *Recorder) Call(c Call) (n int, err error) {
	r.answer(func() string { return c.op() + c.text(r.t) }, func() (string, error) {
		if n, err = r.k.Call(c); err != nil {
			return "", err
		}
		if kind := c.opens(); kind != "" {
			return r.t.opened(kind, n), nil
		}
		return strconv.Itoa(n) + c.output(), nil
	})
	return n, err
}

// Call answers the call.
func (p *Replay) Call(c Call) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	s, err := p.response(c.op() + c.text(p.t))
	if err != nil {
		return -1, err
	}
	word, rest, _ := strings.Cut(s, " ")
	if e, ok := ParseErrno(word); ok {
		return -1, &Error{Op: c.op(), Subject: c.subject(), Errno: e, Hint: "recorded"}
	}
	if c.opens() != "" {
		return p.open(word)
	}
	n, err := strconv.Atoi(word)
	if err != nil || !c.replay(rest) {
		return -1, p.malformed(s)
	}
	return n, nil
}

// Call makes the call or lets it fail.
func (f *Fault) Call(c Call) (n int, err error) {
	if c.opens() != "" {
		return f.descriptor(c.op(), func() (int, error) { return f.Kernel.Call(c) })
	}
	err = f.plain(c.op(), func() (err error) { n, err = f.Kernel.Call(c); return err })
	return n, err
}
