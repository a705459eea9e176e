//go:build !linux

package main

// guest is the machine's side, which is always Linux.
func guest() {}
