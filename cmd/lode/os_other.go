//go:build !linux

package main

import "os"

// terminal reports whether something that is written to is a terminal: a
// character device that is not the null device. It does not find out how many
// columns that has.
func terminal(w any) (columns int, ok bool) {
	f, ok := w.(*os.File)
	if !ok {
		return 0, false
	}
	st, err := f.Stat()
	if err != nil || st.Mode()&os.ModeCharDevice == 0 {
		return 0, false
	}
	null, err := os.Stat(os.DevNull)
	return 0, err != nil || !os.SameFile(st, null)
}

// deviceName is the name of a network device; it is not found out here.
func deviceName(uint32) string { return "" }

func threadID() int { return 0 }

func interruptThread(int) {}
