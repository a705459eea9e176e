package maps

import (
	"fmt"
	"slices"
	"strings"

	"github.com/lode-bpf/lode/btf"
	"github.com/lode-bpf/lode/elf"
	"github.com/lode-bpf/lode/sys"
)

// MaxMaps is the largest number of maps that one object may define. A map
// costs a descriptor and kernel memory, so the number is not left to a file.
const MaxMaps = 4096

// Names of sections that define maps. A struct_ops section whose name begins
// with '?' holds maps that are created only when asked for.
const (
	mapsSection   = ".maps"
	legacySection = "maps"
	lircSection   = "lirc_mode2/maps" // of ir-keytable
	arenaSection  = ".addr_space.1"
	opsSection    = ".struct_ops"
	opsLink       = ".struct_ops.link"
)

// Collect finds what maps an object file defines: the variables of section
// ".maps", described by BTF; one map for each section of global data (".data",
// ".rodata", ".bss" and those with a further suffix); the variables of the
// struct_ops sections. The result is in file order within each of these three
// groups, in this order of groups.
//
// claimed are names of sections that the caller understands itself. They are
// left alone. A section "maps" or "lirc_mode2/maps" that nobody claims, or an
// attribute that is not known, is a *NotUnderstoodError; anything else wrong is a
// *DefinitionError.
//
// b may be nil if the file has no BTF; the global data needs none. Collect
// makes no system call and its cost is linear in the size of the file.
func Collect(f *elf.File, b *btf.Spec, claimed ...string) ([]*Spec, []Finding, error) {
	c := &collector{f: f, btf: b, bySection: map[int][]*Spec{}, valuesAt: map[*Spec]uint64{}}
	if err := c.scan(claimed); err != nil {
		return nil, c.findings, err
	}
	for _, step := range []func() error{c.collectMaps, c.collectData, c.collectStructOps, c.checkNames} {
		if err := step(); err != nil {
			return nil, c.findings, err
		}
	}
	return c.specs, c.findings, nil
}

// collector is the state of one Collect.
type collector struct {
	f   *elf.File
	btf *btf.Spec

	maps, arena elf.Section
	data, ops   []elf.Section
	relocs      map[int][]elf.Section // by the section they apply to

	symbols   map[int]*symbolIndex // of the sections above
	functions *symbolIndex         // made when a slot refers to a function

	specs     []*Spec
	bySection map[int][]*Spec  // those with a symbol, by section
	valuesAt  map[*Spec]uint64 // where a definition's initial values begin in its variable
	copied    uint64           // bytes of data sections
	findings  []Finding
}

//go:noinline
func (c *collector) find(section, name, format string, args ...any) {
	c.findings = append(c.findings, Finding{Section: section, Map: name, Text: fmt.Sprintf(format, args...)})
}

// scan sorts the sections by what they mean here.
func (c *collector) scan(claimed []string) error {
	seen := map[string]bool{}
	for s := range c.f.Sections() {
		name := s.Name()
		if slices.Contains(claimed, name) {
			continue
		}
		if (name == legacySection || name == lircSection) && s.Size() > 0 {
			return c.legacy(s)
		}
		if !definesMaps(s) || s.Size() == 0 {
			continue
		}
		if seen[name] {
			c.find(name, "", "a second section of this name (number %d) is ignored", s.Index())
			continue
		}
		seen[name] = true
		if s.Flags()&elf.SHF_COMPRESSED != 0 {
			return &DefinitionError{Section: name, Reason: "section is compressed; sections that are loaded must not be"}
		}
		c.keep(s)
	}
	c.relocs = map[int][]elf.Section{}
	for s := range c.f.Sections() {
		if s.Type() != elf.SHT_REL && s.Type() != elf.SHT_RELA {
			continue
		}
		if t := s.Target(); t.Valid() && (t.Index() == c.maps.Index() || slices.ContainsFunc(c.ops, func(o elf.Section) bool { return o.Index() == t.Index() })) {
			c.relocs[t.Index()] = append(c.relocs[t.Index()], s)
		}
	}
	return nil
}

// keep files a section that defines maps under its kind.
func (c *collector) keep(s elf.Section) {
	switch name := s.Name(); {
	case name == mapsSection:
		c.maps = s
	case name == arenaSection:
		c.arena = s
	case isStructOps(name):
		c.ops = append(c.ops, s)
	default:
		c.data = append(c.data, s)
	}
}

// definesMaps reports whether a section defines maps, by its name and type.
func definesMaps(s elf.Section) bool {
	name := s.Name()
	switch {
	case name == mapsSection, name == arenaSection, isStructOps(name):
		return true
	case isNamed(name, ".bss"):
		return s.Type() == elf.SHT_NOBITS
	case isNamed(name, ".data"), isNamed(name, ".rodata"):
		return s.Type() == elf.SHT_PROGBITS && s.Flags()&elf.SHF_EXECINSTR == 0
	}
	return false
}

func isStructOps(name string) bool {
	name = strings.TrimPrefix(name, "?")
	return name == opsSection || name == opsLink
}

// isNamed reports whether name is base or has a suffix that a dot begins.
func isNamed(name, base string) bool {
	rest, ok := strings.CutPrefix(name, base)
	return ok && (rest == "" || rest[0] == '.')
}

// legacy is the error about a section of structures that are not described.
func (c *collector) legacy(s elf.Section) error {
	e := &NotUnderstoodError{Section: s.Name(), Size: s.Size(),
		Reason: "map definitions in a C structure of their loader, not described by BTF; use the compatibility loader, or define the maps in section \".maps\""}
	for y := range c.f.Symbols() {
		if y.SectionIndex() == s.Index() && y.Type() != elf.STT_SECTION && y.Name() != "" {
			e.Symbol, e.Size = y.Name(), y.Size()
			break
		}
	}
	return e
}

// add appends a definition, within the limit.
func (c *collector) add(s *Spec) error {
	if len(c.specs) == MaxMaps {
		return &DefinitionError{Section: s.Section, Offset: s.Offset, Map: s.Name, Err: ErrLimit,
			Reason: fmt.Sprintf("more than %d maps (limit MaxMaps)", MaxMaps)}
	}
	c.specs = append(c.specs, s)
	c.bySection[s.SectionIndex] = append(c.bySection[s.SectionIndex], s)
	return nil
}

// checkNames refuses two maps of one name, because every later step speaks of
// maps by name, and reports names that no C compiler makes.
func (c *collector) checkNames() error {
	byName := make(map[string]*Spec, len(c.specs))
	for _, s := range c.specs {
		if other := byName[s.Name]; other != nil {
			return &DefinitionError{Section: s.Section, Offset: s.Offset, Map: s.Name,
				Reason: fmt.Sprintf("a map of this name stands in section %q at 0x%x already", other.Section, other.Offset)}
		}
		byName[s.Name] = s
		if !s.Internal && !isIdentifier(s.Name) {
			c.find(s.Section, s.Name, "name is not a C identifier; it cannot be pinned by name")
		}
		if hi, lo := memoryProduct(s); hi != 0 || lo > 1<<40 {
			c.find(s.Section, s.Name, "%d entries of %d+%d bytes are more memory than a machine has", s.MaxEntries, s.KeySize, s.ValueSize)
		}
	}
	return nil
}

func isIdentifier(name string) bool {
	for i := range len(name) {
		ch := name[i]
		letter := ch == '_' || 'a' <= ch && ch <= 'z' || 'A' <= ch && ch <= 'Z'
		if !letter && (i == 0 || ch < '0' || ch > '9') {
			return false
		}
	}
	return name != ""
}

// hasEntries reports whether memory grows with entries of key and value.
func hasEntries(t sys.MapType) bool {
	return t != sys.MapTypeRingBuf && t != sys.MapTypeUserRingBuf && t != sys.MapTypeArena
}
