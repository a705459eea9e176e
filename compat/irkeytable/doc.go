// Package irkeytable loads the protocol decoders of ir-keytable (v4l-utils):
// programs of type lirc_mode2 that make key codes of infrared pulses, such as
// Debian installs in /lib/udev/rc_keymaps/protocols.
//
// They are written for a loader of their own. Their maps are defined in the
// section "lirc_mode2/maps" by a structure that only that loader knows, and
// their global variables are parameters: the code takes the address of one where
// it means its value, and the loader writes the value into the instruction. To
// the standard parser that is a *maps.NotUnderstoodError, to libbpf a bad
// relocation. This package is a fallback for it:
//
//	coll, err := lode.Load(ctx, "rc_mm.o", lode.LoadOptions{ParseOptions: lode.ParseOptions{Fallback: irkeytable.Fallback}})
//
// Like package iproute2 it is built on the steps of package lode, as any other
// program could: Parse claims the sections that the loader does not know, adds
// the maps, and resolves the references to parameters itself.
package irkeytable
