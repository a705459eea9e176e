package prog_test

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/lode-bpf/lode/btf"
	"github.com/lode-bpf/lode/elf"
	"github.com/lode-bpf/lode/prog"
)

// FuzzCollect goes the way of an object file as far as its programs. Whatever the
// bytes: a value or an error, the input unchanged, every record accounted for,
// the same result twice.
func FuzzCollect(f *testing.F) {
	for _, pattern := range []string{"../testdata/*.o"} {
		paths, err := filepath.Glob(pattern)
		if err != nil {
			f.Fatal(err)
		}
		for _, p := range paths {
			if b, err := os.ReadFile(p); err == nil && len(b) <= 12<<10 { // small seeds, many executions
				f.Add(b)
			}
		}
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		before := bytes.Clone(b)
		var o object
		var err error
		if o.file, err = elf.Parse(b); err != nil {
			return
		}
		if o.btf, o.ext, err = btf.ParseELF(o.file); err != nil {
			o.btf, o.ext = nil, nil
		}
		o.progs, o.subs, o.findings, err = prog.Collect(o.file, o.btf, o.ext)
		if !bytes.Equal(before, b) {
			t.Fatal("the input was changed")
		}
		if err != nil {
			var e *prog.FormatError
			if !errors.As(err, &e) || e.Error() == "" {
				t.Fatalf("error of type %T: %v", err, err)
			}
			return
		}
		o.accounts(t)
		again := o
		if again.progs, again.subs, again.findings, err = prog.Collect(o.file, o.btf, o.ext); err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(o.describe(), again.describe()) {
			t.Fatal("two results for one file")
		}
		for _, p := range o.progs {
			if len(p.Func.Insns) == 0 {
				t.Fatalf("%q has no instructions", p.Name)
			}
			sorted(t, p.Func)
			p.Hook()
			p.Clone()
		}
	})
}

// FuzzClassify gives any text to the rules and the parsers behind the '/'.
func FuzzClassify(f *testing.F) {
	for r := range prog.Rules() {
		f.Add("?" + r.Name + "/a:b:c/d+0x1")
	}
	f.Fuzz(func(t *testing.T, name string) {
		c := prog.Classify(name, nil, nil)
		hook, err := c.Rule.AttachKind.Parse(c.Arg)
		if err != nil && hook != (prog.Hook{}) {
			t.Errorf("%q: %+v and %v", name, hook, err)
		}
	})
}
