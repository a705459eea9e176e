//go:build linux && (amd64 || arm64 || loong64 || mips64 || mips64le || ppc64 || ppc64le || riscv64 || s390x)

package maps

import (
	"os"
	"runtime"
	"syscall"
	"unsafe"
)

// mapFixedNoReplace is MAP_FIXED_NOREPLACE: at this address or not at all.
const mapFixedNoReplace = 0x100000

// mmapAt maps a descriptor, shared, at an address.
func mmapAt(addr uint64, fd, length, prot int) ([]byte, error) {
	args := [6]uintptr{uintptr(addr), uintptr(length), uintptr(prot), syscall.MAP_SHARED | mapFixedNoReplace, uintptr(fd), 0}
	var p uintptr
	var errno syscall.Errno
	if runtime.GOARCH == "s390x" { // takes its arguments in memory
		p, _, errno = syscall.Syscall(syscall.SYS_MMAP, uintptr(unsafe.Pointer(&args)), 0, 0)
	} else {
		p, _, errno = syscall.Syscall6(syscall.SYS_MMAP, args[0], args[1], args[2], args[3], args[4], args[5])
	}
	if errno != 0 {
		return nil, os.NewSyscallError("mmap", errno)
	}
	// The memory is not Go's: no collector moves or frees it.
	return unsafe.Slice(*(**byte)(unsafe.Pointer(&p)), length), nil
}

// munmapAt ends such a mapping.
func munmapAt(b []byte) error {
	if _, _, errno := syscall.Syscall(syscall.SYS_MUNMAP, uintptr(at(b)), uintptr(len(b)), 0); errno != 0 {
		return os.NewSyscallError("munmap", errno)
	}
	return nil
}
