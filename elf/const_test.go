package elf

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
)

func TestNames(t *testing.T) {
	for _, c := range []struct {
		v    fmt.Stringer
		want string
	}{
		{ELFCLASS64, "ELFCLASS64"},
		{Class(9), "ELFCLASS(0x9)"},
		{ET_REL, "ET_REL"},
		{EM_BPF, "EM_BPF"},
		{Machine(0x1234), "EM(0x1234)"},
		{SHT_SYMTAB_SHNDX, "SHT_SYMTAB_SHNDX"},
		{SHT_LLVM_ADDRSIG, "SHT_LLVM_ADDRSIG"},
		{SectionType(0x70000001), "SHT(0x70000001)"},
		{SHF_ALLOC | SHF_EXECINSTR, "SHF_ALLOC|SHF_EXECINSTR"},
		{SHF_WRITE | 1<<31, "SHF_WRITE|0x80000000"},
		{SectionFlags(0), "0x0"},
		{STB_WEAK, "STB_WEAK"},
		{STT_FUNC, "STT_FUNC"},
		{SymType(12), "STT(0xc)"},
		{STV_HIDDEN, "STV_HIDDEN"},
		{PT_LOAD, "PT_LOAD"},
		{PF_R | PF_X, "PF_X|PF_R"},
		{Range, "out of range"},
		{Kind(77), "kind 77"},
	} {
		if got := c.v.String(); got != c.want {
			t.Errorf("%T: %q, want %q", c.v, got, c.want)
		}
	}
}

func TestOpen(t *testing.T) {
	dir := t.TempDir()
	good := filepath.Join(dir, "good.o")
	if err := os.WriteFile(good, baseBuilder(forms[0]).mustBytes(t), 0o666); err != nil {
		t.Fatal(err)
	}
	bad := filepath.Join(dir, "bad.o")
	if err := os.WriteFile(bad, []byte("\x7fELF"), 0o666); err != nil {
		t.Fatal(err)
	}
	huge := filepath.Join(dir, "huge.o")
	if err := os.WriteFile(huge, nil, 0o666); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(huge, 1<<30); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		path string
		want error
	}{
		{good, nil},
		{bad, ErrTruncated},
		{huge, ErrLimit},
		{dir, ErrUnsupported},
		{filepath.Join(dir, "none.o"), fs.ErrNotExist},
	} {
		f, err := Open(c.path)
		if !errors.Is(err, c.want) || (err == nil) != (f != nil) {
			t.Errorf("%s: %v, want %v", filepath.Base(c.path), err, c.want)
		}
		var pe *fs.PathError
		if err != nil && (!errors.As(err, &pe) || pe.Path != c.path) {
			t.Errorf("%v does not name the file", err)
		}
	}
}
