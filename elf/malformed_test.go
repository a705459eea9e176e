package elf

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
	"testing"
)

// A class is one way in which a file is malformed, with what becomes of it: an
// error of a kind in a field, or findings about fields, or nothing.
type class struct {
	name     string
	change   func(p *patch)
	kind     Kind     // of the error; 0: the file is accepted
	field    string   // of the error
	findings []string // fields, each at least once; none means no finding at all
}

// check parses the file and compares the verdict.
func (c class) check(t *testing.T, b []byte) {
	t.Helper()
	f, err := parseBounded(t, b, Limits{})
	if c.kind != 0 {
		var e *FormatError
		if !errors.As(err, &e) {
			t.Fatalf("error %v, want one of kind %q in %s", err, c.kind, c.field)
		}
		if e.Kind != c.kind || e.Field != c.field || !errors.Is(err, kinds[c.kind].sentinel) {
			t.Errorf("got %v\nwant kind %q in %s", err, c.kind, c.field)
		}
		if e.Offset < 0 || e.Offset > int64(len(b)) {
			t.Errorf("error at %d outside the file of %d bytes", e.Offset, len(b))
		}
		return
	}
	if err != nil {
		t.Fatalf("refused: %v", err)
	}
	have := map[string]bool{}
	for _, x := range f.Findings() {
		have[x.Field] = true
	}
	for _, want := range c.findings {
		if !have[want] {
			t.Errorf("no finding about %s in %v", want, f.Findings())
		}
	}
	if len(c.findings) == 0 && len(f.Findings()) != 0 {
		t.Errorf("findings about a file that is in order: %v", f.Findings())
	}
}

// runClasses checks each class in all four forms.
func runClasses(t *testing.T, classes []class) {
	for _, c := range classes {
		for _, f := range forms {
			t.Run(c.name+"/"+f.String(), func(t *testing.T) {
				p := newPatch(t, f, baseBuilder(f).mustBytes(t))
				if c.change != nil {
					c.change(p)
				}
				c.check(t, p.b)
			})
		}
	}
}

func TestMalformedHeader(t *testing.T) { runClasses(t, headerClasses) }

// What may be wrong in the ELF header and where the section table stands.
var headerClasses = []class{
	{name: "base object"},
	{name: "E02 e_shoff 1<<63", change: func(p *patch) { p.word(p.lay.eShoff, 1<<63) }, kind: Range, field: "e_shoff"},
	{name: "E04 e_shoff wraps", change: func(p *patch) { p.word(p.lay.eShoff, -uint64(p.lay.shentsize)) }, kind: Range, field: "e_shoff"},
	{name: "E03 e_shoff near the end", change: func(p *patch) { p.word(p.lay.eShoff, uint64(len(p.b)-16)) }, kind: Truncated, field: "e_shoff"},
	{name: "E05 e_shentsize 0", change: func(p *patch) { p.quarter(p.lay.eShentsize, 0) }, kind: Range, field: "e_shentsize"},
	{name: "E06 e_shentsize 63", change: func(p *patch) { p.quarter(p.lay.eShentsize, 63) }, kind: Range, field: "e_shentsize"},
	{name: "E06 e_shentsize 65", change: func(p *patch) { p.quarter(p.lay.eShentsize, 65) }, kind: Range, field: "e_shentsize"},
	{name: "E06 e_shentsize max", change: func(p *patch) { p.quarter(p.lay.eShentsize, 0xffff) }, kind: Range, field: "e_shentsize"},
	{name: "E07 extended count 1<<40", change: func(p *patch) {
		p.quarter(p.lay.eShnum, 0)
		p.word(p.sec(0)+p.lay.shSize, 1<<40|1<<30)
	}, kind: Truncated, field: "e_shoff"},
	{name: "E08 extended string table past the table", change: func(p *patch) {
		p.quarter(p.lay.eShstrndx, SHN_XINDEX)
		p.half(p.sec(0)+p.lay.shLink, 1<<20)
	}, kind: Range, field: "sh_link"},
	{name: "E09 e_shstrndx out of range", change: func(p *patch) { p.quarter(p.lay.eShstrndx, 500) }, kind: Range, field: "e_shstrndx"},
	{name: "E09 e_shstrndx not a string table", change: func(p *patch) { p.quarter(p.lay.eShstrndx, secMaps) }, kind: Range, field: "e_shstrndx"},
	{name: "E10 other class", change: func(p *patch) { p.b[4] ^= 3 }, kind: Range, field: "e_ehsize"},
	{name: "E10 unknown class", change: func(p *patch) { p.b[4] = 3 }, kind: Unsupported, field: "e_ident[EI_CLASS]"},
	{name: "E11 other byte order", change: func(p *patch) { p.b[5] ^= 3 }, kind: Unsupported, field: "e_version"},
	{name: "E11 unknown byte order", change: func(p *patch) { p.b[5] = 0 }, kind: Unsupported, field: "e_ident[EI_DATA]"},
	{name: "E12 other machine", change: func(p *patch) { p.quarter(18, uint16(EM_X86_64)) }, findings: []string{"e_machine"}},
	{name: "E13 program headers past the end", change: func(p *patch) {
		p.quarter(p.lay.ePhnum, 0xfffe)
		p.quarter(p.lay.ePhentsize, uint16(p.lay.phentsize))
	}, findings: []string{"e_phoff"}},
	{name: "E13 e_phentsize max", change: func(p *patch) {
		p.quarter(p.lay.ePhnum, 0xffff)
		p.quarter(p.lay.ePhentsize, 0xffff)
	}, findings: []string{"e_phentsize"}},
	{name: "not ELF", change: func(p *patch) { p.b[0] = 'M' }, kind: Unsupported, field: "e_ident"},
	{name: "other version", change: func(p *patch) { p.b[6] = 2 }, kind: Unsupported, field: "e_ident[EI_VERSION]"},
	{name: "no table but a count", change: func(p *patch) { p.word(p.lay.eShoff, 0) }, kind: Range, field: "e_shnum"},
	{name: "no entries", change: func(p *patch) { p.quarter(p.lay.eShnum, 0); p.quarter(p.lay.eShstrndx, 0) }, findings: []string{"e_shnum", "file"}},
}

// E01: a file may end anywhere within its ELF header.
func TestMalformedTruncatedHeader(t *testing.T) {
	for _, f := range forms {
		whole := baseBuilder(f).mustBytes(t)
		for n := range newPatch(t, f, whole).lay.ehsize {
			if _, err := parseBounded(t, whole[:n:n], Limits{}); !errors.Is(err, ErrTruncated) {
				t.Errorf("%v cut to %d bytes: %v", f, n, err)
			}
		}
	}
}

// A file that ends anywhere else is refused, too: the section table is last.
func TestMalformedTruncatedFile(t *testing.T) {
	for _, f := range forms {
		whole := baseBuilder(f).mustBytes(t)
		for n := newPatch(t, f, whole).lay.ehsize; n < len(whole); n++ {
			if _, err := Parse(whole[:n:n]); err == nil {
				t.Errorf("%v cut to %d bytes of %d is accepted", f, n, len(whole))
			}
		}
	}
}

// firstSection makes the first section header, which stands for no section, one
// of a type, with more contents than any file.
func firstSection(t SectionType) func(p *patch) {
	return func(p *patch) {
		p.half(p.sec(0)+4, uint32(t))
		p.word(p.sec(0)+p.lay.shSize, 1<<44|3<<30)
	}
}

func setFlags(p *patch, sec int, flag SectionFlags) { p.word(p.sec(sec)+8, uint64(flag)) }

// compressed makes .maps a compressed section: a header (gABI 4, Elf64_Chdr) and
// what the section had.
func compressed(p *patch, method uint32, size uint64) {
	setFlags(p, secMaps, SHF_COMPRESSED)
	p.half(p.data(secMaps), method)
	if p.lay.ehsize == 52 {
		p.half(p.data(secMaps)+4, uint32(size))
		return
	}
	p.word(p.data(secMaps)+8, size)
}

func TestMalformedSections(t *testing.T) { runClasses(t, sectionClasses) }

// What may be wrong in section headers and string tables.
var sectionClasses = []class{
	{name: "S01 sh_size 1<<62", change: func(p *patch) { p.word(p.sec(secMaps)+p.lay.shSize, 1<<62) }, kind: Truncated, field: "sh_size"},
	{name: "S02 sh_offset and size wrap", change: func(p *patch) {
		p.word(p.sec(secMaps)+p.lay.shOffset, ^uint64(7))
		p.word(p.sec(secMaps)+p.lay.shSize, 16)
	}, kind: Range, field: "sh_offset"},
	{name: "S03 64 GiB of .bss", change: func(p *patch) { p.word(p.sec(secBSS)+p.lay.shSize, 64<<30|4<<28) }, findings: []string{"sh_size"}},
	{name: "S04 two sections over the same bytes", change: func(p *patch) {
		p.word(p.sec(secBTF)+p.lay.shOffset, uint64(p.data(secMaps)))
	}, findings: []string{"sh_offset"}},
	{name: "S17 section over the ELF header", change: func(p *patch) { p.word(p.sec(secBTF)+p.lay.shOffset, 0) }, findings: []string{"sh_offset"}},
	{name: "S17 section over the section table", change: func(p *patch) {
		p.word(p.sec(secBTF)+p.lay.shOffset, uint64(p.sec(2)))
	}, findings: []string{"sh_offset"}},
	{name: "S05 symbol entsize 0", change: func(p *patch) { p.word(p.sec(secSymtab)+p.lay.shEntsize, 0) }, kind: Range, field: "sh_entsize"},
	{name: "S05 symbol entsize 1", change: func(p *patch) { p.word(p.sec(secSymtab)+p.lay.shEntsize, 1) }, kind: Range, field: "sh_entsize"},
	{name: "S05 symbol entsize 23", change: func(p *patch) { p.word(p.sec(secSymtab)+p.lay.shEntsize, 23) }, kind: Range, field: "sh_entsize"},
	{name: "S05 symbol entsize 25", change: func(p *patch) { p.word(p.sec(secSymtab)+p.lay.shEntsize, 25) }, kind: Range, field: "sh_entsize"},
	{name: "S05 half a symbol", change: func(p *patch) { p.word(p.sec(secSymtab)+p.lay.shSize, uint64(p.lay.symsize*3+1)) }, kind: Truncated, field: "sh_size"},
	{name: "S06 sh_link to itself", change: func(p *patch) { p.half(p.sec(secSymtab)+p.lay.shLink, secSymtab) }, kind: Loop, field: "sh_link"},
	{name: "S06 sh_link to no string table", change: func(p *patch) { p.half(p.sec(secSymtab)+p.lay.shLink, secMaps) }, kind: Range, field: "sh_link"},
	{name: "S06 sh_link out of range", change: func(p *patch) { p.half(p.sec(secSymtab)+p.lay.shLink, 1<<31) }, kind: Range, field: "sh_link"},
	{name: "S06 cycle of symbols and relocations", change: func(p *patch) { p.half(p.sec(secSymtab)+p.lay.shLink, secRel) }, kind: Range, field: "sh_link"},
	{name: "S06 relocations with themselves", change: func(p *patch) { p.half(p.sec(secRel)+p.lay.shLink, secRel) }, kind: Loop, field: "sh_link"},
	{name: "S06 relocations without symbols", change: func(p *patch) { p.half(p.sec(secRel)+p.lay.shLink, secStrtab) }, kind: Range, field: "sh_link"},
	{name: "S07 string table without final NUL", change: func(p *patch) {
		p.b[p.data(secStrtab)+p.wordAt(p.sec(secStrtab)+p.lay.shSize)-1] = 'x'
	}, findings: []string{"string table"}},
	{name: "S07 string table starts with a letter", change: func(p *patch) { p.b[p.data(secStrtab)] = 'x' }, findings: []string{"string table"}},
	{name: "S07 empty string table", change: func(p *patch) {
		p.word(p.sec(secBTF)+p.lay.shSize, 0)
		p.half(p.sec(secBTF)+4, uint32(SHT_STRTAB))
	}, findings: []string{"sh_size"}},
	{name: "S07 empty table of section names", change: func(p *patch) {
		p.word(p.sec(secBTF)+p.lay.shSize, 0)
		p.half(p.sec(secBTF)+4, uint32(SHT_STRTAB))
		p.quarter(p.lay.eShstrndx, secBTF)
	}, kind: Range, field: "sh_name"},
	{name: "S10 compressed data", change: func(p *patch) { setFlags(p, secMaps, SHF_COMPRESSED) }, kind: Limit, field: "sh_flags"},
	{name: "S15 compressed names", change: func(p *patch) { setFlags(p, secStrtab, SHF_COMPRESSED) }, kind: Limit, field: "sh_flags"},
	{name: "S11 compressed data of 1<<60 bytes", change: func(p *patch) { compressed(p, 1, 1<<60|1<<30) }, kind: Limit, field: "sh_flags"},
	{name: "S12 compressed by an unknown method", change: func(p *patch) { compressed(p, 77, 40) }, kind: Limit, field: "sh_flags"},
	{name: "S12 compressed data that is none", change: func(p *patch) { compressed(p, 2, 40) }, kind: Limit, field: "sh_flags"},
	{name: "S16 compressed BTF", change: func(p *patch) { setFlags(p, secBTF, SHF_COMPRESSED) }, kind: Limit, field: "sh_flags"},
	{name: "S13 two .BTF", change: func(p *patch) { p.half(p.sec(secMaps), p.ord.Uint32(p.b[p.sec(secBTF):])) }, findings: []string{"sh_name"}},
	{name: "S13 two sections named like a program", change: func(p *patch) { p.half(p.sec(secMaps), p.ord.Uint32(p.b[p.sec(secXDP):])) }, findings: []string{"sh_name"}},
	{name: "S14 .BTF without bytes", change: func(p *patch) { p.half(p.sec(secBTF)+4, uint32(SHT_NOBITS)) }, kind: Range, field: "sh_type"},
	{name: "S14 license without bytes", change: func(p *patch) { p.half(p.sec(secLicense)+4, uint32(SHT_NOBITS)) }, kind: Range, field: "sh_type"},
	{name: "S18 ELF and ELF", change: func(p *patch) { p.b = append(p.b, p.b...) }, findings: []string{"file"}},
	{name: "S18 ELF and ZIP", change: func(p *patch) { p.b = append(p.b, "PK\x05\x06"+strings.Repeat("\x00", 18)...) }, findings: []string{"file"}},
	{name: "sh_name past the table", change: func(p *patch) { p.half(p.sec(secMaps), 1<<30) }, kind: Range, field: "sh_name"},
	{name: "sh_addralign not a power of two", change: func(p *patch) { p.word(p.sec(secMaps)+p.lay.shAddralign, 12) }, findings: []string{"sh_addralign"}},
	{name: "first section header not empty", change: func(p *patch) { p.half(p.sec(0)+4, 1) }, findings: []string{"sh_type"}},
	{name: "first section header of endless notes", change: firstSection(SHT_NOTE), findings: []string{"sh_type"}},
	{name: "first section header of endless relocations", change: firstSection(SHT_REL), findings: []string{"sh_type"}},
	{name: "first section header of endless strings", change: firstSection(SHT_STRTAB), findings: []string{"sh_type"}},
}

func TestMalformedSymbols(t *testing.T) { runClasses(t, symbolClasses) }

// What may be wrong in the symbol table.
var symbolClasses = []class{
	{name: "Y01 st_shndx 0x7777", change: func(p *patch) { p.quarter(p.sym(symMap)+p.lay.stShndx, 0x7777) }, kind: Range, field: "st_shndx"},
	{name: "Y04 SHN_XINDEX without table", change: func(p *patch) { p.quarter(p.sym(symMap)+p.lay.stShndx, SHN_XINDEX) }, kind: Range, field: "st_shndx"},
	{name: "Y07 st_name past the table", change: func(p *patch) { p.half(p.sym(symMap), 1<<30) }, kind: Range, field: "st_name"},
	{name: "Y02 st_value past the section", change: func(p *patch) { p.word(p.sym(symMap)+p.lay.stValue, 41) }, kind: Range, field: "st_value"},
	{name: "Y03 value and size wrap", change: func(p *patch) {
		p.word(p.sym(symProg)+p.lay.stValue, 8)
		p.word(p.sym(symProg)+p.lay.stSize, ^uint64(7))
	}, kind: Range, field: "st_size"},
	{name: "Y08 function at 4", change: func(p *patch) {
		p.word(p.sym(symProg)+p.lay.stValue, 4)
		p.word(p.sym(symProg)+p.lay.stSize, 8)
	}, kind: Range, field: "st_value"},
	{name: "absolute symbol", change: func(p *patch) { p.quarter(p.sym(symMap)+p.lay.stShndx, SHN_ABS) }},
	{name: "symbol of a reserved section", change: func(p *patch) { p.quarter(p.sym(symMap)+p.lay.stShndx, 0xff80) }, findings: []string{"st_shndx"}},
	{name: "other machines stretch the place", change: func(p *patch) {
		p.quarter(18, uint16(EM_ARM))
		p.word(p.sym(symMap)+p.lay.stValue, 41)
	}, findings: []string{"st_value"}},
	{name: "sh_info past the table", change: func(p *patch) { p.half(p.sec(secSymtab)+p.lay.shInfo, 77) }, findings: []string{"sh_info"}},
	{name: "Y06 functions overlap fully", change: func(p *patch) {
		copy(p.b[p.sym(symMap)+4:], p.b[p.sym(symProg)+4:p.sym(symProg)+p.lay.symsize])
	}, kind: Overlap, field: "st_value"},
	{name: "Y06 functions as a staircase", change: func(p *patch) {
		copy(p.b[p.sym(symMap)+4:], p.b[p.sym(symProg)+4:p.sym(symProg)+p.lay.symsize])
		p.word(p.sym(symProg)+p.lay.stSize, 16)
		p.word(p.sym(symMap)+p.lay.stValue, 8)
		p.word(p.sym(symMap)+p.lay.stSize, 16)
	}, kind: Overlap, field: "st_value"},
}

func TestMalformedRelocations(t *testing.T) { runClasses(t, relocClasses) }

// What may be wrong in relocation sections, as far as the format goes.
var relocClasses = []class{
	{name: "R01 r_offset past the section", change: func(p *patch) { p.word(p.rel(0), 32) }, kind: Range, field: "r_offset"},
	{name: "R01 r_offset max", change: func(p *patch) { p.word(p.rel(0), ^uint64(7)) }, kind: Range, field: "r_offset"},
	{name: "R02 r_offset within an instruction", change: func(p *patch) { p.word(p.rel(0), 12) }, kind: Range, field: "r_offset"},
	{name: "R03 symbol out of range", change: func(p *patch) { p.word(p.rel(0)+p.lay.rInfo, ^uint64(0)) }, kind: Range, field: "r_info"},
	{name: "R04 sh_info out of range", change: func(p *patch) { p.half(p.sec(secRel)+p.lay.shInfo, 1<<20) }, kind: Range, field: "sh_info"},
	{name: "R04 sh_info 0", change: func(p *patch) { p.half(p.sec(secRel)+p.lay.shInfo, 0) }, kind: Range, field: "sh_info"},
	{name: "R07 entsize 0", change: func(p *patch) { p.word(p.sec(secRel)+p.lay.shEntsize, 0) }, kind: Range, field: "sh_entsize"},
	{name: "R07 entsize 1", change: func(p *patch) { p.word(p.sec(secRel)+p.lay.shEntsize, 1) }, kind: Range, field: "sh_entsize"},
	{name: "R07 half a record", change: func(p *patch) { p.word(p.sec(secRel)+p.lay.shSize, uint64(p.lay.relsize-1)) }, kind: Truncated, field: "sh_size"},
	{name: "R12 relocations for .symtab", change: func(p *patch) { p.half(p.sec(secRel)+p.lay.shInfo, secSymtab) }, findings: []string{"sh_info"}},
	{name: "R12 relocations for .strtab", change: func(p *patch) { p.half(p.sec(secRel)+p.lay.shInfo, secStrtab) }, findings: []string{"sh_info"}},
	{name: "R12 relocations for the license", change: func(p *patch) {
		p.half(p.sec(secRel)+p.lay.shInfo, secLicense)
		p.word(p.rel(0), 0)
	}, findings: []string{"sh_info"}},
	{name: "relocations with another symbol table", change: func(p *patch) {
		p.half(p.sec(secBTF)+4, uint32(SHT_SYMTAB))
		p.half(p.sec(secRel)+p.lay.shLink, secSymtab)
		p.half(p.sec(secBTF)+p.lay.shLink, secStrtab)
		p.word(p.sec(secBTF)+p.lay.shEntsize, uint64(p.lay.symsize))
		p.word(p.sec(secBTF)+p.lay.shSize, 0)
	}, kind: Unsupported, field: "sh_link"},
	{name: "other machines have records anywhere", change: func(p *patch) {
		p.quarter(18, uint16(EM_RISCV))
		p.word(p.rel(0), 32)
	}, findings: []string{"r_offset"}},
}

func TestMalformedLicense(t *testing.T) { runClasses(t, licenseClasses) }

// What may be wrong in the license.
var licenseClasses = []class{
	{name: "L01 without NUL", change: func(p *patch) { p.b[p.data(secLicense)+3] = '2' }, findings: []string{"sh_size"}},
	{name: "L03 escapes", change: func(p *patch) { copy(p.b[p.data(secLicense):], "\x1b[2") }, findings: []string{"license"}},
	{name: "L02 too long", change: func(p *patch) {
		p.word(p.sec(secLicense)+p.lay.shOffset, 0)
		p.word(p.sec(secLicense)+p.lay.shSize, 129)
	}, kind: Limit, field: "sh_size"},
}

// Sections that are admitted compressed have their bytes as they are.
func TestCompressedOnRequest(t *testing.T) {
	f := forms[0]
	p := newPatch(t, f, baseBuilder(f).mustBytes(t))
	p.word(p.sec(secMaps)+8, uint64(SHF_COMPRESSED))
	file, err := ParseLimits(p.b, Limits{Compressed: true})
	if err != nil {
		t.Fatal(err)
	}
	if s := file.Section(secMaps); len(s.Data()) != 40 || s.Flags() != SHF_COMPRESSED {
		t.Errorf("%d bytes, flags %v", len(s.Data()), s.Flags())
	}
	p.word(p.sec(secSymtab)+8, uint64(SHF_COMPRESSED))
	if _, err := ParseLimits(p.b, Limits{Compressed: true}); !errors.Is(err, ErrLimit) {
		t.Errorf("compressed symbols: %v", err)
	}
}

// Every error says where and what, in one line, with the file's text quoted.
func TestErrorText(t *testing.T) {
	f := form{ELFCLASS64, binary.LittleEndian}
	b := baseBuilder(f)
	b.AddReloc(b.AddSection(SectionDef{Name: "evil\x1b[2J\n", Type: SHT_PROGBITS, Data: make([]byte, 8)}), Reloc{Offset: 9, Symbol: 1})
	_, err := Parse(b.mustBytes(t))
	want := `elf: section ".relevil\x1b[2J\n": [0]: r_offset 0x9: out of range: past the end of section 9 "evil\x1b[2J\n", 8 bytes (file offset 0x180)`
	if got := fmt.Sprint(err); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	if bytes.ContainsAny([]byte(err.Error()), "\x1b\n") {
		t.Error("raw text from the file")
	}
}
