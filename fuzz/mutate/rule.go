package mutate

import (
	"fmt"
	"math/rand/v2"
	"strings"
)

// A Rule is one way to break an object.
type Rule struct {
	Name string // "symbol/max": what is broken, and how
	Doc  string // one line

	apply func(*state) bool
}

// A Step is what a rule did.
type Step struct {
	Rule   string
	Field  string // what was changed, in the specification's terms, with its place: "sh_size of section 3"
	Offset int    // where in the object as it was before the step, in bytes
	Old    uint64 // the field's value before and after; 0 where the rule does not change one field
	New    uint64
}

// String is one line.
func (s Step) String() string {
	return fmt.Sprintf("%s: %s at %#x: %#x -> %#x", s.Rule, s.Field, s.Offset, s.Old, s.New)
}

// A Trace is the steps in the order in which they were done.
type Trace []Step

// String is a line for each step.
func (t Trace) String() string {
	var b strings.Builder
	for _, s := range t {
		b.WriteString(s.String())
		b.WriteByte('\n')
	}
	return b.String()
}

// A state is an object under a rule.
type state struct {
	*image
	src  *rand.PCG
	step Step
}

// n is a number from 0 to n-1.
func (s *state) n(n int) int { return int(s.src.Uint64() % uint64(n)) }

// did records the change of a field.
func (s *state) did(field string, at int, old, new uint64) bool {
	s.step.Field, s.step.Offset, s.step.Old, s.step.New = field, at, old, new
	return true
}

// Apply breaks a copy of the object. The operand decides where in the object,
// and what of several possible values is written. If there is nothing in the
// object for the rule to break, the copy is equal and ok is false.
func (r Rule) Apply(obj []byte, operand uint64) (out []byte, step Step, ok bool) {
	s := &state{image: newImage(append([]byte(nil), obj...)), src: rand.NewPCG(operand, 0x72756c65), step: Step{Rule: r.Name}}
	if !r.apply(s) {
		return s.b, Step{Rule: r.Name}, false
	}
	return s.b, s.step, true
}

// Rules are all rules. The order is part of what makes results reproducible:
// new rules come last.
func Rules() []Rule { return append([]Rule(nil), rules...) }

// rules is set at start: the rules refer to tables that are built from them.
var rules = append(fieldRules(), structureRules...)

// Apply breaks an object n times, each time by a rule that the seed decides. A
// rule that does not apply is replaced by another; if none of 100 does, there
// are fewer than n steps.
func Apply(obj []byte, seed uint64, n int) ([]byte, Trace) {
	src := rand.NewPCG(seed, 0x6d757461)
	out := append([]byte(nil), obj...)
	var trace Trace
	for range n {
		for range 100 {
			r := rules[src.Uint64()%uint64(len(rules))]
			changed, step, ok := r.Apply(out, src.Uint64())
			if ok {
				out, trace = changed, append(trace, step)
				break
			}
		}
	}
	return out, trace
}
