package main

import (
	"os"
	"strings"
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

// deviceName is the name of a network device of this network namespace, empty if
// the namespace has no such device.
func deviceName(index uint32) string {
	fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_DGRAM|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		return ""
	}
	defer syscall.Close(fd)
	var request struct { // struct ifreq, netdevice(7)
		name  [syscall.IFNAMSIZ]byte
		index uint32
		_     [20]byte
	}
	request.index = index
	const getName = 0x8910 // SIOCGIFNAME
	if _, _, errno := syscall.Syscall(syscall.SYS_IOCTL, uintptr(fd), getName, uintptr(unsafe.Pointer(&request))); errno != 0 {
		return ""
	}
	name, _, _ := strings.Cut(string(request.name[:]), "\x00")
	return name
}

// threadID is the number of the thread that runs this.
func threadID() int { return syscall.Gettid() }

// interruptThread ends what the kernel does for a thread early. SIGURG means
// nothing to the process: Go's runtime uses it in the same way.
func interruptThread(id int) { _ = syscall.Tgkill(os.Getpid(), id, syscall.SIGURG) }
