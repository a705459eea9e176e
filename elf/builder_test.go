package elf

import (
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// A model is what a file says, without where its contents and names stand.
type model struct {
	Class    Class
	Order    string
	Type     Type
	Machine  Machine
	Flags    uint32
	Sections []SectionDef
	Relocs   map[int][]Reloc
	Symbols  []SymbolDef
}

// modelOf leaves out what a builder decides: the contents of tables that it
// makes, and the number of the first global symbol.
func modelOf(f *File) model {
	m := model{Class: f.Class(), Order: f.ByteOrder().String(), Type: f.Type(), Machine: f.Machine(), Flags: f.Flags(), Relocs: map[int][]Reloc{}}
	strtab := f.Section(int(f.Section(f.syms.section).Link()))
	for s := range f.Sections() {
		if s.Index() == 0 {
			continue
		}
		def := SectionDef{Name: s.Name(), Type: s.Type(), Flags: s.Flags(), Addr: s.Addr(), Addralign: s.Addralign(), Entsize: s.Entsize(),
			Link: s.Link(), Info: s.Info()}
		switch {
		case s.Index() == f.syms.section:
			def.Info = 0
		case s.Index() == f.shstrndx, f.syms.section != 0 && s.Index() == strtab.Index(): // made anew
		case s.Type() == SHT_SYMTAB_SHNDX && int(s.Link()) == f.syms.section:
			def.Entsize = 0
		case s.NumRelocs() != 0:
			for _, r := range s.Relocs() {
				m.Relocs[s.Index()] = append(m.Relocs[s.Index()], r)
			}
		default:
			def.Data = append([]byte{}, s.Data()...)
			if s.Type() == SHT_NOBITS || s.Type() == SHT_NULL {
				def.Size = s.Size()
			}
		}
		m.Sections = append(m.Sections, def)
	}
	for s := range f.Symbols() {
		if s.Index() == 0 {
			continue
		}
		m.Symbols = append(m.Symbols, SymbolDef{Name: s.Name(), Bind: s.Bind(), Type: s.Type(), Other: s.Other(),
			Section: s.SectionIndex(), Reserved: s.Reserved(), Value: s.Value(), Size: s.Size()})
	}
	return m
}

// roundTrip parses, builds and parses again, and compares. It reports whether
// the file can be written at all.
func roundTrip(tb testing.TB, f *File) bool {
	tb.Helper()
	b, err := FromFile(f)
	if errors.Is(err, ErrUnsupported) {
		return false
	}
	if err != nil {
		tb.Fatalf("FromFile: %v", err)
	}
	out, err := b.Bytes()
	if err != nil {
		tb.Fatalf("Bytes: %v", err)
	}
	again, err := ParseLimits(out, Limits{Names: 64, Scan: 64, Compressed: true})
	if err != nil {
		tb.Fatalf("what was built is refused: %v", err)
	}
	if want, got := modelOf(f), modelOf(again); !reflect.DeepEqual(want, got) {
		tb.Fatalf("-parsed +built and parsed again:\n%s", cmp.Diff(want, got))
	}
	return true
}

func TestRoundTrip(t *testing.T) {
	for _, path := range realObjects(t) {
		t.Run(filepath.Base(path), func(t *testing.T) {
			f, err := Open(path)
			if err != nil {
				t.Fatal(err)
			}
			if !roundTrip(t, f) {
				t.Error("a relocatable object cannot be written")
			}
		})
	}
	for _, form := range forms {
		t.Run(form.String(), func(t *testing.T) {
			b := baseBuilder(form)
			b.AddReloc(secMaps, Reloc{Offset: 16, Type: R_BPF_64_ABS64, Symbol: symProg, Addend: -5, HasAddend: true})
			b.AddSymbol(SymbolDef{Name: "abs", Bind: STB_WEAK, Other: uint8(STV_HIDDEN), Section: SHN_ABS, Reserved: true, Value: 77})
			f, err := Parse(b.mustBytes(t))
			if err != nil {
				t.Fatal(err)
			}
			if !roundTrip(t, f) {
				t.Error("a relocatable object cannot be written")
			}
			want := Reloc{Offset: 16, Type: R_BPF_64_ABS64, Symbol: symProg, Addend: -5, HasAddend: true}
			rela, ok := f.SectionByName(".rela.maps")
			if got := rela.Reloc(0); !ok || got != want || rela.Target().Index() != secMaps || rela.RelocSymbol(got).Name() != "prog" {
				t.Errorf("record %+v for %q", got, rela.Target().Name())
			}
		})
	}
}

// 64-bit MIPS splits r_info in a way of its own.
func TestRoundTripMIPS(t *testing.T) {
	for _, form := range forms[:2] {
		b := baseBuilder(form)
		b.Machine = EM_MIPS
		b.AddReloc(secRel, Reloc{Offset: 16, Type: 0x01020304, Symbol: symProg})
		f, err := Parse(b.mustBytes(t))
		if err != nil {
			t.Fatal(err)
		}
		if got := f.Section(secRel).Reloc(1); got.Type != 0x01020304 || got.Symbol != symProg {
			t.Errorf("%v: %+v", form, got)
		}
		roundTrip(t, f)
	}
}

func TestBuilderRefuses(t *testing.T) {
	for _, c := range []struct {
		name string
		b    func() *Builder
		kind error
	}{
		{"a NUL in a name", func() *Builder {
			b := new(Builder)
			b.AddSection(SectionDef{Name: "a\x00b"})
			return b
		}, ErrName},
		{"a 64-bit value in a 32-bit symbol", func() *Builder {
			b := &Builder{Class: ELFCLASS32}
			b.AddSymbol(SymbolDef{Value: 1 << 32})
			return b
		}, ErrRange},
		{"a 64-bit address in a 32-bit section", func() *Builder {
			b := &Builder{Class: ELFCLASS32}
			b.AddSection(SectionDef{Addr: 1 << 32})
			return b
		}, ErrRange},
		{"a large type in a 32-bit relocation", func() *Builder {
			b := &Builder{Class: ELFCLASS32}
			b.AddReloc(b.AddSection(SectionDef{Type: SHT_PROGBITS}), Reloc{Type: 256})
			return b
		}, ErrRange},
		{"a string table with contents of its own", func() *Builder {
			b := new(Builder)
			b.AddSection(SectionDef{Type: SHT_SYMTAB, Link: b.numbered(SectionDef{Type: SHT_STRTAB, Data: []byte{0}})})
			return b
		}, ErrRange},
	} {
		t.Run(c.name, func(t *testing.T) {
			if _, err := c.b().Bytes(); !errors.Is(err, c.kind) {
				t.Errorf("error %v, want %v", err, c.kind)
			}
		})
	}
	if n := new(Builder).AddReloc(3, Reloc{}); n != 0 {
		t.Errorf("a relocation for no section goes to section %d", n)
	}
}

func (b *Builder) numbered(s SectionDef) uint32 { return uint32(b.AddSection(s)) }

func TestEmptyBuilder(t *testing.T) {
	out, err := new(Builder).Bytes()
	if err != nil {
		t.Fatal(err)
	}
	f, err := Parse(out)
	if err != nil || f.NumSections() != 0 || f.NumSymbols() != 0 || len(f.Findings()) != 0 {
		t.Errorf("%v, %+v", err, f)
	}
}

// A linked file is read, segments and notes included, but not written.
func TestLinkedFile(t *testing.T) {
	path, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	b := readFile(t, path)
	if len(b) < 4 || string(b[:4]) != "\x7fELF" {
		t.Skip("needs a system whose programs are ELF files")
	}
	f, err := parseBounded(t, b, Limits{})
	if err != nil {
		t.Fatal(err)
	}
	if f.Type() != ET_EXEC && f.Type() != ET_DYN {
		t.Errorf("type %v", f.Type())
	}
	loads, notes := 0, 0
	for s := range f.Segments() {
		if s.Type() == PT_LOAD {
			loads++
			if s.Data() == nil && s.Filesz() != 0 {
				t.Errorf("segment %d is not in the file", s.Index())
			}
		}
	}
	for s := range f.Sections() {
		for n := range s.Notes() {
			notes++
			if n.Name == "Go" && len(n.Desc) == 0 {
				t.Error("the Go build id is empty")
			}
		}
	}
	if loads < 2 || notes < 1 {
		t.Errorf("%d segments to load, %d notes", loads, notes)
	}
	if _, err := FromFile(f); !errors.Is(err, ErrUnsupported) {
		t.Errorf("a linked file can be written: %v", err)
	}
	if d, o := dumpTheirs(t, path), dumpOurs(f); !cmp.Equal(d.Sections, o.Sections) || !cmp.Equal(d.Symbols, o.Symbols) {
		t.Errorf("debug/elf sees %d sections and %d symbols, elf %d and %d", len(d.Sections), len(d.Symbols), len(o.Sections), len(o.Symbols))
	}
}

func TestNotes(t *testing.T) {
	for _, f := range forms {
		note := func(name string, desc string, cut int) []byte {
			b := make([]byte, 12)
			f.order.PutUint32(b, uint32(len(name)+1))
			f.order.PutUint32(b[4:], uint32(len(desc)))
			f.order.PutUint32(b[8:], 3)
			b = append(append(b, name...), 0)
			b = append(b, make([]byte, -len(b)&3)...)
			b = append(b, desc...)
			b = append(b, make([]byte, -len(b)&3)...)
			return b[:len(b)-cut]
		}
		b := baseBuilder(f)
		whole := b.AddSection(SectionDef{Name: ".note", Type: SHT_NOTE, Data: append(note("GNU", "12345", 0), note("abc", "", 0)...)})
		cut := b.AddSection(SectionDef{Name: ".note.cut", Type: SHT_NOTE, Data: append(note("GNU", "12345", 0), note("abc", "12345678", 4)...)})
		file, err := Parse(b.mustBytes(t))
		if err != nil {
			t.Fatal(err)
		}
		read := func(section int) (got []Note) {
			for n := range file.Section(section).Notes() {
				got = append(got, n)
			}
			return got
		}
		want := []Note{{"GNU", 3, []byte("12345")}, {"abc", 3, []byte{}}}
		if diff := cmp.Diff(want, read(whole)); diff != "" {
			t.Errorf("%v: -want +got:\n%s", f, diff)
		}
		if diff := cmp.Diff(want[:1], read(cut)); diff != "" {
			t.Errorf("%v: -want +got:\n%s", f, diff)
		}
		if x := file.Findings(); len(x) != 1 || x[0].Field != "note" || x[0].Section != ".note.cut" {
			t.Errorf("%v: findings %v", f, x)
		}
	}
}
