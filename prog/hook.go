package prog

import (
	"strconv"
	"strings"
)

// An AttachKind says how a section name asks for a program to be attached, and
// with that what stands behind its '/'.
type AttachKind uint8

// The kinds. The comment is the syntax; a bare section name, without anything
// behind a '/', is always right and means that nothing is attached.
const (
	AttachNone          AttachKind = iota // nothing
	AttachKprobe                          // function[+offset]
	AttachKprobeMulti                     // pattern of functions
	AttachKprobeSession                   // pattern of functions
	AttachKsyscall                        // system call
	AttachUprobe                          // path:function[+offset] or path:0xoffset
	AttachUprobeMulti                     // path:pattern of functions
	AttachUSDT                            // path:provider:name
	AttachTracepoint                      // category/name
	AttachRawTracepoint                   // name
	AttachTracing                         // [module:]function; tp_btf: name
	AttachTracingMulti                    // [module:]pattern of functions
	AttachLSM                             // hook
	AttachIter                            // target
	AttachFreplace                        // function of another program
	AttachStructOps                       // member; the reference in the struct_ops variable counts
)

// attachKinds is the table of names and parsers.
var attachKinds = [...]struct {
	name   string
	syntax string
	parse  func(string, *Hook) bool
}{
	AttachNone:          {"none", "nothing", func(string, *Hook) bool { return true }},
	AttachKprobe:        {"kprobe", "FUNCTION or FUNCTION+OFFSET", parseFuncOffset},
	AttachKprobeMulti:   {"kprobe-multi", "a pattern of functions (letters, digits, _ . * ?)", parsePattern},
	AttachKprobeSession: {"kprobe-session", "a pattern of functions (letters, digits, _ . * ?)", parsePattern},
	AttachKsyscall:      {"ksyscall", "the name of a system call", parseName},
	AttachUprobe:        {"uprobe", "PATH:FUNCTION, PATH:FUNCTION+OFFSET or PATH:0xOFFSET", parseUprobe},
	AttachUprobeMulti:   {"uprobe-multi", "PATH:PATTERN", parseUprobePattern},
	AttachUSDT:          {"usdt", "PATH:PROVIDER:NAME", parseUSDT},
	AttachTracepoint:    {"tracepoint", "CATEGORY/NAME", parseTracepoint},
	AttachRawTracepoint: {"raw-tracepoint", "the name of a tracepoint", parseName},
	AttachTracing:       {"tracing", "FUNCTION or MODULE:FUNCTION", parseModuleFunc},
	AttachTracingMulti:  {"tracing-multi", "PATTERN or MODULE:PATTERN", parseModulePattern},
	AttachLSM:           {"lsm", "the name of a hook", parseName},
	AttachIter:          {"iter", "the name of an iterator", parseName},
	AttachFreplace:      {"freplace", "the name of a function", parseFunc},
	AttachStructOps:     {"struct_ops", "the name of a member", func(arg string, h *Hook) bool { h.Name = arg; return true }},
}

// String is the kind's name.
func (k AttachKind) String() string {
	if int(k) < len(attachKinds) {
		return attachKinds[k].name
	}
	return "attach kind " + strconv.Itoa(int(k))
}

// A Hook is what a section name says about where to attach. Which fields are
// set depends on the kind; all are empty for a bare name.
type Hook struct {
	Function string // function of the kernel, a program or a file; of tp_btf the tracepoint
	Pattern  string // of functions, with * and ?
	Offset   uint64 // bytes from the function's start, or in the file if there is no function
	Path     string // executable or library as written: absolute, relative or a bare file name; may name an archive member by "!/"
	Provider string // of a USDT probe
	Category string // of a tracepoint
	Module   string // kernel module, empty for any
	Name     string // tracepoint, system call, LSM hook, iterator, USDT probe
}

// A HookError says that what stands behind the '/' of a section name is not
// what its kind of attachment wants.
type HookError struct {
	Kind   AttachKind
	Text   string
	Return bool // it is well-formed, but a return probe takes no offset
}

func (e *HookError) Error() string {
	if e.Return {
		return "prog: attach target " + strconv.Quote(e.Text) + ": a return probe takes no offset"
	}
	return "prog: attach target " + strconv.Quote(e.Text) + ": want " + attachKinds[e.Kind].syntax + " (" + e.Kind.String() + ")"
}

// Parse takes apart what stands behind the '/' of a section name. The empty
// text is the empty Hook.
func (k AttachKind) Parse(text string) (Hook, error) {
	var h Hook
	if text == "" || int(k) >= len(attachKinds) {
		return h, nil
	}
	if !attachKinds[k].parse(text, &h) {
		return Hook{}, &HookError{Kind: k, Text: text}
	}
	return h, nil
}

// identifier reports whether s is made of the bytes that names of kernel and C
// functions have, and of those in extra.
func identifier(s, extra string) bool {
	for i := 0; i < len(s); i++ {
		c := s[i]
		if !('a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '_' || c == '.' || strings.IndexByte(extra, c) >= 0) {
			return false
		}
	}
	return s != ""
}

func parseName(arg string, h *Hook) bool {
	h.Name = arg
	return identifier(arg, "")
}

func parseFunc(arg string, h *Hook) bool {
	h.Function = arg
	return identifier(arg, "$")
}

func parsePattern(arg string, h *Hook) bool {
	h.Pattern = arg
	return identifier(arg, "*?")
}

// parseFuncOffset reads FUNCTION[+OFFSET]. Names that compilers make may have a
// '$', as in kernels built with clang's LTO.
func parseFuncOffset(arg string, h *Hook) bool {
	name, off, has := strings.Cut(arg, "+")
	h.Function = name
	if !identifier(name, "$") {
		return false
	}
	var err error
	if has {
		h.Offset, err = strconv.ParseUint(off, 0, 63)
	}
	return err == nil && !strings.Contains(off, "_")
}

// parseUprobe splits at the last colon: a path may have colons itself.
func parseUprobe(arg string, h *Hook) bool {
	i := strings.LastIndexByte(arg, ':')
	if i <= 0 || i == len(arg)-1 {
		return false
	}
	h.Path = arg[:i]
	sym := arg[i+1:]
	if strings.HasPrefix(sym, "0x") || strings.HasPrefix(sym, "0X") {
		var err error
		h.Offset, err = strconv.ParseUint(sym[2:], 16, 63)
		return err == nil && !strings.Contains(sym, "_")
	}
	name, off, has := strings.Cut(sym, "+")
	h.Function = name
	var err error
	if has {
		h.Offset, err = strconv.ParseUint(off, 0, 63)
	}
	return name != "" && err == nil && !strings.Contains(off, "_")
}

func parseUprobePattern(arg string, h *Hook) bool {
	i := strings.LastIndexByte(arg, ':')
	if i <= 0 || i == len(arg)-1 {
		return false
	}
	h.Path, h.Pattern = arg[:i], arg[i+1:]
	return true
}

func parseUSDT(arg string, h *Hook) bool {
	rest, name, ok := cutLast(arg, ':')
	if !ok {
		return false
	}
	path, provider, ok := cutLast(rest, ':')
	h.Path, h.Provider, h.Name = path, provider, name
	return ok && path != "" && provider != "" && name != ""
}

func cutLast(s string, sep byte) (before, after string, ok bool) {
	i := strings.LastIndexByte(s, sep)
	if i < 0 {
		return s, "", false
	}
	return s[:i], s[i+1:], true
}

func parseTracepoint(arg string, h *Hook) bool {
	cat, name, ok := strings.Cut(arg, "/")
	h.Category, h.Name = cat, name
	return ok && identifier(cat, "-") && identifier(name, "-")
}

func parseModuleFunc(arg string, h *Hook) bool {
	mod, name, ok := strings.Cut(arg, ":")
	if !ok {
		mod, name = "", arg
	}
	h.Module, h.Function = mod, name
	return (!ok || identifier(mod, "-")) && identifier(name, "$")
}

func parseModulePattern(arg string, h *Hook) bool {
	mod, name, ok := strings.Cut(arg, ":")
	if !ok {
		mod, name = "", arg
	}
	h.Module, h.Pattern = mod, name
	return (!ok || identifier(mod, "-")) && identifier(name, "*?$")
}
