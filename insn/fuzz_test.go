package insn_test

import (
	"bytes"
	"encoding/binary"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/lode-bpf/lode/elf"
	"github.com/lode-bpf/lode/insn"
)

// codeOfObjects is the code of the objects in testdata.
func codeOfObjects(tb testing.TB) (code [][]byte) {
	tb.Helper()
	paths, err := filepath.Glob("../testdata/*.o")
	if err != nil || len(paths) == 0 {
		tb.Fatalf("no objects in ../testdata: %v", err)
	}
	for _, path := range paths {
		f, err := elf.Open(path)
		if err != nil {
			tb.Fatal(err)
		}
		for s := range f.Sections() {
			if s.Flags()&elf.SHF_EXECINSTR != 0 && s.Size() > 0 && s.Size()%insn.Size == 0 {
				code = append(code, s.Data())
			}
		}
	}
	return code
}

// everySample is an instruction of each form, one after the other.
func everySample() (code []insn.Instruction) {
	for _, s := range insn.Samples() {
		code = append(code, s...)
	}
	return code
}

// FuzzInsn holds for any bytes of code: decoding and encoding are inverse in
// both byte orders, text and assembly are inverse, and analysis ends.
func FuzzInsn(f *testing.F) {
	for _, code := range codeOfObjects(f) {
		f.Add(code)
	}
	for _, s := range insn.Samples() {
		f.Add(insn.Append(nil, s, binary.LittleEndian))
	}
	f.Add(insn.Append(nil, everySample(), binary.BigEndian))
	f.Fuzz(func(t *testing.T, b []byte) {
		saved := bytes.Clone(b)
		for _, order := range []binary.ByteOrder{binary.LittleEndian, binary.BigEndian} {
			code, err := insn.Decode(b, order)
			if (err == nil) != (len(b)%insn.Size == 0) {
				t.Fatalf("%d bytes: %v", len(b), err)
			}
			if err != nil {
				return
			}
			if again := insn.Append(nil, code, order); !bytes.Equal(again, b) {
				t.Fatalf("%v: %x decodes and encodes to %x", order, b, again)
			}
			checkCode(t, code)
		}
		if !bytes.Equal(saved, b) {
			t.Error("the input has changed")
		}
	})
}

// checkCode is what holds for any code.
func checkCode(t *testing.T, code []insn.Instruction) {
	fn := &insn.Func{Name: "f", Insns: code}
	for _, labels := range []bool{false, true} {
		text := insn.Listing{Labels: labels}.Append(nil, fn)
		again, err := insn.Assemble(string(text), insn.Verifier)
		if err != nil || !slices.Equal(again, code) {
			t.Fatalf("assembles to %v, %v:\n%s", again, err, text)
		}
	}
	insn.Listing{Style: insn.LLVM}.Append(nil, fn)
	for range insn.Callees(code) {
	}
	problems := 0
	for e := range insn.Check(code) {
		if e.Index < 0 || e.Index >= len(code) || e.Error() == "" {
			t.Errorf("a problem outside the code: %v", e)
		}
		problems++
	}
	g, err := insn.NewGraph(code, nil)
	if err != nil {
		return
	}
	for at := range code {
		if b := g.Blocks[g.BlockOf(at)]; at < b.Start || at >= b.End {
			t.Errorf("slot %d is not in its block", at)
		}
	}
	if len(code) < 2000 {
		edit(t, fn)
	}
}

// edit inserts an instruction in the middle, takes it out, and compares.
func edit(t *testing.T, fn *insn.Func) {
	at := len(fn.Insns) / 2
	changed := fn.Clone()
	if changed.Replace(at, 0, []insn.Instruction{{Op: insn.OpJa}}) != nil {
		return
	}
	if _, err := insn.NewGraph(changed.Insns, nil); err != nil {
		t.Errorf("after inserting at %d: %v", at, err)
	}
	if err := changed.Replace(at, 1, nil); err != nil {
		t.Errorf("taking out what was inserted at %d: %v", at, err)
	} else if !slices.Equal(changed.Insns, fn.Insns) {
		t.Errorf("inserting and taking out at %d changes the code", at)
	}
}

// FuzzAsm holds for any text: what assembles prints and assembles to the same.
func FuzzAsm(f *testing.F) {
	for _, code := range codeOfObjects(f) {
		insns, err := insn.Decode(code, binary.LittleEndian)
		if err != nil {
			f.Fatal(err)
		}
		for _, l := range []insn.Listing{{}, {Labels: true}, {Style: insn.LLVM}} {
			f.Add(l.Append(nil, &insn.Func{Name: "f", Insns: insns}))
		}
	}
	for _, style := range []insn.Style{insn.Verifier, insn.LLVM} {
		for _, s := range insn.Samples() {
			text, _ := insn.AppendText(nil, style, s, 0)
			f.Add(text)
		}
	}
	f.Add([]byte("a:\nif r1 == 0x0 goto a ; comment\ncall a\ncall bpf_map_lookup_elem\n(95) exit\n7: exit\ninsn(1,2,3,4,5)"))
	f.Fuzz(func(t *testing.T, b []byte) {
		for _, style := range []insn.Style{insn.Verifier, insn.LLVM} {
			code, err := insn.Assemble(string(b), style)
			if err != nil {
				e, ok := err.(*insn.Error)
				if !ok || e.Line < 1 || e.Line > 1+bytes.Count(b, []byte("\n")) || e.Kind == 0 || bytes.ContainsAny([]byte(e.Error()), "\x1b\x00") {
					t.Errorf("%#v", err)
				}
				continue
			}
			text := insn.Listing{}.Append(nil, &insn.Func{Insns: code})
			again, err := insn.Assemble(string(text), insn.Verifier)
			if err != nil || !slices.Equal(again, code) {
				t.Fatalf("%q assembles to %v, which prints as\n%sand assembles to %v, %v", b, code, text, again, err)
			}
		}
	})
}

// Decoding and encoding take one allocation each; text takes none where there
// is room.
func TestAllocations(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector allocates on its own account")
	}
	code := everySample()
	for _, order := range []binary.ByteOrder{binary.LittleEndian, binary.BigEndian} {
		b := insn.Append(nil, code, order)
		if n := testing.AllocsPerRun(10, func() { insn.Append(nil, code, order) }); n > 1 {
			t.Errorf("Append makes %v allocations", n)
		}
		if n := testing.AllocsPerRun(10, func() { insn.Decode(b, order) }); n > 1 {
			t.Errorf("Decode makes %v allocations", n)
		}
	}
	room := make([]byte, 0, 1000)
	for _, style := range []insn.Style{insn.Verifier, insn.LLVM} {
		if n := testing.AllocsPerRun(10, func() {
			for at := 0; at < len(code); {
				_, slots := insn.AppendText(room, style, code, at)
				at += slots
			}
		}); n != 0 {
			t.Errorf("AppendText makes %v allocations for %d instructions", n, len(code))
		}
	}
}

// What is appended to keeps what is there.
func TestAppendKeeps(t *testing.T) {
	code := []insn.Instruction{{Op: insn.OpExit}}
	got := insn.Append([]byte("before"), code, binary.BigEndian)
	if want := "before\x95\x00\x00\x00\x00\x00\x00\x00"; string(got) != want {
		t.Errorf("%q, want %q", got, want)
	}
}

func benchmarkCode() []insn.Instruction {
	var code []insn.Instruction
	for len(code) < 1<<12 {
		code = append(code, everySample()...)
	}
	return code
}

func BenchmarkDecode(b *testing.B) {
	for _, order := range []binary.ByteOrder{binary.LittleEndian, binary.BigEndian} {
		b.Run(order.String(), func(b *testing.B) {
			code := insn.Append(nil, benchmarkCode(), order)
			b.SetBytes(int64(len(code)))
			b.ReportAllocs()
			for b.Loop() {
				insn.Decode(code, order)
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(len(code)/insn.Size), "ns/insn")
		})
	}
}

func BenchmarkAppend(b *testing.B) {
	for _, order := range []binary.ByteOrder{binary.LittleEndian, binary.BigEndian} {
		b.Run(order.String(), func(b *testing.B) {
			code := benchmarkCode()
			room := make([]byte, 0, len(code)*insn.Size)
			b.SetBytes(int64(len(code) * insn.Size))
			b.ReportAllocs()
			for b.Loop() {
				insn.Append(room, code, order)
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(len(code)), "ns/insn")
		})
	}
}

func BenchmarkAppendText(b *testing.B) {
	code := benchmarkCode()
	room := make([]byte, 0, 1000)
	for b.Loop() {
		for at := 0; at < len(code); {
			_, slots := insn.AppendText(room, insn.Verifier, code, at)
			at += slots
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(len(code)), "ns/insn")
}

func BenchmarkAssemble(b *testing.B) {
	text := string(insn.Listing{}.Append(nil, &insn.Func{Insns: benchmarkCode()}))
	b.SetBytes(int64(len(text)))
	for b.Loop() {
		if _, err := insn.Assemble(text, insn.Verifier); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkNewGraph(b *testing.B) {
	data, err := os.ReadFile("../testdata/counter.bpf.o")
	if err != nil {
		b.Fatal(err)
	}
	f, err := elf.Parse(data)
	if err != nil {
		b.Fatal(err)
	}
	s, _ := f.SectionByName(".text")
	code, err := insn.Decode(s.Data(), f.ByteOrder())
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := insn.NewGraph(code, nil); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(len(code)), "ns/insn")
}
