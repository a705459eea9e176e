//go:build !linux

package ktest

import (
	"runtime"
	"testing"
)

const lacksLinux = "needs Linux, this is " + runtime.GOOS

// Root skips the test: there is no bpf(2) on this system.
func Root(tb testing.TB) { tb.Helper(); tb.Skip(lacksLinux) }

// Memlock skips the test: there is no RLIMIT_MEMLOCK that matters here.
func Memlock(tb testing.TB, bytes uint64) { tb.Helper(); tb.Skip(lacksLinux) }

// BPFFS skips the test: there is no BPF file system on this system.
func BPFFS(tb testing.TB) string { tb.Helper(); tb.Skip(lacksLinux); return "" }

// NetNS skips the test: there are no network namespaces on this system.
func NetNS(tb testing.TB) { tb.Helper(); tb.Skip(lacksLinux) }

// Veth skips the test: there are no veth devices on this system.
func Veth(tb testing.TB, a, b string) { tb.Helper(); tb.Skip(lacksLinux) }

// Netdevsim skips the test: there is no such driver on this system.
func Netdevsim(tb testing.TB) uint32 { tb.Helper(); tb.Skip(lacksLinux); return 0 }

// Cgroup skips the test: there are no cgroups on this system.
func Cgroup(tb testing.TB) string { tb.Helper(); tb.Skip(lacksLinux); return "" }

// Tracefs skips the test: there is no tracefs on this system.
func Tracefs(tb testing.TB) string { tb.Helper(); tb.Skip(lacksLinux); return "" }

// Delegated skips the test: there are no BPF tokens on this system.
func Delegated(t *testing.T, inside func(t *testing.T, bpffs int)) { t.Helper(); t.Skip(lacksLinux) }

// NoFDLeaks checks nothing: this system does not list the descriptors of a process in /proc.
func NoFDLeaks(tb testing.TB) {}

// Kernel skips the test: a version of Linux means nothing on this system.
func Kernel(tb testing.TB, major, minor int, feature string) { tb.Helper(); tb.Skip(lacksLinux) }

// BTF skips the test: there are no kernel types on this system.
func BTF(tb testing.TB, what string) { tb.Helper(); tb.Skip(lacksLinux) }

// JIT skips the test: there is no compiler of BPF on this system.
func JIT(tb testing.TB, what string) { tb.Helper(); tb.Skip(lacksLinux) }

// LoadablePath skips the test: no object can be loaded on this system.
func LoadablePath(tb testing.TB, name string) string { tb.Helper(); tb.Skip(lacksLinux); return "" }

// Version returns 0, 0.
func Version() (major, minor int) { return 0, 0 }
