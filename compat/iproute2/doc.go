// Package iproute2 loads objects whose maps are defined in iproute2's legacy
// format: a struct bpf_elf_map for each map in the section "maps", program
// arrays filled from sections named ID/IDX, and pins in the directories that
// tc and ip have used since 2015.
//
// The standard parser does not understand that format and says so by a
// *maps.NotUnderstoodError. This package is the fallback for that case, and
// for that case only:
//
//	coll, err := iproute2.Load(ctx, "old.o", lode.LoadOptions{})
//
// which is lode.Load with ParseOptions.Fallback set.
// It is built on the steps of package lode, as any other program could: Parse
// claims the section "maps", reads the definitions that the loader does not
// know, and adds them with the place of their symbols, so that the code's
// references to them are bound like any others.
//
// # What differs from iproute2
//
// A definition's size is that of its symbol, so that several sizes may stand in
// one section; members are found by name where the object has BTF, which tells
// apart the formats of 28 bytes that other projects used. A map whose pin value no
// configuration knows is not pinned, as with iproute2, but a warning of the plan
// says so. Maps that are not needed by what is loaded are not left behind when
// a load fails. Programs are functions, not sections: two functions in a
// section are two programs.
package iproute2
