package elf

import (
	"debug/elf"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// realObjects are the objects of testdata and, where they are installed, those
// of the Debian package libxdp1.
func realObjects(tb testing.TB) []string {
	tb.Helper()
	var paths []string
	for _, pattern := range []string{"../testdata/*.o", "/usr/lib/*/bpf/*.o"} {
		found, err := filepath.Glob(pattern)
		if err != nil {
			tb.Fatal(err)
		}
		paths = append(paths, found...)
	}
	if len(paths) == 0 {
		tb.Fatal("no object in ../testdata")
	}
	return paths
}

func readFile(tb testing.TB, path string) []byte {
	tb.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		tb.Fatal(err)
	}
	return b
}

// A dump is what two readers can be compared by.
type dump struct {
	Sections []elf.SectionHeader
	Data     []string
	Symbols  []elf.Symbol
}

func dumpOurs(f *File) dump {
	var d dump
	for s := range f.Sections() {
		if s.Index() == 0 {
			d.Sections = append(d.Sections, elf.SectionHeader{})
			d.Data = append(d.Data, "")
			continue
		}
		d.Sections = append(d.Sections, elf.SectionHeader{
			Name: s.Name(), Type: elf.SectionType(s.Type()), Flags: elf.SectionFlag(s.Flags()), Addr: s.Addr(), Offset: s.Offset(),
			Size: s.Size(), Link: s.Link(), Info: s.Info(), Addralign: s.Addralign(), Entsize: s.Entsize(), FileSize: s.Size(),
		})
		d.Data = append(d.Data, string(s.Data()))
	}
	for s := range f.Symbols() {
		if s.Index() == 0 {
			continue // debug/elf leaves it out
		}
		d.Symbols = append(d.Symbols, elf.Symbol{
			Name: s.Name(), Info: uint8(s.Bind())<<4 | uint8(s.Type()), Other: s.Other(),
			Section: elf.SectionIndex(s.SectionIndex()), Value: s.Value(), Size: s.Size(),
		})
	}
	return d
}

func dumpTheirs(tb testing.TB, path string) dump {
	f, err := elf.Open(path)
	if err != nil {
		tb.Fatal(err)
	}
	defer f.Close()
	var d dump
	for i, s := range f.Sections {
		if i == 0 {
			d.Sections = append(d.Sections, elf.SectionHeader{})
			d.Data = append(d.Data, "")
			continue
		}
		d.Sections = append(d.Sections, s.SectionHeader)
		b := ""
		if s.Type != elf.SHT_NOBITS {
			data, err := s.Data()
			if err != nil {
				tb.Fatal(err)
			}
			b = string(data)
		}
		d.Data = append(d.Data, b)
	}
	if d.Symbols, err = f.Symbols(); err != nil && err != elf.ErrNoSymbols {
		tb.Fatal(err)
	}
	return d
}

func TestRealObjectsAgreeWithDebugELF(t *testing.T) {
	for _, path := range realObjects(t) {
		t.Run(filepath.Base(path), func(t *testing.T) {
			f, err := Open(path)
			if err != nil {
				t.Fatal(err)
			}
			for _, x := range f.Findings() {
				t.Errorf("a finding in a compiler's output: %v", x)
			}
			if diff := cmp.Diff(dumpTheirs(t, path), dumpOurs(f)); diff != "" {
				t.Errorf("-debug/elf +elf:\n%s", diff)
			}
		})
	}
}
