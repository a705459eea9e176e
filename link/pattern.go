package link

import (
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
		return nil, wrap("looking for", "functions of the kernel", &SymbolError{"kernel", pattern, "matches no function that can be traced"})
	}
	return out, nil
}
