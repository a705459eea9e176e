package lode

import (
	"fmt"
	"sort"
	"strings"

	"github.com/lode-bpf/lode/conf"
	"github.com/lode-bpf/lode/prog"
	"github.com/lode-bpf/lode/sys"
)

// steps lays everything out in the order of doing it.
func (b *planner) steps() error {
	add := func(s Step) { b.Steps = append(b.Steps, s) }
	if b.object.BTF != nil {
		add(Step{Op: OpLoadBTF, Note: fmt.Sprintf("%d types", b.object.BTF.NumTypes()-1)})
	}
	b.mapSteps(add)
	for _, p := range b.object.Programs {
		if p.AutoLoad {
			add(Step{Op: OpLoadProgram, Program: p.Name})
		}
	}
	b.programSlots(add)
	b.pinSteps(add)
	return b.attachSteps(add)
}

// mapSteps makes, fills and links the maps.
func (b *planner) mapSteps(add func(Step)) {
	for _, m := range b.order {
		pm := b.Map(m.Name)
		s := Step{Op: OpCreateMap, Map: m.Name}
		if pm.Pin != nil && pm.Source != SourceCreate {
			s.Path, s.aliases = pm.Pin.Path, pm.Pin.aliases
		}
		switch pm.Source {
		case SourceGiven:
			s.Op = OpUseMap
		case SourcePin:
			s.Op = OpReuseMap
		case SourceShare:
			s.Op = OpShareMap
		case SourceNothing:
			continue
		}
		add(s)
	}
	for _, m := range b.created() {
		// Filling an arena maps it, too, without which it has no address and no program that uses it is loaded.
		unplaced := m.Type == sys.MapTypeArena && m.Extra == 0
		if (len(m.Data) > 0 || len(m.Contents) > 0 || unplaced) && m.Type != sys.MapTypeStructOps {
			add(Step{Op: OpFillMap, Map: m.Name, Note: contents(m)})
		}
		if m.Freeze {
			add(Step{Op: OpFreezeMap, Map: m.Name})
		}
	}
	for _, m := range b.created() {
		for _, s := range m.Slots {
			if s.Map != "" && b.Map(s.Map).Source == SourceNothing {
				b.warn("map %q: slot %d stays empty, because map %q is not created", m.Name, s.Index, s.Map)
			} else if s.Map != "" {
				add(Step{Op: OpSetSlot, Map: m.Name, Key: s.Index, Target: s.Map})
			}
		}
	}
}

// created lists the maps that are made, or may be.
func (b *planner) created() []*Map {
	var out []*Map
	for _, m := range b.order {
		if src := b.Map(m.Name).Source; src == SourceCreate || src == SourceShare {
			out = append(out, m)
		}
	}
	return out
}

func contents(m *Map) string {
	var parts []string
	if len(m.Data) > 0 {
		parts = append(parts, fmt.Sprintf("%d bytes", len(m.Data)))
		if m.DataAt != 0 {
			parts[0] += fmt.Sprintf(" at %#x", m.DataAt)
		}
	}
	if len(m.Contents) > 0 {
		parts = append(parts, fmt.Sprintf("%d entries", len(m.Contents)))
	}
	if len(parts) == 0 {
		return "an address"
	}
	return strings.Join(parts, ", ")
}

// programSlots fills program arrays and struct_ops maps, and last the slots of
// reused maps that ask for it.
func (b *planner) programSlots(add func(Step)) {
	for _, m := range b.created() {
		if m.Type == sys.MapTypeStructOps {
			continue // registered when it is attached
		}
		for _, s := range m.Slots {
			if s.Program == "" {
				continue
			}
			if !b.object.Program(s.Program).AutoLoad {
				b.warn("map %q: slot %d stays empty, because program %q is not loaded", m.Name, s.Index, s.Program)
				continue
			}
			add(Step{Op: OpSetTailCall, Map: m.Name, Key: s.Index, Target: s.Program})
		}
	}
	for _, m := range b.order {
		src := b.Map(m.Name).Source
		if !m.Refill || src != SourceShare && src != SourcePin {
			continue
		}
		for _, s := range m.Slots {
			if s.Map != "" && b.Map(s.Map).Source != SourceNothing || s.Program != "" && b.object.Program(s.Program).AutoLoad {
				add(Step{Op: OpRefillSlot, Map: m.Name, Key: s.Index, Target: s.Map + s.Program, Note: "only if reused"})
			}
		}
	}
}

// attachSteps register struct_ops maps, attach what says to what, and pin the links
// if they are to last.
func (b *planner) attachSteps(add func(Step)) error {
	if b.policy.Attach == nil {
		return nil
	}
	var pins []Step
	last := func(s Step, q conf.Query) error {
		if !b.policy.Persist {
			return nil
		}
		p, err := b.lasting(q, LinksSuffix)
		if p != nil {
			s.Path, s.aliases = p.Path, p.aliases
			pins = append(pins, s)
		}
		return err
	}
	for _, m := range b.created() {
		if m.Type != sys.MapTypeStructOps {
			continue
		}
		add(Step{Op: OpRegister, Map: m.Name})
		if m.Flags&sys.BPF_F_LINK == 0 { // it stays registered by itself
			continue
		}
		if err := last(Step{Op: OpPinLink, Map: m.Name}, conf.Query{Map: m.Name, Type: m.Type.String()}); err != nil {
			return err
		}
	}
	for _, p := range b.object.Programs {
		if !p.AutoLoad || p.AttachTarget == "" || p.AttachKind == prog.AttachNone || p.AttachKind == prog.AttachStructOps {
			continue
		}
		add(Step{Op: OpAttach, Program: p.Name, Target: p.AttachTarget, Note: p.AttachKind.String()})
		if err := last(Step{Op: OpPinLink, Program: p.Name}, conf.Query{Program: p.Name, ProgType: p.Type.String()}); err != nil {
			return err
		}
	}
	for _, s := range pins {
		add(s)
	}
	return nil
}

// pinSteps come after loading, in the order of their paths, so that two loaders that
// pin the same things meet at the first of them.
func (b *planner) pinSteps(add func(Step)) {
	var pins []Step
	for _, m := range b.Maps {
		if m.Pin != nil && (m.Source == SourceShare || m.Source == SourceCreate) {
			pins = append(pins, Step{Op: OpPinMap, Map: m.Name, Path: m.Pin.Path, aliases: m.Pin.aliases})
		}
	}
	sort.SliceStable(pins, func(i, j int) bool { return pins[i].Path < pins[j].Path })
	for _, p := range b.Programs {
		if p.Pin != nil {
			pins = append(pins, Step{Op: OpPinProgram, Program: p.Name, Path: p.Pin.Path})
		}
	}
	for i, s := range pins {
		for _, t := range pins[:i] {
			if s.Path == t.Path {
				b.warn("%s and %s are pinned at the same path %q", t.subject(), s.subject(), s.Path)
			}
		}
		add(s)
	}
}
