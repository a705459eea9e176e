package lode

import (
	"fmt"
	"os"
	"slices"

	"github.com/lode-bpf/lode/btf"
	"github.com/lode-bpf/lode/reloc"
	"github.com/lode-bpf/lode/sys"
)

// A Relocation is what Relocate decided, with reasons. The instructions stand
// in the programs' Code.
type Relocation struct {
	Decisions []reloc.Decision // CO-RE
	Records   []reloc.Record   // what became of each relocation record of the file
	StructOps []reloc.StructOpsBinding
	reloc.Accounting
}

// Relocate makes final instructions: subprograms are linked, CO-RE relocations
// decided and applied, kernel configuration, symbols and functions resolved.
// References to maps stay symbolic, so that maps may be created before or
// after. env is what is known of the kernel: the running one (LiveEnv) or a
// recorded one; it may be nil for an object that refers to none.
//
// The result is a copy; o stays as it was and can be relocated again. A
// reference that cannot be resolved fails only the programs that use it
// (Code.Err); the error is for what concerns the object as a whole.
func (o *Object) Relocate(env reloc.Env) (*Object, error) {
	return o.RelocateTarget(env, nil)
}

// RelocateTarget is Relocate with CO-RE relocations against the types of target
// instead of the kernel's and its modules'.
func (o *Object) RelocateTarget(env reloc.Env, target *btf.Spec) (*Object, error) {
	c := o.Clone()
	c.idleStructOps()
	c.usdtAttachType(env)
	c.placeArenaData(env)
	in := reloc.Input{
		BTF: c.BTF, Subs: slices.Clone(c.Subprograms), Externs: c.Externs, Kconfig: c.Kconfig, Env: env, Target: target,
		Maps: c.mapSymbols(), StructOps: c.structOps(),
	}
	if s, ok := c.File.SectionByName(".jumptables"); ok {
		in.JumpTables = reloc.Section{Index: s.Index(), Data: s.Data(), Order: c.File.ByteOrder()}
	}
	var active []*Program
	for _, p := range c.Programs {
		p.Code = nil
		if p.AutoLoad {
			active = append(active, p)
			in.Programs = append(in.Programs, p.Func)
		} else {
			in.Subs = append(in.Subs, p.Func) // another program may call it
		}
	}
	res, err := reloc.Relocate(in)
	if err != nil {
		return nil, wrap(err, fmt.Sprintf("relocate %q", o.Name))
	}
	for i, p := range active {
		p.Code = res.Programs[i]
	}
	if m := c.Map(reloc.KconfigMap); m != nil && res.Kconfig != nil {
		m.Data = res.Kconfig
	}
	for _, f := range res.Findings {
		c.find("reloc", fmt.Sprintf("%q+%d: %s", f.Func, f.Index, f.Text))
	}
	c.Relocation = &Relocation{Decisions: res.Decisions, Records: res.Records, StructOps: res.StructOps, Accounting: res.Accounting}
	return c, nil
}

// usdtAttachType sets the attach type that USDT programs are loaded with: they go
// through uprobe-multi links where the kernel has them. Without an answer (an
// unprivileged process, a recording that lacks it) they are single uprobes, which
// every kernel has.
func (o *Object) usdtAttachType(env reloc.Env) {
	for _, p := range o.Programs {
		if !p.USDT || !p.AutoLoad || p.AttachType != 0 || env == nil {
			continue
		}
		if multi, err := env.Feature(reloc.FeatureUprobeMulti); err == nil && multi {
			p.AttachType = sys.AttachTraceUprobeMulti
		}
	}
}

// placeArenaData says where in an arena its variables stand: in the last pages, as
// with libbpf, so that those at the beginning are free for programs that want them;
// in the first ones where the kernel's instructions do not reach that far.
func (o *Object) placeArenaData(env reloc.Env) {
	for _, m := range o.Maps {
		if m.Type != sys.MapTypeArena || len(m.Data) == 0 || env == nil {
			continue
		}
		m.DataAt = 0
		page := uint64(os.Getpagesize())
		size, room := uint64(m.MaxEntries)*page, (uint64(len(m.Data))+page-1)/page*page
		if reach, err := env.Feature(reloc.FeatureFullRangeOff); err == nil && reach && room <= size && size <= 1<<32 {
			m.DataAt = size - room
		}
	}
}

// mapSymbols says which references mean which map: by the place of the
// definition's symbol, or by name for a definition that has none.
func (o *Object) mapSymbols() []reloc.MapSymbol {
	var out []reloc.MapSymbol
	for _, m := range o.Maps {
		s := reloc.MapSymbol{Map: m.Name, Section: m.SectionIndex, Offset: m.Offset, Size: m.Size, Data: m.Internal}
		if m.SectionIndex == 0 {
			s.Name = m.Name
		}
		out = append(out, s)
		if m.Type == sys.MapTypeArena && len(m.Data) > 0 {
			if sec, ok := o.File.SectionByName(arenaSection); ok {
				out = append(out, reloc.MapSymbol{Map: m.Name, Section: sec.Index(), Size: sec.Size(), Data: true, Arena: true, Base: uint32(m.DataAt)})
			}
		}
	}
	return out
}

// arenaSection holds the global variables of an arena.
const arenaSection = ".addr_space.1"
