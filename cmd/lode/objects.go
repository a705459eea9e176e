package main

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/lode-bpf/lode/link"
	"github.com/lode-bpf/lode/maps"
	"github.com/lode-bpf/lode/pin"
	"github.com/lode-bpf/lode/prog"
	"github.com/lode-bpf/lode/sys"
)

// kindWords are the commands that list objects of a kind.
var kindWords = map[sys.ObjKind]string{sys.ObjMap: "map", sys.ObjProg: "prog", sys.ObjLink: "link"}

// openObject opens a map, program or link by its id, or by the path of a pin.
func openObject(which string, kind sys.ObjKind) (*sys.FD, error) {
	if id, err := strconv.ParseUint(which, 10, 32); err == nil {
		fd, err := sys.GetFDByID(sys.Live(), kind, uint32(id), 0)
		if errors.Is(err, fs.ErrNotExist) {
			err = fmt.Errorf("no %v has the id %d; lode %s list shows those that there are", kind, id, kindWords[kind])
		}
		return fd, err
	}
	fd, err := openPin(which, kind)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", quote(which), err)
	}
	return fd, nil
}

func openPin(which string, kind sys.ObjKind) (*sys.FD, error) {
	p, err := filepath.Abs(which)
	if err != nil {
		return nil, err
	}
	d, err := pin.OpenDir(sys.Live(), path.Dir(p), pin.DirOptions{})
	if err != nil {
		return nil, err
	}
	defer d.Close()
	return d.Get(path.Base(p), kind)
}

// openMap opens a map by its id or pin.
func openMap(which string) (*maps.Map, error) {
	fd, err := openObject(which, sys.ObjMap)
	if err != nil {
		return nil, err
	}
	return maps.FromFD(sys.Live(), fd)
}

// openProgram opens a program by its id or pin.
func openProgram(which string) (*prog.Program, error) {
	fd, err := openObject(which, sys.ObjProg)
	if err != nil {
		return nil, err
	}
	return prog.FromFD(sys.Live(), fd)
}

// openLink opens a link by its id or pin.
func openLink(which string) (*link.Link, error) {
	fd, err := openObject(which, sys.ObjLink)
	if err != nil {
		return nil, err
	}
	return link.FromFD(fd), nil
}

// one is the only argument of a command, an id or the path of a pin.
func (e *env) one(what string) (string, error) {
	if len(e.args) != 1 {
		return "", usage("want the id or the pin of one %s", what)
	}
	return e.args[0], nil
}

// printRows prints a table, or its rows as JSON.
func printRows[T any](e *env, rows []T, head []string, row func(T) []string) error {
	if e.opts.json {
		if rows == nil {
			rows = []T{}
		}
		return e.printJSON(rows)
	}
	cells := [][]string{head}
	for _, r := range rows {
		cells = append(cells, row(r))
	}
	var b strings.Builder
	e.table(&b, cells)
	_, err := fmt.Fprint(e.out, b.String())
	return err
}
