// Package gen makes valid ELF objects, BTF and BPF code, for feeding to parsers
// and as what a mutator starts from.
//
// Everything is valid by construction: the code consists of defined
// instructions whose jumps stay inside their function, BTF types have the sizes
// and offsets that a compiler would give them, relocations and .BTF.ext records
// name what exists. A parser that refuses a generated object is wrong, or
// stricter than the formats. The verifier is another matter: what the code does
// makes no sense.
//
// A [Gen] is a stream that depends on nothing but its seed: with one version of
// this module, the same seed and the same calls give the same bytes on every
// machine and with every release of Go. Each call goes on from where the last one stopped, so two calls of Object
// give two objects.
//
//	g := gen.New(7)
//	obj := g.Object(gen.Profile{})               // a BPF object, of either byte order
//	any := g.Object(gen.Profile{Plain: true})    // some ELF object of some machine, 32 or 64 bits
//	types := g.BTF(binary.BigEndian)             // the contents of a .BTF section
//	code := g.Insns(20)                          // at least 20 instructions
//
// The generator reads the tables that the other packages decode by (the
// instructions of package insn, the kinds of package btf), so what they learn
// it generates.
package gen
