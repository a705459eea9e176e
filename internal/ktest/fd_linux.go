package ktest

import (
	"fmt"
	"os"
	"strings"
	"testing"
)

// NoFDLeaks fails the test if, at its cleanup, the process has descriptors that it did not have at the call. Call it first,
// so that it looks after every other cleanup; tests that run at the same time would show up in it.
func NoFDLeaks(tb testing.TB) {
	tb.Helper()
	startPoller()
	before := descriptors(tb)
	tb.Cleanup(func() {
		for fd, target := range descriptors(tb) {
			if was, ok := before[fd]; !ok || was != target {
				tb.Errorf("descriptor %s (%s) was left open", fd, target)
			}
		}
	})
}

// startPoller makes the Go runtime open the descriptors that it polls with, which it otherwise does at the first use.
func startPoller() {
	if r, w, err := os.Pipe(); err == nil {
		r.Close()
		w.Close()
	}
}

// descriptors returns the open descriptors of the process and what they refer to.
func descriptors(tb testing.TB) map[string]string {
	tb.Helper()
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		tb.Fatalf("ktest: open descriptors: %v", err)
	}
	own := fmt.Sprintf("/proc/%d/fd", os.Getpid())
	found := make(map[string]string, len(entries))
	for _, entry := range entries {
		// The descriptor that read the directory is closed by now, or is another's by its target.
		target, err := os.Readlink("/proc/self/fd/" + entry.Name())
		if err == nil && !strings.HasPrefix(target, own) {
			found[entry.Name()] = target
		}
	}
	return found
}
