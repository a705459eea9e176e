// Package reloc turns the instructions of a BPF object file into the ones that
// a kernel can load: the chapter of a loader between reading the file and the
// bpf(2) system call. It needs no kernel and makes no system call; what it has
// to know of a kernel is a value, [Env], that may come from the running kernel
// or from a file.
//
// A compiler leaves four kinds of gaps in a program.
//
// # Functions
//
// A program for the kernel is one stream of instructions, and a call in it is a
// distance. The object file has every function once, wherever its section is.
// [Link] makes a stream of each entry program: functions that it calls, or whose
// address it takes, are appended once each, and the distances written. The
// kernel's function and line info follow. A relocation record names the target
// of a call through a symbol; a call within a section has its distance already,
// which linking changes all the same.
//
//	section xdp          section .text              linked
//	  0 call sub2 ──┐      0 sub1: r0 = r1             0 call +1 ────┐
//	  1 exit        │      1       exit                1 exit        │
//	                └───▶  2 sub2: call -3 ──▶ sub1    2 sub2: call +1 ◀┘──┐
//	                       3       exit                3       exit        │
//	                                                   4 sub1: r0 = r1 ◀───┘
//	                                                   5       exit
//
// # Types
//
// A program reads the kernel's structures, whose layout differs from kernel to
// kernel. For each such access the compiler writes down what was meant, in terms
// of the object's own types: "the offset of struct inode.i_atime.tv_sec, which
// is 88 here" (CO-RE: compile once, run everywhere; records in the section
// .BTF.ext, enum bpf_core_relo_kind). [CORE] looks for the same thing in the
// target's types and returns a list of [Decision] values: what was asked, which
// types were considered and why each was dropped, what the value is. [Apply]
// writes decisions into instructions. What the target lacks is not an error, as
// the program may have asked first: its instruction is replaced by a call of a
// function that does not exist, which the verifier removes when nothing leads
// there. Decision.Guard says whether anything does.
//
// # Maps, data, and the kernel
//
// A wide load (two slots, 64 bits of constant) gets the address of a map, of a
// variable in a data section (a byte of a map's value), of a kernel
// configuration value, of a kernel variable; a call may be of a kernel function.
// [Bind] finds what is meant by the symbol of the relocation record. Map
// references stay symbolic ([MapRef]): a descriptor is the loader's affair.
//
// # Tables
//
// Struct_ops variables, tables of functions that the kernel calls, are laid out
// like the kernel's structure by [BindStructOps].
//
// [Relocate] does all of it in this order, and accounts for every relocation
// record of the file: [Record] says what became of it, [Change] which record
// changed an instruction, from what, to what. Records in = applied + reported +
// outside (of functions that no program has); anything else is a bug of this
// package and an error.
//
// # Errors
//
// A reference that cannot be resolved concerns the programs that have it: their
// Err lists each with instruction, symbol, source line and what to do. Other
// programs are as good as ever.
//
// # Hostile input
//
// Instructions, records, types and access strings may be anything. Walks over
// what a file says are loops with bounds ([Limits], 64 steps of an access, 32
// levels of types); an exceeded bound is an error that names it.
//
// # Rules
//
// The rules of the formats are those of LLVM's BPF backend (llvm_reloc.rst in
// the kernel's documentation), of include/uapi/linux/bpf.h and btf.h, and, where
// only the practice of libbpf defines them (candidate types, what counts as
// compatible), libbpf's. Differences are deliberate. Errors here are: a value
// that does not fit into an instruction, a call into the middle of a function, a
// load or store of a field of which the candidates have different sizes, two
// exception callbacks of one program. The place of an anonymous member that was
// looked through in vain does not count; function and line info that is not
// complete is left out, and that is a finding; a static function in a program's
// section is one that may be called; a reference into .maps may have an addend.
package reloc
