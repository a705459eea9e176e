package main

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/lode-bpf/lode"
	"github.com/lode-bpf/lode/internal/ktest"
)

// TestSetVariable sets variables of every shape that has a text form.
func TestSetVariable(t *testing.T) {
	o, err := lode.Parse(ktest.Object(t, "globals"), lode.ParseOptions{Name: "globals"})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		arg  string
		want []byte
	}{
		{"ro_byte=0x7f", []byte{0x7f}},
		{"ro_quad=18446744073709551615", []byte{255, 255, 255, 255, 255, 255, 255, 255}},
		{"ro_name=edol", []byte("edol\x00\x00\x00\x00")},
		{"ro_point=hex:0100000002000000", []byte{1, 0, 0, 0, 2, 0, 0, 0}},
		{"rw_half=17", []byte{17, 0}},
	} {
		if err := setVariable(o, c.arg); err != nil {
			t.Errorf("%s: %v", c.arg, err)
			continue
		}
		v, err := o.Variable(c.arg[:strings.IndexByte(c.arg, '=')])
		if err != nil {
			t.Fatal(err)
		}
		got, err := v.Bytes()
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s: -want +got:\n%s", c.arg, diff)
		}
	}
	for _, arg := range []string{"ro_byte=256", "ro_byte=x", "ro_byte=-1", "ro_name=much too long", "ro_point=1", "ro_point=hex:01", "ro_byte=hex:0"} {
		if err := setVariable(o, arg); err == nil {
			t.Errorf("%s is accepted", arg)
		}
	}
}

// TestKernelReplace loads an object over one whose map is different.
func TestKernelReplace(t *testing.T) {
	counter := ktest.LoadablePath(t, "counter")
	root := filepath.Join(ktest.BPFFS(t), "app")
	ktest.NoFDLeaks(t)
	must := func(args ...string) string {
		t.Helper()
		status, out, errOut := cli(args...)
		if status != 0 {
			t.Fatalf("lode %q: status %d\n%s", args, status, errOut)
		}
		return out
	}
	if out := must("load", "--dry-run", "--pin-root", root, counter); !strings.Contains(out, "now absent") || !strings.Contains(out, "pin-program") {
		t.Errorf("a dry run:\n%s", out)
	}
	if _, out, _ := cli("plan", "--now", "--pin-root", root, counter); !strings.Contains(out, "now absent") {
		t.Errorf("the dry run made something:\n%s", out)
	}
	must("load", "--pin-root", root, counter, "--map", "packets.max_entries=16")
	if out := must("plan", "--now", "--pin-root", root, counter); !strings.Contains(out, `now map "packets" (hash, id `) {
		t.Errorf("the plan does not say what is pinned:\n%s", out)
	}
	if status, _, errOut := cli("load", "--pin-root", root, counter); status != 1 || !strings.Contains(errOut, "max entries: defined as 1024, existing is 16") {
		t.Errorf("a mismatch: status %d, %s", status, errOut)
	}
	if out := must("replace", "--pin-root", root, counter); !strings.Contains(out, "replaced") {
		t.Errorf("replace does not say so:\n%s", out)
	}
	if out := must("load", "--pin-root", root, counter); !strings.Contains(out, "reused") {
		t.Errorf("after the replacement:\n%s", out)
	}
	must("unload", root)
}

// TestKernelAttach attaches what stays attached until it is unloaded.
func TestKernelAttach(t *testing.T) {
	ktest.BTF(t, "CO-RE")
	root := filepath.Join(ktest.BPFFS(t), "app")
	ktest.NoFDLeaks(t)
	status, out, errOut := cli("load", "--attach", "--pin-root", root, object(t, "core.bpf.o"))
	if status != 0 {
		t.Fatalf("status %d: %s", status, errOut)
	}
	if want := root + "/core-links/walk"; !strings.Contains(out, want) {
		t.Errorf("load does not print %q:\n%s", want, out)
	}
	if want := "lode unload " + root + "/core-links " + root + "/core-programs\n"; !strings.Contains(out, want) {
		t.Errorf("load does not say %q:\n%s", want, out)
	}
	status, out, errOut = cli("unload", root)
	if status != 0 || !strings.Contains(out, "core-links/walk: link (raw_tracepoint") {
		t.Errorf("unload: status %d, %s\n%s", status, errOut, out)
	}
}
