package corpus

import (
	"encoding/binary"
	"strings"
	"testing"

	"github.com/lode-bpf/lode/elf"
	"github.com/lode-bpf/lode/insn"
)

// A codeClass is an object whose code or relocations are malformed in one way:
// a program of the section "xdp", a helper in .text, a variable in .data.
type codeClass struct {
	name   string
	code   string
	text   string // of the helper; "r0 = 0, exit" if empty
	cut    int    // bytes taken off the end of the program's section
	relocs []elf.Reloc
}

// Symbols of the object.
const (
	symHelper = iota + 1
	symProg
	symVariable
	symNowhere // weak, and not defined
)

const finish = "\nr0 = 0\nexit"

func reloc(slot uint64, typ uint32, symbol int) elf.Reloc {
	return elf.Reloc{Offset: 8 * slot, Type: typ, Symbol: symbol}
}

var codeClasses = []codeClass{
	{name: "I01-code-of-12-bytes", code: "r0 = 0\nexit", cut: 4},
	{name: "I02-wide-load-in-the-last-slot", code: "r0 = 0\nexit\ninsn(24,1,0,0,0)"},
	{name: "I02-second-slot-with-an-opcode", code: "insn(24,1,0,0,0)\nr0 = 0\nexit"},
	{name: "I03-jump-out-of-range", code: "goto pc+100" + finish},
	{name: "I04-function-that-calls-itself", code: "call pc-1" + finish, text: "call pc-1" + finish, relocs: []elf.Reloc{reloc(0, elf.R_BPF_64_32, symHelper)}},
	{name: "I05-unknown-opcode", code: "insn(255,0,0,0,0)" + finish},
	{name: "I05-register-15", code: "insn(191,15,15,0,0)" + finish},
	{name: "R05-relocation-of-a-second-slot", code: "insn(24,1,0,0,0)\ninsn(0,0,0,0,0)" + finish, relocs: []elf.Reloc{reloc(1, elf.R_BPF_64_64, symVariable)}},
	{name: "R06-relocation-of-exit", code: "r0 = 0\nexit", relocs: []elf.Reloc{reloc(1, elf.R_BPF_64_32, symHelper)}},
	{name: "R08-two-relocations-of-one-slot", code: "insn(24,1,0,0,0)\ninsn(0,0,0,0,0)" + finish,
		relocs: []elf.Reloc{reloc(0, elf.R_BPF_64_64, symVariable), reloc(0, elf.R_BPF_64_64, symVariable)}},
	{name: "R09-call-addend-overflows", code: "insn(133,0,1,0,2147483647)" + finish, relocs: []elf.Reloc{reloc(0, elf.R_BPF_64_32, symHelper)}},
	{name: "R10-call-into-a-function", code: "call pc+0" + finish, relocs: []elf.Reloc{reloc(0, elf.R_BPF_64_32, symHelper)}},
	{name: "R11-explicit-addend", code: "call pc-1" + finish, relocs: []elf.Reloc{{Type: elf.R_BPF_64_32, Symbol: symHelper, HasAddend: true, Addend: -1}}},
	{name: "weak-load-at-the-end", code: finish[1:] + "\ninsn(24,1,0,0,0)\ninsn(0,0,0,0,0)", relocs: []elf.Reloc{reloc(2, elf.R_BPF_64_64, symNowhere)}},
	{name: "R11-unknown-type", code: "call pc-1" + finish, relocs: []elf.Reloc{reloc(0, 77, symHelper)}},
	{name: "R11-NODYLD32-in-code", code: "call pc-1" + finish, relocs: []elf.Reloc{reloc(0, elf.R_BPF_64_NODYLD32, symHelper)}},
}

func (c codeClass) object(t *testing.T, order binary.ByteOrder) []byte {
	t.Helper()
	b := base(order)
	text := c.text
	if text == "" {
		text = "r0 = 0\nexit"
	}
	helper := addCode(b, ".text", assembled(t, order, text, 0))
	prog := addCode(b, "xdp", assembled(t, order, c.code, c.cut))
	data := b.AddSection(elf.SectionDef{Name: ".data", Type: elf.SHT_PROGBITS, Flags: elf.SHF_ALLOC | elf.SHF_WRITE, Addralign: 4, Data: make([]byte, 4)})
	b.AddSymbol(elf.SymbolDef{Name: "helper", Bind: elf.STB_GLOBAL, Type: elf.STT_FUNC, Section: helper, Size: uint64(len(assembled(t, order, text, 0)))})
	b.AddSymbol(elf.SymbolDef{Name: "prog", Bind: elf.STB_GLOBAL, Type: elf.STT_FUNC, Section: prog, Size: uint64(len(assembled(t, order, c.code, c.cut)))})
	b.AddSymbol(elf.SymbolDef{Name: "variable", Bind: elf.STB_GLOBAL, Type: elf.STT_OBJECT, Section: data, Size: 4})
	if strings.HasPrefix(c.name, "weak") {
		b.AddSymbol(elf.SymbolDef{Name: "nowhere", Bind: elf.STB_WEAK})
	}
	for _, r := range c.relocs {
		b.AddReloc(prog, r)
	}
	return bytesOf(t, b)
}

// assembled is the machine code of a text, less a few bytes at the end.
func assembled(t *testing.T, order binary.ByteOrder, text string, cut int) []byte {
	t.Helper()
	code, err := insn.Assemble(text, insn.Verifier)
	if err != nil {
		t.Fatalf("%q: %v", text, err)
	}
	b := insn.Append(nil, code, order)
	return b[:len(b)-cut]
}
