package elf

import (
	"path/filepath"
	"testing"
)

// Parse makes at most 8 allocations, for objects that are in order and for
// those with many findings and records in the worst order.
func TestParseAllocations(t *testing.T) {
	files := map[string][]byte{}
	for _, path := range realObjects(t) {
		files[filepath.Base(path)] = readFile(t, path)
	}
	b := baseBuilder(forms[0])
	for i := range 5000 {
		n := b.AddSection(SectionDef{Name: "tc", Type: SHT_PROGBITS, Flags: SHF_EXECINSTR, Data: make([]byte, 80)})
		b.AddSymbol(SymbolDef{Name: "f", Bind: STB_LOCAL, Type: STT_FUNC, Section: n, Value: uint64(i % 3 * 8), Size: 8})
		for j := range 10 {
			b.AddReloc(n, Reloc{Offset: uint64(72 - 8*j), Symbol: 1})
		}
	}
	files["many findings"] = b.mustBytes(t)
	for name, data := range files {
		n := testing.AllocsPerRun(5, func() {
			if _, err := Parse(data); err != nil {
				t.Fatal(err)
			}
		})
		if n > 8 {
			t.Errorf("%s: Parse makes %v allocations; at most 8 are promised", name, n)
		}
	}
}

// After Parse nothing allocates.
func TestViewsDoNotAllocate(t *testing.T) {
	for _, path := range realObjects(t) {
		f, err := Open(path)
		if err != nil {
			t.Fatal(err)
		}
		sum := 0
		n := testing.AllocsPerRun(5, func() { sum += readAll(f) })
		if n != 0 {
			t.Errorf("%s: reading everything makes %v allocations", filepath.Base(path), n)
		}
	}
}

// readAll calls every accessor.
func readAll(f *File) int {
	sum := int(f.Class()) + int(f.Type()) + int(f.Machine()) + int(f.Flags()) + int(f.Entry()) + f.Size() + len(f.Data()) + len(f.Findings())
	for s := range f.Sections() {
		sum += len(s.Name()) + int(s.Type()) + int(s.Flags()) + int(s.Addr()) + int(s.Offset()) + int(s.Size()) + int(s.Addralign())
		sum += int(s.Entsize()) + int(s.Link()) + int(s.Info()) + len(s.Data()) + s.Index() + s.Target().Index()
		for i, r := range s.Relocs() {
			sum += i + int(r.Offset) + int(s.Reloc(i).Addend) + len(s.RelocSymbol(r).Name())
		}
		for n := range s.Notes() {
			sum += len(n.Name) + len(n.Desc)
		}
		if str, ok := s.String(1); ok {
			sum += len(str)
		}
	}
	for s := range f.Symbols() {
		sum += len(s.Name()) + int(s.Bind()) + int(s.Type()) + int(s.Visibility()) + s.SectionIndex() + int(s.Value()) + int(s.Size())
		sum += len(s.Section().Name())
	}
	for s := range f.DynamicSymbols() {
		sum += len(s.Name())
	}
	for s := range f.Segments() {
		sum += int(s.Type()) + int(s.Flags()) + int(s.Offset()) + int(s.Vaddr()) + int(s.Paddr()) + int(s.Filesz()) + int(s.Memsz()) + int(s.Align()) + len(s.Data())
		for n := range s.Notes() {
			sum += len(n.Desc)
		}
	}
	if s, ok := f.SectionByName("license"); ok {
		sum += s.Index()
	}
	return sum
}

// Views that do not exist read as zero, and do not panic.
func TestZeroViews(t *testing.T) {
	f, err := Parse(baseBuilder(forms[0]).mustBytes(t))
	if err != nil {
		t.Fatal(err)
	}
	for _, i := range []int{-1, f.NumSections(), 1 << 30} {
		s, y, g := f.Section(i), f.Symbol(i), f.Segment(i)
		if s.Valid() || y.Valid() || g.Valid() || f.DynamicSymbol(i).Valid() {
			t.Errorf("number %d exists", i)
		}
		if s.Name() != "" || s.Type() != 0 || s.Flags() != 0 || s.Addr() != 0 || s.Offset() != 0 || s.Size() != 0 || s.Link() != 0 ||
			s.Info() != 0 || s.Addralign() != 0 || s.Entsize() != 0 || s.Data() != nil || s.NumRelocs() != 0 || s.Target().Valid() ||
			s.Reloc(0) != (Reloc{}) || s.RelocSymbol(Reloc{Symbol: 1}).Valid() {
			t.Errorf("section %d is not zero", i)
		}
		for range s.Relocs() {
			t.Errorf("section %d has relocations", i)
		}
		for range s.Notes() {
			t.Errorf("section %d has notes", i)
		}
		if _, ok := s.String(0); ok {
			t.Errorf("section %d has strings", i)
		}
		if y.Name() != "" || y.Bind() != 0 || y.Type() != 0 || y.Other() != 0 || y.Reserved() || y.SectionIndex() != 0 || y.Section().Valid() || y.Value() != 0 || y.Size() != 0 {
			t.Errorf("symbol %d is not zero", i)
		}
		if g.Type() != 0 || g.Flags() != 0 || g.Offset() != 0 || g.Vaddr() != 0 || g.Paddr() != 0 || g.Filesz() != 0 || g.Memsz() != 0 || g.Align() != 0 || g.Data() != nil {
			t.Errorf("segment %d is not zero", i)
		}
		for range g.Notes() {
			t.Errorf("segment %d has notes", i)
		}
	}
	if s := f.Section(secStrtab); cap(s.Data()) != len(s.Data()) {
		t.Error("appending to contents would change the file")
	}
}

func BenchmarkParse(b *testing.B) {
	for _, path := range realObjects(b) {
		data := readFile(b, path)
		b.Run(filepath.Base(path), func(b *testing.B) {
			b.SetBytes(int64(len(data)))
			b.ReportAllocs()
			for b.Loop() {
				if _, err := Parse(data); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkReadAll(b *testing.B) {
	for _, path := range realObjects(b) {
		f, err := Open(path)
		if err != nil {
			b.Fatal(err)
		}
		b.Run(filepath.Base(path), func(b *testing.B) {
			b.SetBytes(int64(f.Size()))
			b.ReportAllocs()
			for b.Loop() {
				readAll(f)
			}
		})
	}
}
