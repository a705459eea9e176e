package lode

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"

	"github.com/lode-bpf/lode/pin"
	"github.com/lode-bpf/lode/sys"
)

// ErrPinRace is matched by errors of PinAll that found something at a path where
// there was nothing when the maps were created, or something else: another loader
// was faster.
// Loading again shares its map; Load does so by itself.
var ErrPinRace = errors.New("pinned by somebody else in the meantime")

// PinAll does the last of the plan's steps that others can see: slots of reused
// maps that ask for it are written, new maps and programs get their paths in
// bpffs. A map that replaces another swaps places with it atomically, so that
// the path never stands empty.
//
// Before: the maps exist, and the programs where the plan has any. After:
// every pin of the plan exists. On failure every pin and directory that was
// made here is removed, every swap and slot undone.
func (c *Collection) PinAll(ctx context.Context, p *Plan) error {
	return c.phase(ctx, p, c.pinStep)
}

func (c *Collection) pinStep(p *Plan, s *Step, u *undoLog) error {
	switch s.Op {
	case OpRefillSlot:
		return c.refill(s, u)
	case OpPinMap:
		m := c.Maps[s.Map]
		if !c.fresh[s.Map] || m == nil {
			return nil
		}
		if p.Map(s.Map).Source == SourceCreate {
			return c.pinNewest(p, s, m.FD(), sys.ObjMap, u)
		}
		return c.pinAt(p, s, m.FD(), sys.ObjMap, c.swap[s.Map], u)
	case OpPinProgram:
		g := c.Programs[s.Program]
		if g == nil {
			return fmt.Errorf("it has not been loaded")
		}
		return c.pinNewest(p, s, g.FD(), sys.ObjProg, u)
	}
	return nil
}

// pinNewest pins what has no definition to match: of several loaders, the last one
// gets the path.
func (c *Collection) pinNewest(p *Plan, s *Step, fd int, kind sys.ObjKind, u *undoLog) error {
	for try := 1; ; try++ {
		err := c.pinAt(p, s, fd, kind, true, u)
		if !errors.Is(err, ErrPinRace) || try == tries {
			return err
		}
	}
}

// pinAt pins a descriptor, making directories as needed. With swap, something
// of the same kind that stands there gives way.
func (c *Collection) pinAt(p *Plan, s *Step, fd int, kind sys.ObjKind, swap bool, u *undoLog) error {
	dir, name := splitPath(s.Path)
	opts := p.dirOptions()
	opts.Aliases = s.aliases
	d, err := pin.OpenDir(c.kernel, dir, opts)
	if err != nil {
		return err
	}
	u.hold(d.Close)
	u.add(d.RemoveCreated)
	for _, f := range d.Findings() {
		c.did(s, f.String(), 0)
	}
	err = d.Pin(name, fd)
	switch {
	case err == nil:
		u.add(func() error { return d.Remove(name) })
		c.did(s, "pinned", 0)
		return nil
	case !errors.Is(err, fs.ErrExist):
		return err
	case !swap:
		return fmt.Errorf("%w: %w", ErrPinRace, err)
	}
	old, err := d.Replace(name, fd, kind)
	if errors.Is(err, pin.ErrRaced) || errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%w: %w", ErrPinRace, err)
	}
	if err != nil {
		return err
	}
	u.hold(old.Close)
	u.add(func() error { return d.Restore(name, old) })
	c.did(s, "replaced", 0)
	return nil
}

// dirOptions is how directories are made.
func (p *Plan) dirOptions() pin.DirOptions {
	opts := pin.DirOptions{Create: true, Mode: 0o700}
	if c := p.policy.Config; c != nil {
		opts.Mode = c.DirMode.V
		if o := c.DirOwner.V; o.Set {
			opts.UID, opts.GID = int(o.UID), int(o.GID)
		}
	}
	return opts
}

// refill writes a slot of a reused map and remembers what was there.
func (c *Collection) refill(s *Step, u *undoLog) error {
	m := c.Maps[s.Map]
	if m == nil || c.fresh[s.Map] {
		return nil
	}
	fd, kind := -1, sys.ObjMap
	if t := c.Maps[s.Target]; t != nil {
		fd = t.FD()
	} else if t := c.Programs[s.Target]; t != nil {
		fd, kind = t.FD(), sys.ObjProg
	}
	key := nativeOrder.AppendUint32(nil, s.Key)
	value := make([]byte, 4)
	switch err := m.LookupInto(key, value, 0); {
	case err == nil:
		old, err := sys.GetFDByID(c.kernel, kind, nativeOrder.Uint32(value), 0)
		if err != nil {
			return err
		}
		u.hold(old.Close)
		u.add(func() error { return m.SetSlot(s.Key, old.Int()) })
	case errors.Is(err, fs.ErrNotExist):
		u.add(func() error { return m.Delete(key) })
	default: // what stands there is not known, so it could not be put back
		return err
	}
	c.did(s, "set", 0)
	return m.SetSlot(s.Key, fd)
}

// splitPath divides a pin path into its directory and its name.
func splitPath(p string) (dir, name string) {
	dir, name = path.Split(p)
	return path.Clean(dir), name
}

// Observe looks at what is pinned now at the plan's paths, and at what this
// process may and this kernel can do, and writes it into the plan in place of
// "unknown". It changes neither the system nor the steps. Features are found out
// by trying them, which takes privileges; without, their needs stay unknown.
func (p *Plan) Observe(k sys.Kernel) error {
	effective, err := effectiveCapabilities()
	if err != nil {
		return wrap(err, "observe")
	}
	here := NewLiveEnv(k)
	for i := range p.Needs {
		if err := p.Needs[i].observe(here, effective); err != nil && !errors.Is(err, fs.ErrPermission) {
			return wrap(err, p.Needs[i].Name)
		}
	}
	look := func(pp *PlannedPin) error {
		if pp == nil {
			return nil
		}
		dir, name := splitPath(pp.Path)
		d, err := pin.OpenDir(k, dir, pin.DirOptions{Aliases: pp.aliases})
		if errors.Is(err, fs.ErrNotExist) {
			pp.Now = "absent"
			return nil
		}
		if err != nil {
			return err
		}
		defer d.Close()
		e, err := d.Stat(name)
		if errors.Is(err, fs.ErrNotExist) {
			pp.Now = "absent"
			return nil
		}
		if err == nil {
			pp.Now = e.String()
		}
		return err
	}
	for i := range p.Maps {
		if err := look(p.Maps[i].Pin); err != nil {
			return wrap(err, fmt.Sprintf("map %q", p.Maps[i].Name))
		}
	}
	for i := range p.Programs {
		if err := look(p.Programs[i].Pin); err != nil {
			return wrap(err, fmt.Sprintf("program %q", p.Programs[i].Name))
		}
	}
	return nil
}
