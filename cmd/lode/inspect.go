package main

import (
	"errors"
	"fmt"
	"strings"

	"github.com/lode-bpf/lode"
	"github.com/lode-bpf/lode/elf"
)

// An inspected is what a file says.
type inspected struct {
	File     string       `json:"file"`
	Name     string       `json:"name"`
	Order    string       `json:"byte_order"`
	License  string       `json:"license"`
	BTF      int          `json:"btf_types"`
	Sections []section    `json:"sections"`
	Maps     []mapRow     `json:"maps"`
	Programs []programRow `json:"programs"`
	Externs  []string     `json:"externs"`
	Findings []string     `json:"findings"`
}

type section struct {
	Index int    `json:"index"`
	Name  string `json:"name"`
	Type  string `json:"type"`
	Flags string `json:"flags"`
	Size  uint64 `json:"size"`
}

type mapRow struct {
	Name       string `json:"name"`
	Section    string `json:"section"`
	Type       string `json:"type"`
	KeySize    uint32 `json:"key_size"`
	ValueSize  uint32 `json:"value_size"`
	MaxEntries uint32 `json:"max_entries"`
	Flags      uint32 `json:"flags"`
	Pinning    uint32 `json:"pinning"`
	Slots      int    `json:"slots"`
}

type programRow struct {
	Name         string `json:"name"`
	Section      string `json:"section"`
	Type         string `json:"type"`
	Attach       string `json:"attach"`
	Instructions int    `json:"instructions"`
	References   int    `json:"references"`
	CORE         int    `json:"core_relocations"`
}

func inspect(e *env) error {
	if len(e.args) == 0 {
		return usage("want at least one file")
	}
	var all []inspected
	var failed error
	for i, path := range e.args {
		o, err := lode.Open(path, lode.ParseOptions{Fallback: fallback})
		if err != nil {
			failed = errors.Join(failed, err)
			continue
		}
		x := examine(path, o)
		if e.opts.json {
			all = append(all, x)
			continue
		}
		if i > 0 {
			fmt.Fprintln(e.out)
		}
		if _, err := fmt.Fprint(e.out, x); err != nil {
			return err
		}
	}
	if e.opts.json {
		if err := e.printJSON(all); err != nil {
			return err
		}
	}
	return failed
}

func examine(path string, o *lode.Object) inspected {
	x := inspected{File: path, Name: o.Name, Order: order(o.File), License: o.License, Sections: []section{}, Maps: []mapRow{}, Programs: []programRow{}, Externs: []string{}, Findings: []string{}}
	if o.BTF != nil {
		x.BTF = o.BTF.NumTypes() - 1
	}
	for s := range o.File.Sections() {
		if s.Index() > 0 {
			x.Sections = append(x.Sections, section{s.Index(), s.Name(), s.Type().String(), s.Flags().String(), s.Size()})
		}
	}
	for _, m := range o.Maps {
		x.Maps = append(x.Maps, mapRow{m.Name, m.Section, m.Type.String(), m.KeySize, m.ValueSize, m.MaxEntries, m.Flags, m.Pinning, len(m.Slots)})
	}
	for _, p := range o.Programs {
		attach := ""
		if p.AttachType != 0 || p.AttachTypeNeeded {
			attach = p.AttachType.String()
		}
		if p.AttachTarget != "" {
			attach = strings.TrimSpace(attach + " " + quote(p.AttachTarget))
		}
		x.Programs = append(x.Programs, programRow{p.Name, p.Section, p.Type.String(), attach, len(p.Func.Insns), len(p.Func.Refs), len(p.Func.CORE)})
	}
	for _, y := range o.Externs {
		x.Externs = append(x.Externs, y.Name)
	}
	for _, f := range o.Findings {
		x.Findings = append(x.Findings, f.String())
	}
	return x
}

func order(f *elf.File) string {
	if f.ByteOrder().Uint16([]byte{1, 0}) == 1 {
		return "little endian"
	}
	return "big endian"
}

// String is the file as a person reads it.
func (x inspected) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: BPF object %q, %s, license %q, ", x.File, x.Name, x.Order, x.License)
	if x.BTF > 0 {
		fmt.Fprintf(&b, "%d BTF types\n", x.BTF)
	} else {
		b.WriteString("no BTF\n")
	}
	rows := [][]string{{"SECTION", "", "TYPE", "FLAGS", "SIZE"}}
	for _, s := range x.Sections {
		rows = append(rows, []string{fmt.Sprint(s.Index), quote(s.Name), s.Type, s.Flags, fmt.Sprint(s.Size)})
	}
	part(&b, rows)
	rows = [][]string{{"PROGRAM", "SECTION", "TYPE", "ATTACH", "INSNS", "REFS", "CO-RE"}}
	for _, p := range x.Programs {
		rows = append(rows, []string{quote(p.Name), quote(p.Section), p.Type, p.Attach, fmt.Sprint(p.Instructions), fmt.Sprint(p.References), fmt.Sprint(p.CORE)})
	}
	part(&b, rows)
	rows = [][]string{{"MAP", "SECTION", "TYPE", "KEY", "VALUE", "ENTRIES", "FLAGS", "PIN", "SLOTS"}}
	for _, m := range x.Maps {
		rows = append(rows, []string{quote(m.Name), quote(m.Section), m.Type, fmt.Sprint(m.KeySize), fmt.Sprint(m.ValueSize), fmt.Sprint(m.MaxEntries), fmt.Sprintf("%#x", m.Flags), fmt.Sprint(m.Pinning), fmt.Sprint(m.Slots)})
	}
	part(&b, rows)
	lines(&b, "EXTERNS", x.Externs)
	lines(&b, "FINDINGS", x.Findings)
	return b.String()
}

func part(b *strings.Builder, rows [][]string) {
	if len(rows) > 1 {
		b.WriteByte('\n')
		table(b, rows)
	}
}

func lines(b *strings.Builder, title string, items []string) {
	if len(items) > 0 {
		fmt.Fprintf(b, "\n%s\n", title)
	}
	for _, s := range items {
		fmt.Fprintf(b, "%s\n", s)
	}
}
