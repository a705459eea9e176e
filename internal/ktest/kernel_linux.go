package ktest

import (
	"errors"
	"fmt"
	"sync"
	"testing"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Root skips the test unless the process may use bpf(2) for maps and programs of every type, and names what is lacking.
//
// It also lifts RLIMIT_MEMLOCK for the rest of the process, against which kernels before 5.11 count the memory of maps and
// programs; a test of what a low limit does sets one with Memlock.
func Root(tb testing.TB) {
	tb.Helper()
	if lacks := lackingForBPF(); lacks != "" {
		tb.Skip(lacks)
	}
	liftMemlock()
}

// liftMemlock is done once: a test that sets a limit of its own may call Root afterwards.
var liftMemlock = sync.OnceFunc(func() {
	// Without CAP_SYS_RESOURCE the hard limit stays; then the map that is too large says so.
	_ = unix.Setrlimit(unix.RLIMIT_MEMLOCK, &unix.Rlimit{Cur: unix.RLIM_INFINITY, Max: unix.RLIM_INFINITY})
})

// Memlock sets RLIMIT_MEMLOCK, in bytes, until the test ends. The hard limit stays, so the code under test can lift it again.
func Memlock(tb testing.TB, bytes uint64) {
	tb.Helper()
	Root(tb)
	var old unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_MEMLOCK, &old); err != nil {
		tb.Fatalf("ktest: RLIMIT_MEMLOCK: %v", err)
	}
	if err := unix.Setrlimit(unix.RLIMIT_MEMLOCK, &unix.Rlimit{Cur: bytes, Max: old.Max}); err != nil {
		tb.Fatalf("ktest: RLIMIT_MEMLOCK %d: %v", bytes, err)
	}
	tb.Cleanup(func() { _ = unix.Setrlimit(unix.RLIMIT_MEMLOCK, &old) })
}

// lackingForBPF says what keeps the process from using bpf(2), or "".
func lackingForBPF() string {
	if !hasCapability(unix.CAP_SYS_ADMIN) {
		if !hasCapability(unix.CAP_BPF) {
			return "needs CAP_BPF or CAP_SYS_ADMIN for bpf(2): run as root"
		}
		if !hasCapability(unix.CAP_PERFMON) || !hasCapability(unix.CAP_NET_ADMIN) {
			return "needs CAP_PERFMON and CAP_NET_ADMIN beside CAP_BPF to load programs: run as root"
		}
	}
	// A sandbox may refuse the system call whatever the capabilities are. BPF_MAP_GET_NEXT_ID changes nothing.
	const bpfMapGetNextID = 12
	var attr [3]uint32
	_, _, errno := unix.Syscall(unix.SYS_BPF, bpfMapGetNextID, uintptr(unsafe.Pointer(&attr)), unsafe.Sizeof(attr))
	switch errno {
	case unix.ENOSYS:
		return "needs a kernel with CONFIG_BPF_SYSCALL"
	case unix.EPERM, unix.EACCES:
		return "needs bpf(2), which is refused in spite of the capabilities (seccomp, lockdown or a user namespace)"
	}
	return ""
}

// hasCapability reports whether c is in the effective set of the calling thread.
func hasCapability(c uint) bool {
	header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var data [2]unix.CapUserData
	if err := unix.Capget(&header, &data[0]); err != nil {
		return false
	}
	return data[c/32].Effective&(1<<(c%32)) != 0
}

// needAdmin skips the test unless the process may mount and make namespaces.
func needAdmin(tb testing.TB, what string) {
	tb.Helper()
	if !hasCapability(unix.CAP_SYS_ADMIN) {
		tb.Skipf("needs CAP_SYS_ADMIN for %s: run as root", what)
	}
}

// Version returns the version of the running kernel.
func Version() (major, minor int) {
	var u unix.Utsname
	if err := unix.Uname(&u); err != nil {
		return 0, 0
	}
	if _, err := fmt.Sscanf(unix.ByteSliceToString(u.Release[:]), "%d.%d", &major, &minor); err != nil {
		return 0, 0
	}
	return major, minor
}

// Kernel skips the test on a kernel older than major.minor, the version that brought the feature.
func Kernel(tb testing.TB, major, minor int, feature string) {
	tb.Helper()
	hasMajor, hasMinor := Version()
	if hasMajor < major || hasMajor == major && hasMinor < minor {
		tb.Skipf("needs Linux %d.%d for %s, this is %d.%d", major, minor, feature, hasMajor, hasMinor)
	}
}

// skipIfMissing skips the test when err says that the kernel has no such file system, device type or system call.
func skipIfMissing(tb testing.TB, err error, what, config string) {
	tb.Helper()
	for _, errno := range []error{unix.ENODEV, unix.ENOSYS, unix.EOPNOTSUPP} {
		if errors.Is(err, errno) {
			tb.Skipf("needs %s (%s): %v", what, config, err)
		}
	}
}
