// Package maps is about BPF maps: what an object file defines, how a definition becomes a map in the kernel, and everything
// that can be done with one.
//
// # From a file to a definition
//
// A map is a variable in section ".maps" whose value is nothing and whose type is everything: the members of its
// structure are attributes, a number N written as a pointer to an array of N, a type written as a pointer to it, and BTF
// is what carries them. Sections of global data (".data", ".rodata", ".bss") become arrays of one value each, and the
// variables of ".struct_ops" become maps whose value the kernel takes as a table of functions. Collect makes a Spec of
// each: plain data, to be looked at and edited. It makes no system call and runs on every system, for both byte orders.
//
//	f, _ := elf.Open("counter.bpf.o")
//	b, _, _ := btf.ParseELF(f)
//	specs, findings, err := maps.Collect(f, b)
//
// # From a definition to a map
//
// Create makes the map, Fill writes what it starts with, FillSlots the references to other maps and programs, Freeze ends
// changes. They are separate because a loader has things to do in between, and may have found a map that exists: Compatible
// says whether that will do, after Normalize has done to the definition what the kernel would do.
//
// # With a map
//
// Lookup, Update, Delete, Next work on bytes; LookupInto and Update allocate nothing. Entries walks, by batches where it
// can. Typed puts Go types in front of keys and values. Variable finds a global variable by its name, Memory maps an array
// or arena, and RingReader, PerfReader and UserRing are the two ends of the buffers. Dump prints a map by its types.
//
// # Errors
//
// *NotUnderstoodError is a definition in a form that is not known here, the only error after which another parser may be
// tried; *DefinitionError one that contradicts itself; *MismatchError the differences between a definition and a map;
// *OpError an operation that failed. Each says where and what; errors.Is finds the package's sentinels (ErrNotExist,
// ErrFull, ErrSize ...) and the kernel's error number in them.
package maps
