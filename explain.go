package lode

import (
	"fmt"
	"slices"

	"github.com/lode-bpf/lode/prog"
	"github.com/lode-bpf/lode/reloc"
)

// needsBTF reports whether the object cannot be loaded without its types.
func (o *Object) needsBTF() bool { return len(o.structOps()) > 0 }

// decision finds the CO-RE decision behind a change, nil if it is another kind
// of change.
func (o *Object) decision(c reloc.Change) *reloc.Decision {
	if c.Record < 0 || c.Record >= len(o.Relocation.Records) {
		return nil
	}
	r := o.Relocation.Records[c.Record]
	if !r.CORE || r.Decision < 0 || r.Decision >= len(o.Relocation.Decisions) {
		return nil
	}
	return &o.Relocation.Decisions[r.Decision]
}

// relocations lists what relocation did to a program, by instruction.
func (o *Object) relocations(p *Program) []PlannedRelocation {
	if p.Code == nil {
		return nil
	}
	var out []PlannedRelocation
	last := -1
	for _, c := range p.Code.Changes {
		if c.Record == last && c.Record >= 0 {
			continue // the second slot of the same instruction
		}
		last = c.Record
		r := PlannedRelocation{Index: c.Index, What: changeNames[c.Kind]}
		if d := o.decision(c); d != nil {
			r.What, r.Result = fmt.Sprintf("%s of %s", d.Kind, d.Path()), d.Verdict()
		} else if i := slices.IndexFunc(p.Code.Maps, func(m reloc.MapRef) bool { return m.Index == c.Index }); i >= 0 {
			m := p.Code.Maps[i]
			r.Result = name(m.Map)
			if m.Value {
				r.Result += fmt.Sprintf("+%d", m.Offset)
			}
		} else {
			r.Result = fmt.Sprintf("imm %d → %d", c.From.Imm, c.To.Imm)
		}
		out = append(out, r)
	}
	return out
}

// explain says, about an instruction that the verifier refuses, what relocation
// knows of it: the CO-RE field that this kernel does not have, say.
func (p *Plan) explain(g *Program) func(index int) string {
	return func(index int) string {
		for _, c := range g.Code.Changes {
			if c.Index != index || c.Kind != reloc.ChangePoison {
				continue
			}
			if d := p.object.decision(c); d != nil {
				return d.String()
			}
			return "the kernel has no such function, and the program calls it without checking that it exists"
		}
		return ""
	}
}

// findTarget finds what a program attaches to in the types of the kernel, of a
// module, or of another program.
func (l *programLoader) findTarget(p *Program) (prog.Target, error) {
	vmlinux, err := l.live.Kernel()
	if err != nil {
		return prog.Target{}, err
	}
	return prog.FindTarget(&p.Spec, vmlinux, func() ([]prog.ModuleBTF, error) {
		list, err := l.live.Modules()
		var out []prog.ModuleBTF
		for _, m := range list {
			if m.Err == nil {
				out = append(out, prog.ModuleBTF{Name: m.Name, BTF: m.BTF})
			}
		}
		return out, err
	})
}

// changeNames say what changed an instruction.
var changeNames = map[reloc.ChangeKind]string{
	reloc.ChangeCall: "call", reloc.ChangeFunc: "function address", reloc.ChangeMap: "map", reloc.ChangeData: "data",
	reloc.ChangeKconfig: "kconfig", reloc.ChangeKsym: "kernel symbol", reloc.ChangeKfunc: "kernel function",
	reloc.ChangeJump: "jump table", reloc.ChangeCORE: "CO-RE", reloc.ChangePoison: "poison",
}
