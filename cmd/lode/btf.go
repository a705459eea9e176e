package main

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/lode-bpf/lode/btf"
	"github.com/lode-bpf/lode/elf"
)

func btfDumpFlags(f *flag.FlagSet, e *env) {
	f.StringVar(&e.opts.format, "format", "c", "c, go, raw or json")
	f.StringVar(&e.opts.base, "base", "", "what split BTF in a `file` builds on: a file or vmlinux")
	f.Var(&e.opts.only, "type", "only the types of these `names`, and what they need")
}

// btfDump prints types.
func btfDump(e *env) error {
	if len(e.args) != 1 {
		return usage("want one source of types, not %d", len(e.args))
	}
	s, err := e.types(e.args[0])
	if err != nil {
		return err
	}
	ids, err := idsOf(s, e.opts.only)
	if err != nil {
		return err
	}
	switch e.opts.format {
	case "c":
		return s.FormatC(e.out, btf.COptions{Types: ids})
	case "go":
		return s.FormatGo(e.out, btf.GoOptions{Types: ids})
	case "raw", "json":
		return e.rawTypes(s, ids)
	}
	return usage("--format is c, go, raw or json, not %q", e.opts.format)
}

// types opens what an argument and --base name.
func (e *env) types(name string) (*btf.Spec, error) {
	var base *btf.Spec
	if e.opts.base != "" {
		var err error
		if base, err = openTypes(e.opts.base, nil); err != nil {
			return nil, err
		}
	}
	return openTypes(name, base)
}

// idsOf are the types of some names; nil, which means all, if there are none.
func idsOf(s *btf.Spec, names []string) ([]btf.TypeID, error) {
	var ids []btf.TypeID
	for _, n := range names {
		before := len(ids)
		for t := range s.Named(n) {
			ids = append(ids, t.ID())
		}
		if len(ids) == before {
			return nil, fmt.Errorf("there is no type %q", n)
		}
	}
	return ids, nil
}

// A rawType is a type as JSON: its kind and name, and the line of the raw format
// with everything else.
type rawType struct {
	ID   btf.TypeID   `json:"id"`
	Kind string       `json:"kind"`
	Name string       `json:"name"`
	Size uint64       `json:"size"`
	Refs []btf.TypeID `json:"refs"` // types that it refers to
	Text string       `json:"text"`
}

// rawTypes prints types one by one, as text or JSON, both a line or a few each.
func (e *env) rawTypes(s *btf.Spec, ids []btf.TypeID) error {
	if ids == nil && e.opts.format == "raw" {
		return s.FormatRaw(e.out)
	}
	j := json.NewEncoder(e.out)
	j.SetEscapeHTML(false)
	for t := range s.Types() {
		if ids != nil && !slices.Contains(ids, t.ID()) {
			continue
		}
		text := t.AppendRaw(nil)
		var err error
		if e.opts.format == "raw" {
			_, err = fmt.Fprintf(e.out, "%s\n", strings.TrimRight(string(text), "\n"))
		} else {
			size, _ := s.SizeOf(t.ID()) // 0 for what has none
			err = j.Encode(rawType{t.ID(), t.Kind().String(), t.Name(), size, slices.AppendSeq([]btf.TypeID{}, t.Refs()), string(text)})
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func btfFindFlags(f *flag.FlagSet, e *env) {
	commonFlags(f, e)
	f.Var(&e.opts.btf, "in", "look in this `source`: a file, vmlinux, a module or an id; may be repeated; without it, in vmlinux and all modules")
}

// A foundType is a type and where it is.
type foundType struct {
	Source string     `json:"source"`
	ID     btf.TypeID `json:"id"`
	Kind   string     `json:"kind"`
	Name   string     `json:"name"`
	Size   uint64     `json:"size"`
}

// btfFind looks for a type by its name, flavours of it included.
func btfFind(e *env) error {
	if len(e.args) != 1 {
		return usage("want one name, not %d", len(e.args))
	}
	sources := []string(e.opts.btf)
	if len(sources) == 0 {
		modules, err := btf.KernelModules()
		if err != nil {
			return err
		}
		sources = append([]string{"vmlinux"}, modules...)
	}
	var found []foundType
	for _, source := range sources {
		s, err := openTypes(source, nil)
		if err != nil {
			return err
		}
		for t := range s.Types() {
			if t.Name() == e.args[0] || btf.EssentialName(t.Name()) == e.args[0] {
				size, _ := s.SizeOf(t.ID()) // 0 for what has none
				found = append(found, foundType{source, t.ID(), t.Kind().String(), t.Name(), size})
			}
		}
	}
	if len(found) == 0 {
		return fmt.Errorf("there is no type %q", e.args[0])
	}
	if e.opts.json {
		return e.printJSON(found)
	}
	rows := [][]string{{"SOURCE", "ID", "KIND", "NAME", "SIZE"}}
	for _, t := range found {
		rows = append(rows, []string{quote(t.Source), fmt.Sprint(t.ID), t.Kind, quote(t.Name), fmt.Sprint(t.Size)})
	}
	var b strings.Builder
	e.table(&b, rows)
	_, err := fmt.Fprint(e.out, b.String())
	return err
}

func btfMinFlags(f *flag.FlagSet, e *env) {
	f.StringVar(&e.opts.output, "o", "", "`file` to write; - for standard output")
}

// btfMin writes the least of a kernel's types that some objects need.
func btfMin(e *env) error {
	if len(e.args) < 2 || e.opts.output == "" {
		return usage("want -o FILE, a source of types and at least one object")
	}
	s, err := openTypes(e.args[0], nil)
	if err != nil {
		return err
	}
	var exts []*btf.Ext
	for _, path := range e.args[1:] {
		f, err := elf.Open(path)
		if err != nil {
			return err
		}
		_, x, err := btf.ParseELF(f)
		if err != nil && !errors.Is(err, btf.ErrNoBTF) {
			return fmt.Errorf("%s: %w", path, err)
		}
		if x != nil {
			exts = append(exts, x)
		}
	}
	b, err := s.MinCORE(exts...)
	if err != nil {
		return err
	}
	if e.opts.output == "-" {
		_, err = e.out.Write(b)
		return err
	}
	if err := os.WriteFile(e.opts.output, b, 0o644); err != nil {
		return err
	}
	_, err = fmt.Fprintf(e.out, "%s: %d bytes of %d\n", e.opts.output, len(b), len(s.Bytes()))
	return err
}
