package insn

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// A call out of the function goes to the same place in the section after the
// function was edited: to the functions before and behind it, which stay.
func TestReplaceKeepsCallsOut(t *testing.T) {
	nop := Instruction{Op: OpJa}
	for _, c := range []struct {
		name, code string
		at, n      int
		with       []Instruction
		want       string
		err        error
	}{
		{"to a function before", "r0 = 0\ncall pc-4\nexit", 0, 0, []Instruction{nop}, "goto pc+0\nr0 = 0\ncall pc-5\nexit", nil},
		{"to a function before, not moved", "call pc-4\nexit", 1, 0, []Instruction{nop}, "call pc-4\ngoto pc+0\nexit", nil},
		{"to the next function, which comes no nearer", "r0 = 0\ncall pc+1\nexit", 0, 1, nil, "call pc+2\nexit", nil},
		{"to a function far behind", "call pc+9\nexit", 0, 0, []Instruction{nop}, "goto pc+0\ncall pc+8\nexit", nil},
		{"to the next function, whose place is taken", "call pc+1\nexit", 0, 0, []Instruction{nop}, "", ErrRange},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := &Func{Insns: assemble(t, c.code)}
			if err := f.Replace(c.at, c.n, c.with); !errors.Is(err, c.err) {
				t.Fatalf("error %v, want %v", err, c.err)
			}
			if c.err != nil {
				return
			}
			if diff := cmp.Diff(assemble(t, c.want), f.Insns); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}
