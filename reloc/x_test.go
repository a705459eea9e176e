package reloc

import (
	"testing"

	"github.com/lode-bpf/lode/btf"
)

type liveEnv struct{}

func (liveEnv) Kernel() (*btf.Spec, error)            { return btf.Kernel() }
func (liveEnv) Modules() ([]Module, error)            { return nil, nil }
func (liveEnv) Symbol(string) ([]uint64, error)       { return []uint64{0x1234567812345678}, nil }
func (liveEnv) Config(string) (string, bool, error)   { return "y", true, nil }
func (liveEnv) Version() uint32                       { return 6<<16 | 18<<8 | 44 }
func (liveEnv) Arch() string                          { return "amd64" }
func (liveEnv) Feature(string) (bool, error)          { return true, nil }

func TestY(t *testing.T) {
	for _, n := range []string{"core", "coremissing", "kfunc", "ksyms", "kconfig", "arena", "structops"} {
		o := open(t, n)
		o.Env = liveEnv{}
		r, err := Relocate(o.Input)
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range r.Programs {
			t.Log(n, p.Name, len(p.Insns), len(p.Funcs), len(p.FuncInfo), len(p.Lines), len(p.Maps), p.Err)
		}
		for i := range r.Decisions {
			t.Log(r.Decisions[i].String())
		}
		t.Log(r.Findings, r.Accounting, r.Kconfig)
	}
}
