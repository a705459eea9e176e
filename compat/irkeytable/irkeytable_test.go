package irkeytable

import (
	"context"
	"errors"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/lode-bpf/lode"
	"github.com/lode-bpf/lode/insn"
	"github.com/lode-bpf/lode/internal/ktest"
	"github.com/lode-bpf/lode/maps"
	"github.com/lode-bpf/lode/sys"
)

func open(t testing.TB, name string) *lode.Object {
	t.Helper()
	o, err := lode.Open(ktest.ObjectPath(t, name), lode.ParseOptions{Fallback: Fallback})
	if err != nil {
		t.Fatal(err)
	}
	return o
}

// constants are the wide loads of a function that no reference is left to.
func constants(f *insn.Func) []int32 {
	open := map[int]bool{}
	for _, r := range f.Refs {
		open[r.Index] = true
	}
	var out []int32
	for i, ins := range f.Insns {
		if ins.Op == insn.OpLdImm64 && !open[i] {
			out = append(out, ins.Imm)
		}
	}
	return out
}

// TestParse reads a decoder: its map, its type, its parameters.
func TestParse(t *testing.T) {
	o := open(t, "irdecoder")
	type definition struct {
		Name                       string
		Type                       sys.MapType
		Key, Value, Entries, Flags uint32
	}
	var got []definition
	for _, m := range o.Maps {
		got = append(got, definition{m.Name, m.Type, m.KeySize, m.ValueSize, m.MaxEntries, m.Flags})
	}
	if diff := cmp.Diff([]definition{{"state", sys.MapTypeArray, 4, 8, 1, 0}}, got); diff != "" {
		t.Errorf("maps: -want +got:\n%s", diff)
	}
	p := o.Program("decode")
	if p.Type != sys.ProgTypeLIRCMode2 || p.AttachType != sys.AttachLIRCMode2 {
		t.Errorf("a program of type %v, %v", p.Type, p.AttachType)
	}
	if diff := cmp.Diff([]int32{560}, constants(p.Func)); diff != "" {
		t.Errorf("parameters of the program: -want +got:\n%s", diff)
	}
	if diff := cmp.Diff([]int32{0, 560}, constants(o.Subprograms[0])); diff != "" {
		t.Errorf("parameters of the function: -want +got:\n%s", diff)
	}
	if _, err := o.Plan(lode.Policy{}); err != nil {
		t.Error(err)
	}
}

// TestFallback is asked about objects that are not for it.
func TestFallback(t *testing.T) {
	_, err := lode.Open(ktest.ObjectPath(t, "legacy"), lode.ParseOptions{Fallback: Fallback})
	var unknown *maps.NotUnderstoodError
	if !errors.As(err, &unknown) || unknown.Section != "maps" {
		t.Errorf("got %v, want the standard parser's error", err)
	}
	if _, err := lode.Parse(ktest.Object(t, "irdecoder"), lode.ParseOptions{}); !errors.As(err, &unknown) || unknown.Section != Section {
		t.Errorf("got %v, want a definition that is not understood", err)
	}
}

// TestMalformed damages an object at a place that the parser reads.
func TestMalformed(t *testing.T) {
	place := func(o *lode.Object, section, symbol string) int64 {
		for s := range o.File.Symbols() {
			if s.Name() == symbol && s.Section().Name() == section {
				return int64(s.Section().Offset() + s.Value())
			}
		}
		t.Fatalf("no symbol %q in %q", symbol, section)
		return 0
	}
	o := open(t, "irdecoder")
	for name, c := range map[string]struct {
		at   int64
		to   byte
		want string
	}{
		"a map of maps":    {place(o, Section, "state"), byte(sys.MapTypeArrayOfMaps), `irkeytable: section "lirc_mode2/maps", "state" at 0x0: maps of maps and NUMA nodes are not supported in this format; define the map in section ".maps"`},
		"a NUMA node":      {place(o, Section, "state") + 24, 1, `irkeytable: section "lirc_mode2/maps", "state" at 0x0: maps of maps and NUMA nodes are not supported in this format; define the map in section ".maps"`},
		"a parameter afar": {int64(o.File.Section(o.Program("decode").Func.SectionIndex).Offset()) + 8*int64(wide(o)) + 4, 1, `irkeytable: section ".data", "pulse_length" at 0x0: instruction 19 of "decode": the parameter reaches past the end of its section`},
	} {
		t.Run(name, func(t *testing.T) {
			b := append([]byte(nil), ktest.Object(t, "irdecoder")...)
			b[c.at] = c.to
			_, err := Parse(b, lode.ParseOptions{})
			var d *DefinitionError
			if !errors.As(err, &d) {
				t.Fatalf("got %v, want a DefinitionError", err)
			}
			if diff := cmp.Diff(c.want, err.Error()); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

// wide is where the program of irdecoder loads its parameter.
func wide(o *lode.Object) int {
	f := o.Program("decode").Func
	for i, ins := range f.Insns {
		if ins.Op == insn.OpLdImm64 && ins.Imm == 560 {
			return i
		}
	}
	return -1
}

// TestDebian reads the decoders that Debian installs.
func TestDebian(t *testing.T) {
	all, err := filepath.Glob("/lib/udev/rc_keymaps/protocols/*.o")
	if err != nil {
		t.Fatal(err)
	}
	if len(all) == 0 {
		t.Skip("needs decoders in /lib/udev/rc_keymaps/protocols: apt-get install ir-keytable")
	}
	for _, path := range all {
		o, err := lode.Open(path, lode.ParseOptions{Fallback: Fallback})
		if err != nil {
			t.Error(err)
			continue
		}
		if len(o.Maps) == 0 || len(o.Programs) != 1 || o.Programs[0].Type != sys.ProgTypeLIRCMode2 {
			t.Errorf("%s: %d maps, %d programs", path, len(o.Maps), len(o.Programs))
		}
		if _, err := o.Plan(lode.Policy{}); err != nil {
			t.Errorf("%s: %v", path, err)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add(ktest.Object(f, "irdecoder"))
	f.Fuzz(func(t *testing.T, b []byte) {
		if o, err := Parse(b, lode.ParseOptions{}); err == nil && o == nil {
			t.Error("neither an object nor an error")
		}
	})
}

// TestKernelLoad loads a decoder: the kernel has the map and the parameters.
func TestKernelLoad(t *testing.T) {
	ktest.Root(t)
	ktest.NoFDLeaks(t)
	if err := sys.Probe(sys.Live(), sys.ProgTypeFeature(sys.ProgTypeLIRCMode2)); err != nil {
		t.Skipf("needs a kernel with CONFIG_BPF_LIRC_MODE2: %v", err)
	}
	c, err := lode.Load(context.Background(), ktest.ObjectPath(t, "irdecoder"), lode.LoadOptions{ParseOptions: lode.ParseOptions{Fallback: Fallback}})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if m := c.Map("state"); m.Type() != sys.MapTypeArray || m.ValueSize() != 8 {
		t.Errorf("the map is %v with values of %d bytes", m.Type(), m.ValueSize())
	}
	d, err := c.Program("decode").Dump()
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, ins := range d.Func.Insns {
		if ins.Op == insn.OpLdImm64 && ins.Imm == 560 {
			n++
		}
	}
	if n != 2 {
		t.Errorf("the program that the kernel runs loads the parameter %d times, want 2:\n%s", n, d)
	}
}
