package oracle

import (
	"errors"

	"github.com/lode-bpf/lode"
	"github.com/lode-bpf/lode/btf"
	"github.com/lode-bpf/lode/elf"
	"github.com/lode-bpf/lode/maps"
	"github.com/lode-bpf/lode/reloc"
)

// A Verdict is what one stage makes of an object.
type Verdict struct {
	Stage   string // "elf", "btf", "object"
	Outcome string // "ok", "finding": odd but harmless, "error"; "none" if there is nothing for the stage, or an earlier one failed
	Kind    string // of an error of package elf or btf: "truncated", …; of all, "limit exceeded"; for others the part that refused it
	Text    string // the error, or the first finding
}

// String is the outcome with its kind, on one line.
func (v Verdict) String() string {
	if v.Kind != "" {
		return v.Outcome + ": " + v.Kind
	}
	return v.Outcome
}

// Stages are the stages of Judge, in order.
var Stages = []string{"elf", "btf", "object"}

// Judge says what the stages make of an object: the ELF file itself, its types,
// and the whole of maps, programs and relocations. An ELF file that is not a
// BPF object has nothing for the last two.
func Judge(obj []byte) []Verdict {
	list := make([]Verdict, len(Stages))
	for i, s := range Stages {
		list[i] = Verdict{Stage: s, Outcome: "none"}
	}
	f, err := elf.Parse(obj)
	if err != nil {
		list[0].fail(err)
		return list
	}
	list[0].Outcome = "ok"
	for _, x := range f.Findings() {
		list[0].find(x.String())
	}
	if m := f.Machine(); m != elf.EM_BPF && m != elf.EM_NONE {
		return list
	}
	switch s, _, err := btf.ParseELF(f); {
	case errors.Is(err, btf.ErrNoBTF):
	case err != nil:
		list[1].fail(err)
	default:
		list[1].Outcome = "ok"
		for _, x := range s.Findings() {
			list[1].find(x.Text)
		}
	}
	judgeObject(obj, &list[2])
	return list
}

func judgeObject(obj []byte, v *Verdict) {
	o, err := parse(obj)
	if err != nil {
		v.fail(err)
		return
	}
	v.Outcome = "ok"
	for _, x := range o.Findings {
		v.find(x.String())
	}
	r, err := o.RelocateTarget(nil, o.BTF)
	if err != nil {
		v.fail(err)
		return
	}
	for _, p := range r.Programs {
		if p.Code != nil && p.Code.Err != nil {
			v.fail(p.Code.Err)
			if v.Kind == "object" {
				v.Kind = "relocation"
			}
			return
		}
	}
	if _, err := r.Plan(lode.Policy{}); err != nil {
		v.fail(err)
	}
}

func (v *Verdict) find(text string) {
	if v.Outcome == "ok" {
		v.Outcome, v.Text = "finding", text
	}
}

func (v *Verdict) fail(err error) {
	v.Outcome, v.Kind, v.Text = "error", "object", err.Error()
	var e *elf.FormatError
	var b *btf.FormatError
	switch {
	case errors.As(err, &e):
		v.Kind = e.Kind.String()
	case errors.As(err, &b):
		v.Kind = b.Kind.String()
	case errors.Is(err, maps.ErrLimit), errors.Is(err, reloc.ErrLimit), errors.Is(err, elf.ErrLimit):
		v.Kind = elf.Limit.String()
	}
}
