package ktest

import (
	"bytes"
	"encoding/binary"
	"os"
	"path/filepath"
	"runtime"
	"testing"
	"unsafe"

	"golang.org/x/sys/unix"
)

// BTF skips the test unless the kernel has BTF of its own types, and names what it is needed for.
func BTF(tb testing.TB, what string) {
	tb.Helper()
	Root(tb)
	if _, err := os.Stat("/sys/kernel/btf/vmlinux"); err != nil {
		tb.Skipf("needs the kernel's BTF (CONFIG_DEBUG_INFO_BTF) for %s: %v", what, err)
	}
}

// JIT skips the test unless the kernel compiles programs, and names what it is needed for. Some things are refused to
// programs that are interpreted: callbacks of helpers, kernel functions, and what LoadablePath is about.
func JIT(tb testing.TB, what string) {
	tb.Helper()
	Root(tb)
	if !compiles(tb) {
		tb.Skipf("needs a kernel that compiles programs (CONFIG_BPF_JIT, sysctl net.core.bpf_jit_enable) for %s", what)
	}
}

// LoadablePath is ObjectPath for objects with a program that has functions and makes tail calls, which a kernel that
// interprets programs refuses: there it is the path of a copy whose tail calls fail, as those to an empty slot do.
func LoadablePath(tb testing.TB, name string) string {
	tb.Helper()
	Root(tb)
	path := ObjectPath(tb, name)
	if compiles(tb) {
		return path
	}
	call, none := make([]byte, 8), []byte{0xb7, 7: 0} // r0 = 0
	call[0] = 0x85
	binary.NativeEndian.PutUint32(call[4:], 12) // bpf_tail_call
	b := Object(tb, name)
	if !bytes.Contains(b, call) {
		tb.Fatalf("ktest: %s makes no tail call; use ObjectPath", path)
	}
	copied := filepath.Join(tb.TempDir(), filepath.Base(path))
	if err := os.WriteFile(copied, bytes.ReplaceAll(b, call, none), 0o600); err != nil {
		tb.Fatalf("ktest: %v", err)
	}
	return copied
}

func compiles(tb testing.TB) bool {
	tb.Helper()
	n, err := compiledSize()
	if err != nil {
		tb.Fatalf("ktest: whether the kernel compiles programs: %v", err)
	}
	return n != 0
}

// compiledSize is how many bytes of machine code the kernel makes of the smallest program. The sysctl would not tell:
// network namespaces other than the first do not show it.
func compiledSize() (uint32, error) {
	const progLoad, infoByFD, socketFilter = 5, 15, 1
	var (
		code    = &[16]byte{0: 0xb7, 8: 0x95} // r0 = 0; exit: the same in both byte orders
		license = new(byte)
		info    = new(struct { // the beginning of struct bpf_prog_info
			kind, id uint32
			tag      [8]byte
			compiled uint32
		})
		pin runtime.Pinner // the kernel gets their addresses as numbers
	)
	defer pin.Unpin()
	pin.Pin(code)
	pin.Pin(license)
	pin.Pin(info)
	load := struct {
		kind, count   uint32
		code, license uint64
	}{socketFilter, 2, uint64(uintptr(unsafe.Pointer(code))), uint64(uintptr(unsafe.Pointer(license)))}
	fd, errno := uintptr(0), unix.EAGAIN
	for tries := 0; errno == unix.EAGAIN && tries < 100; tries++ { // a signal interrupts the verifier
		fd, _, errno = unix.Syscall(unix.SYS_BPF, progLoad, uintptr(unsafe.Pointer(&load)), unsafe.Sizeof(load))
	}
	if errno != 0 {
		return 0, errno
	}
	defer unix.Close(int(fd))
	ask := struct {
		fd, size uint32
		info     uint64
	}{uint32(fd), uint32(unsafe.Sizeof(*info)), uint64(uintptr(unsafe.Pointer(info)))}
	_, _, errno = unix.Syscall(unix.SYS_BPF, infoByFD, uintptr(unsafe.Pointer(&ask)), unsafe.Sizeof(ask))
	if errno != 0 {
		return 0, errno
	}
	return info.compiled, nil
}
