//go:build !(386 || arm || mips || mipsle)

package sys

import "unsafe"

// A Pointer is an address of user memory in an argument struct, eight bytes on
// each architecture (__aligned_u64). The garbage collector sees it: what it
// points to stays where it is for as long as the struct lives.
type Pointer struct {
	ptr unsafe.Pointer
}

// UnsafePtr is p for the kernel.
func UnsafePtr(p unsafe.Pointer) Pointer { return Pointer{p} }
