// Package static links several BPF object files into one, as bpftool gen object
// does: one object for one loader, from sources that are compiled on their own.
//
// Sections of the same name are put one behind another, so what is at an offset
// in an input is at another in the output; symbol values, relocation records and
// the distances in instructions that count from a section's beginning follow.
//
//	a.o  .text ┌────────┐            out.o  .text ┌────────┐ 0
//	           │ helper │                         │ helper │
//	           └────────┘                         ├────────┤ 0x18: where b.o's begins
//	b.o  .text ┌────────┐                         │ parse  │
//	           │ parse  │                         └────────┘
//	           └────────┘
//
// A global symbol that one input needs and another defines is resolved. Of two
// definitions the weak one gives way; two strong ones are an error, as are a
// definition and a use of different types. A function that gave way leaves its
// instructions behind, which belong to no symbol any more. Local symbols stay
// apart, however they are called.
//
// Types are merged: each input's are renumbered, equal ones become one, and
// variables are listed under the section that they end up in. Function, line and
// CO-RE records follow their instructions.
//
// The result is a relocatable object, ready for a loader or for another link.
// Debug information (DWARF) is left out.
package static
