package sys

import (
	"strconv"
	"strings"
)

// A CPUListError says that a list of processors such as "0-3,5" is malformed.
type CPUListError struct{ List string }

func (e *CPUListError) Error() string {
	return "sys: malformed processor list " + quote(e.List)
}

// maxCPUs bounds the number of a processor; Linux is never built for more (8192).
const maxCPUs = 1 << 16

// ParseCPUs reads a list of processors as the kernel prints it, such as "0-3,5",
// and returns the highest number in it plus one: the number of values that a
// per-CPU map has if this is the list of possible processors.
func ParseCPUs(list string) (int, error) {
	n := 0
	for _, part := range strings.Split(strings.TrimRight(list, "\n"), ",") {
		first, last, isRange := strings.Cut(part, "-")
		if !isRange {
			last = first
		}
		a, errA := strconv.ParseUint(first, 10, 32)
		b, errB := strconv.ParseUint(last, 10, 32)
		if errA != nil || errB != nil || a > b || b >= maxCPUs {
			return 0, &CPUListError{list}
		}
		n = max(n, int(b)+1)
	}
	return n, nil
}
