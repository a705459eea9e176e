// Package elf walks an ELF file: its header, sections, symbols, relocation
// records, notes and program headers. It knows the container; what the sections
// of a BPF object mean is the business of packages btf, maps and prog.
//
// # An object in one page
//
// An object file, as a compiler leaves it, is a header, a number of byte ranges
// called sections, and a table with one entry for each section: name, type,
// flags, place, size. Some sections are there for the format itself:
//
//	.strtab     names, each ended by a NUL; others refer to them by offset
//	.symtab     symbols: a name for an offset and size in a section
//	.relNAME    relocation records: bytes of section NAME that depend on a symbol
//
// The rest is the program's: in a BPF object one section for each kind of
// program (named after where it attaches), .maps, .rodata, license, .BTF and so
// on. To find the code of a program is to find its symbol, take the symbol's
// section, and cut Value and Size out of it.
//
// # Use
//
// [Parse] checks everything once; after that nothing can fail. [Section] and
// [Symbol] are small values that read from the bytes of the file on each call:
// there is no table of structs, nothing is copied, nothing is allocated. Names
// and contents share the memory of the input, which therefore must stay as it
// is while they are in use.
//
// [Builder] goes the other way: it lays out a relocatable object from sections,
// symbols and relocations. [FromFile] starts one from a parsed file.
//
// # Hostile files
//
// Any bytes may be given to Parse. It returns a value or a [FormatError] that
// says where in the file which field is wrong, and in which way. It allocates
// at most 8 bytes for each byte of the file plus 1 MiB, in at most 8 pieces; it
// looks at no more than [Limits].Scan bytes for each byte of the file, though
// tables and names may share bytes. What contradicts the format is refused;
// what is odd but harmless is listed by [File.Findings]. Compressed sections
// are refused, or left to package inflate.
//
// Numbers are those of the System V ABI ("gABI"); constants have its names.
package elf
