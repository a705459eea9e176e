package mutate

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"github.com/lode-bpf/lode/elf"
	"github.com/lode-bpf/lode/fuzz/gen"
)

func objects() (list [][]byte) {
	for seed := range uint64(20) {
		g := gen.New(seed)
		list = append(list, g.Object(gen.Profile{Maps: 2}), g.Object(gen.Profile{Plain: true, Class: elf.ELFCLASS32}), g.Object(gen.Profile{Plain: true}))
	}
	return list
}

// Each rule has a name of its own, applies to some valid object, changes it,
// and leaves its input alone.
func TestRules(t *testing.T) {
	seen := map[string]bool{}
	for _, r := range Rules() {
		if seen[r.Name] || r.Doc == "" || !strings.Contains(r.Name, "/") {
			t.Errorf("rule %q is there twice, or says nothing", r.Name)
		}
		seen[r.Name] = true
		applied := 0
		for n, obj := range objects() {
			saved := bytes.Clone(obj)
			out, step, ok := r.Apply(obj, uint64(n))
			if !bytes.Equal(saved, obj) {
				t.Fatalf("%s changed its input", r.Name)
			}
			if ok == bytes.Equal(out, obj) && r.Name != "section/splice" {
				t.Errorf("%s on object %d: ok is %v: %v", r.Name, n, ok, step)
			}
			if step.Rule != r.Name || step.Offset < 0 || step.Offset > len(obj) {
				t.Errorf("%s: %+v", r.Name, step)
			}
			if ok {
				applied++
			}
			again, step2, ok2 := r.Apply(obj, uint64(n))
			if !bytes.Equal(out, again) || step != step2 || ok != ok2 {
				t.Errorf("%s gives two results", r.Name)
			}
		}
		if applied == 0 {
			t.Errorf("%s applies to none of the objects", r.Name)
		}
	}
}

func TestApply(t *testing.T) {
	obj := gen.New(3).Object(gen.Profile{})
	a, trace := Apply(obj, 7, 3)
	b, trace2 := Apply(obj, 7, 3)
	if !bytes.Equal(a, b) || !slices.Equal(trace, trace2) || len(trace) != 3 {
		t.Errorf("two results, or not 3 steps:\n%v\n%v", trace, trace2)
	}
	if c, _ := Apply(obj, 8, 3); bytes.Equal(a, c) {
		t.Error("another seed gives the same")
	}
	if strings.Count(trace.String(), "\n") != 3 {
		t.Errorf("%q", trace)
	}
}

// Whatever was broken before, rules still work: here a hundred times over, and
// on what is no object at all.
func TestApplyToAnything(t *testing.T) {
	for n, obj := range objects() {
		out, _ := Apply(obj, uint64(n), 100)
		Apply(out, 1, 1)
	}
	for _, b := range []string{"", "\x7f", "\x7fELF", "\x7fELF\x01\x01\x01" + strings.Repeat("\xff", 100), strings.Repeat("\x7fELF\x02\x02", 30)} {
		for _, r := range Rules() {
			for operand := range uint64(5) {
				r.Apply([]byte(b), operand)
			}
		}
	}
}

// Enough of what comes out is still read far enough to matter: it is neither
// all refused in the ELF header nor all accepted.
func TestReach(t *testing.T) {
	accepted, header, n := 0, 0, 0
	for i, obj := range objects() {
		for seed := range uint64(50) {
			out, _ := Apply(obj, seed*100+uint64(i), 1)
			n++
			switch _, err := elf.Parse(out); e := err.(type) {
			case nil:
				accepted++
			case *elf.FormatError:
				if e.Section == "" && e.Offset < 64 {
					header++
				}
			}
		}
	}
	if accepted < n/10 || accepted > n*9/10 || header > n/2 {
		t.Errorf("of %d objects %d are accepted by elf, %d refused for their header", n, accepted, header)
	}
}
