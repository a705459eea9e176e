package main

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/lode-bpf/lode"
	"github.com/lode-bpf/lode/elf"
	"github.com/lode-bpf/lode/insn"
)

// An inspected is what a file says.
type inspected struct {
	File      string        `json:"file"`
	Name      string        `json:"name"`
	Order     string        `json:"byte_order"`
	License   string        `json:"license"`
	BTF       int           `json:"btf_types"`
	Sections  []section     `json:"sections"`
	Programs  []programRow  `json:"programs"`
	Maps      []mapRow      `json:"maps"`
	Variables []variableRow `json:"variables"`
	Externs   []externRow   `json:"externs"`
	Findings  []string      `json:"findings"`
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
	Name         string   `json:"name"`
	Section      string   `json:"section"`
	Type         string   `json:"type"`
	Attach       string   `json:"attach"`
	Instructions int      `json:"instructions"`
	Relocations  int      `json:"relocations"`
	CORE         int      `json:"core_relocations"`
	Calls        []string `json:"calls"`
}

// inspect shows what files say. A file that cannot be read does not keep the
// others from being shown.
func inspect(e *env) error {
	if len(e.args) == 0 {
		return usage("want at least one file")
	}
	all := []inspected{}
	var failed error
	for i, path := range e.args {
		o, err := openLegacy(path, "auto")
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
		if _, err := fmt.Fprint(e.out, e.inspectText(x)); err != nil {
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
	x := inspected{File: path, Name: o.Name, Order: order(o.File), License: o.License, Variables: variables(o), Externs: externs(o),
		Sections: []section{}, Maps: []mapRow{}, Programs: []programRow{}, Findings: []string{}}
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
	functions := functionNames(o)
	for _, p := range o.Programs {
		attach := ""
		if p.AttachType != 0 || p.AttachTypeNeeded {
			attach = p.AttachType.String()
		}
		if p.AttachTarget != "" {
			attach = strings.TrimSpace(attach + " " + quote(p.AttachTarget))
		}
		x.Programs = append(x.Programs, programRow{p.Name, p.Section, p.Type.String(), attach, len(p.Func.Insns), len(p.Func.Refs), len(p.Func.CORE), calls(p.Func, functions)})
	}
	for _, f := range o.Findings {
		x.Findings = append(x.Findings, f.String())
	}
	return x
}

// A place is where a function begins: a section and a slot in it.
type place struct{ section, slot int }

// calls are the functions that a program calls, each
// once, in the order of the code: helpers, functions of the object, functions of
// the kernel.
func calls(f *insn.Func, functions map[place]string) []string {
	refs := map[int]insn.Ref{}
	for _, r := range f.Refs {
		refs[r.Index] = r
	}
	out := []string{}
	for c := range insn.Callees(f.Insns) {
		r, external := refs[c.Index]
		at := place{f.SectionIndex, f.Offset + c.Target}
		if external {
			at = place{r.Symbol.Section, int(r.Symbol.Value/insn.Size) + c.Target - c.Index - 1} // the immediate is the addend
			if f.Insns[c.Index].Op == insn.OpCall {
				at.slot++
			}
		}
		name := functions[at]
		switch {
		case c.Kind == insn.Helper && !external:
			name, _ = insn.HelperName(c.Number)
			name = cmp.Or(name, fmt.Sprintf("helper %d", c.Number))
		case external && r.Symbol.Section == 0:
			name = r.Symbol.Name // of the kernel
		}
		if name != "" && !slices.Contains(out, name) {
			out = append(out, name)
		}
	}
	return out
}

// functionNames are all functions of an object, by their places.
func functionNames(o *lode.Object) map[place]string {
	names := map[place]string{}
	for _, f := range o.Subprograms {
		names[place{f.SectionIndex, f.Offset}] = f.Name
	}
	for _, p := range o.Programs {
		names[place{p.Func.SectionIndex, p.Func.Offset}] = p.Name
	}
	return names
}

func order(f *elf.File) string {
	if f.ByteOrder().Uint16([]byte{1, 0}) == 1 {
		return "little endian"
	}
	return "big endian"
}

// inspectText is the file as a person reads it.
func (e *env) inspectText(x inspected) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: BPF object %q, %s, license %q, ", x.File, x.Name, x.Order, x.License)
	if x.BTF > 0 {
		fmt.Fprintf(&b, "%d BTF types\n", x.BTF)
	} else {
		b.WriteString("no BTF\n")
	}
	rows := [][]string{{"#", "SECTION", "TYPE", "FLAGS", "SIZE"}}
	for _, s := range x.Sections {
		rows = append(rows, []string{fmt.Sprint(s.Index), quote(s.Name), s.Type, s.Flags, fmt.Sprint(s.Size)})
	}
	e.part(&b, rows)
	rows = [][]string{{"PROGRAM", "SECTION", "TYPE", "ATTACH", "INSNS", "RELOCS", "CO-RE", "CALLS"}}
	for _, p := range x.Programs {
		rows = append(rows, []string{quote(p.Name), quote(p.Section), p.Type, p.Attach, fmt.Sprint(p.Instructions), fmt.Sprint(p.Relocations), fmt.Sprint(p.CORE), strings.Join(quoteAll(p.Calls), ", ")})
	}
	e.part(&b, rows)
	rows = [][]string{{"MAP", "SECTION", "TYPE", "KEY", "VALUE", "ENTRIES", "FLAGS", "PIN", "SLOTS"}}
	for _, m := range x.Maps {
		rows = append(rows, []string{quote(m.Name), quote(m.Section), m.Type, fmt.Sprint(m.KeySize), fmt.Sprint(m.ValueSize), fmt.Sprint(m.MaxEntries), fmt.Sprintf("%#x", m.Flags), fmt.Sprint(m.Pinning), fmt.Sprint(m.Slots)})
	}
	e.part(&b, rows)
	rows = [][]string{{"VARIABLE", "SECTION", "SIZE", "TYPE", "VALUE"}}
	for _, v := range x.Variables {
		rows = append(rows, []string{quote(v.Name), quote(v.Section), fmt.Sprint(v.Size), v.Type, shorten(string(v.Value), valueText)})
	}
	e.part(&b, rows)
	rows = [][]string{{"EXTERN", "KIND", "", "TYPE"}}
	for _, y := range x.Externs {
		weak := ""
		if y.Weak {
			weak = "weak"
		}
		rows = append(rows, []string{quote(y.Name), y.Kind, weak, y.Type})
	}
	e.part(&b, rows)
	lines(&b, "FINDINGS", x.Findings)
	return b.String()
}

func (e *env) part(b *strings.Builder, rows [][]string) {
	if len(rows) > 1 {
		b.WriteByte('\n')
		e.table(b, rows)
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
