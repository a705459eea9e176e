package main

import (
	"os"
	"syscall"
	"unsafe"
)

// terminal reports whether something that is written to is a terminal, and how
// many columns it has, 0 if it does not say.
func terminal(w any) (columns int, ok bool) {
	f, ok := w.(*os.File)
	if !ok {
		return 0, false
	}
	var size struct{ rows, columns, x, y uint16 } // struct winsize, ioctl_tty(2)
	_, _, errno := syscall.Syscall(syscall.SYS_IOCTL, f.Fd(), syscall.TIOCGWINSZ, uintptr(unsafe.Pointer(&size)))
	return int(size.columns), errno == 0
}
