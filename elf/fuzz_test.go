package elf

import (
	"bytes"
	"debug/elf"
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "rewrite the files in testdata that tests make")

// FuzzELF holds Parse, the views, and the Builder to their promises.
func FuzzELF(f *testing.F) {
	for _, path := range append(realObjects(f), seedFiles(f)...) {
		if b := readFile(f, path); len(b) <= 40<<10 {
			f.Add(b)
		}
	}
	for _, form := range forms {
		f.Add(baseBuilder(form).mustBytes(f))
	}
	f.Fuzz(checkPromises)
}

// checkPromises is what holds for any bytes.
func checkPromises(t *testing.T, b []byte) {
	file, err := parseBounded(t, b, Limits{})
	if err != nil {
		checkError(t, b, err)
		return
	}
	saved := bytes.Clone(b)
	readAll(file)
	if !bytes.Equal(saved, b) {
		t.Error("reading changed the input")
	}
	roundTrip(t, file)
	compareWithDebugELF(t, file)
}

// checkError is what holds for any error.
func checkError(t *testing.T, b []byte, err error) {
	e, ok := err.(*FormatError)
	switch {
	case !ok:
		t.Errorf("%T is not a *FormatError: %v", err, err)
	case e.Kind == 0 || int(e.Kind) >= len(kinds) || e.Field == "" || e.Detail == "":
		t.Errorf("incomplete: %#v", e)
	case e.Offset < 0 || e.Offset > int64(len(b)):
		t.Errorf("outside the file of %d bytes: %v", len(b), e)
	}
	if strings.ContainsAny(err.Error(), "\x1b\n\x00") {
		t.Errorf("raw text from the file in %q", err)
	}
}

// compareWithDebugELF compares the sections and symbols where the standard
// library accepts the file, too.
func compareWithDebugELF(t *testing.T, f *File) {
	theirs, symbols := debugELF(f.Data())
	if theirs == nil || len(theirs.Sections) != f.NumSections() {
		if theirs != nil && len(theirs.Sections) != 0 {
			t.Errorf("debug/elf sees %d sections, elf %d", len(theirs.Sections), f.NumSections())
		}
		return
	}
	ours := dumpOurs(f)
	for i, s := range theirs.Sections {
		if i == 0 || s.Flags&elf.SHF_COMPRESSED != 0 {
			continue // the standard library replaces the size
		}
		if s.SectionHeader != ours.Sections[i] {
			t.Errorf("section %d: -debug/elf +elf:\n%s", i, cmp.Diff(s.SectionHeader, ours.Sections[i]))
		}
	}
	if symbols == nil {
		return
	}
	cut := slices.ContainsFunc(f.Findings(), func(x Finding) bool { return x.Field == "string table" })
	for i, s := range symbols {
		if i+1 < f.NumSymbols() && s.Section == elf.SHN_XINDEX {
			symbols[i].Section = elf.SectionIndex(f.Symbol(i + 1).SectionIndex()) // not resolved there
		}
		if s.Name == "" && cut {
			symbols[i].Name = f.Symbol(i + 1).Name() // a name without NUL reads as empty there
		}
	}
	if !slices.Equal(symbols, ours.Symbols) {
		t.Errorf("symbols: -debug/elf +elf:\n%s", cmp.Diff(symbols, ours.Symbols))
	}
}

// debugELF reads a file with the standard library, which panics on some; nil
// if it does or refuses the file.
func debugELF(b []byte) (f *elf.File, symbols []elf.Symbol) {
	defer func() {
		if recover() != nil {
			f, symbols = nil, nil
		}
	}()
	f, err := elf.NewFile(bytes.NewReader(b))
	if err != nil {
		return nil, nil
	}
	symbols, err = f.Symbols()
	if err != nil {
		symbols = nil
	}
	return f, symbols
}

// seedFiles are the malformed files in testdata, one for each class.
func seedFiles(tb testing.TB) []string {
	tb.Helper()
	paths, err := filepath.Glob("testdata/*/*.elf")
	if err != nil {
		tb.Fatal(err)
	}
	return paths
}

// The files in testdata/malformed are the classes of the tests, for use with
// any parser.
func TestSeedFilesAreCurrent(t *testing.T) {
	for _, classes := range [][]class{headerClasses, sectionClasses, symbolClasses, relocClasses, licenseClasses} {
		for i, c := range classes {
			f := forms[i%2] // both byte orders
			p := newPatch(t, f, baseBuilder(f).mustBytes(t))
			if c.change != nil {
				c.change(p)
			}
			path := filepath.Join("testdata", "malformed", strings.NewReplacer(" ", "-", "/", "-", "<", "", ",", "").Replace(c.name)+".elf")
			if *update {
				if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(path, p.b, 0o666); err != nil {
					t.Fatal(err)
				}
			}
			if got, err := os.ReadFile(path); err != nil || !bytes.Equal(got, p.b) {
				t.Errorf("%s is not what the class %q makes; go test ./elf -update rewrites it", path, c.name)
			}
		}
	}
}

// Files that once broke a parser stay harmless.
func TestRegressionFiles(t *testing.T) {
	for _, path := range seedFiles(t) {
		t.Run(filepath.Base(path), func(t *testing.T) { checkPromises(t, readFile(t, path)) })
	}
}
