package lode_test

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/lode-bpf/lode"
	"github.com/lode-bpf/lode/compat/iproute2"
)

// FuzzPlan takes any bytes through the whole of what needs no kernel: parse, by
// the standard parser and the legacy one, relocate, plan, print. It must come
// to a value or an error, leave its input alone, account for every relocation
// record, and come to the same again.
func FuzzPlan(f *testing.F) {
	files, err := filepath.Glob("testdata/*.o")
	if err != nil || len(files) == 0 {
		f.Fatalf("no objects in testdata (%v)", err)
	}
	for _, name := range files {
		b, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		if len(b) <= 40<<10 {
			f.Add(b)
		}
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		before := bytes.Clone(b)
		first := planText(t, b)
		if !bytes.Equal(before, b) {
			t.Fatal("the input was changed")
		}
		if second := planText(t, b); first != second {
			t.Fatalf("the same bytes give two plans:\n%s\n%s", first, second)
		}
	})
}

// planText is everything that is said about an object, or the error.
func planText(t *testing.T, b []byte) string {
	o, err := lode.Parse(b, lode.ParseOptions{Name: "fuzz"})
	if err != nil {
		if o, err = (iproute2.Options{}).Parse(b, lode.ParseOptions{Name: "fuzz"}); err != nil {
			return err.Error()
		}
	}
	r, err := o.Relocate(nil)
	if err != nil {
		return err.Error()
	}
	if n := r.Relocation; n.In != n.Applied+n.Reported+n.Outside {
		t.Fatalf("%d relocation records: %d applied, %d reported, %d outside of every program", n.In, n.Applied, n.Reported, n.Outside)
	}
	p, err := r.Plan(lode.Policy{Persist: true})
	if err != nil {
		return err.Error()
	}
	j, err := json.Marshal(p)
	if err != nil {
		t.Fatal(err)
	}
	text := p.String()
	if strings.ContainsAny(text, "\x1b\x00\r") {
		t.Fatal("the plan has control characters from the file in it")
	}
	return text + string(j)
}
