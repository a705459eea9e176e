package link

import (
	"strconv"

	"github.com/lode-bpf/lode/sys"
)

// A Target is what a section name says about where its program goes: the kind of
// attachment, and what stands behind the '/'. Package prog takes section names
// apart; the fields are those of its Hook.
type Target struct {
	Kind       string         // as below
	AttachType sys.AttachType // expected attach type of the program
	Return     bool           // kretprobe, uretprobe …

	Function string // kprobe, uprobe
	Pattern  string // kprobe-multi, kprobe-session, uprobe-multi
	Offset   uint64 // bytes from the function, or in the file
	Path     string // uprobe, uprobe-multi, usdt
	Category string // tracepoint
	Provider string // usdt
	Name     string // tracepoint, raw-tracepoint, ksyscall, usdt

	IDs   []uint32   // tracing-multi: of the functions' types in the BTF of the kernel or a module
	Specs *USDTSpecs // usdt: of the object that the program is from
}

// An AutoError says that a section name does not tell where to attach.
type AutoError struct {
	Kind string
	Bare bool // the kind can be attached, but nothing stands behind the '/'
}

func (e *AutoError) Error() string {
	switch {
	case e.Bare:
		return "the section name says what kind of program it is (" + e.Kind + "), but not where it goes: attach it with a function of this package"
	case e.Kind == "" || e.Kind == "none":
		return "programs of this type are attached to something that a section name cannot give, such as an interface or a cgroup: attach it with a function of this package"
	}
	return "programs of kind " + strconv.Quote(e.Kind) + " are not attached by their section name"
}

// autos are the kinds that a section name can attach, with the test for its being
// more than the bare kind.
var autos = [...]struct {
	kind   string
	given  func(Target) bool
	attach func(k sys.Kernel, prog int, t Target) (*Link, error)
}{
	{"kprobe", func(t Target) bool { return t.Function != "" }, func(k sys.Kernel, prog int, t Target) (*Link, error) {
		return Kprobe(k, prog, KprobeOptions{Symbol: t.Function, Offset: t.Offset, Return: t.Return})
	}},
	{"kprobe-multi", func(t Target) bool { return t.Pattern != "" }, autoKprobes},
	{"kprobe-session", func(t Target) bool { return t.Pattern != "" }, autoKprobes},
	{"ksyscall", func(t Target) bool { return t.Name != "" }, func(k sys.Kernel, prog int, t Target) (*Link, error) {
		return Ksyscall(k, prog, t.Name, t.Return, 0)
	}},
	{"uprobe", func(t Target) bool { return t.Path != "" }, autoUprobe},
	{"uprobe-multi", func(t Target) bool { return t.Path != "" }, autoUprobes},
	{"usdt", func(t Target) bool { return t.Path != "" && t.Specs != nil }, autoUSDT},
	{"tracepoint", func(t Target) bool { return t.Name != "" }, func(k sys.Kernel, prog int, t Target) (*Link, error) {
		return Tracepoint(k, prog, t.Category, t.Name, 0)
	}},
	{"raw-tracepoint", func(t Target) bool { return t.Name != "" }, func(k sys.Kernel, prog int, t Target) (*Link, error) {
		return RawTracepoint(k, prog, t.Name, 0)
	}},
	{"tracing", always, autoTracing},
	{"tracing-multi", func(t Target) bool { return len(t.IDs) > 0 }, func(k sys.Kernel, prog int, t Target) (*Link, error) {
		return TracingMulti(k, prog, t.AttachType, TracingMultiOptions{IDs: t.IDs})
	}},
	{"lsm", always, autoTracing},
	{"freplace", always, func(k sys.Kernel, prog int, t Target) (*Link, error) { return Freplace(k, prog, -1, 0) }},
	{"iter", always, func(k sys.Kernel, prog int, t Target) (*Link, error) { return Iter(k, prog, IterOptions{}) }},
}

// always: the program was loaded with its target.
func always(Target) bool { return true }

// Auto attaches a program where its section name says. What cannot be attached that
// way is an *[AutoError]: hooks of interfaces, cgroups, sockets and namespaces,
// struct_ops, and names without a target.
func Auto(k sys.Kernel, prog int, t Target) (*Link, error) {
	for _, a := range autos {
		if a.kind != t.Kind {
			continue
		}
		if !a.given(t) {
			return nil, wrap("attaching", t.Kind, &AutoError{Kind: t.Kind, Bare: true})
		}
		return a.attach(k, prog, t)
	}
	return nil, wrap("attaching", "program", &AutoError{Kind: t.Kind})
}

func autoTracing(k sys.Kernel, prog int, t Target) (*Link, error) {
	return Tracing(k, prog, t.AttachType, 0)
}

func autoKprobes(k sys.Kernel, prog int, t Target) (*Link, error) {
	names, err := KernelFunctions(k, t.Pattern)
	if err != nil {
		return nil, err
	}
	return KprobeMulti(k, prog, KprobeMultiOptions{Symbols: names, Return: t.Return, Session: t.Kind == "kprobe-session"})
}

func autoUSDT(k sys.Kernel, prog int, t Target) (*Link, error) {
	path, err := FindFile(t.Path)
	if err != nil {
		return nil, wrap("attaching", t.Kind, err)
	}
	return t.Specs.Attach(prog, USDTOptions{Path: path, Provider: t.Provider, Name: t.Name, Multi: t.AttachType == sys.AttachTraceUprobeMulti})
}

func autoUprobe(k sys.Kernel, prog int, t Target) (*Link, error) {
	path, err := FindFile(t.Path)
	if err != nil {
		return nil, wrap("attaching", t.Kind, err)
	}
	return Uprobe(k, prog, UprobeOptions{Path: path, Symbol: t.Function, Offset: t.Offset, Return: t.Return})
}

func autoUprobes(k sys.Kernel, prog int, t Target) (*Link, error) {
	path, err := FindFile(t.Path)
	if err != nil {
		return nil, wrap("attaching", t.Kind, err)
	}
	offsets, err := matchingFunctions(path, t.Pattern)
	if err != nil {
		return nil, wrap("attaching", t.Kind, err)
	}
	return UprobeMulti(k, prog, UprobeMultiOptions{Path: path, Offsets: offsets, Return: t.Return, Session: t.AttachType == sys.AttachTraceUprobeSession})
}
