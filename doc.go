// Package lode loads BPF objects in steps that can be taken apart.
//
// A load is a list of calls, each of which turns one value into the next:
//
//	obj, err := lode.Open("counter.bpf.o", lode.ParseOptions{}) // everything the file says, editable
//	rel, err := obj.Relocate(lode.NewLiveEnv(kernel))           // final instructions but for descriptors
//	plan, err := rel.Plan(lode.Policy{})                        // what will be done, in order, and why
//	coll, err := lode.CreateMaps(ctx, kernel, plan)             // the kernel is changed from here on
//	err = coll.LoadPrograms(ctx, plan)
//	err = coll.PinAll(ctx, plan)
//	err = coll.Attach(ctx, plan)
//
// Between any two of them a program may look at, change or inject anything: add
// a map definition of its own, replace one by a map that exists, set a global
// variable, choose programs, fill a map before the programs that use it are
// loaded. The steps before CreateMaps need no privileges and no kernel.
// Descriptors are written into instructions last, when a program is loaded, so
// maps may as well be created before relocation.
//
// Load is the same list in one call, with the system-wide pinning
// configuration (package conf) and a fallback for map definitions that the
// standard parser does not understand (package compat/iproute2).
//
// # Failure
//
// A step that fails takes back exactly what it did: no descriptor, no pin and
// no directory is left that was not there before, and what was there is not
// changed. A map that is reused from its pin keeps its contents.
//
// # Hostile files
//
// Parsing, relocating, planning and printing are safe on any bytes: they return
// a value or an error in bounded time and memory. Loading a hostile object is
// not made safe, it is code; but its names, sizes and pins do not reach
// anything else.
package lode
