package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/lode-bpf/lode"
	"github.com/lode-bpf/lode/btf"
	"github.com/lode-bpf/lode/reloc"
)

func coreFlags(f *flag.FlagSet, e *env) {
	commonFlags(f, e)
	f.Var(&e.opts.btf, "btf", "types of a kernel: a `file` (BTF, ELF, or a recorded kernel), a directory of such, or vmlinux, which is the default; may be repeated")
	f.BoolVar(&e.opts.details, "details", false, "list every relocation that is not simply ok")
	legacyFlag(f, e)
}

// A coreKernel is one column of the matrix.
type coreKernel struct {
	name string
	env  reloc.Env // a recorded kernel, with its modules
	btf  *btf.Spec // or only types
}

// A coreCell is one object for one kernel.
type coreCell struct {
	File    string              `json:"file"`
	Kernel  string              `json:"kernel"`
	Verdict coreVerdict         `json:"verdict"` // the worst that a relocation comes to
	Counts  map[coreVerdict]int `json:"counts"`
	Details []string            `json:"details,omitempty"`
}

// A coreVerdict is what relocations come to, the better first.
type coreVerdict string

const (
	coreOK        coreVerdict = "ok"        // as in the object
	coreChanged   coreVerdict = "changed"   // adapted to the kernel
	coreGuarded   coreVerdict = "guarded"   // the kernel lacks it; the code that needs it is not reached
	coreMissing   coreVerdict = "missing"   // the kernel lacks it, and the code that needs it may be reached
	coreAmbiguous coreVerdict = "ambiguous" // the kernel has several that differ
	coreInvalid   coreVerdict = "invalid"   // the relocation contradicts itself or the kernel's types
)

var coreVerdicts = []coreVerdict{coreOK, coreChanged, coreGuarded, coreMissing, coreAmbiguous, coreInvalid}

// core prints what the CO-RE relocations of objects come to on kernels.
func core(e *env) error {
	if len(e.args) == 0 {
		return usage("want at least one file")
	}
	kernels, err := coreKernels(e.opts.btf)
	if err != nil {
		return err
	}
	var cells []coreCell
	bad := 0
	var unread error // a file does not keep the others from being judged
	for i, path := range e.args {
		e.progress(i, path)
		o, err := openLegacy(path, e.opts.legacy)
		if err != nil {
			unread = errors.Join(unread, err)
			continue
		}
		for _, k := range kernels {
			c := k.judge(o)
			c.File = path
			if !e.opts.details {
				c.Details = nil
			}
			if c.Verdict != coreOK && c.Verdict != coreChanged && c.Verdict != coreGuarded {
				bad++
			}
			cells = append(cells, c)
		}
	}
	e.progress(len(e.args), "")
	if e.opts.json {
		err = e.printJSON(cells)
	} else if len(cells) > 0 {
		_, err = fmt.Fprint(e.out, e.coreMatrix(cells, kernels))
	}
	if err == nil && bad > 0 {
		err = fmt.Errorf("%d of %d combinations have relocations that are missing, ambiguous or invalid", bad, len(cells))
	}
	return errors.Join(unread, err)
}

// coreKernels opens what --btf names.
func coreKernels(names []string) ([]coreKernel, error) {
	if len(names) == 0 {
		names = []string{"vmlinux"}
	}
	var out []coreKernel
	for _, n := range names {
		if n == "vmlinux" {
			out = append(out, coreKernel{name: n, env: kernelEnv()})
			continue
		}
		files := []string{n}
		if st, err := os.Stat(n); err == nil && st.IsDir() {
			if files, err = filesIn(n); err != nil {
				return nil, err
			}
		}
		for _, f := range files {
			k := coreKernel{name: filepath.Base(f)}
			if r, err := readEnv(f); err == nil {
				k.env = r
			} else if k.btf, err = openTypes(f, nil); err != nil {
				return nil, err
			}
			out = append(out, k)
		}
	}
	return out, nil
}

// filesIn lists the files of a directory.
func filesIn(dir string) ([]string, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	var files []string
	for _, x := range entries {
		if !x.IsDir() {
			files = append(files, filepath.Join(dir, x.Name()))
		}
	}
	if len(files) == 0 {
		return nil, fmt.Errorf("%s: there is no file in this directory", dir)
	}
	return files, nil
}

// judge decides every CO-RE relocation of an object for a kernel.
func (k coreKernel) judge(o *lode.Object) coreCell {
	c := coreCell{Kernel: k.name, Verdict: coreOK, Counts: map[coreVerdict]int{}}
	if o.BTF == nil {
		return c
	}
	in := reloc.Input{BTF: o.BTF, Subs: o.Subprograms, Env: k.env, Target: k.btf}
	for _, p := range o.Programs {
		in.Programs = append(in.Programs, p.Func)
	}
	decisions, _ := reloc.CORE(&in)
	worst := 0
	for i := range decisions {
		d := &decisions[i]
		v := judgement(d)
		c.Counts[coreVerdicts[v]]++
		worst = max(worst, v)
		if v > 0 {
			c.Details = append(c.Details, d.String())
		}
	}
	c.Verdict = coreVerdicts[worst]
	return c
}

// judgement is the place of a decision in coreVerdicts.
func judgement(d *reloc.Decision) int {
	switch {
	case d.Outcome == reloc.OutcomePoison && d.Guard == reloc.Guarded:
		return 2
	case d.Outcome == reloc.OutcomePoison:
		return 3
	case d.Outcome == reloc.OutcomeInvalid && errors.Is(d.Err, reloc.ErrAmbiguous):
		return 4
	case d.Outcome == reloc.OutcomeInvalid:
		return 5
	case d.Kind == btf.CORETypeIDTarget && d.Outcome == reloc.OutcomeValue:
		return 0 // ids differ between any two kernels
	case d.Old != d.New || d.Resized:
		return 1
	}
	return 0
}

// coreMatrix is the table of objects and kernels.
func (e *env) coreMatrix(cells []coreCell, kernels []coreKernel) string {
	head := []string{"FILE"}
	for _, k := range kernels {
		head = append(head, quote(k.name))
	}
	rows := [][]string{head}
	var details []string
	for i, c := range cells {
		if i%len(kernels) == 0 {
			rows = append(rows, []string{quote(c.File)})
		}
		cell := string(c.Verdict)
		if c.Verdict != coreOK {
			cell += fmt.Sprintf(" %d", c.Counts[c.Verdict])
		}
		rows[len(rows)-1] = append(rows[len(rows)-1], cell)
		for _, d := range c.Details {
			details = append(details, fmt.Sprintf("%s on %s: %s", quote(c.File), quote(c.Kernel), d))
		}
	}
	var b strings.Builder
	e.table(&b, rows)
	lines(&b, "DETAILS", details)
	return b.String()
}
