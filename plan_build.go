package lode

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/lode-bpf/lode/conf"
	"github.com/lode-bpf/lode/maps"
	"github.com/lode-bpf/lode/pin"
	"github.com/lode-bpf/lode/prog"
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

	// PinPrograms pins every program that is loaded, in a directory of its
	// own, where no map of a C identifier's name can stand.
	PinPrograms bool

	// Attach attaches every program whose section name says to what, and
	// registers struct_ops maps.
	Attach bool

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
		if pm.Pin != nil {
			pm.Source = SourceShare
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

// mapPin decides where a map is pinned; nil for nowhere.
func (b *planner) mapPin(m *Map) (*PlannedPin, error) {
	q := conf.Query{
		Object: b.object.Name, Map: m.Name, Type: m.Type.String(), ProgType: b.progType().String(), IfName: b.policy.IfName,
		PinValue: m.Pinning, Legacy: m.Legacy, ObjectSHA1: b.object.Hash,
	}
	switch m.Pin.Mode {
	case PinNever:
		return nil, nil
	case PinPath:
		return &PlannedPin{Path: m.Pin.Path, Decided: "object", Now: "unknown", OnMismatch: b.config().OnMismatch.V}, nil
	case PinByName:
		q.PinValue, q.Legacy = 1, false
	}
	d, err := b.config().Decide(q)
	if err != nil {
		return nil, err
	}
	if !d.Pin {
		if q.PinValue != 0 && !d.Origin.IsSet() {
			b.warn("map %q asks for pin value %d and is not pinned: %s", m.Name, q.PinValue, d.Reason)
		}
		return nil, nil
	}
	if !m.Internal { // a dot is for names that the loader makes
		if err := pin.CheckName(m.Name); err != nil {
			return nil, err
		}
	}
	return b.pinOf(d, d.Dir), nil
}

// pinOf is a decision of the configuration as a path, in directory dir.
func (b *planner) pinOf(d conf.Decision, dir string) *PlannedPin {
	if b.policy.PinRoot != "" {
		return &PlannedPin{Path: path.Join(b.policy.PinRoot, strings.TrimPrefix(dir, d.Dir), d.Name), Decided: "policy", Now: "unknown", OnMismatch: d.OnMismatch}
	}
	decided := d.Origin.String()
	if d.Reason != "" {
		decided += ", " + d.Reason
	}
	return &PlannedPin{Path: path.Join(b.bpffs(), dir, d.Name), Decided: decided, Now: "unknown", OnMismatch: d.OnMismatch, aliases: d.IPRoute2}
}

func (b *planner) config() *conf.Config {
	if b.policy.Config == nil {
		b.policy.Config = conf.Default()
	}
	return b.policy.Config
}

func (b *planner) bpffs() string {
	for _, p := range []string{b.policy.BPFFS, b.config().BPFFS.V} {
		if p != "" {
			return p
		}
	}
	return conf.DefaultBPFFS
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

// checkPath refuses a pin path that bpffs or the name check will refuse.
func checkPath(p string) error {
	if !path.IsAbs(p) || path.Clean(p) != p {
		return fmt.Errorf("the pin path %q is not absolute and clean", p)
	}
	return conf.CheckElement(path.Base(p))
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

// programPin decides where a program is pinned: where a rule about it says, or
// else in a directory beside the maps, whose name has a '-' and so is no
// identifier of C.
func (b *planner) programPin(p *Program) (*PlannedPin, error) {
	q := conf.Query{Object: b.object.Name, Program: p.Name, ProgType: p.Type.String(), IfName: b.policy.IfName}
	switch {
	case p.Pin.Mode == PinNever:
		return nil, nil
	case p.Pin.Mode == PinPath:
		return &PlannedPin{Path: p.Pin.Path, Decided: "object", Now: "unknown"}, checkPath(p.Pin.Path)
	case p.Pin.Mode == PinByName || b.policy.PinPrograms:
		q.PinValue = 1
	}
	d, err := b.config().Decide(q)
	if err != nil || !d.Pin {
		return nil, err
	}
	dir := d.Dir
	if d.Reason != string(conf.RuleProgram)+" rule" {
		sub := b.object.Name + ProgramsSuffix
		if err := pin.CheckName(sub); err != nil {
			return nil, err
		}
		dir = path.Join(d.Dir, sub)
	}
	pp := b.pinOf(d, dir)
	pp.OnMismatch = "" // a program has no definition to match: the newest one gets the path
	return pp, nil
}

// ProgramsSuffix ends the name of the directory that an object's programs are
// pinned in by default; the object's name stands before it.
const ProgramsSuffix = "-programs"

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
	b.attachSteps(add)
	return nil
}

// mapSteps makes, fills and links the maps.
func (b *planner) mapSteps(add func(Step)) {
	for _, m := range b.order {
		pm := b.Map(m.Name)
		s := Step{Op: OpCreateMap, Map: m.Name}
		if pm.Pin != nil {
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
		if (len(m.Data) > 0 || len(m.Contents) > 0) && m.Type != sys.MapTypeStructOps {
			add(Step{Op: OpFillMap, Map: m.Name, Note: contents(m)})
		}
		if m.Freeze {
			add(Step{Op: OpFreezeMap, Map: m.Name})
		}
	}
	for _, m := range b.created() {
		for _, s := range m.Slots {
			if s.Map != "" {
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
	}
	if len(m.Contents) > 0 {
		parts = append(parts, fmt.Sprintf("%d entries", len(m.Contents)))
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
			if s.Map != "" || b.object.Program(s.Program).AutoLoad {
				add(Step{Op: OpRefillSlot, Map: m.Name, Key: s.Index, Target: s.Map + s.Program, Note: "only if reused"})
			}
		}
	}
}

// attachSteps register struct_ops maps and attach what says to what.
func (b *planner) attachSteps(add func(Step)) {
	if !b.policy.Attach {
		return
	}
	for _, m := range b.created() {
		if m.Type == sys.MapTypeStructOps {
			add(Step{Op: OpRegister, Map: m.Name})
		}
	}
	for _, p := range b.object.Programs {
		if p.AutoLoad && p.AttachTarget != "" && p.AttachKind != prog.AttachNone && p.AttachKind != prog.AttachStructOps {
			add(Step{Op: OpAttach, Program: p.Name, Target: p.AttachTarget, Note: p.AttachKind.String()})
		}
	}
}

// pinSteps come after loading, in the order of their paths, so that two loaders that
// pin the same things meet at the first of them.
func (b *planner) pinSteps(add func(Step)) {
	var pins []Step
	for _, m := range b.Maps {
		if m.Source == SourceShare {
			pins = append(pins, Step{Op: OpPinMap, Map: m.Name, Path: m.Pin.Path, aliases: m.Pin.aliases})
		}
	}
	slices.SortFunc(pins, func(a, b Step) int { return strings.Compare(a.Path, b.Path) })
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
