// Package link attaches loaded programs to their hooks.
//
// Every function attaches one program, given by its descriptor, to one place and
// returns a [Link], which is the attachment:
//
//	l, err := link.XDP(k, prog.FD(), link.XDPOptions{IfIndex: 3})
//	...
//	l.Close() // detaches
//
// # What holds a program in its place
//
// Most hooks give out a BPF link, a kernel object with a descriptor. It detaches
// when its last descriptor and its last pin are gone. Older ways of attaching (XDP
// and tc by netlink, cgroups by BPF_PROG_ATTACH, sockets by an option, perf events on
// kernels before 5.15) have no such object; a Link of these remembers how to undo
// them. Either way Close detaches, unless the link was pinned, and nothing else
// does: there are no finalizers, so a Link that is dropped without Close stays
// attached until the process ends (with a kernel object) or for ever (without).
//
// # When it fails
//
// A failed attach leaves nothing behind: no qdisc, no probe event, no descriptor.
// The error is an [*Error] that says what was to be attached where; it wraps the
// call's [sys.Error], or a [sys.NotSupported] if the kernel lacks the hook. If the
// hook is taken, [TakenError] lists the programs that hold it; a program of another
// type is a [TypeError], a function, probe or file that is not there a [SymbolError] or
// [PathError]. What the process may not do matches [io/fs.ErrPermission], and the text names
// the capability that it lacks.
//
// # Network namespaces
//
// Interface indexes and netlink belong to the network namespace of the calling
// thread. A program that changes namespaces locks its goroutine to its thread
// around every call here, Close included.
package link
