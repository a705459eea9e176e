package main

import (
	"flag"
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/lode-bpf/lode"
	"github.com/lode-bpf/lode/btf"
	"github.com/lode-bpf/lode/insn"
	"github.com/lode-bpf/lode/reloc"
	"github.com/lode-bpf/lode/sys"
)

func disasmFlags(f *flag.FlagSet, e *env) {
	commonFlags(f, e)
	f.StringVar(&e.opts.style, "style", "verifier", "notation: verifier or llvm")
	envFlag(f, e, "without it, the code as it stands in the file")
	legacyFlag(f, e)
}

// A disassembled is one function as it is printed.
type disassembled struct {
	Name         string        `json:"name"`
	Section      string        `json:"section"`
	Error        string        `json:"error,omitempty"` // why it cannot be loaded
	Instructions []instruction `json:"instructions"`

	code *insn.Func
	name func(int, insn.Instruction) string
}

type instruction struct {
	Index  int      `json:"index"`
	Text   string   `json:"text"`
	Source string   `json:"source,omitempty"` // of the line that begins here
	Notes  []string `json:"notes,omitempty"`  // what relocation is to do or has done
}

// disasm prints the code of an object: as the file has it, or relocated.
func disasm(e *env) error {
	if len(e.args) < 1 || len(e.args) > 2 {
		return usage("want one file and at most one program")
	}
	style, ok := map[string]insn.Style{"verifier": insn.Verifier, "llvm": insn.LLVM}[e.opts.style]
	if !ok {
		return usage("--style is verifier or llvm, not %q", e.opts.style)
	}
	o, err := openLegacy(e.args[0], e.opts.legacy)
	if err != nil {
		return err
	}
	var all []disassembled
	if e.opts.env == "" {
		all = fileCode(o)
	} else if all, err = e.relocatedCode(o); err != nil {
		return err
	}
	if len(e.args) == 2 {
		all = slices.DeleteFunc(all, func(d disassembled) bool { return d.Name != e.args[1] })
		if len(all) == 0 {
			return &lode.NoSuchError{What: "program", Name: e.args[1]}
		}
	}
	if e.opts.json {
		for i := range all {
			all[i].list(style, o.BTF)
		}
		return e.printJSON(all)
	}
	for i, d := range all {
		if i > 0 {
			fmt.Fprintln(e.out)
		}
		if _, err := e.out.Write(d.text(style, o)); err != nil {
			return err
		}
	}
	return nil
}

// fileCode is every function of the file, with what is to be relocated.
func fileCode(o *lode.Object) []disassembled {
	in := reloc.Input{BTF: o.BTF, Target: o.BTF, Subs: o.Subprograms}
	for _, p := range o.Programs {
		in.Programs = append(in.Programs, p.Func)
	}
	var decisions []reloc.Decision
	if o.BTF != nil {
		decisions, _ = reloc.CORE(&in) // against its own types: what it asks for
	}
	var all []disassembled
	add := func(f *insn.Func, mine func(*reloc.Decision) bool) {
		f = f.Clone()
		for i := range decisions {
			if d := &decisions[i]; mine(d) {
				note(f, d.Index, fmt.Sprintf("CO-RE %s of %s", d.Kind, d.Path()))
			}
		}
		all = append(all, disassembled{Name: f.Name, Section: f.Section, code: sorted(f)})
	}
	for i, p := range o.Programs {
		add(p.Func, func(d *reloc.Decision) bool { return d.Program == i })
	}
	for i, f := range o.Subprograms {
		add(f, func(d *reloc.Decision) bool { return d.Program < 0 && d.Sub == i })
	}
	return all
}

// relocatedCode is every program as it would be loaded.
func (e *env) relocatedCode(o *lode.Object) ([]disassembled, error) {
	for _, p := range o.Programs {
		p.AutoLoad = true
		if p.Type == sys.ProgTypeUnspec {
			p.Type = sys.ProgTypeSocketFilter // a plan wants one; it does not show in the code
		}
	}
	env, err := e.relocationEnv()
	if err != nil {
		return nil, err
	}
	r, err := o.Relocate(env)
	if err != nil {
		return nil, err
	}
	plan, err := r.Plan(lode.Policy{})
	if err != nil {
		return nil, err
	}
	var all []disassembled
	for i, p := range r.Programs {
		if p.Code == nil {
			continue // a struct_ops program that nothing uses
		}
		planned := plan.Programs[i]
		f := &insn.Func{Name: p.Name, Section: p.Section, Insns: p.Code.Insns, Lines: p.Code.Lines, Refs: slices.Clone(p.Code.Refs)}
		for _, x := range planned.Relocations {
			note(f, x.Index, x.What+": "+x.Result)
		}
		all = append(all, disassembled{Name: p.Name, Section: p.Section, Error: planned.Error, code: sorted(f), name: callee(p.Code)})
	}
	return all, nil
}

// callee names the function of the program that an instruction calls or takes
// the address of.
func callee(c *reloc.Program) func(int, insn.Instruction) string {
	target := map[int]int{}
	for x := range insn.Callees(c.Insns) {
		if x.Kind == insn.Function {
			target[x.Index] = x.Target
		}
	}
	return func(at int, _ insn.Instruction) string {
		slot, ok := target[at]
		if !ok {
			return ""
		}
		for _, f := range c.Funcs {
			if f.Index == slot {
				return quote(f.Func.Name)
			}
		}
		return ""
	}
}

// note adds a comment to an instruction of a function of its own.
func note(f *insn.Func, at int, text string) {
	text = strings.NewReplacer("→", "->", "\n", " ").Replace(text)
	f.Refs = append(f.Refs, insn.Ref{Index: at, Symbol: insn.Symbol{Name: text}})
}

func sorted(f *insn.Func) *insn.Func {
	slices.SortStableFunc(f.Refs, func(a, b insn.Ref) int { return a.Index - b.Index })
	return f
}

// text is the function as a person reads it.
func (d *disassembled) text(style insn.Style, o *lode.Object) []byte {
	last := ""
	source := func(l insn.Line) string {
		text := sourceText(o.BTF, l)
		if text == last { // another column of the same line
			return ""
		}
		last = text
		return text
	}
	l := insn.Listing{Style: style, ByteOrder: o.File.ByteOrder(), Name: d.name, Source: source}
	out := fmt.Appendf(nil, "%s in section %s, %d instructions\n", quote(d.Name), quote(d.Section), len(d.code.Insns))
	for line := range strings.Lines(d.Error) {
		out = fmt.Appendf(out, "; cannot be loaded: %s\n", strings.TrimSpace(line))
	}
	return l.Append(out, d.code)
}

// list fills in the instructions, for JSON.
func (d *disassembled) list(style insn.Style, b *btf.Spec) {
	d.Instructions = []instruction{}
	source := map[int]string{}
	for _, l := range d.code.Lines {
		source[l.Index] = sourceText(b, l)
	}
	for at := 0; at < len(d.code.Insns); {
		text, slots := insn.AppendText(nil, style, d.code.Insns, at)
		x := instruction{Index: at, Text: string(text), Source: source[at]}
		for _, r := range d.code.Refs {
			if r.Index == at {
				x.Notes = append(x.Notes, r.Symbol.Name)
			}
		}
		d.Instructions = append(d.Instructions, x)
		at += slots
	}
}

// sourceText is a source line with its place.
func sourceText(b *btf.Spec, l insn.Line) string {
	if b == nil {
		return ""
	}
	file, _ := b.String(l.FileOff)
	text, _ := b.String(l.LineOff)
	return strings.TrimSpace(fmt.Sprintf("%s:%d %s", path.Base(file), l.Line(), strings.TrimSpace(text)))
}
