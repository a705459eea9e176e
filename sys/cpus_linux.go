package sys

import "sync"

// PossibleCPUs is the number of processors that the kernel has room for, present
// or not: how many values an element of a per-CPU map has. It is read once from
// /sys/devices/system/cpu/possible.
func PossibleCPUs() (int, error) {
	possible.once.Do(func() {
		const path = "/sys/devices/system/cpu/possible"
		b := readProc(path)
		if b == nil {
			possible.err = &Error{Op: "read", Subject: path, Errno: ENOENT, Hint: "is sysfs mounted?"}
			return
		}
		possible.n, possible.err = ParseCPUs(string(b))
	})
	return possible.n, possible.err
}

var possible struct {
	once sync.Once
	n    int
	err  error
}
