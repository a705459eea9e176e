package reloc

import "testing"

func TestX(t *testing.T) {
	for _, n := range []string{"counter", "globals", "localfunc", "multi", "kfunc", "ksyms", "kconfig", "callback", "weakmaps", "structops", "arena", "counter/eb"} {
		o := open(t, n)
		r, err := Relocate(o.Input)
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range r.Programs {
			t.Log(n, p.Name, len(p.Insns), len(p.Funcs), len(p.FuncInfo), len(p.Lines), len(p.Maps), p.Err)
		}
		t.Log(r.Findings)
	}
}
