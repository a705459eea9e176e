// Attrgen writes the attribute and information structs of package sys.
//
//	go run ./internal/gen/attrgen [-btf FILE]     (in sys; see the go:generate line there)
//
// FILE is raw BTF or an ELF file with a .BTF section; testdata/uapi.btf by
// default. /sys/kernel/btf/vmlinux gives the structs of the running kernel.
package main

import (
	"bytes"
	"flag"
	"fmt"
	"os"

	"github.com/lode-bpf/lode/btf"
	"github.com/lode-bpf/lode/elf"
	"github.com/lode-bpf/lode/sys/internal/gen"
)

func main() {
	file := flag.String("btf", "testdata/uapi.btf", "raw BTF, or an ELF file with a .BTF section")
	flag.Parse()
	if err := run(*file); err != nil {
		fmt.Fprintln(os.Stderr, "attrgen:", err)
		os.Exit(1)
	}
}

func run(file string) error {
	spec, err := load(file)
	if err != nil {
		return err
	}
	for _, part := range gen.Parts {
		src, err := gen.Emit(spec, part)
		if err != nil {
			return err
		}
		if err := os.WriteFile(part.File, src, 0o644); err != nil {
			return err
		}
	}
	return nil
}

func load(file string) (*btf.Spec, error) {
	b, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	if !bytes.HasPrefix(b, []byte("\x7fELF")) {
		return btf.Parse(b, nil)
	}
	f, err := elf.Parse(b)
	if err != nil {
		return nil, err
	}
	spec, _, err := btf.ParseELF(f)
	return spec, err
}
