package insn_test

import (
	"encoding/binary"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/lode-bpf/lode/elf"
	"github.com/lode-bpf/lode/insn"
	"github.com/lode-bpf/lode/internal/ktest"
)

// An objdumpLine is one instruction as llvm-objdump shows it.
type objdumpLine struct {
	slot  int
	bytes string
	text  string
	where string // "name+0x10", where a jump goes
}

// An objdumpSection is the listing of a section.
type objdumpSection struct {
	symbols map[string][]int // address of each heading by name
	lines   []objdumpLine
}

var (
	objdumpInsn    = regexp.MustCompile(`^ *(\d+):\t((?:[0-9a-f]{2} ?)+)\t(.*?)(?: <([^<>]*)>)?$`)
	objdumpHeading = regexp.MustCompile(`^([0-9a-f]{16}) <(.*)>:$`)
)

// objdump disassembles the sections of an object with LLVM's tool.
func objdump(t *testing.T, path string, args ...string) map[string]objdumpSection {
	t.Helper()
	tool := ktest.Tool(t, "llvm-objdump-19", "llvm-19")
	out, err := exec.Command(tool, append(args, "-d", path)...).Output()
	if err != nil {
		t.Fatal(err)
	}
	sections := map[string]objdumpSection{}
	name := ""
	for line := range strings.Lines(string(out)) {
		line = strings.TrimSuffix(line, "\n")
		s := sections[name]
		if rest, ok := strings.CutPrefix(line, "Disassembly of section "); ok {
			name = strings.TrimSuffix(rest, ":")
			sections[name] = objdumpSection{symbols: map[string][]int{}}
		} else if m := objdumpHeading.FindStringSubmatch(line); m != nil {
			at, _ := strconv.ParseUint(m[1], 16, 63)
			s.symbols[m[2]] = append(s.symbols[m[2]], int(at))
		} else if m := objdumpInsn.FindStringSubmatch(line); m != nil {
			slot, _ := strconv.Atoi(m[1])
			text := m[3]
			if text == "<unknown>" || m[4] == "unknown" {
				text, m[4] = "<unknown>", ""
			}
			s.lines = append(s.lines, objdumpLine{slot, m[2], text, m[4]})
			sections[name] = s
		}
	}
	return sections
}

// compareLines compares every line of a section with ours; skip says which
// instructions LLVM 19 does not know or shows otherwise.
func compareLines(t *testing.T, s objdumpSection, insns []insn.Instruction, skip func(insn.Instruction) bool) (compared int) {
	t.Helper()
	for _, line := range s.lines {
		if line.slot >= len(insns) {
			t.Fatalf("slot %d of %d", line.slot, len(insns))
		}
		i := insns[line.slot]
		if skip != nil && skip(i) {
			continue
		}
		text, slots := insn.AppendText(nil, insn.LLVM, insns, line.slot)
		if string(text) != line.text {
			t.Errorf("slot %d, %s: %q, llvm-objdump says %q", line.slot, line.bytes, text, line.text)
		}
		if want := 24 * slots; len(line.bytes)+1 != want {
			t.Errorf("slot %d is %d slots, llvm-objdump shows %s", line.slot, slots, line.bytes)
		}
		if line.where != "" {
			distance, _ := i.JumpDistance()
			checkTarget(t, s, line, (int64(line.slot)+1+int64(distance))*insn.Size)
		}
		compared++
	}
	return compared
}

// checkTarget checks where llvm-objdump says a jump goes.
func checkTarget(t *testing.T, s objdumpSection, line objdumpLine, want int64) {
	t.Helper()
	name, plus, _ := strings.Cut(line.where, "+0x")
	off, _ := strconv.ParseUint(plus, 16, 64)
	for _, at := range s.symbols[name] {
		if int64(at)+int64(off) == want {
			return
		}
	}
	t.Errorf("slot %d goes to byte %d, llvm-objdump says %s", line.slot, want, line.where)
}

// newerThanLLVM19 are the instructions that LLVM 19 does not know.
func newerThanLLVM19(i insn.Instruction) bool {
	f, ok := i.Form()
	return !ok || f.ISA == insn.Internal || strings.HasPrefix(f.Name, "load_acq") || strings.HasPrefix(f.Name, "store_rel") || f.Name == "gotox"
}

// Without -mcpu, LLVM shows 32-bit loads and stores with r and knows no 32-bit
// atomic operation but the first; with it, it shows all of them with w. Ours
// is the former, and the latter for what the former does not know.
func otherAtomic32(i insn.Instruction) bool { return i.Op == 0xc3 && i.Imm != 0 }

func TestLLVMShowsTheSame(t *testing.T) {
	paths, err := filepath.Glob("../testdata/*.o")
	if err != nil || len(paths) == 0 {
		t.Fatalf("no objects in ../testdata: %v", err)
	}
	compareObjects(t, paths)
}

func TestLLVMShowsTheSameOfLibxdp(t *testing.T) { compareObjects(t, ktest.LibxdpObjects(t)) }

func TestLLVMShowsTheSameOfLibbpfTools(t *testing.T) {
	paths := ktest.LibbpfTools(t)
	if len(paths) == 0 {
		t.Skip("needs the programs of libbpf-tools: apt-get install libbpf-tools")
	}
	compareObjects(t, paths)
}

func compareObjects(t *testing.T, paths []string) {
	compared := 0
	for _, path := range paths {
		t.Run(filepath.Base(path), func(t *testing.T) {
			f, err := elf.Open(path)
			if err != nil {
				t.Fatal(err)
			}
			for name, s := range objdump(t, path) {
				section, ok := f.SectionByName(name)
				if !ok {
					t.Fatalf("no section %q", name)
				}
				insns, err := insn.Decode(section.Data(), f.ByteOrder())
				if err != nil {
					t.Fatal(err)
				}
				compared += compareLines(t, s, insns, func(i insn.Instruction) bool { return newerThanLLVM19(i) || otherAtomic32(i) })
			}
		})
	}
	t.Logf("%d instructions", compared)
}

// One of every instruction that LLVM 19 knows, in both byte orders.
func TestLLVMShowsEveryForm(t *testing.T) {
	var insns []insn.Instruction
	for _, s := range insn.Samples() {
		if !newerThanLLVM19(s[0]) {
			insns = append(insns, s...)
		}
	}
	for _, order := range []binary.ByteOrder{binary.LittleEndian, binary.BigEndian} {
		b := elf.Builder{ByteOrder: order, Type: elf.ET_REL, Machine: elf.EM_BPF}
		text := b.AddSection(elf.SectionDef{Name: ".text", Type: elf.SHT_PROGBITS, Flags: elf.SHF_ALLOC | elf.SHF_EXECINSTR, Addralign: 8,
			Data: insn.Append(nil, insns, order)})
		b.AddSymbol(elf.SymbolDef{Name: "f", Bind: elf.STB_GLOBAL, Type: elf.STT_FUNC, Section: text, Size: uint64(len(insns) * insn.Size)})
		out, err := b.Bytes()
		if err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(t.TempDir(), "all.o")
		if err := os.WriteFile(path, out, 0o666); err != nil {
			t.Fatal(err)
		}
		n := compareLines(t, objdump(t, path)[".text"], insns, otherAtomic32)
		n4 := compareLines(t, objdump(t, path, "--mcpu=v4")[".text"], insns, func(i insn.Instruction) bool { return !otherAtomic32(i) })
		if n < 500 || n4 < 40 {
			t.Errorf("only %d and %d instructions were compared", n, n4)
		}
	}
}
