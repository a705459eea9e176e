// Command vmtest runs the tests that need a kernel on several kernels: it boots each in a virtual machine and runs every
// TestKernel… function of the module inside, as root.
//
//	go run ./internal/vmtest                                # Linux 5.10, 6.1, 6.12 and the newest that Debian has
//	go run ./internal/vmtest -kernels 6.1,7.2 ./sys ./maps  # other kernels, some packages
//	go run ./internal/vmtest -kernels 5.10 -run 'TestKernelPin' -v ./pin
//	go run ./internal/vmtest -arch s390x                    # a big-endian machine; arm64 is there, too
//	go run ./internal/vmtest -list                          # the kernels there are
//
// Kernels are Debian's: cloud kernels for amd64 and arm64, the general one for s390x. They are fetched through apt into a
// directory of the user's cache and verified by Debian's keyring; nothing is installed, and apt's own state is not touched.
// They run under qemu's emulation, so no hardware support is needed, on one virtual CPU, which is what proved reliable;
// on amd64 two more are possible but absent, so that maps have values of several CPUs. A machine that lacks a program is told
// the package.
//
// How it works, one file each:
//
//	arch.go         says what is different for each architecture
//	binaries.go     finds the packages that have such tests and builds their test binaries, static
//	kernels.go      finds and unpacks the kernels
//	image.go        writes the file system of the machine: this command as /init, the test binaries, the testdata folders
//	boot.go         runs qemu and reads what the machine reports
//	guest_linux.go  is the other side: as process 1 of the machine, runs the test binaries and reports
//	report.go       is what one tells the other, and the table at the end
//
// In the machine the root of the module is /lode, and a test binary runs in the folder of its package, so that
// ../testdata is where it is in the repository. There is no other program and no C library. A package passes if its test binary
// says so; a machine that ends or hangs before it has said everything has failed, and the end of its console is shown.
package main
