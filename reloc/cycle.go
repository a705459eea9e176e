package reloc

import (
	"fmt"
	"strings"
)

// A CycleError is a function that calls itself, directly or through others.
type CycleError struct {
	RefError
	Funcs []string // the functions in order of their calls; the last calls the first
}

func (e *CycleError) Error() string {
	names := make([]string, 0, 9)
	for i, f := range e.Funcs {
		if i == 8 {
			names = append(names, fmt.Sprintf("… %d more …", len(e.Funcs)-i))
			break
		}
		names = append(names, fmt.Sprintf("%q", f))
	}
	names = append(names, fmt.Sprintf("%q", e.Funcs[0]))
	e.RefError.Detail = "recursion: " + strings.Join(names, " calls ")
	return e.RefError.Error()
}

// Colours of a function while cycles are searched.
const (
	white = iota
	grey  // its calls are being followed
	black // all its calls have been followed
)

// findCycles marks calls that close a cycle, and finds how deep calls nest. A
// function pointer closes no cycle: a timer's callback may well set itself as
// callback again.
func (x *index) findCycles() {
	var stack []linkFrame
	for e := range x.fns {
		if x.fns[e].colour != white {
			continue
		}
		stack = x.enter(stack, int32(e))
		for len(stack) > 0 {
			stack = x.step(stack)
		}
	}
}

func (x *index) enter(stack []linkFrame, e int32) []linkFrame {
	f := x.scan(e)
	f.colour, f.frames = grey, 1
	return append(stack, linkFrame{fn: e})
}

// step follows the next call of the function on top of the stack, which is a
// chain of calls.
func (x *index) step(stack []linkFrame) []linkFrame {
	top := &stack[len(stack)-1]
	f := &x.fns[top.fn]
	if top.site == len(f.sites) {
		f.colour = black
		stack = stack[:len(stack)-1]
		if len(stack) > 0 {
			g := &x.fns[stack[len(stack)-1].fn]
			g.frames = max(g.frames, f.frames+1)
		}
		return stack
	}
	s := &f.sites[top.site]
	top.site++
	if s.target < 0 || !s.call {
		return stack
	}
	t := &x.fns[s.target]
	switch {
	case t.colour == white:
		stack = x.enter(stack, s.target)
	case t.colour == black:
		f.frames = max(f.frames, t.frames+1)
	case t.colour == grey:
		x.cycle(stack, s)
	}
	return stack
}

// cycle reports that the call at a site, of the function on top of the stack,
// closes a cycle.
func (x *index) cycle(stack []linkFrame, s *site) {
	first := len(stack) - 1
	for stack[first].fn != s.target {
		first--
	}
	f := &x.fns[stack[len(stack)-1].fn]
	err := &CycleError{RefError: *x.refError(f, int(s.index), int(s.rec), ErrCycle, "", "", "the kernel does not allow recursion: use a loop or bpf_loop")}
	for _, fr := range stack[first:] {
		err.Funcs = append(err.Funcs, x.fns[fr.fn].Name)
	}
	s.err = err
}
