package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/lode-bpf/lode/link"
	"github.com/lode-bpf/lode/sys"
)

// A hook is a kind of place that prog attach can attach to.
type hook struct {
	name   string // as it is given; a prefix of names if it ends with "*"
	target string // what is given behind it
	attach func(prog int, name, target string) (*link.Link, error)
}

var hooks = []hook{
	{"xdp", "DEVICE", func(prog int, _, target string) (*link.Link, error) {
		index, err := link.InterfaceIndex(sys.Live(), target)
		if err != nil {
			return nil, err
		}
		return link.XDP(sys.Live(), prog, link.XDPOptions{IfIndex: index})
	}},
	{"tcx_ingress", "DEVICE", onDevice(link.TCX)},
	{"tcx_egress", "DEVICE", onDevice(link.TCX)},
	{"netkit_primary", "DEVICE", onDevice(link.Netkit)},
	{"netkit_peer", "DEVICE", onDevice(link.Netkit)},
	{"cgroup_*", "DIRECTORY", func(prog int, name, target string) (*link.Link, error) {
		a, ok := sys.ParseAttachType(name)
		if !ok {
			return nil, usage("there is no hook %q", name)
		}
		return link.Cgroup(sys.Live(), prog, target, a, link.Anchor{})
	}},
	{"flow_dissector", "NAMESPACE", onNamespace},
	{"sk_lookup", "NAMESPACE", onNamespace},
	{"sk_skb_*", "MAP", onSockets},
	{"sk_msg_verdict", "MAP", onSockets},
	{"kprobe", "FUNCTION[+OFFSET]", onFunction},
	{"kretprobe", "FUNCTION", onFunction},
	{"uprobe", "FILE:FUNCTION[+OFFSET]", onUserFunction},
	{"uretprobe", "FILE:FUNCTION", onUserFunction},
	{"tracepoint", "CATEGORY/NAME", func(prog int, _, target string) (*link.Link, error) {
		category, name, ok := strings.Cut(target, "/")
		if !ok {
			return nil, usage("a tracepoint is CATEGORY/NAME, not %q", target)
		}
		return link.Tracepoint(sys.Live(), prog, category, name, 0)
	}},
	{"raw_tracepoint", "NAME", func(prog int, _, target string) (*link.Link, error) {
		return link.RawTracepoint(sys.Live(), prog, target, 0)
	}},
	{"tracing", "", func(prog int, _, _ string) (*link.Link, error) {
		return link.Tracing(sys.Live(), prog, 0, 0)
	}},
}

// onDevice attaches to a network device, in order with others.
func onDevice(attach func(sys.Kernel, int, int, sys.AttachType, link.Anchor) (*link.Link, error)) func(int, string, string) (*link.Link, error) {
	return func(prog int, name, target string) (*link.Link, error) {
		index, err := link.InterfaceIndex(sys.Live(), target)
		if err != nil {
			return nil, err
		}
		a, _ := sys.ParseAttachType(name)
		return attach(sys.Live(), prog, index, a, link.Anchor{})
	}
}

func onNamespace(prog int, name, target string) (*link.Link, error) {
	f, err := os.Open(target)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	a, _ := sys.ParseAttachType(name)
	return link.NetNS(sys.Live(), prog, int(f.Fd()), a)
}

func onSockets(prog int, name, target string) (*link.Link, error) {
	a, ok := sys.ParseAttachType(name)
	if !ok {
		return nil, usage("there is no hook %q", name)
	}
	m, err := openMap(target)
	if err != nil {
		return nil, err
	}
	defer m.Close()
	return link.SockMap(sys.Live(), prog, m.FD(), a)
}

func onFunction(prog int, name, target string) (*link.Link, error) {
	function, offset, err := withOffset(target)
	if err != nil {
		return nil, err
	}
	return link.Kprobe(sys.Live(), prog, link.KprobeOptions{Symbol: function, Offset: offset, Return: name == "kretprobe"})
}

func onUserFunction(prog int, name, target string) (*link.Link, error) {
	file, rest, ok := strings.Cut(target, ":")
	if !ok {
		return nil, usage("a function of a program is FILE:FUNCTION, not %q", target)
	}
	function, offset, err := withOffset(rest)
	if err != nil {
		return nil, err
	}
	path, err := link.FindFile(file)
	if err != nil {
		return nil, err
	}
	return link.Uprobe(sys.Live(), prog, link.UprobeOptions{Path: path, Symbol: function, Offset: offset, Return: name == "uretprobe"})
}

// withOffset takes FUNCTION+OFFSET apart.
func withOffset(s string) (string, uint64, error) {
	function, text, ok := strings.Cut(s, "+")
	if !ok {
		return s, 0, nil
	}
	n, err := strconv.ParseUint(text, 0, 64)
	if err != nil {
		return "", 0, usage("the offset %q of a function is not a number", text)
	}
	return function, n, nil
}

func progAttachFlags(f *flag.FlagSet, e *env) {
	commonFlags(f, e)
	f.StringVar(&e.opts.output, "pin", "", "pin the link at this `path` of a bpffs; without it, it ends with this command")
}

// progAttach attaches a program that is loaded to a place that it is given.
func progAttach(e *env) error {
	if len(e.args) < 2 {
		return usage("want the id or the pin of a program, and a hook: %s", hookNames())
	}
	i := slices.IndexFunc(hooks, func(h hook) bool {
		prefix, many := strings.CutSuffix(h.name, "*")
		return h.name == e.args[1] || many && strings.HasPrefix(e.args[1], prefix)
	})
	if i < 0 {
		return usage("there is no hook %q, only %s", e.args[1], hookNames())
	}
	h, target := hooks[i], ""
	switch {
	case h.target == "" && len(e.args) > 2:
		return usage("%s has no target but the one that the program was loaded for", h.name)
	case h.target != "" && len(e.args) != 3:
		return usage("%s wants one target: %s", e.args[1], h.target)
	case h.target != "":
		target = e.args[2]
	}
	p, err := openProgram(e.args[0])
	if err != nil {
		return err
	}
	defer p.Close()
	l, err := h.attach(p.FD(), e.args[1], target)
	if err != nil {
		return err
	}
	return e.holdLink(l)
}

// holdLink keeps a new link: by a pin, or until the command is interrupted.
func (e *env) holdLink(l *link.Link) error {
	defer l.Close()
	if e.opts.output != "" {
		if err := l.Pin(e.opts.output); err != nil {
			return err
		}
	}
	i, err := l.Info()
	if err == nil {
		err = printLinks(e, []listedLink{listLink(i)})
	} else if errors.Is(err, sys.EBADF) {
		err = nil // a kernel without links for this hook
	}
	if err == nil && e.opts.output == "" {
		fmt.Fprintln(e.errOut, "attached until this command is interrupted; --pin PATH keeps it")
		<-e.ctx.Done()
	}
	return err
}

func hookNames() string {
	var names []string
	for _, h := range hooks {
		names = append(names, h.name)
	}
	return strings.Join(names, ", ")
}

// linkUpdate puts another program in the place of the one that a link has.
func linkUpdate(e *env) error {
	if len(e.args) != 2 {
		return usage("want the id or the pin of a link, and of a program")
	}
	l, err := openLink(e.args[0])
	if err != nil {
		return err
	}
	defer l.Close()
	p, err := openProgram(e.args[1])
	if err != nil {
		return err
	}
	defer p.Close()
	return l.Update(p.FD())
}
