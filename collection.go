package lode

import (
	"context"
	"errors"
	"slices"

	"github.com/lode-bpf/lode/link"
	"github.com/lode-bpf/lode/maps"
	"github.com/lode-bpf/lode/prog"
	"github.com/lode-bpf/lode/sys"
)

// A Collection owns what a load has made so far: every descriptor in it is
// closed by Close, and nothing is closed or detached behind the caller's back.
//
// Each step that takes a Collection either succeeds or leaves it and the system
// as they were before that step. Undo takes back every step; Close keeps what
// was pinned and attached by pinned links, and releases the rest.
type Collection struct {
	Maps     map[string]*maps.Map     // by the name of the definition
	Programs map[string]*prog.Program // by the name of the definition

	// Links are the attachments that Attach made, by the name of the program or
	// of the struct_ops map. Closing one detaches it, unless it is pinned.
	Links map[string]*link.Link

	// Done lists the steps that were carried out, in order.
	Done []Done

	kernel sys.Kernel
	live   *LiveEnv // of kernel: its features, and its types for programs that attach to one
	btf    *sys.FD  // the object's types, nil if there are none or the kernel takes none
	fresh  map[string]bool
	given  map[string]bool
	swap   map[string]bool // new maps that take the place of pinned ones
	cpus   int
	usdt   *link.USDTSpecs
	steps  []undoLog // one for each step that succeeded, for Undo
}

// A Done is a step that was carried out and what came of it.
type Done struct {
	Step
	Result string // "created", "reused", "filled", "loaded", "pinned", …
	ID     uint32 // of the map, program or link, 0 if it has none
}

// An undoLog takes back what was done, last first, or forgets how to.
type undoLog []undoEntry

// An undoEntry is something that was done: undo takes it back, and release
// frees what undo needs. Either may be nil.
type undoEntry struct{ undo, release func() error }

func (u *undoLog) add(undo func() error) { *u = append(*u, undoEntry{undo: undo}) }

func (u *undoLog) hold(release func() error) { *u = append(*u, undoEntry{release: release}) }

// run takes back everything and reports what could not be taken back.
func (u *undoLog) run() error { return u.end(true) }

// keep leaves everything as it is.
func (u *undoLog) keep() error { return u.end(false) }

func (u *undoLog) end(undo bool) error {
	var errs []error
	for _, e := range slices.Backward(*u) {
		if undo && e.undo != nil {
			errs = append(errs, e.undo())
		}
		if e.release != nil {
			errs = append(errs, e.release())
		}
	}
	*u = nil
	return errors.Join(errs...)
}

// phase does one phase of a plan: do is called with every step, and leaves alone
// those of other phases. On failure, and when ctx ends in the middle, what was
// done here is taken back.
func (c *Collection) phase(ctx context.Context, p *Plan, do func(*Plan, *Step, *undoLog) error) error {
	var u undoLog
	before := len(c.Done)
	for i := range p.Steps {
		s := &p.Steps[i]
		err := ctx.Err()
		if err == nil {
			err = do(p, s, &u)
		}
		if err != nil {
			c.Done = c.Done[:before]
			return errors.Join(wrap(err, s.doing()), u.run())
		}
	}
	c.steps = append(c.steps, u)
	return nil
}

// Map returns the map of that name, nil if there is none.
func (c *Collection) Map(name string) *maps.Map { return c.Maps[name] }

// Program returns the program of that name, nil if there is none.
func (c *Collection) Program(name string) *prog.Program { return c.Programs[name] }

// Created reports whether a map was made by this load, rather than reused from
// a pin or given by the caller.
func (c *Collection) Created(mapName string) bool { return c.fresh[mapName] }

// Close releases every descriptor of the collection. What is pinned lives on;
// what is not ends when its last user is gone, and a link that is not pinned
// detaches. Maps given by the caller stay
// open. Close may be called more than once.
func (c *Collection) Close() error {
	var errs []error
	for _, l := range c.Links {
		errs = append(errs, l.Close())
	}
	for _, p := range c.Programs {
		errs = append(errs, p.Close())
	}
	for n, m := range c.Maps {
		if !c.given[n] {
			errs = append(errs, m.Close())
		}
	}
	if c.btf != nil {
		errs = append(errs, c.btf.Close())
	}
	for _, u := range c.steps {
		errs = append(errs, u.keep())
	}
	c.steps = nil
	return errors.Join(errs...)
}

// Undo takes back all that the steps did, in reverse: links are detached, pins
// and directories that were made are removed, replaced pins and refilled slots
// restored; then it closes the collection. What existed before stays.
func (c *Collection) Undo() error {
	var errs []error
	for _, u := range slices.Backward(c.steps) {
		errs = append(errs, u.run())
	}
	c.steps = nil
	return errors.Join(append(errs, c.Close())...)
}

// Take removes a map from the collection and gives it to the caller, who has to
// close it.
func (c *Collection) Take(mapName string) *maps.Map {
	m := c.Maps[mapName]
	delete(c.Maps, mapName)
	return m
}

// TakeProgram removes a program from the collection and gives it to the
// caller, who has to close it.
func (c *Collection) TakeProgram(name string) *prog.Program {
	p := c.Programs[name]
	delete(c.Programs, name)
	return p
}
