package link

import (
	"strconv"
	"strings"

	"github.com/lode-bpf/lode/sys"
)

// matches says whether a name matches a pattern, in which '*' stands for any text
// and '?' for any one byte. It takes time in proportion to both lengths at worst
// multiplied.
func matches(pattern, name string) bool {
	star, retry := -1, 0
	p, n := 0, 0
	for n < len(name) {
		switch {
		case p < len(pattern) && pattern[p] == '*':
			star, retry = p, n
			p++
		case p < len(pattern) && (pattern[p] == '?' || pattern[p] == name[n]):
			p++
			n++
		case star >= 0: // let the last star take one byte more
			retry++
			p, n = star+1, retry
		default:
			return false
		}
	}
	return strings.Trim(pattern[p:], "*") == ""
}

// KernelFunctions lists the functions of the kernel and its modules that can be
// traced and whose names match a pattern with '*' and '?'. It needs tracefs.
func KernelFunctions(k sys.Kernel, pattern string) ([]string, error) {
	text, err := readTrace(k, "available_filter_functions")
	if err != nil {
		return nil, wrap("looking for", "functions of the kernel", err)
	}
	var out []string
	seen := map[string]bool{}
	for line := range strings.Lines(text) {
		name, _, _ := strings.Cut(strings.TrimRight(line, "\n"), " ") // a module may follow
		// Names that the kernel made up for its own sections cannot be probed.
		if name != "" && !seen[name] && !strings.HasPrefix(name, "__ftrace_invalid_address__") && matches(pattern, name) {
			seen[name] = true
			out = append(out, name)
		}
	}
	if out == nil {
		return nil, wrap("looking for", "functions of the kernel", &SymbolError{Path: "kernel", Symbol: pattern, Reason: "matches no function that can be traced"})
	}
	return out, nil
}

// explainSymbols says which of some functions the kernel does not have, and under which
// name it may have it.
func explainSymbols(k sys.Kernel, symbols []string, err error) error {
	f := &sys.ReadFile{Path: "/proc/kallsyms"}
	if _, errRead := k.Call(f); errRead != nil {
		return err
	}
	there, near := map[string]bool{}, map[string]string{}
	for _, s := range symbols {
		there[s] = false
	}
	for line := range strings.Lines(string(f.Data)) { // ADDRESS TYPE NAME, and a module may follow
		words := strings.Fields(line)
		if len(words) < 3 {
			continue
		}
		name := words[2]
		base, _, _ := strings.Cut(name, ".") // compilers put a '.' behind the names of copies
		if _, wanted := there[base]; wanted {
			near[base] = name
		}
		if _, wanted := there[name]; wanted {
			there[name] = true
		}
	}
	for _, s := range symbols {
		if there[s] {
			continue
		}
		reason := "the kernel has no such function"
		if near[s] != "" {
			reason += ", but " + strconv.Quote(near[s])
		}
		return &SymbolError{Path: "kernel", Symbol: s, Reason: reason, Err: err}
	}
	return err
}
