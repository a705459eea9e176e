// Package ktest gives tests what they need of a machine: a kernel that lets them use bpf(2), a BPF file system, a network
// namespace, a pair of network devices, a cgroup, tracefs, the compiled objects of the testdata folder.
//
// Every helper either delivers or skips the test, and a skip names what is lacking: a capability, a kernel version, a
// package to install. What a helper makes it removes when the test ends, and nothing that was there before is touched: a
// test attaches programs only inside namespaces, cgroups and mounts that it got from here.
//
// Tests that need a kernel are named TestKernel…: `go test ./...` runs them when the process is root, and the virtual
// machines of internal/vmtest run exactly those, with a test binary as the only program in the image. A helper therefore
// calls no other program; it speaks to the kernel itself.
//
// The package is for tests only. On systems other than Linux everything that needs a kernel skips.
package ktest
