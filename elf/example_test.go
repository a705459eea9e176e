package elf_test

import (
	"errors"
	"fmt"

	"github.com/lode-bpf/lode/elf"
)

// counter is a small object: one program, one map, and a reference between them.
func counter() []byte {
	b := &elf.Builder{Type: elf.ET_REL, Machine: elf.EM_BPF}
	code := b.AddSection(elf.SectionDef{Name: "xdp", Type: elf.SHT_PROGBITS, Flags: elf.SHF_ALLOC | elf.SHF_EXECINSTR, Addralign: 8, Data: make([]byte, 32)})
	maps := b.AddSection(elf.SectionDef{Name: ".maps", Type: elf.SHT_PROGBITS, Flags: elf.SHF_ALLOC | elf.SHF_WRITE, Addralign: 8, Data: make([]byte, 40)})
	b.AddSymbol(elf.SymbolDef{Name: "count_packets", Bind: elf.STB_GLOBAL, Type: elf.STT_FUNC, Section: code, Size: 32})
	m := b.AddSymbol(elf.SymbolDef{Name: "counters", Bind: elf.STB_GLOBAL, Type: elf.STT_OBJECT, Section: maps, Size: 40})
	b.AddReloc(code, elf.Reloc{Offset: 8, Type: elf.R_BPF_64_64, Symbol: m})
	out, err := b.Bytes()
	if err != nil {
		panic(err)
	}
	return out
}

func Example() {
	f, err := elf.Parse(counter())
	if err != nil {
		fmt.Println(err)
		return
	}
	for s := range f.Sections() {
		if s.Index() > 0 {
			fmt.Printf("%d %-8s %-12v %d bytes\n", s.Index(), s.Name(), s.Type(), s.Size())
		}
	}
	// Output:
	// 1 xdp      SHT_PROGBITS 32 bytes
	// 2 .maps    SHT_PROGBITS 40 bytes
	// 3 .relxdp  SHT_REL      16 bytes
	// 4 .symtab  SHT_SYMTAB   72 bytes
	// 5 .strtab  SHT_STRTAB   58 bytes
}

func ExampleFile_Symbols() {
	f, err := elf.Parse(counter())
	if err != nil {
		fmt.Println(err)
		return
	}
	for s := range f.Symbols() {
		if s.Type() == elf.STT_FUNC {
			code := s.Section().Data()[s.Value():][:s.Size()]
			fmt.Printf("function %q: %d instructions in section %q\n", s.Name(), len(code)/8, s.Section().Name())
		}
	}
	// Output: function "count_packets": 4 instructions in section "xdp"
}

func ExampleSection_Relocs() {
	f, err := elf.Parse(counter())
	if err != nil {
		fmt.Println(err)
		return
	}
	for s := range f.Sections() {
		for i, r := range s.Relocs() {
			fmt.Printf("%s record %d: byte %d of %s refers to %s\n", s.Name(), i, r.Offset, s.Target().Name(), s.RelocSymbol(r).Name())
		}
	}
	// Output: .relxdp record 0: byte 8 of xdp refers to counters
}

func ExampleFormatError() {
	b := counter()
	_, err := elf.Parse(b[:len(b)-100])
	fmt.Println(err)
	fmt.Println(errors.Is(err, elf.ErrTruncated))
	// Output:
	// elf: e_shoff 0x120: truncated: the section table of 6 entries runs past the end of the file (file offset 0x28)
	// true
}

// A file can be changed by way of a Builder.
func ExampleFromFile() {
	f, err := elf.Parse(counter())
	if err != nil {
		fmt.Println(err)
		return
	}
	b, err := elf.FromFile(f)
	if err != nil {
		fmt.Println(err)
		return
	}
	b.AddSection(elf.SectionDef{Name: "license", Type: elf.SHT_PROGBITS, Flags: elf.SHF_ALLOC, Data: []byte("GPL\x00")})
	out, err := b.Bytes()
	if err != nil {
		fmt.Println(err)
		return
	}
	f, err = elf.Parse(out)
	if err != nil {
		fmt.Println(err)
		return
	}
	s, ok := f.SectionByName("license")
	fmt.Printf("%q %v\n", s.Data(), ok)
	// Output: "GPL\x00" true
}
