package sys

import (
	"bytes"

	"golang.org/x/sys/unix"
)

func pageSize() int { return unix.Getpagesize() }

// permissionExplains says whether the process lacks a capability that a command
// needs, so that its EPERM says nothing about limits.
func permissionExplains(cmd Cmd, attr Attr) bool {
	held, ok := effectiveCaps(readProc("/proc/thread-self/status"))
	if !ok {
		return false
	}
	for _, c := range neededCaps(cmd, attr) {
		if held&(1<<c) == 0 && held&(1<<capSysAdmin) == 0 {
			return true
		}
	}
	return false
}

// uprobeSyscall makes the call that the kernel puts into traced processes. From
// anywhere else it answers ENXIO, in newer kernels EPROTO.
func uprobeSyscall() error {
	const sysUprobe = 336 // x86-64
	_, _, e := unix.Syscall(sysUprobe, 0, 0, 0)
	if e == unix.ENXIO || e == unix.EPROTO {
		return nil
	}
	if e == unix.ENOSYS || e == 0 {
		return errAbsent
	}
	return callError("uprobe", "", e)
}

// probeSyscallWrapper looks for the name of bpf(2) itself among the kernel's
// symbols, whose names anybody may read.
func probeSyscallWrapper(Kernel) error {
	prefix := SyscallPrefix()
	if prefix == "" {
		return errAbsent
	}
	found, err := searchFile("/proc/kallsyms", []byte(" "+prefix+"bpf\n"))
	if err == nil && !found {
		return errAbsent
	}
	return err
}

// searchFile looks for text that is at most a few dozen bytes long.
func searchFile(path string, text []byte) (bool, error) {
	fd, err := unix.Open(path, unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return false, pathError("open", path, err)
	}
	defer unix.Close(fd)
	buf := make([]byte, 64<<10)
	kept := 0
	for {
		n, err := read(fd, buf[kept:])
		if err != nil {
			return false, pathError("read", path, err)
		}
		if n == 0 {
			return false, nil
		}
		if bytes.Contains(buf[:kept+n], text) {
			return true, nil
		}
		keep := min(len(text)-1, kept+n)
		copy(buf, buf[kept+n-keep:kept+n])
		kept = keep
	}
}
