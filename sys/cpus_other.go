//go:build !linux

package sys

// PossibleCPUs is the number of processors that the kernel has room for. Not
// Linux: an *Error that matches [ErrNotSupported].
func PossibleCPUs() (int, error) { return 0, unsupported("read") }
