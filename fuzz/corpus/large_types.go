package corpus

import (
	"encoding/binary"
	"strconv"

	"github.com/lode-bpf/lode/btf"
	"github.com/lode-bpf/lode/elf"
)

// Sizes of the headers of .BTF and .BTF.ext; both begin with magic and version.
const (
	btfHeader = 24
	extHeader = 32
	btfMagic  = 0xeb9f | 1<<16
)

// repeat is n times the same words.
func repeat(n int, words ...uint32) []uint32 {
	out := make([]uint32, 0, n*len(words))
	for range n {
		out = append(out, words...)
	}
	return out
}

// sequence is n types without a name of which each refers to the next one.
func sequence(n int, kind, last uint32) []uint32 {
	out := repeat(n, 0, kind<<24, last)
	for i := range n - 1 {
		out[3*i+2] = uint32(i + 2)
	}
	return out
}

// nested is n structures of which each contains the next one; the last is empty.
func nested(n int) []uint32 {
	const words = 6
	out := repeat(n, 0, uint32(btf.KindStruct)<<24|1, 4, 0, 0, 0)
	for i := range n {
		out[words*i+4] = uint32(i + 2)
	}
	return append(out, 0, uint32(btf.KindStruct)<<24, 4)
}

// blob is .BTF of these types, and of strings behind the empty one.
func blob(strs string, types []uint32) []byte {
	n := uint32(4 * len(types))
	b := le(nil, btfMagic, btfHeader, 0, n, n, uint32(len(strs)+1))
	return append(append(le(b, types...), 0), strs...)
}

func le(b []byte, words ...uint32) []byte {
	for _, w := range words {
		b = binary.LittleEndian.AppendUint32(b, w)
	}
	return b
}

func addData(b *elf.Builder, name string, data []byte) {
	b.AddSection(elf.SectionDef{Name: name, Type: elf.SHT_PROGBITS, Addralign: 4, Data: data})
}

// types is an object with nothing but these types.
func types(strs string, words []uint32) []byte {
	b := new(elf.Builder)
	addData(b, ".BTF", blob(strs, words))
	return built(b)
}

// recordsOfOne has 100,000 CO-RE records for the first instruction.
func recordsOfOne() []byte {
	const n, record = 100000, 16
	b := new(elf.Builder)
	s, _ := code(b, "tc", 1)
	function(b, "p", s, 0, 8)
	addData(b, ".BTF", blob("tc\x000\x00", []uint32{0, uint32(btf.KindStruct) << 24, 4}))
	ext := le(nil, btfMagic, extHeader, 0, 0, 0, 0, 0, 12+record*n, record, 1, n)
	addData(b, ".BTF.ext", le(ext, repeat(n, 0, 1, 4, uint32(btf.CORETypeSize))...))
	return built(b)
}

// manyMaps defines 60,000 maps of type hash.
func manyMaps() []byte {
	const n, size = 60000, 8
	var t btf.Builder
	i := t.AddInt("int", 4, btf.IntSigned)
	def := t.AddStruct("", size, btf.Member{Name: "type", Type: t.AddPtr(t.AddArray(i, i, 1))})
	vars := make([]btf.VarSecinfo, n)
	b := new(elf.Builder)
	s := b.AddSection(elf.SectionDef{Name: ".maps", Type: elf.SHT_PROGBITS, Flags: elf.SHF_ALLOC | elf.SHF_WRITE, Addralign: 8, Data: make([]byte, n*size)})
	for i := range vars {
		name := "m" + strconv.Itoa(i)
		vars[i] = btf.VarSecinfo{Type: t.AddVar(name, def, btf.LinkageGlobal), Offset: uint32(i * size), Size: size}
		b.AddSymbol(elf.SymbolDef{Name: name, Bind: elf.STB_GLOBAL, Type: elf.STT_OBJECT, Section: s, Value: uint64(i * size), Size: size})
	}
	t.AddDatasec(".maps", n*size, vars...)
	raw, _ := t.Bytes(binary.LittleEndian)
	addData(b, ".BTF", raw)
	return built(b)
}
