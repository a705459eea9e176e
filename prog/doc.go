// Package prog is about programs: which ones an object file defines, how the
// kernel is given one, why it refuses one, and what it tells about those it has.
//
// # From a file to definitions
//
// In an object file code stands in sections, and symbols of type STT_FUNC say
// which bytes of a section are which function. Three more things are written
// beside the code, each in a place of its own, and each by a byte offset into
// the section:
//
//	.relNAME           this instruction refers to that symbol
//	.BTF.ext           here begins a function of that type, there a source line;
//	                   this field access depends on the kernel's types (CO-RE)
//	license, version   what the kernel asks about the object as a whole
//
// [Collect] brings them together: one [insn.Func] a function, with its own
// references, lines and records, counted from its own start. A function outside
// ".text" is an entry program, a [Spec], unless it is local to its file; the
// others can only be called.
//
// # What a section name says
//
// The name of the section is how the author of a program says what it is for:
//
//	SEC("xdp")                       the type
//	SEC("cgroup/connect4")           the type, and the hook that it is verified for
//	SEC("kprobe/do_nanosleep+0x8")   and where to attach it
//	SEC("?fentry.s/do_unlinkat")     to be loaded only when asked for; may sleep
//
// That is a convention of loaders, not of the kernel. It is one table here
// ([Rules]), searched by [Classify], which also takes rules of the caller's. What
// stands behind the '/' has a syntax for each kind of attachment, see [Hook].
// A name that nothing knows leaves the type open: set it, or loading is refused.
//
// # Into the kernel
//
// [Load] takes the definition and its final [Code]. It is one system call if all
// is well. If the kernel refuses, the call is made again with a log, and the
// [VerifierError] shows the part of it that matters: the instruction, its source
// line, the registers that it uses, what the verifier says.
//
// A program that is hooked to a kernel function, tracepoint, iterator or LSM hook
// has to name the type of that in the kernel's BTF: [FindTarget] looks it up.
//
// # In the kernel
//
// A [Program] owns a descriptor. [Program.Info] tells what the kernel knows of it,
// [Program.Dump] shows the instructions that really run, and [Program.Run] runs it
// on a packet or context of the caller's, without attaching it to anything.
// [All] walks over the programs of the system.
//
// Everything but Load and the methods of Program works on any system, without
// privileges, on objects of either byte order.
package prog
