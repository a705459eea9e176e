package corpus

import (
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/lode-bpf/lode/elf"
	"github.com/lode-bpf/lode/fuzz/gen"
)

// sources makes every file of the corpus: the malformed files of package elf,
// valid objects, and objects whose types, code or maps are malformed.
func sources(t *testing.T) map[string][]byte {
	t.Helper()
	out := map[string][]byte{}
	add := func(name string, b []byte) {
		if out[name] != nil {
			t.Errorf("two files named %q", name)
		}
		out[name] = b
	}
	paths, err := filepath.Glob("../../elf/testdata/malformed/*.elf")
	if err != nil || len(paths) == 0 {
		t.Fatal("no files of package elf", err)
	}
	for _, path := range paths {
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		add(strings.TrimSuffix(filepath.Base(path), ".elf"), b)
	}
	for _, order := range []binary.ByteOrder{binary.LittleEndian, binary.BigEndian} {
		suffix := map[bool]string{true: "-le", false: "-be"}[order == binary.LittleEndian]
		for n, name := range []string{"one", "two", "three"} {
			add("valid-bpf-"+name+suffix, gen.New(uint64(n)).Object(gen.Profile{ByteOrder: order, Size: 8}))
		}
		add("valid-bpf-without-BTF"+suffix, gen.New(9).Object(gen.Profile{ByteOrder: order, NoBTF: true, Size: 8}))
		add("valid-32-bit"+suffix, gen.New(10).Object(gen.Profile{ByteOrder: order, Plain: true, Class: elf.ELFCLASS32}))
		add("valid-64-bit"+suffix, gen.New(11).Object(gen.Profile{ByteOrder: order, Plain: true, Class: elf.ELFCLASS64}))
	}
	for _, n := range []int{1, 16, 63} {
		add(fmt.Sprintf("E01-cut-to-%d-bytes", n), out["valid-bpf-one-le"][:n])
	}
	for i, c := range typeClasses {
		order := binary.ByteOrder(binary.LittleEndian)
		if i%2 == 1 {
			order = binary.BigEndian
		}
		add(c.name, c.object(t, order))
	}
	for i, c := range mapClasses {
		add(c.name, c.object(t, [...]binary.ByteOrder{binary.LittleEndian, binary.BigEndian}[i%2]))
	}
	for _, c := range confClasses {
		add(c.name, []byte(c.text))
	}
	for i, c := range codeClasses {
		order := binary.ByteOrder(binary.LittleEndian)
		if i%2 == 1 {
			order = binary.BigEndian
		}
		add(c.name, c.object(t, order))
	}
	return out
}

// A typeClass is BTF, and what goes with it, that is malformed in one way. The
// words follow the header of 24 bytes, or are the whole if header is given.
type typeClass struct {
	name   string
	header map[int]uint32 // fields of struct btf_header by their offset
	types  []uint32
	strs   string
	ext    []uint32 // .BTF.ext after its magic
}

func info(kind, vlen uint32) uint32 { return kind<<24 | vlen }

// Type 1 of most classes: a signed int of 4 bytes whose name is at 1.
var intType = []uint32{1, info(1, 0), 4, 1<<24 | 32}

func after(more ...uint32) []uint32 { return append(intType[:4:4], more...) }

const intName = "\x00int\x00"

var typeClasses = []typeClass{
	{name: "B01-hdr_len-0", types: intType, strs: intName, header: map[int]uint32{4: 0}},
	{name: "B01-hdr_len-max", types: intType, strs: intName, header: map[int]uint32{4: 1<<32 - 1}},
	{name: "B02-type_off-wraps", types: intType, strs: intName, header: map[int]uint32{8: 1<<32 - 4}},
	{name: "B02-type_len-past-the-end", types: intType, strs: intName, header: map[int]uint32{12: 1 << 16}},
	{name: "B03-strings-over-types", types: intType, strs: intName, header: map[int]uint32{16: 8}},
	{name: "B04-str_len-max", types: intType, strs: intName, header: map[int]uint32{20: 1<<32 - 1}},
	{name: "B05-struct-vlen-past-the-end", types: after(0, info(4, 9), 4), strs: intName},
	{name: "B05-enum-vlen-max", types: after(0, info(6, 0xffffff), 4), strs: intName},
	{name: "B05-prototype-vlen-past-the-end", types: after(0, info(13, 3), 1, 0, 1), strs: intName},
	{name: "B06-name_off-out-of-range", types: []uint32{1 << 20, info(1, 0), 4, 32}, strs: intName},
	{name: "B07-no-leading-NUL", types: intType, strs: "xint\x00"},
	{name: "B07-no-final-NUL", types: intType, strs: "\x00int"},
	{name: "B08-struct-in-itself", types: after(1, info(4, 1), 4, 1, 3, 0, 0, info(3, 0), 0, 2, 1, 1), strs: intName},
	{name: "B09-typedef-of-itself", types: after(1, info(8, 0), 2), strs: intName},
	{name: "B09-circle-of-qualifiers", types: after(0, info(10, 0), 3, 0, info(9, 0), 2), strs: intName},
	{name: "B11-array-size-overflows", types: after(0, info(3, 0), 0, 1, 1, 1<<31, 0, info(3, 0), 0, 2, 1, 1<<31, 0, info(3, 0), 0, 3, 1, 1<<31), strs: intName},
	{name: "B12-int-of-255-bits", types: []uint32{1, info(1, 0), 4, 200<<16 | 255}, strs: intName},
	{name: "B13-datasec-vlen-past-the-end", types: after(1, info(15, 7), 4), strs: intName},
	{name: "B14-component_idx-minus-2", types: after(1, info(17, 0), 1, 1<<32-2), strs: intName},
	{name: "B15-type-id-out-of-range", types: after(0, info(2, 0), 77), strs: intName},
	{name: "B15-member-type-max", types: after(1, info(4, 1), 4, 1, 1<<32-1, 0), strs: intName},
	{name: "B18-kind-31-without-layout", types: after(1, info(31, 0), 4), strs: intName},
	{name: "B10-chain-of-100-qualifiers", types: after(sequence(100, 10, 1)...), strs: intName},
	{name: "B16-structures-nested-40-deep", types: nested(40), strs: intName},
	{name: "B17-structures-that-contain-the-next-one-twice", types: doubled(40), strs: intName},
	{name: "B19-header-of-32-bytes-with-a-layout", header: map[int]uint32{4: 32, 8: 0, 12: 16, 16: 24, 20: 5},
		types: append([]uint32{16, 8, 1, 1 << 24, 4, 1<<24 | 32}, 0, 4), strs: intName},
	{name: "B20-header-only", strs: ""},
	{name: "X01-rec_size-0", types: intType, strs: intName, ext: ext(0, 1, 1, 0, 1)},
	{name: "X02-num_info-max", types: intType, strs: intName, ext: ext(8, 1, 1<<32-1, 0, 1)},
	{name: "X03-func_info-past-the-end", types: intType, strs: intName, ext: []uint32{24, 1 << 20, 24, 0, 0}},
	{name: "X04-function-past-the-section", types: intType, strs: "\x00xdp\x00", ext: ext(8, 1, 1, 8000, 1)},
	{name: "X08-section-name-past-the-strings", types: intType, strs: intName, ext: ext(8, 1<<20, 1, 0, 1)},
	{name: "X08-unknown-section", types: intType, strs: intName, ext: ext(8, 1, 1, 0, 1)},
	{name: "X05-access-string-of-100-steps", types: intType, strs: "\x00" + strings.Repeat("0:", 99) + "0\x00", ext: core(1)},
	{name: "X06-empty-access-string", types: intType, strs: intName, ext: core(0)},
	{name: "X06-access-string-negative", types: intType, strs: "\x00-1:99999999999\x00", ext: core(1)},
	{name: "X06-access-string-with-a-colon-at-the-end", types: intType, strs: "\x000:\x00", ext: core(1)},
	{name: "X06-access-string-with-a-colon-in-front", types: intType, strs: "\x00:0\x00", ext: core(1)},
	{name: "X07-record-of-kind-99", types: intType, strs: "\x00xdp\x000\x00", ext: record(0, 5, 99)},
	{name: "X07-record-within-an-instruction", types: intType, strs: "\x00xdp\x000\x00", ext: record(4, 5, 0)},
	{name: "X09-two-records-of-one-slot", types: intType, strs: "\x00xdp\x000\x00",
		ext: []uint32{32, 0, 0, 0, 0, 0, 44, 16, 1, 2, 0, 1, 5, 9, 0, 1, 5, 9}},
}

// ext is .BTF.ext with one table of functions: record size, then a block.
func ext(words ...uint32) []uint32 {
	return append([]uint32{24, 0, uint32(4 * len(words)), 0, 0}, words...)
}

// record is .BTF.ext with one CO-RE record of the section named at 1, of type 1.
func record(offset, access, kind uint32) []uint32 {
	return []uint32{32, 0, 0, 0, 0, 0, 28, 16, 1, 1, offset, 1, access, kind}
}

// doubled is n structures of which each contains the next one twice.
func doubled(n int) []uint32 {
	var out []uint32
	for i := range uint32(n) {
		out = append(out, 0, info(4, 2), 1<<20, 0, i+2, 0, 0, i+2, 0)
	}
	return append(out, 0, info(4, 0), 1<<20)
}

// core is .BTF.ext with one CO-RE record of slot 0, of type 1.
func core(access uint32) []uint32 {
	return []uint32{32, 0, 0, 0, 0, 0, 28, 16, 1, 1, 0, 1, access, 0}
}

// object is an object with this BTF and a program that returns 0.
func (c typeClass) object(t *testing.T, order binary.ByteOrder) []byte {
	t.Helper()
	b := base(order)
	code := addCode(b, "xdp", assembled(t, order, "r0 = 0\nexit", 0))
	b.AddSymbol(elf.SymbolDef{Name: "prog", Bind: elf.STB_GLOBAL, Type: elf.STT_FUNC, Section: code, Size: 16})
	n := uint32(4 * len(c.types))
	raw := append(words(order, 24, 0, n, n, uint32(len(c.strs))), words(order, c.types...)...)
	raw = append(append([]byte{0, 0, 1, 0}, raw...), c.strs...)
	order.PutUint16(raw, 0xeb9f)
	for at, v := range c.header {
		order.PutUint32(raw[at:], v)
	}
	b.AddSection(elf.SectionDef{Name: ".BTF", Type: elf.SHT_PROGBITS, Addralign: 4, Data: raw})
	if c.ext != nil {
		raw := append([]byte{0, 0, 1, 0}, words(order, c.ext...)...)
		order.PutUint16(raw, 0xeb9f)
		b.AddSection(elf.SectionDef{Name: ".BTF.ext", Type: elf.SHT_PROGBITS, Addralign: 4, Data: raw})
	}
	return bytesOf(t, b)
}

func words(order binary.ByteOrder, list ...uint32) (b []byte) {
	for _, v := range list {
		b = append(b, 0, 0, 0, 0)
		order.PutUint32(b[len(b)-4:], v)
	}
	return b
}

func base(order binary.ByteOrder) *elf.Builder {
	return &elf.Builder{ByteOrder: order, Type: elf.ET_REL, Machine: elf.EM_BPF}
}

func bytesOf(t *testing.T, b *elf.Builder) []byte {
	t.Helper()
	out, err := b.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// addCode adds a section of code.
func addCode(b *elf.Builder, name string, code []byte) int {
	return b.AddSection(elf.SectionDef{
		Name: name, Type: elf.SHT_PROGBITS, Flags: elf.SHF_ALLOC | elf.SHF_EXECINSTR, Addralign: 8, Data: code,
	})
}
