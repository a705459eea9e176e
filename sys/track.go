package sys

import (
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
)

// tracker is nil unless a test asked for it.
var tracker atomic.Pointer[fdTracker]

type fdTracker struct {
	mu   sync.Mutex
	open map[*FD]opened
}

type opened struct {
	n     int
	stack []uintptr
}

// An OpenFD is a descriptor that nobody closed.
type OpenFD struct {
	Num   int    // its number
	Stack string // where it was opened: one "function file:line" a line, innermost first
}

// TrackFDs makes the process remember where each [FD] was opened, from now until
// stop is called. Stop returns those that are still open, in order of their
// number. It is meant for tests: it costs about a microsecond and some memory a
// descriptor, and only one tracker exists at a time.
func TrackFDs() (stop func() []OpenFD) {
	t := &fdTracker{open: map[*FD]opened{}}
	tracker.Store(t)
	return func() []OpenFD {
		tracker.CompareAndSwap(t, nil)
		return t.list()
	}
}

func trackOpen(f *FD, n int) {
	t := tracker.Load()
	if t == nil || n < 0 {
		return
	}
	pcs := make([]uintptr, 32)
	pcs = pcs[:runtime.Callers(3, pcs)]
	t.mu.Lock()
	t.open[f] = opened{n, pcs}
	t.mu.Unlock()
}

func trackClose(f *FD) {
	t := tracker.Load()
	if t == nil {
		return
	}
	t.mu.Lock()
	delete(t.open, f)
	t.mu.Unlock()
}

func (t *fdTracker) list() []OpenFD {
	t.mu.Lock()
	defer t.mu.Unlock()
	var out []OpenFD
	for _, o := range t.open {
		out = append(out, OpenFD{o.n, stackText(o.stack)})
	}
	slices.SortFunc(out, func(a, b OpenFD) int { return a.Num - b.Num })
	return out
}

func stackText(pcs []uintptr) string {
	var b strings.Builder
	frames := runtime.CallersFrames(pcs)
	for {
		f, more := frames.Next()
		if f.Function != "" {
			b.WriteString(f.Function + " " + f.File + ":" + strconv.Itoa(f.Line) + "\n")
		}
		if !more {
			return b.String()
		}
	}
}
