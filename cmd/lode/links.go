package main

import (
	"errors"
	"maps"
	"path"
	"slices"

	"github.com/lode-bpf/lode"
	"github.com/lode-bpf/lode/pin"
	"github.com/lode-bpf/lode/sys"
)

// linksSuffix ends the name of the directory that links are pinned in, as
// lode.ProgramsSuffix does for programs.
const linksSuffix = "-links"

type loadedLink struct {
	Name string `json:"name"` // of the program or struct_ops map
	Pin  string `json:"pin"`
}

// pinLinks pins the links of a load beside its programs, so that they stay
// attached. If that fails nothing of it is left.
func pinLinks(c *lode.Collection, l loaded) ([]loadedLink, error) {
	if len(c.Links) == 0 {
		return nil, nil
	}
	programs := ""
	for _, p := range l.Programs {
		if p.Pin != "" {
			programs = path.Dir(p.Pin)
		}
	}
	if programs == "" {
		return nil, errors.New("there is no directory of programs to pin the links beside")
	}
	at := programs[:len(programs)-len(lode.ProgramsSuffix)] + linksSuffix
	d, err := pin.OpenDir(sys.Live(), at, pin.DirOptions{Create: true})
	if err != nil {
		return nil, err
	}
	var out []loadedLink
	for _, name := range slices.Sorted(maps.Keys(c.Links)) {
		if err = d.Pin(name, c.Links[name].FD()); err != nil {
			break
		}
		out = append(out, loadedLink{name, path.Join(at, name)})
	}
	if err == nil {
		return out, d.Close()
	}
	for _, k := range out {
		err = errors.Join(err, d.Remove(k.Name))
	}
	return nil, errors.Join(err, d.RemoveCreated(), d.Close())
}
