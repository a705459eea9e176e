package corpus

import (
	"encoding/binary"
	"strings"

	"github.com/lode-bpf/lode/btf"
	"github.com/lode-bpf/lode/elf"
)

// A Rule makes an object of a class of volume: small in the file, large in its
// reader. Such objects have up to 30 megabytes, so they are no files.
type Rule struct {
	ID    string // as the ID of an Entry
	Class string
	Make  func() []byte // the same bytes each time

	ELF, BTF, Object string // the verdicts, as those of an Entry
}

const (
	tooMuch = "error: limit exceeded"
	mebi    = 1 << 20
)

// Rules are all of them.
func Rules() []Rule {
	return []Rule{
		{"S04-2,000-sections-over-1-MiB", "S04", sectionsOverOne, "finding", "none", "finding"},
		{"S08-20,000-symbols-of-one-name", "S08", func() []byte { return symbols(20000, elf.SymbolDef{Name: strings.Repeat("x", mebi)}) }, tooMuch, "none", "none"},
		{"S09-20,000-sections-of-one-name", "S09", sectionsOfOneName, tooMuch, "none", "none"},
		{"S18-16-MiB-of-zeros-at-the-end", "S18", func() []byte { return append(symbols(1, elf.SymbolDef{Name: "x"}), make([]byte, 16*mebi)...) }, "finding", "none", "finding"},
		{"Y05-2,000-symbol-tables-over-one", "Y05", symbolTables, "finding", "none", "finding"},
		{"Y06-20,000-functions-of-one-section", "Y06", func() []byte { return functions(".text", 20000, 0, 160000) }, "error: overlap", "none", "none"},
		{"Y09-60,000-variables-over-one-another", "Y09", variables, "ok", "none", "ok"},
		{"R08-100,000-relocations-of-one-slot", "R08", relocationsOfOne, "error: overlap", "none", "none"},
		{"I06-100,000-functions-in-a-chain", "I06", callChain, "ok", "none", tooMuch},
		{"I07-2,000-programs-of-20,000-instructions", "I07", copies, "ok", "none", tooMuch},
		{"B10-chain-of-300,000-qualifiers", "B10", func() []byte { return types("", sequence(300000, uint32(btf.KindConst), 0)) }, "ok", "ok", "ok"},
		{"B16-100,000-structures-in-one-another", "B16", func() []byte { return types("", nested(100000)) }, "ok", "ok", "ok"},
		{"B21-200,000-structures-of-one-name", "B21", func() []byte { return types("s\x00", repeat(200000, 1, uint32(btf.KindStruct)<<24, 0)) }, "ok", "ok", "ok"},
		{"B22-200,000-types-of-one-name-of-1-MiB", "B22", func() []byte {
			return types(strings.Repeat("n", mebi)+"\x00", repeat(200000, 1, uint32(btf.KindFwd)<<24, 0))
		}, "ok", tooMuch, tooMuch},
		{"X09-100,000-records-of-one-slot", "X09", recordsOfOne, "ok", "ok", "error: relocation"},
		{"M10-60,000-maps", "M10", manyMaps, "ok", "ok", tooMuch},
		{"M12-name-of-64-KiB", "M12", func() []byte { return symbols(1, elf.SymbolDef{Name: strings.Repeat("m", 64<<10)}) }, tooMuch, "none", "none"},
		{"P01-60,000-programs", "P01", func() []byte { return functions("tc", 60000, 8, 8) }, tooMuch, "none", "none"},
	}
}

// built is the object of a builder; a mistake in a rule makes an empty one.
func built(b *elf.Builder) []byte {
	b.ByteOrder, b.Type, b.Machine = binary.LittleEndian, elf.ET_REL, elf.EM_BPF
	out, _ := b.Bytes()
	return out
}

func symbols(n int, def elf.SymbolDef) []byte {
	b := new(elf.Builder)
	for range n {
		b.AddSymbol(def)
	}
	return built(b)
}

func sectionsOfOneName() []byte {
	b, name := new(elf.Builder), strings.Repeat("x", mebi)
	for range 20000 {
		b.AddSection(elf.SectionDef{Name: name, Type: elf.SHT_PROGBITS})
	}
	return built(b)
}

// Places in a section header of 64 bits, and in the ELF header.
const (
	eShoff   = 40
	shdrSize = 64
)

// alias makes the n sections from first on copies of the header of another.
func alias(b []byte, of, first, n int) []byte {
	table := b[binary.LittleEndian.Uint64(b[eShoff:]):]
	for i := first; i < first+n; i++ {
		copy(table[i*shdrSize:(i+1)*shdrSize], table[of*shdrSize:])
	}
	return b
}

func sectionsOverOne() []byte {
	b := new(elf.Builder)
	one := b.AddSection(elf.SectionDef{Name: ".data", Type: elf.SHT_PROGBITS, Data: make([]byte, mebi)})
	for range 2000 {
		b.AddSection(elf.SectionDef{Name: ".data", Type: elf.SHT_PROGBITS})
	}
	return alias(built(b), one, one+1, 2000)
}

func symbolTables() []byte {
	b := new(elf.Builder)
	b.AddSymbol(elf.SymbolDef{Name: "x"})
	for range 2000 {
		b.AddSection(elf.SectionDef{Name: ".other", Type: elf.SHT_PROGBITS})
	}
	out := built(b)
	f, err := elf.Parse(out)
	if err != nil {
		return nil
	}
	for i := range f.NumSections() {
		if f.Section(i).Type() == elf.SHT_SYMTAB {
			return alias(out, i, 1, 2000)
		}
	}
	return nil
}

// code adds a section of code, of n instructions that all return.
func code(b *elf.Builder, name string, n int) (section int, slots []byte) {
	slots = make([]byte, 8*n)
	for i := 0; i < len(slots); i += 8 {
		slots[i] = 0x95 // exit
	}
	return b.AddSection(elf.SectionDef{Name: name, Type: elf.SHT_PROGBITS, Flags: elf.SHF_ALLOC | elf.SHF_EXECINSTR, Addralign: 8, Data: slots}), slots
}

func function(b *elf.Builder, name string, section, at, size int) int {
	return b.AddSymbol(elf.SymbolDef{Name: name, Bind: elf.STB_GLOBAL, Type: elf.STT_FUNC, Section: section, Value: uint64(at), Size: uint64(size)})
}

func functions(section string, n, step, size int) []byte {
	b := new(elf.Builder)
	s, _ := code(b, section, max(n*step, size)/8)
	for i := range n {
		function(b, "p", s, i*step, size)
	}
	return built(b)
}

func variables() []byte {
	const n = 60000
	b := new(elf.Builder)
	s := b.AddSection(elf.SectionDef{Name: ".data", Type: elf.SHT_PROGBITS, Flags: elf.SHF_ALLOC | elf.SHF_WRITE, Data: make([]byte, n)})
	for i := range n {
		b.AddSymbol(elf.SymbolDef{Name: "v", Bind: elf.STB_GLOBAL, Type: elf.STT_OBJECT, Section: s, Value: uint64(i), Size: uint64(n - i)})
	}
	return built(b)
}

func relocationsOfOne() []byte {
	b := new(elf.Builder)
	s, _ := code(b, "tc", 1)
	f := function(b, "p", s, 0, 8)
	for range 100000 {
		b.AddReloc(s, elf.Reloc{Type: elf.R_BPF_64_64, Symbol: f})
	}
	return built(b)
}

// call makes an instruction one that calls another, so many slots further on.
func call(slot []byte, distance int) {
	slot[0], slot[1] = 0x85, 0x10 // BPF_PSEUDO_CALL
	binary.LittleEndian.PutUint32(slot[4:], uint32(distance-1))
}

// callChain is a program that calls a function that calls the next one.
func callChain() []byte {
	const n = 100000
	b := new(elf.Builder)
	s, slots := code(b, ".text", 2*n)
	for i := range n {
		if i+1 < n {
			call(slots[16*i:], 2)
		}
		function(b, "f", s, 16*i, 16)
	}
	return caller(b, s)
}

// caller adds a program that calls what stands first in .text.
func caller(b *elf.Builder, text int) []byte {
	s, slots := code(b, "tc", 2)
	call(slots, 0)
	function(b, "p", s, 0, 16)
	target := b.AddSymbol(elf.SymbolDef{Type: elf.STT_SECTION, Section: text})
	b.AddReloc(s, elf.Reloc{Type: elf.R_BPF_64_32, Symbol: target})
	return built(b)
}

// copies is 2,000 programs that each get a copy of one function.
func copies() []byte {
	const n, size = 2000, 20000
	b := new(elf.Builder)
	text, _ := code(b, ".text", size)
	f := function(b, "f", text, 0, 8*size)
	s, slots := code(b, "tc", 2*n)
	for i := range n {
		call(slots[16*i:], 0)
		function(b, "p", s, 16*i, 16)
		b.AddReloc(s, elf.Reloc{Offset: uint64(16 * i), Type: elf.R_BPF_64_32, Symbol: f})
	}
	return built(b)
}
