package maps

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/lode-bpf/lode/btf"
	"github.com/lode-bpf/lode/elf"
	"github.com/lode-bpf/lode/internal/ktest"
	"github.com/lode-bpf/lode/sys"
)

var update = flag.Bool("update", false, "write the golden files")

// collectFile parses an object and collects its maps.
func collectFile(b []byte, claimed ...string) ([]*Spec, []Finding, error) {
	f, err := elf.Parse(b)
	if err != nil {
		return nil, nil, err
	}
	types, _, err := btf.ParseELF(f)
	if err != nil && !errors.Is(err, btf.ErrNoBTF) {
		return nil, nil, err
	}
	return Collect(f, types, claimed...)
}

// describe prints definitions for golden files.
func describe(specs []*Spec, findings []Finding, err error) string {
	var b strings.Builder
	for _, s := range specs {
		describeSpec(&b, "", s)
	}
	for _, f := range findings {
		fmt.Fprintf(&b, "finding: %v\n", f)
	}
	if err != nil {
		fmt.Fprintf(&b, "error: %T: %v\n", err, err)
	}
	return b.String()
}

func describeSpec(b *strings.Builder, indent string, s *Spec) {
	fmt.Fprintf(b, "%s%s %v key %d value %d entries %d flags %#x", indent, s.Name, s.Type, s.KeySize, s.ValueSize, s.MaxEntries, s.Flags)
	for _, x := range []struct {
		name string
		v    uint64
	}{{"numa", uint64(s.NumaNode)}, {"extra", s.Extra}, {"pinning", uint64(s.Pinning)}, {"data", s.DataSize}} {
		if x.v != 0 {
			fmt.Fprintf(b, " %s %#x", x.name, x.v)
		}
	}
	for _, x := range []struct {
		name string
		v    bool
	}{{"freeze", s.Freeze}, {"static", s.Static}, {"internal", s.Internal}, {"disabled", s.Disabled}} {
		if x.v {
			b.WriteString(" " + x.name)
		}
	}
	for _, id := range []btf.TypeID{s.Key, s.Value} {
		if id != 0 {
			t := s.BTF.Type(id)
			fmt.Fprintf(b, " %v:%s", t.Kind(), t.Name())
		}
	}
	fmt.Fprintf(b, " at %s+%d:%d\n", s.Section, s.Offset, s.Size)
	for _, v := range s.Vars {
		fmt.Fprintf(b, "%s  var %s at %d:%d static=%v\n", indent, v.Name, v.Offset, v.Size, v.Static)
	}
	for _, slot := range s.Slots {
		fmt.Fprintf(b, "%s  [%d] map %q program %q\n", indent, slot.Index, slot.Map, slot.Program)
	}
	if s.Inner != nil {
		describeSpec(b, indent+"  ", s.Inner)
	}
}

// collected are the test objects whose definitions are in the golden file.
var collected = []string{"arena", "callback", "conflict", "counter", "globals", "hooks", "legacy", "legacy_short", "maptypes", "minimal",
	"newmaps", "nobtf", "nobtf_data", "ringbuf", "structops", "userring", "weakmaps"}

// TestCollect compares what test objects define, in both byte orders, with a
// text that was read by a person.
func TestCollect(t *testing.T) {
	var all strings.Builder
	for _, name := range collected {
		little := describe(collectFile(ktest.Object(t, name)))
		fmt.Fprintf(&all, "== %s\n%s", name, little)
		b, err := os.ReadFile(strings.TrimSuffix(ktest.ObjectPath(t, name), ".bpf.o") + ".bpfeb.o")
		if os.IsNotExist(err) {
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(little, describe(collectFile(b))); d != "" {
			t.Errorf("%s: the byte orders differ (-little +big):\n%s", name, d)
		}
	}
	golden(t, "testdata/collect.golden", all.String())
}

// golden compares text with a file, or writes it.
func golden(t *testing.T, path, got string) {
	t.Helper()
	if *update {
		if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(got), 0o666); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatalf("%v; go test -update writes it", err)
	}
	if d := cmp.Diff(string(want), got); d != "" {
		t.Errorf("%s differs (-want +got); go test -update writes it:\n%s", path, d)
	}
}

// Memory of a section is for processes to map if one of its variables is for others to see.
func TestMappable(t *testing.T) {
	tests := []struct {
		name       string
		linkage    btf.Linkage
		visibility elf.SymVis
		want       uint32
	}{
		{"global", btf.LinkageGlobal, elf.STV_DEFAULT, sys.BPF_F_MMAPABLE},
		{"protected", btf.LinkageGlobal, elf.STV_PROTECTED, sys.BPF_F_MMAPABLE},
		{"static", btf.LinkageStatic, elf.STV_DEFAULT, 0},
		{"hidden", btf.LinkageGlobal, elf.STV_HIDDEN, 0},
		{"internal", btf.LinkageGlobal, elf.STV_INTERNAL, 0},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			o := newObject(t)
			sec := o.section(".data.lock", make([]byte, 4), 0)
			o.btf.AddDatasec(".data.lock", 0, btf.VarSecinfo{Type: o.btf.AddVar("v", o.int, test.linkage), Size: 4})
			o.elf.AddSymbol(elf.SymbolDef{Name: "v", Bind: elf.STB_GLOBAL, Type: elf.STT_OBJECT, Other: uint8(test.visibility), Section: sec, Size: 4})
			specs, _, err := collectFile(o.bytes())
			if err != nil {
				t.Fatal(err)
			}
			if len(specs) != 1 || specs[0].Flags != test.want || specs[0].Vars[0].Static != (test.want == 0) {
				t.Errorf("got %+v, want one map with flags %#x", specs, test.want)
			}
		})
	}
}

// What another file defines has no place in this one, which is said before anything about its place.
func TestExtern(t *testing.T) {
	_, _, err := collectFile(ktest.Object(t, "linked_b"))
	if err == nil || !strings.Contains(err.Error(), `map "shared": declared extern`) {
		t.Errorf("got %v", err)
	}
}
