package iproute2

import (
	"fmt"

	"github.com/lode-bpf/lode"
	"github.com/lode-bpf/lode/maps"
	"github.com/lode-bpf/lode/sys"
)

// selectPrograms says which programs are loaded, gives a type to those whose
// section names none, and puts tail-called programs into their arrays.
func (opts Options) selectPrograms(o *lode.Object, defs []legacy) error {
	section := opts.Section
	if section == "" {
		if d := DefaultSection(opts.Type); hasSection(o, d) {
			section = d
		}
	}
	if section != "" && !hasSection(o, section) {
		return &NoSectionError{Section: section, Has: sections(o)}
	}
	t := opts.mainType(o, section)
	for _, p := range o.Programs {
		id, key, tail := ParseTailCall(p.Section)
		if p.Section == section {
			tail = false // chosen by name: a program like any other
		}
		if tail {
			if err := placeTailCall(o, defs, p, id, key); err != nil {
				return err
			}
		} else if section != "" && p.Section != section {
			p.AutoLoad = false
		}
		if p.AutoLoad && p.Type == sys.ProgTypeUnspec {
			p.Type = t
		}
	}
	for _, m := range defs {
		if err := checkSlots(m); err != nil {
			return err
		}
	}
	return nil
}

// mainType is the type of programs that do not say theirs.
func (opts Options) mainType(o *lode.Object, section string) sys.ProgType {
	if opts.Type != sys.ProgTypeUnspec {
		return opts.Type
	}
	for _, p := range o.Programs {
		if p.Type != sys.ProgTypeUnspec && (section == "" || p.Section == section) {
			return p.Type
		}
	}
	return sys.ProgTypeUnspec
}

// placeTailCall makes a program the initial value of a slot in the first
// program array with the section's id. Without such an array nothing can call
// the program and it is not loaded.
func placeTailCall(o *lode.Object, defs []legacy, p *lode.Program, id, key uint32) error {
	for _, m := range defs {
		if m.def.ID != id || m.Type != sys.MapTypeProgArray {
			continue
		}
		if key >= m.MaxEntries {
			return &DefinitionError{Symbol: m.Name, Offset: m.Offset, Reason: fmt.Sprintf(
				"program %q in section %q goes to key %d, but the program array has %d entries", p.Name, p.Section, key, m.MaxEntries)}
		}
		m.Refill = true
		m.Slots = append(m.Slots, maps.Slot{Index: key, Program: p.Name})
		return nil
	}
	p.AutoLoad = false
	o.Findings = append(o.Findings, lode.Finding{Stage: "iproute2", Text: fmt.Sprintf(
		"program %q in section %q is not loaded: the object has no program array with id %d", p.Name, p.Section, id)})
	return nil
}

func hasSection(o *lode.Object, name string) bool {
	for _, p := range o.Programs {
		if p.Section == name {
			return true
		}
	}
	return false
}

func sections(o *lode.Object) []string {
	var out []string
	for _, p := range o.Programs {
		if len(out) == 0 || out[len(out)-1] != p.Section {
			out = append(out, p.Section)
		}
	}
	return out
}
