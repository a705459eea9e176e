package sys

import "runtime"

// SyscallPrefix is what the functions of system calls are called in front of their
// names on kernels that have FeatureSyscallWrapper, such as "__x64_sys_"; "" on
// architectures that never have it.
func SyscallPrefix() string {
	switch runtime.GOARCH {
	case "amd64":
		return "__x64_sys_"
	case "arm64":
		return "__arm64_sys_"
	case "s390x":
		return "__s390x_sys_"
	case "386":
		return "__ia32_sys_"
	case "riscv64":
		return "__riscv_sys_"
	}
	return ""
}
