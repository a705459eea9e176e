package reloc

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/lode-bpf/lode/btf"
	"github.com/lode-bpf/lode/elf"
	"github.com/lode-bpf/lode/insn"
)

// An object is a parsed object file and what the tests of this package need of
// it: a small stand-in for the collectors of the packages prog and maps.
type object struct {
	Input
	file *elf.File
	ext  *btf.Ext
}

// open reads ../testdata/NAME.bpf.o, or NAME.bpfeb.o if the name ends in "/eb".
func open(t testing.TB, name string) *object {
	t.Helper()
	file := name + ".bpf.o"
	if n, ok := strings.CutSuffix(name, "/eb"); ok {
		file = n + ".bpfeb.o"
	}
	b, err := os.ReadFile(filepath.Join("..", "testdata", file))
	if err != nil {
		t.Fatal(err)
	}
	o, err := parse(b)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return o
}

// parse collects what relocation works on.
func parse(b []byte) (*object, error) {
	f, err := elf.Parse(b)
	if err != nil {
		return nil, err
	}
	o := &object{file: f}
	o.BTF, o.ext, err = btf.ParseELF(f)
	if err != nil {
		o.BTF, o.ext = nil, nil
	}
	if err := o.functions(); err != nil {
		return nil, err
	}
	o.sections()
	o.Externs, o.Kconfig, _, err = CollectExterns(f, o.BTF)
	return o, err
}

func (o *object) functions() error {
	f := o.file
	for sec := range f.Sections() {
		if sec.Type() != elf.SHT_PROGBITS || sec.Flags()&elf.SHF_EXECINSTR == 0 || sec.Size() == 0 {
			continue
		}
		code, err := insn.Decode(sec.Data(), f.ByteOrder())
		if err != nil {
			return err
		}
		var fns []*insn.Func
		for s := range f.Symbols() {
			if s.Type() != elf.STT_FUNC || s.SectionIndex() != sec.Index() || s.Value()%8 != 0 || s.Size()%8 != 0 {
				continue
			}
			from, n := s.Value()/8, s.Size()/8
			if from > uint64(len(code)) || n > uint64(len(code))-from || n == 0 {
				continue
			}
			fns = append(fns, &insn.Func{Name: s.Name(), Section: sec.Name(), SectionIndex: sec.Index(), Offset: int(from),
				Bind: uint8(s.Bind()), Visibility: uint8(s.Visibility()), Insns: slices.Clone(code[from : from+n])})
		}
		slices.SortStableFunc(fns, func(a, b *insn.Func) int { return a.Offset - b.Offset })
		o.refs(sec, fns)
		o.info(sec.Name(), fns)
		for _, fn := range fns {
			if sec.Name() == ".text" || fn.Bind == 0 {
				o.Subs = append(o.Subs, fn)
			} else {
				o.Programs = append(o.Programs, fn)
			}
		}
	}
	return nil
}

// holder is the function that holds a slot of the section.
func holder(fns []*insn.Func, slot int) *insn.Func {
	for _, fn := range fns {
		if slot >= fn.Offset && slot < fn.Offset+len(fn.Insns) {
			return fn
		}
	}
	return nil
}

func (o *object) refs(sec elf.Section, fns []*insn.Func) {
	for rs := range o.file.Sections() {
		if rs.Target().Index() != sec.Index() || rs.Type() != elf.SHT_REL {
			continue
		}
		for i, r := range rs.Relocs() {
			fn := holder(fns, int(r.Offset/8))
			if fn == nil {
				continue
			}
			s := o.file.Symbol(r.Symbol)
			fn.Refs = append(fn.Refs, insn.Ref{Index: int(r.Offset/8) - fn.Offset, Type: r.Type, RelSection: rs.Index(), Record: i,
				Symbol: insn.Symbol{Index: s.Index(), Name: s.Name(), Section: s.SectionIndex(), SectionName: s.Section().Name(),
					Value: s.Value(), Size: s.Size(), Bind: uint8(s.Bind()), Type: uint8(s.Type()), Visibility: uint8(s.Visibility())}})
		}
	}
}

func (o *object) info(section string, fns []*insn.Func) {
	if o.ext == nil {
		return
	}
	for _, fi := range o.ext.Funcs(section) {
		if fn := holder(fns, int(fi.Off/8)); fn != nil {
			fn.TypeID = uint32(fi.Type)
		}
	}
	for _, l := range o.ext.Lines(section) {
		if fn := holder(fns, int(l.Off/8)); fn != nil {
			fn.Lines = append(fn.Lines, insn.Line{Index: int(l.Off/8) - fn.Offset, FileOff: l.FileOff, LineOff: l.LineOff, LineCol: l.LineCol})
		}
	}
	for i, c := range o.ext.CORE(section) {
		if fn := holder(fns, int(c.Off/8)); fn != nil && c.Off%8 == 0 {
			fn.CORE = append(fn.CORE, insn.CORE{Index: int(c.Off/8) - fn.Offset, TypeID: uint32(c.Type), AccessOff: c.AccessOff, Kind: uint32(c.Kind), Record: i})
		}
	}
}

func (o *object) sections() {
	for sec := range o.file.Sections() {
		name := sec.Name()
		switch {
		case name == ".maps" || name == "maps":
			for s := range o.file.Symbols() {
				if s.Type() == elf.STT_OBJECT && s.SectionIndex() == sec.Index() {
					o.Maps = append(o.Maps, MapSymbol{Map: s.Name(), Section: sec.Index(), Offset: s.Value(), Size: s.Size()})
				}
			}
		case strings.HasPrefix(name, ".data"), strings.HasPrefix(name, ".rodata"), strings.HasPrefix(name, ".bss"), name == ".addr_space.1":
			o.Maps = append(o.Maps, MapSymbol{Map: name, Section: sec.Index(), Size: sec.Size(), Data: true, Arena: name == ".addr_space.1"})
		case name == ".jumptables":
			o.JumpTables = Section{Index: sec.Index(), Data: sec.Data(), Order: o.file.ByteOrder()}
		}
	}
}
