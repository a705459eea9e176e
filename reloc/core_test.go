package reloc

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write golden files instead of comparing with them")

// golden compares text with testdata/NAME.golden.
func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name+".golden")
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("differs from %s (-want +got); go test ./reloc -update writes it anew:\n%s", path, diff)
	}
}

// against relocates an object of testdata against the types of another.
func against(t testing.TB, name, target string) (*object, *Result) {
	t.Helper()
	o := open(t, name)
	o.Target = open(t, target).BTF
	r, err := Relocate(o.Input)
	if err != nil {
		t.Fatal(err)
	}
	return o, r
}

func decisionText(r *Result) string {
	var b strings.Builder
	for i := range r.Decisions {
		b.WriteString(r.Decisions[i].String() + "\n")
	}
	return b.String()
}

// TestCOREDecisions shows every kind of relocation in every situation: what was
// decided, and why.
func TestCOREDecisions(t *testing.T) {
	for _, order := range []string{"", "/eb"} {
		_, r := against(t, "core_matrix"+order, "core_target"+order)
		golden(t, "core_matrix"+strings.ReplaceAll(order, "/", "_"), decisionText(r))
		for _, p := range r.Programs {
			if p.Err != nil {
				t.Errorf("%s: %v", p.Name, p.Err)
			}
		}
	}
}

// TestCORESameAsLibbpf compares the programs of core_matrix with what libbpf
// makes of them.
func TestCORESameAsLibbpf(t *testing.T) {
	o, r := against(t, "core_matrix", "core_target")
	l, refused := runReference(t, "../testdata/core_matrix.bpf.o", writeBTF(t, o.Target))
	if refused != "" {
		t.Fatal(refused)
	}
	for _, p := range r.Programs {
		if len(l.progs[p.Name[:min(len(p.Name), 15)]]) == 0 {
			t.Errorf("%s: libbpf has no such program", p.Name)
		}
		l.compare(t, p)
	}
}

func TestCOREAmbiguous(t *testing.T) {
	_, r := against(t, "core_ambiguous", "core_target")
	golden(t, "core_ambiguous", decisionText(r))
	var failed []string
	for _, p := range r.Programs {
		if p.Err != nil {
			failed = append(failed, p.Name)
		}
	}
	if diff := cmp.Diff([]string{"offset", "size", "id", "disagrees"}, failed); diff != "" {
		t.Errorf("programs that fail (-want +got):\n%s", diff)
	}
	if got, want := fmt.Sprint(r.Accounting), "{7 3 4 0}"; got != want {
		t.Errorf("accounting %s, want %s", got, want)
	}
}
