package main

import (
	"cmp"
	"errors"
	"io/fs"
	"path"
	"slices"

	"github.com/lode-bpf/lode"
	"github.com/lode-bpf/lode/pin"
	"github.com/lode-bpf/lode/sys"
)

// The suffixes of directories that stand beside that of an object's programs
// (lode.ProgramsSuffix), for what would end with this command and take the
// programs' work with it.
const (
	linksSuffix = "-links"      // attachments
	tailsSuffix = "-tail-calls" // program arrays, which the kernel empties when nobody holds them
)

type loadedLink struct {
	Name string `json:"name"` // of the program or struct_ops map
	Pin  string `json:"pin"`
}

// A kept is something to be pinned after a load.
type kept struct {
	name, suffix string
	kind         sys.ObjKind
	fd           int
}

// keep pins links and program arrays beside the programs that they are for. If
// that fails nothing of it is left.
func keep(c *lode.Collection, l *loaded) error {
	var all []kept
	for name, k := range c.Links {
		all = append(all, kept{name, linksSuffix, sys.ObjLink, k.FD()})
	}
	for _, m := range l.Maps {
		if m.Pin == "" && m.slots {
			all = append(all, kept{m.Name, tailsSuffix, sys.ObjMap, c.Map(m.Name).FD()})
		}
	}
	if len(all) == 0 {
		return nil
	}
	slices.SortFunc(all, func(a, b kept) int { return cmp.Or(cmp.Compare(a.suffix, b.suffix), cmp.Compare(a.name, b.name)) })
	programs := ""
	for _, p := range l.Programs {
		if p.Pin != "" {
			programs = path.Dir(p.Pin)
		}
	}
	if programs == "" {
		return errors.New("there is no directory of programs to pin links and program arrays beside")
	}
	var k keeper
	var err error
	for _, x := range all {
		at := programs[:len(programs)-len(lode.ProgramsSuffix)] + x.suffix
		if err = k.pin(at, x); err != nil {
			break
		}
		l.note(x, path.Join(at, x.name))
	}
	return errors.Join(err, k.end(err != nil))
}

// note adds to a listing where something has been pinned.
func (l *loaded) note(x kept, at string) {
	if x.kind == sys.ObjLink {
		l.Links = append(l.Links, loadedLink{x.name, at})
		return
	}
	for i := range l.Maps {
		if l.Maps[i].Name == x.name {
			l.Maps[i].Pin = at
		}
	}
}

// A keeper pins, and remembers how to take that back.
type keeper struct {
	undo, release []func() error
}

func (k *keeper) pin(at string, x kept) error {
	d, err := pin.OpenDir(sys.Live(), at, pin.DirOptions{Create: true})
	if err != nil {
		return err
	}
	k.release = append(k.release, d.Close)
	k.undo = append(k.undo, d.RemoveCreated)
	err = d.Pin(x.name, x.fd)
	if err == nil {
		k.undo = append(k.undo, func() error { return d.Remove(x.name) })
	}
	if !errors.Is(err, fs.ErrExist) {
		return err
	}
	old, err := d.Replace(x.name, x.fd, x.kind) // of an earlier load
	if err != nil {
		return err
	}
	k.release = append(k.release, old.Close)
	k.undo = append(k.undo, func() error { return d.Restore(x.name, old) })
	return nil
}

// end releases what is held, after taking back what was done if that is wanted.
func (k *keeper) end(undo bool) error {
	var errs []error
	if undo {
		for _, f := range slices.Backward(k.undo) {
			errs = append(errs, f())
		}
	}
	for _, f := range slices.Backward(k.release) {
		errs = append(errs, f())
	}
	return errors.Join(errs...)
}
