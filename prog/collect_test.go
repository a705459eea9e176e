package prog_test

import (
	"bytes"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/lode-bpf/lode/btf"
	"github.com/lode-bpf/lode/elf"
	"github.com/lode-bpf/lode/insn"
	"github.com/lode-bpf/lode/internal/ktest"
	"github.com/lode-bpf/lode/prog"
	"github.com/lode-bpf/lode/sys"
)

// object is a parsed file with what Collect makes of it.
type object struct {
	file     *elf.File
	btf      *btf.Spec
	ext      *btf.Ext
	progs    []*prog.Spec
	subs     []*insn.Func
	findings []prog.Finding
}

func parse(tb testing.TB, b []byte) object {
	tb.Helper()
	var o object
	var err error
	if o.file, err = elf.Parse(b); err != nil {
		tb.Fatal(err)
	}
	if o.btf, o.ext, err = btf.ParseELF(o.file); err != nil && !errors.Is(err, btf.ErrNoBTF) {
		tb.Fatal(err)
	}
	return o
}

func collect(tb testing.TB, b []byte) object {
	tb.Helper()
	o := parse(tb, b)
	var err error
	if o.progs, o.subs, o.findings, err = prog.Collect(o.file, o.btf, o.ext); err != nil {
		tb.Fatal(err)
	}
	o.accounts(tb)
	return o
}

// accounts checks that every record of the file is in a function or a finding.
func (o *object) accounts(tb testing.TB) {
	tb.Helper()
	want := map[prog.FindingKind]int{}
	for s := range o.file.Sections() {
		if t := s.Target(); t.Type() == elf.SHT_PROGBITS && t.Flags()&elf.SHF_EXECINSTR != 0 && t.Size() > 0 {
			want[prog.FindingReloc] += s.NumRelocs()
		}
	}
	if o.ext != nil {
		want[prog.FindingFuncInfo], want[prog.FindingLineInfo], want[prog.FindingCORE] = o.ext.NumFuncs(), o.ext.NumLines(), o.ext.NumCORE()
	}
	got := map[prog.FindingKind]int{}
	count := func(f *insn.Func) {
		got[prog.FindingReloc] += len(f.Refs)
		got[prog.FindingLineInfo] += len(f.Lines)
		got[prog.FindingCORE] += len(f.CORE)
		if f.TypeID != 0 {
			got[prog.FindingFuncInfo]++
		}
	}
	for _, p := range o.progs {
		count(p.Func)
	}
	for _, f := range o.subs {
		count(f)
	}
	for _, f := range o.findings {
		got[f.Kind] += f.Count
	}
	for _, k := range []prog.FindingKind{prog.FindingReloc, prog.FindingFuncInfo, prog.FindingLineInfo, prog.FindingCORE} {
		if got[k] != want[k] {
			tb.Errorf("records of kind %d: the file has %d, %d are accounted for", k, want[k], got[k])
		}
	}
}

// describe lists what was collected.
func (o *object) describe() []byte {
	var b bytes.Buffer
	for _, p := range o.progs {
		fmt.Fprintf(&b, "program %s section %q type %v attach %v kind %v target %q flags %#x load %v license %q", p.Name, p.Section, p.Type, p.AttachType, p.AttachKind, p.AttachTarget, p.Flags, p.AutoLoad, p.License)
		o.describeFunc(&b, p.Func)
	}
	for _, f := range o.subs {
		fmt.Fprintf(&b, "function %s section %q", f.Name, f.Section)
		o.describeFunc(&b, f)
	}
	for _, f := range o.findings {
		fmt.Fprintf(&b, "finding %v\n", f)
	}
	return b.Bytes()
}

func (o *object) describeFunc(b *bytes.Buffer, f *insn.Func) {
	typ := ""
	if o.btf != nil {
		typ = o.btf.Type(btf.TypeID(f.TypeID)).Name()
	}
	fmt.Fprintf(b, " at %d slots %d bind %d visibility %d type %q lines %d core %d\n", f.Offset, len(f.Insns), f.Bind, f.Visibility, typ, len(f.Lines), len(f.CORE))
	for _, r := range f.Refs {
		fmt.Fprintf(b, "    %d: type %d %q section %q value %d\n", r.Index, r.Type, r.Symbol.Name, r.Symbol.SectionName, r.Symbol.Value)
	}
}

// listed are the objects whose programs are compared with a listing in testdata.
var listed = []string{"callback", "core", "counter", "globals", "hooks", "kfunc", "legacy", "localfunc", "multi", "sections", "structops", "tracing"}

// Both byte orders of every object of testdata give the same programs.
func TestCollectObjects(t *testing.T) {
	paths, err := filepath.Glob("../testdata/*.bpf.o")
	if err != nil || len(paths) == 0 {
		t.Fatalf("no objects: %v", err)
	}
	for _, path := range paths {
		name := strings.TrimSuffix(filepath.Base(path), ".bpf.o")
		t.Run(name, func(t *testing.T) {
			o := collect(t, ktest.Object(t, name))
			if slices.Contains(listed, name) {
				golden(t, name+".txt", o.describe())
			}
			for _, f := range o.subs {
				sorted(t, f)
			}
			for _, p := range o.progs {
				sorted(t, p.Func)
			}
		})
	}
	eb, _ := filepath.Glob("../testdata/*.bpfeb.o")
	for _, path := range eb {
		name := strings.TrimSuffix(filepath.Base(path), ".bpfeb.o")
		t.Run(name+" big-endian", func(t *testing.T) {
			le, be := collect(t, ktest.Object(t, name)), collect(t, fileBytes(t, path))
			if d := cmp.Diff(functions(le.progs), functions(be.progs)); d != "" && !strings.HasPrefix(name, "core") {
				t.Errorf("the byte orders differ (-little +big):\n%s", d)
			}
		})
	}
}

// functions is what the byte order should not change: names, places, the number
// of instructions and records.
func functions(progs []*prog.Spec) (out []string) {
	for _, p := range progs {
		out = append(out, fmt.Sprint(p.Name, p.Section, p.Type, p.AttachType, p.AttachTarget, len(p.Func.Refs), len(p.Func.CORE), p.Func.TypeID))
	}
	return out
}

func sorted(t *testing.T, f *insn.Func) {
	t.Helper()
	last := -1
	for _, l := range f.Lines {
		if l.Index <= last || l.Index >= len(f.Insns) {
			t.Errorf("%s: line at %d after %d, %d slots", f.Name, l.Index, last, len(f.Insns))
		}
		last = l.Index
	}
	last = -1
	for _, r := range f.Refs {
		if r.Index <= last || r.Index >= len(f.Insns) {
			t.Errorf("%s: reference at %d after %d, %d slots", f.Name, r.Index, last, len(f.Insns))
		}
		last = r.Index
	}
}

// Rules of the caller's, the licence, the version, and what '?' says.
func TestCollectOptions(t *testing.T) {
	s := newShape("?mine/eth0", code(t, "r0 = 0\nexit"))
	s.function("f", 0, 16)
	for _, x := range []struct {
		name string
		data []byte
	}{{"license", []byte("GPL\x00rest")}, {"version", []byte{4, 3, 2, 1}}} {
		s.AddSection(elf.SectionDef{Name: x.name, Type: elf.SHT_PROGBITS, Data: x.data})
	}
	o := parse(t, s.bytes(t))
	for _, c := range []struct {
		opts   prog.Options
		typ    sys.ProgType
		target string
	}{
		{prog.Options{}, sys.ProgTypeUnspec, ""},
		{prog.Options{Default: &prog.Rule{Type: sys.ProgTypeSchedCls}}, sys.ProgTypeSchedCls, ""},
		{prog.Options{Rules: []prog.Rule{{Name: "mine", Args: true, Type: sys.ProgTypeXDP}}, Default: &prog.Rule{}}, sys.ProgTypeXDP, "eth0"},
	} {
		progs, _, _, err := prog.CollectOptions(o.file, nil, nil, c.opts)
		if err != nil || len(progs) != 1 {
			t.Fatalf("%d programs, %v", len(progs), err)
		}
		p := progs[0]
		if p.Type != c.typ || p.AttachTarget != c.target || p.AutoLoad || p.License != "GPL" || p.KernelVersion != 0x01020304 || p.Section != "?mine/eth0" {
			t.Errorf("%+v", p)
		}
	}
}

// A copy shares nothing that can be edited.
func TestClone(t *testing.T) {
	p := collect(t, ktest.Object(t, "multi")).progs[0]
	c := p.Clone()
	if d := cmp.Diff(p, c); d != "" {
		t.Fatalf("-want +got:\n%s", d)
	}
	c.Func.Insns[0].Imm++
	c.Func.Refs[0].Symbol.Name = "other"
	c.Func.Lines[0].LineCol++
	if p.Func.Insns[0] == c.Func.Insns[0] || p.Func.Refs[0].Symbol.Name == "other" || p.Func.Lines[0] == c.Func.Lines[0] {
		t.Error("the copy shares memory with the original")
	}
}
