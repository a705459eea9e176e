package lode_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/lode-bpf/lode"
	"github.com/lode-bpf/lode/internal/ktest"
	"github.com/lode-bpf/lode/kconfig"
	"github.com/lode-bpf/lode/reloc"
	"github.com/lode-bpf/lode/sys"
)

// recordedObjects refer to the kernel in every way: CO-RE, its configuration, symbols, variables, functions and structures.
var recordedObjects = []string{"core", "coremissing", "kconfig", "ksyms", "kfunc", "exceptions", "structops", "tracing", "counter"}

// relocatedText is all that relocation makes of an object.
func relocatedText(t *testing.T, name string, env reloc.Env) string {
	t.Helper()
	o, err := open(t, name).Relocate(env)
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	for _, p := range o.Programs {
		if c := p.Code; c != nil {
			fmt.Fprintf(&b, "program %s: %x %v %v %v %v\n", p.Name, c.Insns, c.Maps, c.BTFRefs, c.FuncInfo, c.Err)
		}
	}
	for _, m := range o.Maps {
		fmt.Fprintf(&b, "map %s: %x\n", m.Name, m.Data)
	}
	for i := range o.Relocation.Decisions {
		fmt.Fprintf(&b, "%s\n", &o.Relocation.Decisions[i])
	}
	for _, s := range o.Relocation.StructOps {
		fmt.Fprintf(&b, "struct_ops %s: %s %d %d %x %v %v\n", s.Map, s.Module, s.Type, s.ValueType, s.Value, s.Members, s.Err)
	}
	return b.String()
}

// What was recorded on a kernel, written to a file and read again, gives the same as the kernel itself.
func TestKernelRecorded(t *testing.T) {
	ktest.BTF(t, "a recording of its types")
	live := lode.NewLiveEnv(sys.Live())
	live.ReadConfig = kconfig.Read
	rec := reloc.NewRecorder(live)
	var want []string
	for _, name := range recordedObjects {
		want = append(want, relocatedText(t, name, rec))
	}
	file, err := rec.Recorded().Append(nil)
	if err != nil {
		t.Fatal(err)
	}
	read, err := reloc.ReadRecorded(file)
	if err != nil {
		t.Fatal(err)
	}
	for i, name := range recordedObjects {
		if diff := cmp.Diff(want[i], relocatedText(t, name, read)); diff != "" {
			t.Errorf("%s (-kernel +recording):\n%s", name, diff)
		}
	}
	if !strings.Contains(want[0], "struct") || len(file) < 1<<20 {
		t.Errorf("a recording of %d bytes; of the first object:\n%s", len(file), want[0])
	}
}
