// Package oracle says whether a parser kept its promises on an input, without
// knowing what the input is.
//
// [Check] takes any bytes through everything of this module that needs no
// kernel, and reports each promise that was broken:
//
//	panic         nothing may panic; endless recursion and loops end the process, which no code can catch
//	allocation    reading allocates at most 8 bytes for each byte of input, plus 1 MiB
//	input         the input is not changed
//	place         findings and errors are about places inside the file
//	text          messages hold no control characters from the file
//	round trip    what is written again and parsed again is equal (ELF, BTF, code)
//	debug/elf     sections and symbols are those that the standard library sees, where it accepts the file
//	conservation  every relocation record is applied, reported, or outside of every program
//	determinism   the same bytes give the same plan, byte for byte
//
// It is a function of bytes, so that any fuzzer can drive it: a native Go fuzz
// target, one compiled for libFuzzer, or a program that reads the files of a
// corpus.
//
// [Judge] says what each stage makes of an object: the verdict that the index of
// package corpus states for each of its files, and a second opinion for the
// author of another parser.
package oracle
