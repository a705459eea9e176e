package insn

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "rewrite the files in testdata that tests make")

// samples are instructions of one form, with numbers of either sign and the
// ends of each field's range.
func samples(f Form) [][]Instruction {
	values := func(o Operand, some ...int32) []int32 {
		switch o.Kind() {
		case Zero:
			return []int32{0}
		case Fixed:
			return []int32{int32(int16(o))}
		case Write, Read, Modify:
			return []int32{3, 10, 0}
		case FDIndex:
			return []int32{1, 7, 0x7fff}
		}
		return some
	}
	offs := values(f.Off, 5, -5, 0, 32767, -32768)
	imms := values(f.Imm, 7, -7, 0, 0x12345678, 0x7fffffff, -0x80000000)
	if f.Imm == Helper {
		imms = []int32{1, 0, 211, 212, -3, 99999}
	}
	if f.Imm == Fixed|0x100 || f.Imm == Fixed|0x110 || f.Imm.Kind() == Fixed {
		imms = []int32{int32(int16(f.Imm))}
	}
	dsts, srcs, highs := values(f.Dst), values(f.Src), values(f.High, 0, 1, -1, 0x11223344)
	if f.ISA == Internal && f.Off == Function {
		offs = []int32{5, -5} // 0 is the form of a call that is not loaded
	}
	if f.ISA == Internal && f.High == Wide {
		highs = highs[1:]
	}
	var out [][]Instruction
	for n := range max(len(offs), len(imms), len(dsts), len(srcs), len(highs)) {
		at := func(v []int32) int32 { return v[n%len(v)] }
		src := at(srcs)
		if f.Src.IsRegister() {
			src = srcs[(n+1)%len(srcs)]
		}
		s := []Instruction{{f.Op, Regs(uint8(at(dsts)), uint8(src)), int16(at(offs)), at(imms)}}
		if f.Op.IsWide() {
			s = append(s, Instruction{Imm: at(highs)})
		}
		out = append(out, s)
	}
	return out
}

// Every defined instruction reads back from the verifier's notation, and from
// LLVM's where that says all.
func TestAssembleReadsDisassembly(t *testing.T) {
	for f := range Forms() {
		for _, want := range samples(f) {
			for _, style := range []Style{Verifier, LLVM} {
				if style == LLVM && !llvmSaysAll(f, want[0]) {
					continue
				}
				text, slots := AppendText(nil, style, want, 0)
				if slots != len(want) || want[0].form().Name != f.Name {
					t.Errorf("%s: %q is %d slots of %d", f.Name, text, slots, len(want))
				}
				got, err := Assemble(string(text), style)
				if err != nil || !slices.Equal(got, want) {
					t.Errorf("%s: %q reads as %v, %v; want %v", f.Name, text, got, err, want)
				}
			}
		}
	}
}

// llvmSaysAll reports whether LLVM's notation tells an instruction from all
// others.
func llvmSaysAll(f Form, i Instruction) bool {
	switch {
	case f.ISA == Internal, f.Imm == Kfunc, f.Imm == Function, f.High != Zero && f.Imm != Wide, f.Imm == MapFD || f.Imm == FDIndex:
		return false
	case strings.HasPrefix(f.Name, "ldind"):
		return i.Imm == 0
	}
	return true
}

// Any slot at all reads back from the verifier's notation.
func TestAssembleReadsAnything(t *testing.T) {
	for op := range 256 {
		for _, want := range []Instruction{
			{Opcode(op), 0, 0, 0}, {Opcode(op), 0x21, 0, 0}, {Opcode(op), 0xff, -1, -1}, {Opcode(op), 1, 0, 7}, {Opcode(op), 0x10, 1, 0},
		} {
			text, _ := AppendText(nil, Verifier, []Instruction{want}, 0)
			got, err := Assemble(string(text), Verifier)
			if err != nil || len(got) != 1 || got[0] != want {
				t.Errorf("%q reads as %v, %v; want %#v", text, got, err, want)
			}
		}
	}
}

// The golden files have one instruction a line, "hex|text", for each form.
func TestGoldenText(t *testing.T) {
	for _, style := range []struct {
		name string
		Style
	}{{"verifier", Verifier}, {"llvm", LLVM}} {
		var out bytes.Buffer
		for f := range Forms() {
			for _, s := range samples(f) {
				text, _ := AppendText(nil, style.Style, s, 0)
				fmt.Fprintf(&out, "%x|%s\n", Append(nil, s, binary.LittleEndian), text)
			}
		}
		golden(t, style.name+".txt", out.Bytes())
	}
}

func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.MkdirAll("testdata", 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, got, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("%s differs; go test ./insn -update rewrites it (-want +got):\n%s", path, diff)
	}
}

// The golden files read back as the bytes beside the text.
func TestGoldenBytes(t *testing.T) {
	data, err := os.ReadFile("testdata/verifier.txt")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(data)) {
		code, text, _ := strings.Cut(strings.TrimSuffix(line, "\n"), "|")
		got, err := Assemble(text, Verifier)
		if err != nil {
			t.Error(err)
			continue
		}
		if b := hex.EncodeToString(Append(nil, got, binary.LittleEndian)); b != code {
			t.Errorf("%q is %s, want %s", text, b, code)
		}
	}
}

func TestAssemble(t *testing.T) {
	for _, c := range []struct {
		name  string
		style Style
		code  string
		want  []Instruction
		err   string
	}{
		{name: "empty"},
		{name: "labels and comments", code: `
			; count down
			r1 = 5
			loop:
			r1 += -1     ; one less
			if r1 != 0x0 goto loop
			goto end
			end:
			exit`,
			want: []Instruction{{0xb7, 1, 0, 5}, {0x07, 1, 0, -1}, {0x55, 1, -2, 0}, {Op: 0x05}, {Op: 0x95}}},
		{name: "slot numbers and opcodes", code: "0: (b7) r0 = 5\n 1: (18) r3 = 0x5\n3: (95) exit",
			want: []Instruction{{0xb7, 0, 0, 5}, {0x18, 3, 0, 5}, {}, {Op: 0x95}}},
		{name: "the opcode decides", code: "(b7) r0 = 0x5", want: []Instruction{{0xb7, 0, 0, 5}}},
		{name: "spaces are free", code: "*(u64*)(r10-8)=r1\nr1  +=  r2\nif r1==5 goto pc+0",
			want: []Instruction{{0x7b, 0x1a, -8, 0}, {0x0f, 0x21, 0, 0}, {0x15, 1, 0, 5}}},
		{name: "helpers by name", code: "call bpf_map_lookup_elem\ncall anything#2\ncall f\nf: \nexit",
			want: []Instruction{{0x85, 0, 0, 1}, {0x85, 0, 0, 2}, {0x85, 0x10, 0, 0}, {Op: 0x95}}},
		{name: "numbers in hexadecimal", code: "r1 += 0x10\nr1 += 0xffffffff\nr1 += -0x80000000\n*(u8 *)(r1 +0x10) = 0xff",
			want: []Instruction{{0x07, 1, 0, 16}, {0x07, 1, 0, -1}, {0x07, 1, 0, -1 << 31}, {0x72, 1, 16, 255}}},
		{name: "clang's assembler", style: LLVM, code: "w0 = *(u32 *)(r1 + 4)\n*(u8 *)(r10 - 0x1) = w0\nif w0 s< -0x1 goto +0x1 <f+0x20>\nr1 = 5 ll\nexit",
			want: []Instruction{{0x61, 0x10, 4, 0}, {0x73, 0x0a, -1, 0}, {0xc6, 0, 1, -1}, {0x18, 1, 0, 5}, {}, {Op: 0x95}}},
		{name: "llvm-objdump's listing", style: LLVM, code: "0000000000000010 <f>:\n       0:\tb7 00 00 00 00 00 00 00\tr0 = 0x0\n       1:\t95 00 00 00 00 00 00 00\texit\n",
			want: []Instruction{{0xb7, 0, 0, 0}, {Op: 0x95}}},
		{name: "nonsense", code: "exit\nhello", err: `insn: line 2: no instruction reads "hello"`},
		{name: "no such register", code: "r11 = 5", err: `insn: line 1: no instruction reads "r11 = 5"`},
		{name: "register by another name", code: "r01 = 5", err: `insn: line 1: no instruction reads "r01 = 5"`},
		{name: "two registers that must be one", code: "r1 = be16 r2", err: `insn: line 1: no instruction reads "r1 = be16 r2"`},
		{name: "number too large", code: "r1 += 4294967296", err: `insn: line 1: no instruction reads "r1 += 4294967296"`},
		{name: "offset too large", code: "r1 = *(u8 *)(r2 +32768)", err: `insn: line 1: no instruction reads "r1 = *(u8 *)(r2 +32768)"`},
		{name: "wrong opcode", code: "(07) r1 = 5", err: `insn: line 1: no instruction reads " r1 = 5"`},
		{name: "wrong slot", code: "7: exit", err: "insn: line 1: this is slot 0, not 7"},
		{name: "no such label", code: "goto end", err: `insn: line 1: no label "end"`},
		{name: "label twice", code: "a:\na:", err: `insn: line 2: label "a" is there already`},
		{name: "colon without label", code: ":", err: `insn: line 1: no instruction reads ":"`},
		{name: "escape", code: "r1 = \x1b[2J", err: `insn: line 1: no instruction reads "r1 = \x1b[2J"`},
		{name: "fields out of range", code: "insn(0x100, 0, 0, 0, 0)", err: "insn: line 1: insn(op, dst, src, off, imm) is expected, each within its field"},
		{name: "fields missing", code: "insn(1, 2)", err: "insn: line 1: insn(op, dst, src, off, imm) is expected, each within its field"},
		{name: "label too far", code: "goto end\n" + strings.Repeat("r1 = 0x0\n", 17000) + "end:\nexit",
			err: `insn: line 1: label "end" is too far away: a distance of 34000 slots does not fit; it reaches -32768 to 32767`},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := Assemble(c.code, c.style)
			if fmt.Sprint(err) != c.err && (err != nil || c.err != "") {
				t.Errorf("error %v\nwant  %s", err, c.err)
			}
			if diff := cmp.Diff(c.want, got); c.err == "" && diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}
