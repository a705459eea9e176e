package oracle

import (
	"bytes"
	delf "debug/elf"
	"errors"
	"slices"

	"github.com/lode-bpf/lode/elf"
)

// checkELF holds package elf to its promises.
func checkELF(obj []byte, fail func(string, string, ...any)) {
	var f *elf.File
	var err error
	bounded(len(obj), fail, func() { f, err = elf.Parse(obj) })
	if err != nil {
		checkELFError(obj, err, fail)
		return
	}
	for _, x := range f.Findings() {
		if x.Offset < 0 || x.Offset >= int64(len(obj)) {
			fail("place", "a finding outside the file of %d bytes: %v", len(obj), x)
		}
		if !plain(x.String()) {
			fail("text", "%q", x.String())
		}
	}
	ours := list(f)
	rebuild(f, ours, fail)
	standard(f, ours, fail)
}

func checkELFError(obj []byte, err error, fail func(string, string, ...any)) {
	var e *elf.FormatError
	switch {
	case !errors.As(err, &e):
		fail("place", "%T is not a *FormatError: %v", err, err)
	case e.Offset < 0 || e.Offset > int64(len(obj)):
		fail("place", "an error outside the file of %d bytes: %v", len(obj), e)
	}
	if !plain(err.Error()) {
		fail("text", "%q", err)
	}
}

// A contents is what a file says, without where it says it.
type contents struct {
	sections []sectionContents
	symbols  []elf.SymbolDef
}

type sectionContents struct {
	elf.SectionDef
	relocs []elf.Reloc
}

// list reads all of a file.
func list(f *elf.File) (c contents) {
	for s := range f.Sections() {
		def := elf.SectionDef{
			Name: s.Name(), Type: s.Type(), Flags: s.Flags(), Addr: s.Addr(), Addralign: s.Addralign(), Entsize: s.Entsize(),
			Link: s.Link(), Info: s.Info(), Size: s.Size(), Data: s.Data(),
		}
		sc := sectionContents{SectionDef: def}
		for _, r := range s.Relocs() {
			sc.relocs = append(sc.relocs, r)
			s.RelocSymbol(r).Name()
		}
		for range s.Notes() {
		}
		c.sections = append(c.sections, sc)
	}
	for s := range f.Symbols() {
		c.symbols = append(c.symbols, elf.SymbolDef{
			Name: s.Name(), Bind: s.Bind(), Type: s.Type(), Other: s.Other(), Section: s.SectionIndex(), Reserved: s.Reserved(),
			Value: s.Value(), Size: s.Size(),
		})
	}
	for s := range f.DynamicSymbols() {
		s.Name()
	}
	for s := range f.Segments() {
		for range s.Notes() {
		}
	}
	return c
}

// rebuild writes the file again and compares.
func rebuild(f *elf.File, ours contents, fail func(string, string, ...any)) {
	b, err := elf.FromFile(f)
	if err != nil {
		if !errors.Is(err, elf.ErrUnsupported) {
			fail("round trip", "FromFile: %v", err)
		}
		return
	}
	raw, err := b.Bytes()
	if err != nil {
		fail("round trip", "Bytes: %v", err)
		return
	}
	again, err := elf.Parse(raw)
	if err != nil {
		fail("round trip", "what was written is refused: %v", err)
		return
	}
	theirs := list(again)
	if !slices.Equal(named(ours.symbols), named(theirs.symbols)) {
		fail("round trip", "the symbols differ")
	}
	if len(ours.sections) <= 1 && len(theirs.sections) == 0 {
		return // a table of nothing but the first, empty section is not written
	}
	if len(ours.sections) != len(theirs.sections) {
		fail("round trip", "%d sections, %d when written again", len(ours.sections), len(theirs.sections))
		return
	}
	for i := 1; i < len(ours.sections); i++ {
		a, b := ours.sections[i], theirs.sections[i]
		if a.Name != b.Name || a.Type != b.Type || a.Flags != b.Flags || a.Addralign != b.Addralign {
			fail("round trip", "section %d: %+v, written again %+v", i, a, b)
		}
		if !slices.Equal(a.relocs, b.relocs) {
			fail("round trip", "section %d: the relocations differ", i)
		}
		if a.Type == elf.SHT_PROGBITS && !bytes.Equal(a.Data, b.Data) {
			fail("round trip", "section %d: the contents differ", i)
		}
	}
}

// named leaves out symbol 0, which stands for none whatever is written there.
func named(list []elf.SymbolDef) []elf.SymbolDef { return list[min(1, len(list)):] }

// standard compares with debug/elf, which panics on some files and refuses
// others.
func standard(f *elf.File, ours contents, fail func(string, string, ...any)) {
	theirs, symbols := debugELF(f.Data())
	if theirs == nil || len(theirs.Sections) == 0 {
		return
	}
	if len(theirs.Sections) != len(ours.sections) {
		fail("debug/elf", "%d sections there, %d here", len(theirs.Sections), len(ours.sections))
		return
	}
	for i, s := range theirs.Sections {
		if i == 0 || s.Flags&delf.SHF_COMPRESSED != 0 {
			continue // the standard library replaces the size
		}
		o := ours.sections[i]
		if s.Name != o.Name || uint32(s.Type) != uint32(o.Type) || s.Size != o.Size || s.Link != o.Link || s.Info != o.Info {
			fail("debug/elf", "section %d: %+v there, %+v here", i, s.SectionHeader, o.SectionDef)
		}
	}
	if symbols == nil {
		return
	}
	// There, symbol 0 is left out; a name without its NUL reads as empty.
	cut := slices.ContainsFunc(f.Findings(), func(x elf.Finding) bool { return x.Field == "string table" })
	if len(symbols)+1 != len(ours.symbols) {
		fail("debug/elf", "%d symbols there, %d here", len(symbols)+1, len(ours.symbols))
		return
	}
	for i, s := range symbols {
		o := ours.symbols[i+1]
		if s.Name != o.Name && !(s.Name == "" && cut) || s.Value != o.Value || s.Size != o.Size || s.Info != byte(o.Bind)<<4|byte(o.Type) {
			fail("debug/elf", "symbol %d: %+v there, %+v here", i+1, s, o)
		}
	}
}

// debugELF reads a file with the standard library; nil if it cannot.
func debugELF(b []byte) (f *delf.File, symbols []delf.Symbol) {
	defer func() {
		if recover() != nil {
			f, symbols = nil, nil
		}
	}()
	f, err := delf.NewFile(bytes.NewReader(b))
	if err != nil {
		return nil, nil
	}
	if symbols, err = f.Symbols(); err != nil {
		symbols = nil
	}
	return f, symbols
}
