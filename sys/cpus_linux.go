package sys

import "sync"

// PossibleCPUs is the number of processors that the kernel has room for, present
// or not: how many values an element of a per-CPU map has. It is read once from
// /sys/devices/system/cpu/possible.
func PossibleCPUs() (int, error) { return possibleCPUs() }

var possibleCPUs = sync.OnceValues(func() (int, error) {
	const path = "/sys/devices/system/cpu/possible"
	b := readProc(path)
	if b == nil {
		return 0, &Error{Op: "read", Subject: path, Errno: ENOENT, Hint: "is sysfs mounted?"}
	}
	return ParseCPUs(string(b))
})
