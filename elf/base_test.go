package elf

import (
	"encoding/binary"
	"fmt"
	"runtime/metrics"
	"testing"
)

// A form is one of the four ways to write the same object.
type form struct {
	class Class
	order binary.ByteOrder
}

var forms = []form{
	{ELFCLASS64, binary.LittleEndian},
	{ELFCLASS64, binary.BigEndian},
	{ELFCLASS32, binary.LittleEndian},
	{ELFCLASS32, binary.BigEndian},
}

func (f form) String() string { return fmt.Sprintf("%v-%v", f.class, f.order) }

// The sections of the base object, by number.
const (
	secXDP = iota + 1
	secMaps
	secLicense
	secBTF
	secBSS
	secRel
	secSymtab
	secStrtab
)

// The symbols of the base object, by number.
const (
	symLocal = iota + 1
	symProg
	symMap
)

// baseBuilder is a small object with everything that a class needs to break:
// a program of four slots that refers to a map, a license, BTF, and .bss.
func baseBuilder(f form) *Builder {
	b := &Builder{Class: f.class, ByteOrder: f.order, Type: ET_REL, Machine: EM_BPF}
	b.AddSection(SectionDef{Name: "xdp", Type: SHT_PROGBITS, Flags: SHF_ALLOC | SHF_EXECINSTR, Addralign: 8, Data: make([]byte, 32)})
	b.AddSection(SectionDef{Name: ".maps", Type: SHT_PROGBITS, Flags: SHF_ALLOC | SHF_WRITE, Addralign: 8, Data: make([]byte, 40)})
	b.AddSection(SectionDef{Name: "license", Type: SHT_PROGBITS, Flags: SHF_ALLOC | SHF_WRITE, Addralign: 1, Data: []byte("GPL\x00")})
	b.AddSection(SectionDef{Name: ".BTF", Type: SHT_PROGBITS, Addralign: 4, Data: make([]byte, 24)})
	b.AddSection(SectionDef{Name: ".bss", Type: SHT_NOBITS, Flags: SHF_ALLOC | SHF_WRITE, Addralign: 8, Size: 16})
	b.AddSection(SectionDef{Name: ".relxdp", Type: SHT_REL, Flags: SHF_INFO_LINK, Addralign: 8, Info: secXDP})
	b.AddSection(SectionDef{Name: ".symtab", Type: SHT_SYMTAB, Addralign: 8, Link: secStrtab})
	b.AddSection(SectionDef{Name: ".strtab", Type: SHT_STRTAB, Addralign: 1})
	b.shstrndx = secStrtab
	b.AddSymbol(SymbolDef{Name: "local", Bind: STB_LOCAL, Type: STT_OBJECT, Section: secBSS, Value: 8, Size: 8})
	b.AddSymbol(SymbolDef{Name: "prog", Bind: STB_GLOBAL, Type: STT_FUNC, Section: secXDP, Size: 32})
	b.AddSymbol(SymbolDef{Name: "map", Bind: STB_GLOBAL, Type: STT_OBJECT, Section: secMaps, Size: 40})
	b.AddReloc(secRel, Reloc{Offset: 8, Type: R_BPF_64_64, Symbol: symMap})
	return b
}

func (b *Builder) mustBytes(tb testing.TB) []byte {
	tb.Helper()
	out, err := b.Bytes()
	if err != nil {
		tb.Fatal(err)
	}
	return out
}

// A patch is a file under change, with places by meaning.
type patch struct {
	tb  testing.TB
	b   []byte
	lay *layout
	ord binary.ByteOrder
}

func newPatch(tb testing.TB, f form, b []byte) *patch {
	p := &patch{tb: tb, b: b, lay: &layout64, ord: f.order}
	if f.class == ELFCLASS32 {
		p.lay = &layout32
	}
	return p
}

// word puts a field of the class's width; v is cut to it, sign kept.
func (p *patch) word(at int, v uint64) {
	if p.lay.word == 4 {
		if v > 1<<32 {
			v |= v >> 32
		}
		p.ord.PutUint32(p.b[at:], uint32(v))
		return
	}
	p.ord.PutUint64(p.b[at:], v)
}
func (p *patch) half(at int, v uint32)    { p.ord.PutUint32(p.b[at:], v) }
func (p *patch) quarter(at int, v uint16) { p.ord.PutUint16(p.b[at:], v) }

func (p *patch) wordAt(at int) int {
	if p.lay.word == 4 {
		return int(p.ord.Uint32(p.b[at:]))
	}
	return int(p.ord.Uint64(p.b[at:]))
}

// sec is where the header of a section stands; data where its contents do.
func (p *patch) sec(i int) int  { return p.wordAt(p.lay.eShoff) + i*p.lay.shentsize }
func (p *patch) data(i int) int { return p.wordAt(p.sec(i) + p.lay.shOffset) }

func (p *patch) sym(i int) int { return p.data(secSymtab) + i*p.lay.symsize }
func (p *patch) rel(i int) int { return p.data(secRel) + i*p.lay.relsize }

// allocated is the number of bytes that f allocates on the heap.
func allocated(f func()) uint64 {
	sample := []metrics.Sample{{Name: "/gc/heap/allocs:bytes"}}
	metrics.Read(sample)
	before := sample[0].Value.Uint64()
	f()
	metrics.Read(sample)
	return sample[0].Value.Uint64() - before
}

// parseBounded parses twice, and fails if the second time allocated more than
// promised or if the input changed.
func parseBounded(tb testing.TB, b []byte, lim Limits) (*File, error) {
	tb.Helper()
	saved := string(b)
	f, err := ParseLimits(b, lim)
	n, most := uint64(0), 8*uint64(len(b))+1<<20
	for range 5 { // other goroutines of the process may allocate meanwhile: the least of some runs counts
		if n = allocated(func() { ParseLimits(b, lim) }); n <= most {
			break
		}
	}
	if n > most {
		tb.Errorf("Parse allocates %d bytes for %d of input; at most %d are promised", n, len(b), most)
	}
	if string(b) != saved {
		tb.Error("Parse changed its input")
	}
	if f != nil {
		for _, x := range f.Findings() {
			if x.Offset < 0 || x.Offset >= int64(len(b)) {
				tb.Errorf("a finding outside the file of %d bytes: %v", len(b), x)
			}
		}
	}
	return f, err
}
