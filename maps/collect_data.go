package maps

import (
	"fmt"
	"strings"

	"github.com/lode-bpf/lode/btf"
	"github.com/lode-bpf/lode/elf"
	"github.com/lode-bpf/lode/sys"
)

// collectData makes an array of one value for each section of global data, and
// gives the arena, if there is one, its initial contents.
func (c *collector) collectData() error {
	for _, sec := range c.data {
		s, err := c.dataMap(sec)
		if err != nil {
			return err
		}
		if err := c.add(s); err != nil {
			return err
		}
	}
	return c.arenaData()
}

func (c *collector) dataMap(sec elf.Section) (*Spec, error) {
	name := sec.Name()
	s := &Spec{Name: name, Type: sys.MapTypeArray, KeySize: 4, MaxEntries: 1, BTF: c.btf, Internal: true,
		Section: name, SectionIndex: sec.Index(), Size: sec.Size()}
	if sec.Size() > 1<<32-1 {
		c.find(name, "", "section of %d bytes cannot be a map, whose values have at most %d", sec.Size(), uint32(1<<32-1))
	} else {
		s.ValueSize = uint32(sec.Size())
	}
	if isNamed(name, ".rodata") {
		s.Flags |= sys.BPF_F_RDONLY_PROG
		s.Freeze = true
	}
	mappable, err := c.fillData(s, sec)
	if mappable {
		s.Flags |= sys.BPF_F_MMAPABLE
	}
	return s, err
}

// fillData gives a Spec the bytes and the variables of a section, and says
// whether one of them is for others to see: neither static nor hidden. Sources
// hide what no process may map, such as a spin lock and what it guards.
func (c *collector) fillData(s *Spec, sec elf.Section) (visible bool, err error) {
	s.DataSize, s.DataSection = sec.Size(), sec.Index()
	if sec.Type() != elf.SHT_NOBITS {
		if s.Data, err = c.copyOf(sec, 0, sec.Size()); err != nil {
			return false, err
		}
	}
	if c.btf == nil {
		return false, nil
	}
	ds, ok := c.btf.Find(sec.Name(), btf.KindDatasec)
	if !ok {
		return false, nil
	}
	if s.Internal {
		s.Value = ds.ID()
	}
	vars, err := c.variables(sec, ds)
	if err != nil {
		return false, err
	}
	for _, v := range vars {
		s.Vars = append(s.Vars, v.Var)
		visible = visible || !v.Static
	}
	return visible, nil
}

// arenaData gives the bytes of section ".addr_space.1" to the arena.
func (c *collector) arenaData() error {
	if !c.arena.Valid() {
		return nil
	}
	var arena *Spec
	for _, s := range c.specs {
		if s.Type != sys.MapTypeArena {
			continue
		}
		if arena != nil {
			return &DefinitionError{Section: arenaSection, Reason: fmt.Sprintf("two arenas, %q and %q: which of them holds these variables?", arena.Name, s.Name)}
		}
		arena = s
	}
	if arena == nil {
		return &DefinitionError{Section: arenaSection, Reason: "variables of an arena, but no map of type arena"}
	}
	_, err := c.fillData(arena, c.arena)
	return err
}

// copyOf copies bytes of a section, so that they may be edited. Sections that
// do not overlap have no more bytes than the file; those that do are refused
// rather than copied many times.
func (c *collector) copyOf(sec elf.Section, off, n uint64) ([]byte, error) {
	b := sec.Data()
	if size := uint64(len(b)); off > size || n > size-off {
		return nil, &DefinitionError{Section: sec.Name(), Offset: off, Reason: fmt.Sprintf("%d bytes, of which the file has %d", n, size)}
	}
	if c.copied += n; c.copied > uint64(c.f.Size()) {
		return nil, &DefinitionError{Section: sec.Name(), Offset: off, Err: ErrLimit,
			Reason: fmt.Sprintf("sections of data overlap: together they have more bytes than the file's %d", c.f.Size())}
	}
	return append(make([]byte, 0, n), b[off:off+n]...), nil
}

// kernelNameLen is how many characters the kernel keeps of a name
// (BPF_OBJ_NAME_LEN without the final NUL).
const kernelNameLen = 15

// KernelName is what the kernel is told to call the map of a section of global
// data, in at most 15 characters: the section's name after as much of the
// object's name as there is room for, or the section's name alone if it has a
// suffix of its own (".data.x"). What the kernel does not allow in a name
// becomes "_".
//
//	object           section     name
//	my_object_name   .rodata     my_objec.rodata
//	my_object_name   .kconfig    my_obje.kconfig
//	a-b              .data       a_b.data
//	any              .data.my    .data.my
func KernelName(object, section string) string {
	if len(section) > 0 && strings.Contains(section[1:], ".") {
		return kernelName(section)
	}
	// The section has the right to seven characters, and to all of its own.
	suffix := min(kernelNameLen, max(7, len(section)))
	object = object[:min(kernelNameLen-suffix, len(object))]
	return kernelName(object + section[:min(suffix, len(section))])
}

// kernelName cuts a name to what the kernel keeps and replaces what it refuses.
func kernelName(name string) string {
	b := []byte(name[:min(kernelNameLen, len(name))])
	for i, ch := range b {
		if ch != '_' && ch != '.' && (ch < '0' || ch > '9') && (ch < 'a' || ch > 'z') && (ch < 'A' || ch > 'Z') {
			b[i] = '_'
		}
	}
	return string(b)
}
