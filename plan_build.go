package lode

import (
	"fmt"
	"slices"

	"github.com/lode-bpf/lode/conf"
	"github.com/lode-bpf/lode/link"
	"github.com/lode-bpf/lode/maps"
	"github.com/lode-bpf/lode/sys"
)

// A Policy decides what an object leaves open: where things are pinned, above
// all. The zero Policy pins maps that ask for it by name below /sys/fs/bpf.
type Policy struct {
	// Config is the pinning configuration (conf.Load); nil for the defaults.
	Config *conf.Config

	// BPFFS is the mount point of the bpffs that relative directories are in;
	// empty for /sys/fs/bpf. See pin.Discover.
	BPFFS string

	// PinRoot, an absolute path, replaces what the configuration says about
	// directories: everything is pinned directly below it.
	PinRoot string

	// Persist pins what would end with the process: every program that is
	// loaded, every program array (which the kernel empties when nobody holds
	// it) and every link. They stand in directories beside the maps, named
	// after the object with ProgramsSuffix, TailCallsSuffix and LinksSuffix;
	// what an earlier load has put there gives way.
	Persist bool

	// Attach, if not nil, is called for every program whose section name says
	// what it is attached to, and struct_ops maps are registered. Set it to
	// link.Auto, or to a function that does some of it in another way. It is a
	// value so that programs which never attach by section name do not carry
	// the code of it.
	Attach func(k sys.Kernel, prog int, t link.Target) (*link.Link, error)

	// IfName is the network device that configured paths may depend on.
	IfName string

	// ProgType is the type of program whose directories iproute2's layout
	// takes; 0 takes that of the first program that is loaded.
	ProgType sys.ProgType
}

// Plan works out everything that loading the object will do, without doing any
// of it. It needs no privileges and no kernel. An object that has been
// relocated gets a full plan; before that, the programs' final instructions and
// the maps they use are not known, but the steps about maps are.
//
// The plan keeps a copy of the object: later edits need a new plan. An
// inconsistent object (two maps of one name, a slot that names no map, a name
// that cannot be pinned) is an error that says which and why.
func (o *Object) Plan(policy Policy) (*Plan, error) {
	b := planner{Plan: &Plan{Object: o.Name, License: o.License, object: o.Clone(), policy: policy, Warnings: []string{}, Steps: []Step{}, Needs: []Need{}, Maps: []PlannedMap{}, Programs: []PlannedProgram{}}}
	for _, step := range []func() error{b.check, b.maps, b.programs, b.steps} {
		if err := step(); err != nil {
			return nil, wrap(err, fmt.Sprintf("plan %q", o.Name))
		}
	}
	for _, f := range b.config().Findings {
		b.warn("%s", f)
	}
	b.needs()
	return b.Plan, nil
}

type planner struct {
	*Plan
	order []*Map // of creation
}

// check refuses what editing can make inconsistent.
func (b *planner) check() error {
	seen := map[string]bool{}
	for _, m := range b.object.Maps {
		if seen[m.Name] {
			return fmt.Errorf("two maps are called %q; rename one", m.Name)
		}
		seen[m.Name] = true
	}
	for _, m := range b.object.Maps {
		if m.InnerMap != "" && (!seen[m.InnerMap] || m.InnerMap == m.Name) {
			return fmt.Errorf("map %q: its template %q is not another map of the object", m.Name, m.InnerMap)
		}
		for _, s := range m.Slots {
			if s.Map != "" && !seen[s.Map] {
				return fmt.Errorf("map %q, slot %d: the object has no map %q", m.Name, s.Index, s.Map)
			}
			if s.Program != "" && b.object.Program(s.Program) == nil {
				return fmt.Errorf("map %q, slot %d: the object has no program %q", m.Name, s.Index, s.Program)
			}
		}
	}
	programs := map[string]bool{}
	for _, p := range b.object.Programs {
		if programs[p.Name] {
			return fmt.Errorf("two programs are called %q; rename one", p.Name)
		}
		programs[p.Name] = true
	}
	return nil
}

func (b *planner) warn(format string, args ...any) {
	b.Warnings = append(b.Warnings, fmt.Sprintf(format, args...))
}

// maps plans each map, in the order of the object, and orders them for
// creation: a template before the maps that take after it.
func (b *planner) maps() error {
	for _, m := range b.object.Maps {
		pm, err := b.plannedMap(m)
		if err != nil {
			return err
		}
		b.Maps = append(b.Maps, pm)
	}
	done := map[string]bool{}
	for len(b.order) < len(b.object.Maps) {
		n := len(b.order)
		for _, m := range b.object.Maps {
			if !done[m.Name] && (m.InnerMap == "" || done[m.InnerMap]) {
				done[m.Name] = true
				b.order = append(b.order, m)
			}
		}
		if len(b.order) == n {
			return fmt.Errorf("maps are templates of each other in a circle")
		}
	}
	return nil
}

func (b *planner) plannedMap(m *Map) (PlannedMap, error) {
	pm := PlannedMap{
		Name: m.Name, KernelName: m.Name, Type: m.Type.String(), KeySize: m.KeySize, ValueSize: m.ValueSize,
		MaxEntries: m.MaxEntries, Flags: m.Flags, Extra: m.Extra, Source: SourceCreate,
		Bytes: (uint64(m.KeySize) + uint64(m.ValueSize)) * uint64(m.MaxEntries),
	}
	if m.Internal {
		pm.KernelName = maps.KernelName(b.object.Name, m.Name)
	}
	if m.Type == sys.MapTypeRingBuf || m.Type == sys.MapTypeUserRingBuf {
		pm.Bytes = uint64(m.MaxEntries)
	}
	var err error
	switch {
	case m.Use != nil:
		pm.Source = SourceGiven
		return pm, nil
	case m.Disabled:
		pm.Source = SourceNothing
		return pm, nil
	case m.UsePin != "":
		pm.Source = SourcePin
		pm.Pin = &PlannedPin{Path: m.UsePin, Decided: "object", Now: "unknown"}
	default:
		if pm.Pin, err = b.mapPin(m); err != nil {
			return pm, fmt.Errorf("map %q: %w", m.Name, err)
		}
		switch {
		case pm.Pin != nil:
			pm.Source = SourceShare
		case b.policy.Persist && m.Type == sys.MapTypeProgArray && m.Pin.Mode != PinNever:
			if pm.Pin, err = b.lasting(conf.Query{Map: m.Name, Type: m.Type.String()}, TailCallsSuffix); err != nil {
				return pm, fmt.Errorf("map %q: %w", m.Name, err)
			}
		}
	}
	if pm.Pin != nil {
		err = checkPath(pm.Pin.Path)
	}
	if err != nil {
		return pm, fmt.Errorf("map %q: %w", m.Name, err)
	}
	return pm, nil
}

func (b *planner) progType() sys.ProgType {
	if b.policy.ProgType != sys.ProgTypeUnspec {
		return b.policy.ProgType
	}
	for _, p := range b.object.Programs {
		if p.AutoLoad {
			return p.Type
		}
	}
	return sys.ProgTypeUnspec
}

// programs plans each program.
func (b *planner) programs() error {
	for _, p := range b.object.Programs {
		pp := PlannedProgram{
			Name: p.Name, Section: p.Section, Type: p.Type.String(), Target: p.AttachTarget, Load: p.AutoLoad,
			Instructions: len(p.Func.Insns), Maps: p.mapsUsed(), Relocations: b.object.relocations(p),
		}
		if p.AttachType != 0 || p.AttachTypeNeeded {
			pp.AttachType = p.AttachType.String()
		}
		if p.Code != nil {
			pp.Instructions = len(p.Code.Insns)
			if p.Code.Err != nil {
				pp.Error = p.Code.Err.Error()
			}
		}
		if p.AutoLoad && p.Type == sys.ProgTypeUnspec {
			pp.Error = fmt.Sprintf("the section name %q does not say what type of program it is; set its Type", p.Section)
		}
		var err error
		if p.AutoLoad {
			if pp.Pin, err = b.programPin(p); err != nil {
				return fmt.Errorf("program %q: %w", p.Name, err)
			}
		}
		b.Programs = append(b.Programs, pp)
	}
	return nil
}

// mapsUsed lists the maps that the program's final instructions refer to.
func (p *Program) mapsUsed() []string {
	if p.Code == nil {
		return nil
	}
	var out []string
	for _, r := range p.Code.Maps {
		if !slices.Contains(out, r.Map) {
			out = append(out, r.Map)
		}
	}
	slices.Sort(out)
	return out
}

// Map returns the plan of a map, nil if there is none of that name.
func (p *Plan) Map(name string) *PlannedMap {
	for i := range p.Maps {
		if p.Maps[i].Name == name {
			return &p.Maps[i]
		}
	}
	return nil
}

func (p *Plan) onMismatch(mapName string) conf.OnMismatch {
	if m := p.Map(mapName); m != nil && m.Pin != nil {
		return m.Pin.OnMismatch
	}
	return conf.Refuse
}

// subject is what a step is about.
func (s Step) subject() string {
	if s.Map != "" {
		return fmt.Sprintf("map %q", s.Map)
	}
	if s.Program != "" {
		return fmt.Sprintf("program %q", s.Program)
	}
	return "the object's types"
}

// doing is the beginning of an error about a step, empty where the error says
// it by itself.
func (s Step) doing() string {
	if s.Op == OpLoadProgram {
		return ""
	}
	return string(s.Op) + " " + s.subject()
}
