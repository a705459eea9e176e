package elf

import (
	"errors"
	"strings"
	"testing"
)

// Classes of volume: what is small in a file and large in its reader.
func TestMalformedVolume(t *testing.T) {
	long := strings.Repeat("x", 1<<20)
	with := func(f form, change func(b *Builder)) []byte {
		b := baseBuilder(f)
		change(b)
		return b.mustBytes(t)
	}
	for _, f := range []form{forms[0], forms[3]} {
		for _, c := range []struct {
			class
			file func() []byte
		}{
			{class{name: "S08 20,000 symbols with one name of 1 MiB", kind: Limit, field: "st_name"}, func() []byte {
				return with(f, func(b *Builder) {
					for range 20000 {
						b.AddSymbol(SymbolDef{Name: long})
					}
				})
			}},
			{class{name: "S09 20,000 sections with one name of 1 MiB", kind: Limit, field: "sh_name"}, func() []byte {
				return with(f, func(b *Builder) {
					for range 20000 {
						b.AddSection(SectionDef{Name: long, Type: SHT_PROGBITS})
					}
				})
			}},
			{class{name: "M12 a name of 64 KiB", kind: Limit, field: "st_name"}, func() []byte {
				return with(f, func(b *Builder) { b.AddSymbol(SymbolDef{Name: long[:64<<10]}) })
			}},
			{class{name: "S08 20,000 overlapping names within the limit of each", kind: Limit, field: "st_name"}, func() []byte {
				return with(f, func(b *Builder) {
					for range 20000 {
						b.AddSymbol(SymbolDef{Name: long[:4096]})
					}
				})
			}},
			{class{name: "P01 60,000 programs", kind: Limit, field: "st_info"}, func() []byte {
				return with(f, func(b *Builder) {
					n := b.AddSection(SectionDef{Name: "tc", Type: SHT_PROGBITS, Flags: SHF_EXECINSTR, Data: make([]byte, 8*60000)})
					for i := range 60000 {
						b.AddSymbol(SymbolDef{Name: "p", Bind: STB_GLOBAL, Type: STT_FUNC, Section: n, Value: uint64(8 * i), Size: 8})
					}
				})
			}},
			{class{name: "Y06 20,000 functions that claim one section", kind: Overlap, field: "st_value"}, func() []byte {
				return with(f, func(b *Builder) {
					n := b.AddSection(SectionDef{Name: ".text", Type: SHT_PROGBITS, Flags: SHF_EXECINSTR, Data: make([]byte, 160000)})
					for range 20000 {
						b.AddSymbol(SymbolDef{Name: "p", Bind: STB_GLOBAL, Type: STT_FUNC, Section: n, Size: 160000})
					}
				})
			}},
			{class{name: "R08 100,000 relocations for one instruction", kind: Overlap, field: "r_offset"}, func() []byte {
				return with(f, func(b *Builder) {
					for range 100000 {
						b.AddReloc(secRel, Reloc{Offset: 8, Type: R_BPF_64_64, Symbol: symMap})
					}
				})
			}},
			{class{name: "relocations in falling order"}, func() []byte {
				b := baseBuilder(f)
				b.AddReloc(secRel, Reloc{Offset: 0, Type: R_BPF_64_64, Symbol: symMap})
				return b.mustBytes(t)
			}},
			{class{name: "S13 .relxdp twice", findings: []string{"sh_name"}}, func() []byte {
				return with(f, func(b *Builder) {
					n := b.AddSection(SectionDef{Name: ".relxdp", Type: SHT_REL, Info: secXDP})
					b.AddReloc(n, Reloc{Offset: 0, Type: R_BPF_64_64, Symbol: symMap})
				})
			}},
			{class{name: "Y05 2,000 symbol tables over one", findings: []string{"sh_type", "findings"}}, func() []byte {
				p := newPatch(t, f, with(f, func(b *Builder) {
					for range 2000 {
						b.AddSection(SectionDef{Name: ".symtab", Type: SHT_SYMTAB, Data: []byte{}})
					}
				}))
				for i := range 2000 {
					copy(p.b[p.sec(secStrtab+1+i):], p.b[p.sec(secSymtab):p.sec(secSymtab+1)])
				}
				return p.b
			}},
			{class{name: "S04 2,000 sections over the same 1 MiB", findings: []string{"sh_offset", "findings"}}, func() []byte {
				p := newPatch(t, f, with(f, func(b *Builder) {
					b.AddSection(SectionDef{Name: ".data", Type: SHT_PROGBITS, Data: []byte(long)})
					for range 2000 {
						b.AddSection(SectionDef{Name: ".data", Type: SHT_PROGBITS})
					}
				}))
				for i := range 2000 {
					copy(p.b[p.sec(secStrtab+2+i):], p.b[p.sec(secStrtab+1):p.sec(secStrtab+2)])
				}
				return p.b
			}},
			{class{name: "relocation tables that share their bytes", kind: Limit, field: "section"}, func() []byte {
				p := newPatch(t, f, with(f, func(b *Builder) {
					for i := range 20000 {
						b.AddReloc(secRel, Reloc{Offset: uint64(i % 4 * 8), Symbol: symMap})
					}
					for range 2000 {
						b.AddSection(SectionDef{Name: ".rel", Type: SHT_REL})
					}
				}))
				p.half(p.sec(secRel)+p.lay.shInfo, secMaps)
				for i := range 2000 {
					copy(p.b[p.sec(secStrtab+1+i):], p.b[p.sec(secRel):p.sec(secRel+1)])
				}
				return p.b
			}},
			{class{name: "S18 trailing zeros", findings: []string{"file"}}, func() []byte {
				return append(baseBuilder(f).mustBytes(t), make([]byte, 16<<20)...)
			}},
			{class{name: "a file beyond the size limit", kind: Limit, field: "file size"}, func() []byte {
				return append(baseBuilder(f).mustBytes(t), make([]byte, 64<<20)...)
			}},
		} {
			t.Run(c.name+"/"+f.String(), func(t *testing.T) { c.check(t, c.file()) })
		}
	}
}

// More sections than 16 bits can number, and a symbol in the last of them.
func TestExtendedNumbering(t *testing.T) {
	const n = 0xff80
	for _, f := range forms {
		b := baseBuilder(f)
		b.shstrndx = 0 // so that the names come last, too
		for b.AddSection(SectionDef{Name: ".x", Type: SHT_PROGBITS, Data: []byte{1}}) < n {
		}
		b.AddSymbol(SymbolDef{Name: "last", Bind: STB_GLOBAL, Section: n})
		out := b.mustBytes(t)
		p := newPatch(t, f, out)
		if p.ord.Uint16(out[p.lay.eShnum:]) != 0 || p.ord.Uint16(out[p.lay.eShstrndx:]) != SHN_XINDEX {
			t.Fatalf("%v: the header does not use extended numbers", f)
		}
		file, err := parseBounded(t, out, Limits{})
		if err != nil {
			t.Fatal(err)
		}
		s := file.Symbol(file.NumSymbols() - 1)
		if s.Name() != "last" || s.SectionIndex() != n || s.Reserved() || s.Section().Name() != ".x" || file.NumSections() != n+3 {
			t.Errorf("%v: symbol %q in section %d of %d", f, s.Name(), s.SectionIndex(), file.NumSections())
		}
		if _, err := ParseLimits(out, Limits{Sections: 1000}); !errors.Is(err, ErrLimit) {
			t.Errorf("%v: %v, want a limit", f, err)
		}

		// E08: the table of extended numbers is gone, or too short.
		p.half(p.sec(n+1)+4, uint32(SHT_PROGBITS))
		if _, err := Parse(out); !errors.Is(err, ErrRange) {
			t.Errorf("%v: without SHT_SYMTAB_SHNDX: %v", f, err)
		}
		p.half(p.sec(n+1)+4, uint32(SHT_SYMTAB_SHNDX))
		p.word(p.sec(n+1)+p.lay.shSize, 8)
		if _, err := Parse(out); !errors.Is(err, ErrTruncated) {
			t.Errorf("%v: SHT_SYMTAB_SHNDX too short: %v", f, err)
		}
	}
}
