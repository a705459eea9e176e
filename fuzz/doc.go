// Package fuzz turns the bytes of a fuzzing engine into broken objects.
//
// Go's engine, libFuzzer and AFL mutate bytes; none of them knows ELF. [Object]
// reads their bytes as a list of choices instead: which valid object to start
// from, and which rules of package mutate to apply to it. Two bytes of input
// make an object of some kilobytes, a flipped bit in the input is another rule
// rather than another broken magic number, and what an engine minimises is the
// list of things that are wrong.
//
// The packages below are the parts, each usable alone:
//
//	gen      valid objects, BTF and code from a seed
//	mutate   named rules that break an object
//	corpus   small malformed files, each with what is wrong with it
//	oracle   the promises of a parser, checked on any bytes
//	cmd/malgen  all of that on the command line, for parsers in any language
package fuzz

import (
	"github.com/lode-bpf/lode/fuzz/gen"
	"github.com/lode-bpf/lode/fuzz/mutate"
)

// MaxSteps bounds the rules that are applied to one object: beyond a few, the
// first thing that is wrong hides the others.
const MaxSteps = 8

// Object is the object that a list of choices describes, and what was done to
// it. The first two bytes choose a valid object, each three more a rule and its
// operand; what is missing is zero, what is left over is ignored. A rule that
// does not apply is skipped.
func Object(ops []byte) ([]byte, mutate.Trace) {
	at := func(i int) uint64 {
		if i < len(ops) {
			return uint64(ops[i])
		}
		return 0
	}
	obj := gen.New(at(0)).Object(profile(byte(at(1))))
	var trace mutate.Trace
	rules := mutate.Rules()
	for i := 2; i < len(ops) && i < 2+3*MaxSteps; i += 3 {
		// 256 choices are enough for the rules there are; the third byte goes
		// into the operand, so that near inputs make near objects.
		rule := rules[at(i)%uint64(len(rules))]
		if out, step, ok := rule.Apply(obj, at(i+1)|at(i+2)<<8); ok {
			obj, trace = out, append(trace, step)
		}
	}
	return obj, trace
}

// profile is what a byte says about the object to start from.
func profile(b byte) gen.Profile {
	return gen.Profile{Plain: b&7 == 7, NoBTF: b&7 == 6, NoCORE: b&7 == 5, Size: int(b >> 3)}
}
