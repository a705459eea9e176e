//go:build !linux

package btf

import "errors"

// Kernel fails on systems other than Linux, with an error that is
// errors.ErrUnsupported.
func Kernel() (*Spec, error) { return nil, errNoKernel }

// KernelModule fails on systems other than Linux.
func KernelModule(name string) (*Spec, error) { return nil, errNoKernel }

// KernelModules fails on systems other than Linux.
func KernelModules() ([]string, error) { return nil, errNoKernel }

var errNoKernel = errNotLinux{}

// errNotLinux says that this system is not Linux.
type errNotLinux struct{}

func (errNotLinux) Error() string { return "btf: only Linux has BTF" }

// Is makes errors.Is(err, errors.ErrUnsupported) and ErrNoBTF work.
func (errNotLinux) Is(target error) bool {
	return target == errors.ErrUnsupported || target == ErrNoBTF
}
