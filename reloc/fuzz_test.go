package reloc

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/lode-bpf/lode/btf"
	"github.com/lode-bpf/lode/insn"
)

// maxSeed keeps seeds small: the fuzzing engine is fast on nothing else.
const maxSeed = 40 << 10

func seeds(f *testing.F) [][]byte {
	f.Helper()
	paths, err := filepath.Glob("../testdata/*.bpf*.o")
	if err != nil {
		f.Fatal(err)
	}
	var out [][]byte
	for _, path := range paths {
		b, err := os.ReadFile(path)
		if err != nil {
			f.Fatal(err)
		}
		if len(b) <= maxSeed {
			out = append(out, b)
		}
	}
	return out
}

// checkResult holds a result to what this package promises of any.
func checkResult(t *testing.T, r *Result) {
	t.Helper()
	if r.In != r.Applied+r.Reported+r.Outside || r.In != len(r.Records) {
		t.Fatalf("accounting %+v of %d records", r.Accounting, len(r.Records))
	}
	for _, rec := range r.Records {
		if (rec.Fate == FateReported) != (rec.Err != nil) {
			t.Fatalf("record %+v", rec)
		}
	}
	for _, p := range r.Programs {
		if len(p.Refs) != 0 {
			t.Fatalf("%q: %d references are left", p.Name, len(p.Refs))
		}
		checkProgram(t, p)
	}
}

// checkProgram: every instruction that is not the compiler's was changed by
// something that says so, and nothing else was.
func checkProgram(t *testing.T, p *Program) {
	t.Helper()
	if len(p.Insns) == 0 {
		if p.Err == nil {
			t.Fatalf("%q: no instructions and no error", p.Name)
		}
		return
	}
	want := make([]insn.Instruction, 0, len(p.Insns))
	for _, f := range p.Funcs {
		if f.Index != len(want) {
			t.Fatalf("%q: function %q at %d, want %d", p.Name, f.Func.Name, f.Index, len(want))
		}
		want = append(want, f.Func.Insns...)
	}
	for i, c := range p.Changes {
		if i > 0 && p.Changes[i-1].Index > c.Index {
			t.Fatalf("%q: changes are not sorted", p.Name)
		}
		if want[c.Index] != c.From {
			t.Fatalf("%q: change %d is from %+v, there was %+v", p.Name, i, c.From, want[c.Index])
		}
		want[c.Index] = c.To
	}
	if diff := cmp.Diff(want, p.Insns); diff != "" {
		t.Fatalf("%q: instructions that changed without a reason:\n%s", p.Name, diff)
	}
	for _, m := range p.Maps {
		if i := p.Insns[m.Index]; !i.Op.IsWide() || i.Src() != insn.PseudoMapFD && i.Src() != insn.PseudoMapValue {
			t.Fatalf("%q: map reference %+v at %+v", p.Name, m, i)
		}
	}
	for _, jt := range p.JumpTables {
		for _, at := range jt.Targets {
			if int(at) >= len(p.Insns) {
				t.Fatalf("%q: jump table %q leads to %d", p.Name, jt.Map, at)
			}
		}
	}
	if p.FuncInfo != nil && len(p.FuncInfo) != len(p.Funcs) {
		t.Fatalf("%q: %d function infos for %d functions", p.Name, len(p.FuncInfo), len(p.Funcs))
	}
}

// relocateTwice relocates an object twice and wants the same both times.
func relocateTwice(t *testing.T, in Input) {
	t.Helper()
	r, err := Relocate(in)
	if err != nil {
		t.Fatal(err)
	}
	checkResult(t, r)
	again, err := Relocate(in)
	if err != nil {
		t.Fatal(err)
	}
	for i, p := range r.Programs {
		q := again.Programs[i]
		if !cmp.Equal(p.Insns, q.Insns) || fmt.Sprint(p.Err) != fmt.Sprint(q.Err) || !cmp.Equal(p.Maps, q.Maps) {
			t.Fatalf("%q differs the second time", p.Name)
		}
	}
	if !cmp.Equal(r.Kconfig, again.Kconfig) || fmt.Sprint(r.Findings) != fmt.Sprint(again.Findings) {
		t.Fatal("the result differs the second time")
	}
	for i := range r.Decisions {
		if r.Decisions[i].String() != again.Decisions[i].String() {
			t.Fatalf("decision %d differs the second time", i)
		}
	}
}

// FuzzLink relocates any object without an environment.
func FuzzLink(f *testing.F) {
	for _, b := range seeds(f) {
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		before := bytes.Clone(b)
		o, err := parse(b)
		if err != nil {
			return
		}
		in := o.Input
		in.Limits = Limits{TotalInsns: 1 << 18, CORESteps: 1 << 20}
		relocateTwice(t, in)
		in.Env = &fakeEnv{kernel: in.BTF, config: map[string]string{"CONFIG_HZ": "250"}, symbols: map[string][]uint64{"schedule": {1 << 63}}, version: 1}
		relocateTwice(t, in)
		if !bytes.Equal(before, b) {
			t.Fatal("the input changed")
		}
	})
}

// pack puts an object and the types it is relocated against into one buffer:
// the object's length in four bytes, the object, the types.
func pack(object, target []byte) []byte {
	b := binary.LittleEndian.AppendUint32(nil, uint32(len(object)))
	return append(append(b, object...), target...)
}

// FuzzCORE relocates any object against any types. The input is as pack makes it.
func FuzzCORE(f *testing.F) {
	target, err := parse(mustRead(f, "core_target.bpf.o"))
	if err != nil {
		f.Fatal(err)
	}
	for _, name := range []string{"core_matrix.bpf.o", "core_ambiguous.bpf.o", "core.bpf.o", "coremissing.bpf.o", "structops.bpf.o", "core_matrix.bpfeb.o"} {
		b := mustRead(f, name)
		f.Add(pack(b, target.BTF.Bytes()))
		if o, err := parse(b); err == nil {
			f.Add(pack(b, o.BTF.Bytes()))
		}
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		if len(b) < 4 {
			return
		}
		n := uint64(binary.LittleEndian.Uint32(b))
		if n > uint64(len(b)-4) {
			return
		}
		o, err := parse(b[4 : 4+n])
		if err != nil {
			return
		}
		s, err := btf.Parse(b[4+n:], nil)
		if err != nil {
			return
		}
		in := o.Input
		in.Target = s
		in.Limits = Limits{TotalInsns: 1 << 18, CORESteps: 1 << 20}
		relocateTwice(t, in)
	})
}

func mustRead(tb testing.TB, name string) []byte {
	tb.Helper()
	b, err := os.ReadFile(filepath.Join("..", "testdata", name))
	if err != nil {
		tb.Fatal(err)
	}
	return b
}

// FuzzRecorded reads any bytes as a recorded environment.
func FuzzRecorded(f *testing.F) {
	r := &Recorded{Addresses: map[string][]uint64{"schedule": {1, 2}}, Options: map[string]Option{"CONFIG_HZ": {"250", true}, "CONFIG_NO": {}}, Architecture: "amd64", KernelVersion: 7, HasModules: true}
	b, err := r.Append(nil)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(b)
	f.Fuzz(func(t *testing.T, b []byte) {
		r, err := ReadRecorded(b)
		if err != nil {
			return
		}
		out, err := r.Append(nil)
		if err != nil {
			t.Fatal(err)
		}
		again, err := ReadRecorded(out)
		if err != nil {
			t.Fatal(err)
		}
		if twice, err := again.Append(nil); err != nil || !bytes.Equal(out, twice) {
			t.Fatal("what was read is not written again", err)
		}
	})
}
