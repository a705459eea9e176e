package lode

import (
	"fmt"
	"path"
	"strings"

	"github.com/lode-bpf/lode/conf"
	"github.com/lode-bpf/lode/pin"
)

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

// checkPath refuses a pin path that bpffs or the name check will refuse.
func checkPath(p string) error {
	if !path.IsAbs(p) || path.Clean(p) != p {
		return fmt.Errorf("the pin path %q is not absolute and clean", p)
	}
	return conf.CheckElement(path.Base(p))
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
	case p.Pin.Mode == PinByName || b.policy.Persist:
		q.PinValue = 1
	}
	d, err := b.config().Decide(q)
	if err != nil || !d.Pin {
		return nil, err
	}
	if d.Reason != string(conf.RuleProgram)+" rule" {
		return b.besideOf(d, ProgramsSuffix)
	}
	pp := b.pinOf(d, d.Dir)
	pp.OnMismatch = "" // a program has no definition to match: the newest one gets the path
	return pp, nil
}

// Directories beside an object's maps have these names behind the object's own.
// The '-' keeps them apart from maps, which have names of C.
const (
	ProgramsSuffix  = "-programs"   // programs that no rule of the configuration places
	TailCallsSuffix = "-tail-calls" // program arrays that are pinned only to last
	LinksSuffix     = "-links"      // links
)

// lasting is the path of something that is pinned only to last: in the directory of
// its kind beside where q would be pinned by name. Nil if a rule says nowhere.
func (b *planner) lasting(q conf.Query, suffix string) (*PlannedPin, error) {
	q.Object, q.IfName, q.PinValue = b.object.Name, b.policy.IfName, 1
	if q.ProgType == "" {
		q.ProgType = b.progType().String()
	}
	d, err := b.config().Decide(q)
	if err != nil || !d.Pin {
		return nil, err
	}
	return b.besideOf(d, suffix)
}

// besideOf is the path of a decision, moved into a directory of the object's.
func (b *planner) besideOf(d conf.Decision, suffix string) (*PlannedPin, error) {
	sub := b.object.Name + suffix
	if err := pin.CheckName(sub); err != nil {
		return nil, err
	}
	pp := b.pinOf(d, path.Join(d.Dir, sub))
	pp.OnMismatch = "" // there is no definition to match: the newest one gets the path
	return pp, nil
}
