// Package btf reads, searches, prints and writes BTF (BPF Type Format): the
// types of the kernel and of BPF object files.
//
// BTF is what debug information becomes when all that the kernel does not
// need is left out. It is specified in Documentation/bpf/btf.rst of the Linux
// source and in include/uapi/linux/btf.h. A blob of BTF has
//
//   - a header, which also tells the byte order;
//   - a type section, in which types stand one after the other: three words
//     (name, kind and number of elements, size or type) and, depending on the
//     kind, members, parameters, values and so on. A type is known by its
//     number, counted from 1; 0 is void;
//   - a string section, in which names are offsets;
//   - in newer kernels a layout section, which says how long the types of each
//     kind are, so that a reader can step over kinds it does not know.
//
// # Reading
//
// [Parse] checks a blob in one pass and keeps it. A [Spec] is the blob and
// where each type begins; a [Type] is a small value that points into it, in
// the manner of reflect.Type. Types refer to each other by [TypeID]. After
// Parse, accessors cannot fail and allocate nothing; names are not copied.
//
// The types of a module build on those of the kernel: such split BTF is
// parsed with the kernel's Spec as its base, and its types continue the
// base's numbers.
//
// [Spec.Find], [Spec.Named] and [Spec.Candidates] look types up by name. The
// index they use is built by the first of them; for a kernel that takes two or
// three milliseconds and 0.6 megabytes. [Spec.Lookup] follows a path such as
// "task_struct.comm" to an offset. [Kernel] is the running kernel's BTF, shared
// by all who use it in a process.
//
// [ParseExt] reads .BTF.ext, the part of an object file that says which
// instruction begins which function and source line, and which instructions
// hold an offset that depends on the kernel (CO-RE).
//
// # Writing
//
// A [Builder] makes BTF type by type. [Spec.Loadable] makes that of an object
// file into what a kernel accepts; [Spec.Dedup] removes repetitions;
// [Spec.MinCORE] keeps what the CO-RE records of some objects need;
// [Spec.Distill] and [Spec.Rebase] take split BTF from one base to another.
//
// # Printing
//
// [Spec.FormatC] and [Spec.FormatGo] print declarations that have the layout
// of the BTF, [Spec.FormatRaw] a listing of what is there, and
// [Spec.FormatValue] a value by its type.
//
// # Hostile input
//
// Any bytes may be given to Parse and ParseExt: the result is a value or an
// error, of type [*FormatError], which says where. Parse allocates at most 8
// bytes for each byte of input and 1 MiB. BTF may contain circles, and chains
// of a million types; what walks it does so with a list or within a limit, and
// answers with a [*TypeError] where there is no answer. See [Limits].
package btf
