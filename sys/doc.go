// Package sys is the bpf(2) system call and what a loader needs around it.
//
// # One command, one function
//
// bpf(2) takes a command, a pointer to one member of union bpf_attr and its
// size. Here each member is a Go struct with the kernel's layout, under the
// kernel's names (MapCreateAttr, ProgLoadAttr …), and each command a function
// that takes it:
//
//	fd, err := sys.MapCreate(sys.Live(), &sys.MapCreateAttr{
//		MapType: sys.MapTypeHash, KeySize: 4, ValueSize: 8, MaxEntries: 1024,
//		MapName: sys.NewObjName("counts"),
//	})
//
// The structs are generated from BTF, the kernel's description of its own
// types, by internal/gen. They are always sent whole: a kernel that knows fewer
// fields accepts the rest as long as it is zero and says E2BIG otherwise. All
// numbers are in the byte order of the machine; sizes are in bytes.
//
// # The kernel behind an interface
//
// [Kernel] is everything that loading an object does to the system. [Live] is
// the real one. A [Recorder] writes each call as a line of text, a [Replay]
// answers from such text, and a [Fault] lets the n-th call fail, so that every
// way a load can break off is tested with the calls that it really makes.
//
// # Maps in a hurry
//
// [MapLookup], [MapUpdate], [MapDelete], [MapNextKey], [MapLookupAndDelete] and
// [MapBatch] go straight to the system call. They allocate nothing and return a
// bare [Errno].
//
// # Descriptors
//
// An [FD] owns a descriptor. Close closes it, once; no finalizer does. All
// descriptors are close-on-exec and above 2. In tests, [TrackFDs] tells which are
// still open and where they were opened.
//
// # Errors
//
// A failed call is an [*Error]: the command, what it was about, the error number
// (for errors.Is), and a hint where the number alone misleads. For EPERM the
// hint names the capability that the process lacks.
//
// # Features
//
// Kernels differ, and version numbers lie. [Probe] asks the running kernel, once
// a process, by making the call that needs the feature; [Features] is a set of
// such answers that can be written to a file and read back, and [WithFeatures] a
// Kernel that goes by them.
//
// # Tokens
//
// In a user namespace bpf(2) is allowed by a BPF token: [OpenToken] makes one, and
// whatever is loaded through [WithToken] is loaded with it.
//
// # Other systems
//
// Everything compiles everywhere; where there is no bpf(2), each call of [Live]
// matches [ErrNotSupported].
package sys

//go:generate go run ./internal/gen/attrgen -btf testdata/uapi.btf
