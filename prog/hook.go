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
	parse  func(string) (Hook, bool)
}{
	AttachNone:          {"none", "nothing", func(string) (Hook, bool) { return Hook{}, true }},
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
	AttachStructOps:     {"struct_ops", "the name of a member", func(arg string) (Hook, bool) { return Hook{Name: arg}, true }},
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
		return "prog: attach target " + quote(e.Text) + ": a return probe takes no offset"
	}
	return "prog: attach target " + quote(e.Text) + ": want " + attachKinds[e.Kind].syntax + " (" + e.Kind.String() + ")"
}

// Parse takes apart what stands behind the '/' of a section name. The empty
// text is the empty Hook.
func (k AttachKind) Parse(text string) (Hook, error) {
	if text == "" || int(k) >= len(attachKinds) {
		return Hook{}, nil
	}
	h, ok := attachKinds[k].parse(text)
	if !ok {
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

func parseName(arg string) (Hook, bool) { return Hook{Name: arg}, identifier(arg, "") }

func parseFunc(arg string) (Hook, bool) { return Hook{Function: arg}, identifier(arg, "$") }

func parsePattern(arg string) (Hook, bool) { return Hook{Pattern: arg}, identifier(arg, "*?") }

// parseFuncOffset reads FUNCTION[+OFFSET]. Names that compilers make may have a
// '$', as in kernels built with clang's LTO.
func parseFuncOffset(arg string) (Hook, bool) {
	name, off, ok := cutOffset(arg)
	return Hook{Function: name, Offset: off}, ok && identifier(name, "$")
}

// cutOffset reads NAME[+OFFSET], the offset as C writes integers.
func cutOffset(s string) (name string, off uint64, ok bool) {
	name, num, has := strings.Cut(s, "+")
	if !has {
		return name, 0, true
	}
	off, err := strconv.ParseUint(num, 0, 63)
	return name, off, err == nil && !strings.Contains(num, "_")
}

// cutPath splits at the last colon: a path may have colons itself.
func cutPath(arg string) (path, rest string, ok bool) {
	i := strings.LastIndexByte(arg, ':')
	if i <= 0 || i == len(arg)-1 {
		return "", "", false
	}
	return arg[:i], arg[i+1:], true
}

func parseUprobe(arg string) (Hook, bool) {
	path, sym, ok := cutPath(arg)
	if !ok {
		return Hook{}, false
	}
	if hex, is := strings.CutPrefix(strings.ToLower(sym), "0x"); is {
		off, err := strconv.ParseUint(hex, 16, 63)
		return Hook{Path: path, Offset: off}, err == nil
	}
	name, off, ok := cutOffset(sym)
	return Hook{Path: path, Function: name, Offset: off}, ok && name != ""
}

func parseUprobePattern(arg string) (Hook, bool) {
	path, pattern, ok := cutPath(arg)
	return Hook{Path: path, Pattern: pattern}, ok
}

func parseUSDT(arg string) (Hook, bool) {
	rest, name, ok := cutPath(arg)
	if !ok {
		return Hook{}, false
	}
	path, provider, ok := cutPath(rest)
	return Hook{Path: path, Provider: provider, Name: name}, ok
}

func parseTracepoint(arg string) (Hook, bool) {
	cat, name, ok := strings.Cut(arg, "/")
	return Hook{Category: cat, Name: name}, ok && identifier(cat, "-") && identifier(name, "-")
}

// cutModule reads [MODULE:]NAME.
func cutModule(arg string) (module, name string, ok bool) {
	module, name, has := strings.Cut(arg, ":")
	if !has {
		return "", arg, true
	}
	return module, name, identifier(module, "-")
}

func parseModuleFunc(arg string) (Hook, bool) {
	module, name, ok := cutModule(arg)
	return Hook{Module: module, Function: name}, ok && identifier(name, "$")
}

func parseModulePattern(arg string) (Hook, bool) {
	module, name, ok := cutModule(arg)
	return Hook{Module: module, Pattern: name}, ok && identifier(name, "*?$")
}
