package main

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strconv"
	"strings"

	"github.com/lode-bpf/lode/btf"
	"github.com/lode-bpf/lode/elf"
	"github.com/lode-bpf/lode/reloc"
	"github.com/lode-bpf/lode/sys"
)

// openTypes finds types by what a person calls them: "vmlinux", the id of a BTF
// object, a file, or a module of the kernel. A file with a slash in its name is
// never taken for anything else. base is what split BTF in a file builds on.
func openTypes(name string, base *btf.Spec) (*btf.Spec, error) {
	if name == "vmlinux" {
		return btf.Kernel()
	}
	if id, err := strconv.ParseUint(name, 10, 32); err == nil {
		return typesByID(uint32(id))
	}
	s, err := readTypes(name, base)
	if errors.Is(err, fs.ErrNotExist) && !strings.ContainsRune(name, '/') {
		if m, merr := btf.KernelModule(name); merr == nil {
			return m, nil
		}
		return nil, fmt.Errorf("%w, and the kernel has no types of a module of that name", err)
	}
	return s, err
}

// readTypes reads BTF from a file: raw, in an ELF file, or of a recorded kernel.
func readTypes(path string, base *btf.Spec) (*btf.Spec, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	s, err := parseTypes(b, base)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return s, nil
}

func parseTypes(b []byte, base *btf.Spec) (*btf.Spec, error) {
	if bytes.HasPrefix(b, []byte("\x7fELF")) {
		f, err := elf.Parse(b)
		if err != nil {
			return nil, err
		}
		s, _, err := btf.ParseELFBase(f, base)
		return s, err
	}
	s, err := btf.Parse(b, base)
	if err == nil {
		return s, nil
	}
	if r, rerr := reloc.ReadRecorded(b); rerr == nil {
		return r.Kernel()
	}
	return nil, err
}

// typesByID asks the kernel for a BTF object.
func typesByID(id uint32) (*btf.Spec, error) {
	k := sys.Live()
	fd, err := sys.GetFDByID(k, sys.ObjBTF, id, 0)
	if err != nil {
		return nil, err
	}
	defer fd.Close()
	name := make([]byte, 64)
	info := sys.BTFInfo{Name: sys.BytesPtr(name), NameLen: uint32(len(name))}
	if err := sys.ObjGetInfoByFD(k, fd.Int(), &info); err != nil {
		return nil, err
	}
	var base *btf.Spec
	if info.KernelBTF != 0 {
		base, err = btf.Kernel()
		if err != nil || bytes.HasPrefix(name, []byte("vmlinux\x00")) {
			return base, err
		}
	}
	b, err := sys.BTFData(k, fd.Int())
	if err != nil {
		return nil, err
	}
	return btf.Parse(b, base)
}
