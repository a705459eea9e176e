package main

import (
	"flag"
	"fmt"
	"path"
	"path/filepath"
	"strings"

	"github.com/lode-bpf/lode/pin"
	"github.com/lode-bpf/lode/sys"
)

// A listedPin is a name in bpffs.
type listedPin struct {
	Path  string `json:"path"`
	Kind  string `json:"kind"` // "directory", "map", "prog", "link", …
	Type  string `json:"type,omitempty"`
	ID    uint32 `json:"id,omitempty"`
	Name  string `json:"name,omitempty"`
	Mode  string `json:"mode"`
	UID   uint32 `json:"uid"`
	GID   uint32 `json:"gid"`
	Error string `json:"error,omitempty"`

	Holders []string `json:"holders,omitempty"` // processes: "PID NAME"

	depth  int
	object sys.ObjKind
}

func pinsFlags(f *flag.FlagSet, e *env) {
	commonFlags(f, e)
	f.BoolVar(&e.opts.holders, "holders", false, "say which processes hold each object")
}

// pins prints the tree of directories in bpffs.
func pins(e *env) error {
	dirs := e.args
	if len(dirs) == 0 {
		mounts, err := pin.Mounts()
		if err != nil {
			return err
		}
		dirs = mounts
	}
	var rows []listedPin
	for _, dir := range dirs {
		below, err := pinsIn(dir)
		if err != nil {
			return err
		}
		rows = append(rows, below...)
	}
	head := []string{"PIN", "KIND", "TYPE", "ID", "NAME", "MODE", "OWNER"}
	if e.opts.holders {
		head = append(head, "HELD BY")
		if err := addHolders(rows); err != nil {
			return err
		}
	}
	if len(dirs) == 0 && !e.opts.json {
		_, err := fmt.Fprintln(e.out, "no bpffs is mounted")
		return err
	}
	return printRows(e, rows, head, func(p listedPin) []string {
		name := quote(p.Path)
		if p.depth > 0 {
			name = strings.Repeat("  ", p.depth) + quote(path.Base(p.Path))
		}
		row := []string{name, p.Kind, p.Type, "", quote(p.Name), p.Mode, fmt.Sprintf("%d:%d", p.UID, p.GID)}
		if p.ID != 0 {
			row[3] = fmt.Sprint(p.ID)
		}
		if p.Error != "" {
			row[1] = "cannot be read: " + p.Error
		}
		if e.opts.holders {
			row = append(row, strings.Join(p.Holders, ", "))
		}
		return row
	})
}

// addHolders finds who holds the objects of a listing.
func addHolders(rows []listedPin) error {
	held, err := holders()
	if err != nil {
		return err
	}
	for i := range rows {
		if rows[i].ID != 0 {
			rows[i].Holders = held[kernelObject{rows[i].object, rows[i].ID}]
		}
	}
	return nil
}

// pinsIn lists a directory and everything below it.
func pinsIn(dir string) ([]listedPin, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, err
	}
	d, err := pin.OpenDir(sys.Live(), dir, pin.DirOptions{})
	if err != nil {
		return nil, err
	}
	defer d.Close()
	rows := []listedPin{{Path: dir, Kind: "directory"}}
	err = d.Walk(func(p string, x pin.Entry, err error) error {
		row := listedPin{Path: p, Kind: x.File, Mode: fmt.Sprintf("%04o", x.Mode), UID: x.UID, GID: x.GID}
		row.depth = 1 + strings.Count(strings.TrimPrefix(p, strings.TrimSuffix(dir, "/")+"/"), "/")
		switch {
		case err != nil:
			row.Error = err.Error()
		case x.Dir:
			row.Kind = "directory"
		case x.File == "":
			row.Kind, row.Type, row.ID, row.Name, row.object = x.Kind.String(), x.Type, x.ID, x.Object, x.Kind
		}
		rows = append(rows, row)
		return nil
	})
	return rows, err
}
