package oracle

import (
	"bytes"
	"fmt"
	"runtime/debug"
	"runtime/metrics"
)

// A Violation is a promise that was broken.
type Violation struct {
	Oracle string // "panic", "allocation", …: see the package comment
	Text   string // what happened
}

func (v Violation) String() string { return v.Oracle + ": " + v.Text }

// A check looks at an object and calls fail for what is wrong.
type check struct {
	name string
	run  func(obj []byte, fail func(oracle, format string, args ...any))
}

var checks = []check{
	{"elf", checkELF},
	{"btf", checkBTF},
	{"code", checkCode},
	{"plan", checkPlan},
}

// Check returns the promises that are broken on an object, nil if none is.
// The object is any bytes; they are not changed unless that is the violation.
// It costs a few times what a load without the kernel costs.
//
// Allocations are those of the whole process, so other goroutines should rest.
func Check(obj []byte) []Violation {
	var list []Violation
	for _, c := range checks {
		list = append(list, guard(c, obj)...)
	}
	return list
}

// guard runs one check, catches what can be caught, and looks whether the
// input is as it was.
func guard(c check, obj []byte) (list []Violation) {
	before := bytes.Clone(obj)
	fail := func(oracle, format string, args ...any) {
		list = append(list, Violation{oracle, c.name + ": " + fmt.Sprintf(format, args...)})
	}
	defer func() {
		if r := recover(); r != nil {
			fail("panic", "%v\n%s", r, debug.Stack())
		}
		if !bytes.Equal(before, obj) {
			fail("input", "the input was changed")
			copy(obj, before)
		}
	}()
	c.run(obj, fail)
	return list
}

// allocated is the number of bytes that f allocates on the heap. The runtime
// counts small objects late, and other goroutines add theirs, so what seems
// too much is measured again.
func allocated(most uint64, f func()) uint64 {
	sample := []metrics.Sample{{Name: "/gc/heap/allocs:bytes"}}
	least := ^uint64(0)
	for range 3 {
		metrics.Read(sample)
		start := sample[0].Value.Uint64()
		f()
		metrics.Read(sample)
		if least = min(least, sample[0].Value.Uint64()-start); least <= most {
			break
		}
	}
	return least
}

// bounded runs what reads n bytes and holds it to the bound on memory.
func bounded(n int, fail func(string, string, ...any), f func()) {
	most := uint64(8*n + 1<<20)
	if got := allocated(most, f); got > most {
		fail("allocation", "%d bytes allocated for %d bytes of input", got, n)
	}
}

// plain reports whether a message is free of control characters.
func plain(s string) bool {
	for _, c := range s {
		if c < ' ' && c != '\n' && c != '\t' || c == 0x7f {
			return false
		}
	}
	return true
}
