package lode_test

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/lode-bpf/lode"
	"github.com/lode-bpf/lode/conf"
	"github.com/lode-bpf/lode/internal/ktest"
	"github.com/lode-bpf/lode/maps"
	"github.com/lode-bpf/lode/reloc"
	"github.com/lode-bpf/lode/sys"
)

var update = flag.Bool("update", false, "write what is printed now to the golden files")

func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", "golden", name)
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatalf("%v; write it with go test -update", err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (go test -update writes it anew): -want +got:\n%s", path, diff)
	}
}

func parse(t *testing.T, name string) *lode.Object {
	t.Helper()
	o, err := lode.Parse(ktest.Object(t, name), lode.ParseOptions{Name: name})
	if err != nil {
		t.Fatal(err)
	}
	return o
}

// TestPlanText plans objects of both byte orders without a kernel.
func TestPlanText(t *testing.T) {
	for _, name := range []string{"counter", "multi", "globals", "weakmaps"} {
		r, err := parse(t, name).Relocate(nil)
		if err != nil {
			t.Fatal(err)
		}
		p := planned(t, r, lode.Policy{Persist: name == "multi"})
		golden(t, name+".plan", p.String())
		again := planned(t, r, lode.Policy{Persist: name == "multi"})
		if d := p.Diff(again); len(d) != 0 {
			t.Errorf("%s: the same object gives another plan: %q", name, d)
		}
	}
}

// TestPlanJSON is the same plan twice, byte for byte, and can be read back.
func TestPlanJSON(t *testing.T) {
	r, err := parse(t, "counter").Relocate(nil)
	if err != nil {
		t.Fatal(err)
	}
	a, err := json.Marshal(planned(t, r, lode.Policy{}))
	if err != nil {
		t.Fatal(err)
	}
	b, err := json.Marshal(planned(t, r.Clone(), lode.Policy{}))
	if err != nil || string(a) != string(b) {
		t.Errorf("two plans of one object differ (%v)", err)
	}
	var back lode.Plan
	if err := json.Unmarshal(a, &back); err != nil {
		t.Fatal(err)
	}
	if back.Object != "counter" || len(back.Maps) != 9 || len(back.Programs) != 3 {
		t.Errorf("read back: %q with %d maps and %d programs", back.Object, len(back.Maps), len(back.Programs))
	}
}

func TestPlanDiff(t *testing.T) {
	o := parse(t, "counter")
	before := planned(t, o, lode.Policy{})
	o.Map("packets").MaxEntries = 2048
	o.Map("packets").Pin.Mode = lode.PinNever
	diff := before.Diff(planned(t, o, lode.Policy{}))
	all := strings.Join(diff, "\n")
	for _, want := range []string{"-  packets      hash           4    16     1024", "+  packets      hash           4    16     2048", "/sys/fs/bpf/packets"} {
		if !strings.Contains(all, want) {
			t.Errorf("the difference lacks %q:\n%s", want, all)
		}
	}
}

// TestPlanConfig shows which line of the configuration decided each path.
func TestPlanConfig(t *testing.T) {
	cfg, _, err := conf.Parse("pinning.conf", []byte("root app\nmap pack* per/%{ifname} replace\n"), conf.Strict)
	if err != nil {
		t.Fatal(err)
	}
	p := planned(t, parse(t, "counter"), lode.Policy{Config: cfg, IfName: "eth0", Persist: true})
	m := p.Map("packets")
	if m.Pin == nil || m.Pin.Path != "/sys/fs/bpf/per/eth0/packets" || !strings.HasPrefix(m.Pin.Decided, "pinning.conf:2") || m.Pin.OnMismatch != conf.Replace {
		t.Errorf("map: %+v", m.Pin)
	}
	for _, g := range p.Programs {
		if g.Pin == nil || g.Pin.Path != "/sys/fs/bpf/app/counter-programs/"+g.Name || !strings.HasPrefix(g.Pin.Decided, "pinning.conf:1") {
			t.Errorf("program %q: %+v", g.Name, g.Pin)
		}
	}
}

// TestPlanRefuses what editing has made inconsistent, and names that cannot be
// pinned.
func TestPlanRefuses(t *testing.T) {
	for want, edit := range map[string]func(*lode.Object){
		`two maps are called "small"`:                        func(o *lode.Object) { o.Map("large").Name = "small" },
		`map "sizes", slot 1: the object has no map "large"`: func(o *lode.Object) { _ = o.RemoveMap("large") },
		`map "stages", slot 0: the object has no program`:    func(o *lode.Object) { o.Programs = o.Programs[2:] },
		`"../packets"`:                            func(o *lode.Object) { _ = o.RenameMap("packets", "../packets") },
		`byte 1 is '.'`:                           func(o *lode.Object) { _ = o.RenameMap("packets", "a.b") },
		`is not absolute and clean`:               func(o *lode.Object) { o.Map("small").Pin = lode.Pin{Mode: lode.PinPath, Path: "/sys/fs/bpf/../x"} },
		`its template "sizes" is not another map`: func(o *lode.Object) { o.Map("sizes").InnerMap = "sizes" },
		`pin value 9 is not configured`:           func(o *lode.Object) { o.Map("packets").Pinning = 9 },
	} {
		o := parse(t, "counter")
		edit(o)
		_, err := o.Plan(lode.Policy{})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want an error with %q", err, want)
		}
	}
}

// TestEdit changes an object in every way and leaves its clone alone.
func TestEdit(t *testing.T) {
	o := parse(t, "counter")
	c := o.Clone()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	must(o.RenameMap("small", "tiny"))
	must(o.AddMap(&lode.Map{Spec: maps.Spec{Name: "more", Type: sys.MapTypeHash, KeySize: 4, ValueSize: 4, MaxEntries: 1}}))
	must(o.Only("count_other"))
	must(o.SetVariable("reports", 7))
	if o.Map("sizes").Slots[0].Map != "tiny" {
		t.Error("a slot still names the map by its old name")
	}
	if err := o.AddMap(&lode.Map{Spec: maps.Spec{Name: "more"}}); err == nil {
		t.Error("a second map of that name was added")
	}
	if err := o.Only("nothing"); err == nil {
		t.Error("a program that is not there was chosen")
	}
	if err := o.SetVariable("nothing", 1); err == nil {
		t.Error("a variable that is not there was set")
	}
	var n uint64
	v, err := o.Variable("reports")
	must(err)
	must(v.Get(&n))
	if n != 7 {
		t.Errorf("the variable is %d after it was set to 7", n)
	}
	want, got := planned(t, parse(t, "counter"), lode.Policy{}), planned(t, c, lode.Policy{})
	if d := want.Diff(got); len(d) != 0 {
		t.Errorf("editing an object changed its clone: %q", d)
	}
}

// An optional program of a struct_ops variable is loaded with the variable.
func TestOptionalStructOps(t *testing.T) {
	for _, disabled := range []bool{false, true} {
		o := parse(t, "structops")
		for _, m := range o.Maps {
			m.Disabled = m.Disabled || disabled
		}
		r, err := o.Relocate(nil)
		if err != nil {
			t.Fatal(err)
		}
		if p := r.Program("undo_cwnd"); p.Section != "?struct_ops/undo_cwnd" || p.AutoLoad == disabled {
			t.Errorf("variables disabled: %v; %q: loaded: %v", disabled, p.Section, p.AutoLoad)
		}
	}
}

// A mute kernel refuses every call and does not say why.
type mute struct{ sys.Kernel }

func (mute) BPF(cmd sys.Cmd, _ sys.Attr) (int, error) {
	return -1, &sys.Error{Op: cmd.String(), Cmd: cmd, Errno: sys.ENOENT}
}

func (mute) RaiseMemlock() error { return nil }

// That a kernel refuses the types of what it does not have says less than that it
// does not have it.
func TestStructOpsUnknown(t *testing.T) {
	r, err := parse(t, "structops").Relocate(&reloc.Recorded{})
	if err != nil {
		t.Fatal(err)
	}
	_, err = lode.CreateMaps(context.Background(), mute{}, planned(t, r, lode.Policy{}))
	var fault *reloc.StructOpsError
	if !errors.As(err, &fault) || fault.Map != "fixed" {
		t.Errorf("got %v", err)
	}
}

// A slot whose map is turned off stays empty, and the plan says so.
func TestSlotOfDisabledMap(t *testing.T) {
	o := parse(t, "counter")
	o.Map("small").Disabled = true
	p := planned(t, o, lode.Policy{})
	for _, s := range p.Steps {
		if s.Op == lode.OpSetSlot && s.Target == "small" {
			t.Errorf("a step needs the map: %v", s)
		}
	}
	if want := `because map "small" is not created`; !strings.Contains(p.String(), want) {
		t.Errorf("no warning %q in\n%s", want, p)
	}
}
