package gen

import (
	"github.com/lode-bpf/lode/elf"
)

// plain is a relocatable object of some machine, with what any linker reads:
// contents, symbols of every kind, relocations with and without addends.
func (g *Gen) plain(p Profile) []byte {
	b := &elf.Builder{Class: p.Class, ByteOrder: p.ByteOrder, Type: elf.ET_REL}
	b.Machine = pick(g, []elf.Machine{elf.EM_386, elf.EM_ARM, elf.EM_X86_64, elf.EM_AARCH64, elf.EM_RISCV, elf.EM_PPC64, elf.EM_S390})
	b.Flags = uint32(g.src.Uint64())
	sizes := []uint64{0} // by section number
	add := func(s elf.SectionDef) {
		b.AddSection(s)
		sizes = append(sizes, max(s.Size, uint64(len(s.Data))))
	}
	for range 1 + g.n(8) {
		data := g.bytes(4 + g.n(200))
		align := uint64(1) << g.n(5)
		switch g.n(4) {
		case 0:
			add(elf.SectionDef{Name: g.name(".text"), Type: elf.SHT_PROGBITS, Flags: elf.SHF_ALLOC | elf.SHF_EXECINSTR, Addralign: align, Data: data})
		case 1:
			add(elf.SectionDef{Name: g.name(".data"), Type: elf.SHT_PROGBITS, Flags: elf.SHF_ALLOC | elf.SHF_WRITE, Addralign: align, Data: data})
		case 2:
			add(elf.SectionDef{Name: g.name(".bss"), Type: elf.SHT_NOBITS, Flags: elf.SHF_ALLOC | elf.SHF_WRITE, Addralign: align, Size: uint64(1 + g.n(1<<16))})
		case 3:
			add(elf.SectionDef{Name: g.name(".note"), Type: elf.SHT_NOTE, Addralign: 4, Data: g.note(p)})
		}
	}
	symbols := g.symbols(b, sizes)
	for range g.n(10) {
		section := 1 + g.n(len(sizes)-1)
		r := elf.Reloc{Offset: uint64(g.n(int(sizes[section]))), Type: uint32(g.n(64)), Symbol: g.n(symbols + 1)}
		if g.once(2) {
			r.HasAddend, r.Addend = true, int64(g.number())
		}
		b.AddReloc(section, r)
	}
	return must(b.Bytes())
}

// note is one record: lengths of name and contents, a type, both padded to 4.
func (g *Gen) note(p Profile) []byte {
	desc := g.bytes(4 * g.n(8))
	b := words(nil, p.ByteOrder, 5, uint32(len(desc)), uint32(g.n(10)))
	return append(append(b, "lode\x00\x00\x00\x00"...), desc...)
}

// symbols adds symbols, local ones first, and returns how many.
func (g *Gen) symbols(b *elf.Builder, sizes []uint64) (n int) {
	for _, bind := range []elf.SymBind{elf.STB_LOCAL, elf.STB_GLOBAL, elf.STB_WEAK} {
		for range g.n(5) {
			n++
			s := elf.SymbolDef{
				Name: g.name("symbol"), Bind: bind, Other: uint8(g.n(4)), // visibility
				Type: pick(g, []elf.SymType{elf.STT_NOTYPE, elf.STT_OBJECT, elf.STT_FUNC}),
			}
			switch g.n(5) {
			case 0:
				s.Section, s.Reserved, s.Value = elf.SHN_ABS, true, uint64(g.n(1<<20))
			case 1:
				if bind != elf.STB_LOCAL {
					break // undefined
				}
				fallthrough
			default:
				s.Section = 1 + g.n(len(sizes)-1)
				s.Value = uint64(g.n(int(sizes[s.Section])))
				s.Size = uint64(g.n(int(sizes[s.Section]-s.Value) + 1))
			}
			b.AddSymbol(s)
		}
	}
	return n
}
