// Package size holds a test of how many bytes the packages of this module add to a program. It has no code of its own.
//
// A program that loads an object costs 2.3 MB over an empty Go program, stripped, and one that only opens a pinned map
// 0.39 MB. The budgets of the test are these numbers and 3 % for small changes. A change that needs more raises the budget in
// the same commit and says there what the bytes are for; one that saves some lowers it.
//
// A loader was meant to cost 1.2 MB. That is out of reach: packages fmt and os are 0.47 MB, and the stages called by hand
// (elf, btf, insn, maps, prog, reloc, sys), without the root package, pins and configuration, come to 1.54 MB in all.
//
// To see what is in a program, build it without -s and ask go tool nm -size -sort size; for the reason, link with
// -ldflags=-dumpdep. What has proven to cost most: a function of package slices with a comparison, made anew for each
// type of record; constructors of errors that are inlined wherever something is checked; package variables made by a call
// at start, which keep all that they could ever call.
package size
