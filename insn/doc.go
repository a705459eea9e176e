// Package insn knows one BPF instruction and streams of them: how they are
// encoded, what they are called, how they read as text, and where they go.
//
// # An instruction in one page
//
// The machine has eleven 64-bit registers: r0 holds results, r1 to r5 carry
// arguments, r6 to r9 survive calls, r10 points at the end of a 512-byte stack.
// w0 to w9 are their lower halves. A program is an array of 8-byte slots:
//
//	 8 bits   opcode: class, and by class an operation, a size, a mode
//	 4+4      destination and source register
//	16        offset, signed: of a memory access in bytes, of a jump in slots
//	32        immediate, signed: a constant, a helper's number, …
//
// [Instruction] is such a slot, field for field. One instruction is wider: the
// load of a 64-bit constant takes two slots, the second with nothing but the
// upper half. Jumps count in slots, from the next one: a distance is an index,
// and linking is copying and adding.
//
// What stands for something outside the code, a map or a function, is an
// immediate too. The source register then says of what kind it is (PseudoMapFD
// and its neighbours), and in an object file a relocation says which: see
// [Func], which holds the code of a function with all that is known about it.
//
// # One table
//
// Everything about instructions is in one table of [Form]s: opcode, name, what
// each field is used for, which fields must be zero, since when it exists, and
// how it reads. [AppendText] and [Listing] print from it, [Assemble] parses by
// it, [Check] and [NewGraph] judge by it. A new instruction is one more row.
//
// Decoding is total: any eight bytes are an Instruction, and an Instruction that
// no row describes prints as its fields and assembles back.
//
// # Text
//
// There are two notations, both known from C. The verifier's is what the kernel
// prints in its log and bpftool shows of a loaded program:
//
//	0: (b7) r0 = 1
//	1: (7b) *(u64 *)(r10 -8) = r0
//	2: (15) if r0 == 0x0 goto pc+1
//
// LLVM's is what llvm-objdump -d shows of an object and clang assembles. It
// does not say everything (which kind of function is called, what a constant
// refers to), so only the verifier's is sure to read back as it was.
//
// The instruction set is RFC 9669; what is newer is in the kernel's
// Documentation/bpf/standardization.
package insn
