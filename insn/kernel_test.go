package insn_test

import (
	"bytes"
	"encoding/binary"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/lode-bpf/lode/insn"
	"github.com/lode-bpf/lode/internal/ktest"
	"github.com/lode-bpf/lode/sys"
)

// everyForm is a program that the verifier accepts and that has every
// instruction a socket filter without maps may have.
func everyForm(accept func(insn.Form) bool) (code []insn.Instruction, forms int) {
	regs := insn.Regs
	code = append(code,
		insn.Instruction{Op: 0xbf, Regs: regs(6, 1)},           // r6 = r1: the packet, for ldabs and ldind
		insn.Instruction{Op: 0x7a, Regs: regs(10, 0), Off: -8}, // *(u64 *)(r10 -8) = 0
	)
	for f := range insn.Forms() {
		i := insn.Instruction{Op: f.Op, Regs: regs(0, 0)}
		for _, field := range []struct {
			use insn.Operand
			put func(v int)
			reg int
			num int
		}{
			{f.Dst, func(v int) { i.Regs = i.Regs.WithDst(uint8(v)) }, 3, 0},
			{f.Src, func(v int) { i.Regs = i.Regs.WithSrc(uint8(v)) }, 4, 0},
			{f.Off, func(v int) { i.Off = int16(v) }, 0, -8},
			{f.Imm, func(v int) { i.Imm = int32(v) }, 0, 7}, // as a helper: bpf_get_prandom_u32
		} {
			switch {
			case field.use.Kind() == insn.Fixed:
				field.put(int(int16(field.use)))
			case field.use.IsRegister():
				field.put(field.reg)
			case field.use == insn.Displacement || field.use == insn.Number || field.use == insn.Helper || field.use == insn.Wide:
				field.put(field.num)
			}
		}
		if f.Off == insn.Displacement { // the register with the address
			if f.Op&7 == 1 || strings.HasPrefix(f.Name, "load_acq") {
				i.Regs = i.Regs.WithSrc(10)
			} else {
				i.Regs = i.Regs.WithDst(10)
			}
		}
		if f.Name == "may_goto" {
			i.Off = 1 // a distance of 0 is refused by some kernels
		}
		if !accept(f) {
			continue
		}
		forms++
		r3 := insn.Instruction{Op: 0xb7, Regs: regs(3, 0), Imm: 5}
		if f.Off == insn.Jump { // on the packet's length, so that the verifier cannot know which way
			r3 = insn.Instruction{Op: 0x61, Regs: regs(3, 6)}
		}
		code = append(code, insn.Instruction{Op: 0xb7}, r3, insn.Instruction{Op: 0xb7, Regs: regs(4, 0), Imm: 3}, i)
		if f.Op.IsWide() {
			code = append(code, insn.Instruction{Imm: 1})
		}
	}
	return append(code, insn.Instruction{Op: 0xb7}, insn.Instruction{Op: insn.OpExit}), forms
}

// loadable reports whether a socket filter without maps may have it on this
// kernel.
func loadable(f insn.Form) bool {
	switch f.Name {
	case "exit", "callx", "gotox", "callpc", "callkfunc", "addr_space_cast",
		"ldmapfd", "ldmapvalue", "ldbtfid", "ldfunc", "ldmapidx", "ldmapidxvalue":
		return false
	}
	return f.ISA != insn.Internal && sinceAtMost(f.Since)
}

// sinceAtMost reports whether this kernel is at least the given release.
func sinceAtMost(release string) bool {
	major, minor := ktest.Version()
	a, b, _ := strings.Cut(release, ".")
	x, _ := strconv.Atoi(a)
	y, _ := strconv.Atoi(b)
	return major > x || major == x && minor >= y
}

// Lines of the verifier's log: before the program is walked, newer kernels list
// all of it with the live registers; else only what is walked is shown.
var (
	liveLine   = regexp.MustCompile(`^ *(\d+): [0-9.]+ \(([0-9a-f]{2})\) (.*?)(\s+;.*)?$`)
	walkedLine = regexp.MustCompile(`^(\d+): \(([0-9a-f]{2})\) (.*?)(\s+;.*)?$`)
)

// The running kernel's verifier shows the same text.
func TestKernelVerifierShowsTheSame(t *testing.T) {
	ktest.Root(t)
	ktest.Memlock(t, 1<<20)
	code, forms := everyForm(loadable)
	log := make([]byte, 8<<20)
	name := sys.ObjName{}
	copy(name[:], "every_form")
	prog, err := sys.ProgLoad(sys.Live(), &sys.ProgLoadAttr{
		ProgType:  sys.ProgTypeSocketFilter,
		ProgName:  name,
		License:   sys.StringPtr("GPL"),
		InsnCount: uint32(len(code)),
		Insns:     sys.BytesPtr(insn.Append(nil, code, binary.NativeEndian)),
		LogLevel:  2,
		LogSize:   uint32(len(log)),
		LogBuf:    sys.BytesPtr(log),
	})
	log, _, _ = bytes.Cut(log, []byte{0})
	if err != nil {
		t.Fatalf("%v\n%s", err, log[max(0, len(log)-2000):])
	}
	defer prog.Close()
	seen := map[int]bool{}
	for line := range strings.Lines(string(log)) {
		line = strings.TrimSuffix(line, "\n")
		m := liveLine.FindStringSubmatch(line)
		if m == nil {
			m = walkedLine.FindStringSubmatch(line)
		}
		if m == nil {
			continue
		}
		slot, _ := strconv.Atoi(m[1])
		if seen[slot] {
			continue // newest kernels end with the program as they have rewritten it
		}
		text, _ := insn.AppendText(nil, insn.Verifier, code, slot)
		if op, _ := strconv.ParseUint(m[2], 16, 8); string(text) != m[3] || insn.Opcode(op) != code[slot].Op {
			t.Errorf("slot %d: %q, the verifier says %q", slot, text, m[3])
		}
		seen[slot] = true
	}
	t.Logf("%d forms, %d slots of %d", forms, len(seen), len(code))
	if len(seen) < len(code)-5 { // all but the second halves of wide loads
		t.Errorf("only %d of %d slots were compared", len(seen), len(code))
	}
}

// bpftool shows the same of what the kernel has made of a program.
func TestKernelXlatedShowsTheSame(t *testing.T) {
	tool, dir := ktest.Tool(t, "bpftool", "bpftool"), ktest.BPFFS(t)
	objects := []string{"minimal", "multi", "weakmaps", "ringbuf", "callback", "globals", "exceptions", "arena", "tc", "ksyms", "kfunc", "core"} // what bpftool can load, of which it pins no maps
	compared := 0
	for _, name := range objects {
		t.Run(name, func(t *testing.T) {
			pins := filepath.Join(dir, name)
			if out, err := exec.Command(tool, "prog", "loadall", ktest.ObjectPath(t, name), pins).CombinedOutput(); err != nil {
				t.Skipf("bpftool of this system cannot load the object:\n%s", out)
			}
			programs, err := os.ReadDir(pins)
			if err != nil {
				t.Fatal(err)
			}
			for _, p := range programs {
				compared += compareXlated(t, tool, filepath.Join(pins, p.Name()))
			}
		})
	}
	t.Logf("%d instructions", compared)
	if compared < 50 {
		t.Errorf("only %d instructions were compared", compared)
	}
}

var (
	xlatedLine = regexp.MustCompile(`^ *(\d+): \(([0-9a-f]{2})\) (.*)$`)
	xlatedCall = regexp.MustCompile(`^call (pc[+-]\d+|[\w-]+)#(\S+)$`)
)

// compareXlated compares bpftool's listing of a loaded program with ours.
// Functions, whose numbers the kernel has replaced, are compared by number.
func compareXlated(t *testing.T, tool, pin string) (compared int) {
	t.Helper()
	raw := filepath.Join(t.TempDir(), "xlated")
	if out, err := exec.Command(tool, "prog", "dump", "xlated", "pinned", pin, "file", raw).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	data, err := os.ReadFile(raw)
	if err != nil {
		t.Fatal(err)
	}
	code, err := insn.Decode(data, binary.NativeEndian)
	if err != nil {
		t.Fatal(err)
	}
	listing, err := exec.Command(tool, "prog", "dump", "xlated", "pinned", pin).Output()
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(listing)) {
		m := xlatedLine.FindStringSubmatch(strings.TrimSuffix(line, "\n"))
		if m == nil || strings.HasPrefix(m[3], "BUG_") {
			continue
		}
		slot, _ := strconv.Atoi(m[1])
		text, _ := insn.AppendText(nil, insn.Verifier, code, slot)
		got, want := string(text), m[3]
		if c := xlatedCall.FindStringSubmatch(want); c != nil {
			i := code[slot]
			switch {
			case strings.HasPrefix(c[1], "pc"): // ours ends with the function's number, bpftool's with its name
				want = "call " + c[1] + "#" + strconv.Itoa(int(i.Imm))
			default:
				got, want = strconv.Itoa(int(i.Imm)), c[2]
			}
		}
		if strings.Contains(want, " = subprog[") {
			got, _, _ = strings.Cut(got, "#") // which ours has here, too
		}
		if got != want {
			t.Errorf("%s, slot %d: %q, bpftool says %q", filepath.Base(pin), slot, text, m[3])
		}
		compared++
	}
	return compared
}
