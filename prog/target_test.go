package prog_test

import (
	"encoding/binary"
	"errors"
	"strings"
	"testing"

	"github.com/lode-bpf/lode/btf"
	"github.com/lode-bpf/lode/internal/ktest"
	"github.com/lode-bpf/lode/prog"
	"github.com/lode-bpf/lode/sys"
)

// FindTarget in the kernel's own types.
func TestKernelFindTarget(t *testing.T) {
	spec := kernelBTF(t)
	for _, c := range []struct{ section, name string }{
		{"tp_btf/sched_switch", "btf_trace_sched_switch"}, {"fentry/do_nanosleep", "do_nanosleep"}, {"fentry/vmlinux:do_nanosleep", "do_nanosleep"},
		{"iter/bpf_map", "bpf_iter_bpf_map"},
	} {
		got, err := prog.FindTarget(section(c.section), spec, nil)
		if err != nil || got.Module != "" || spec.Type(got.TypeID).Name() != c.name {
			t.Errorf("%q: %+v, %v", c.section, got, err)
		}
	}
}

// A program can replace a function of another one, which it names by the types
// of that.
func TestKernelFreplace(t *testing.T) {
	ktest.BTF(t, "programs of type ext")
	ktest.NoFDLeaks(t)
	target, err := loadObject(t, "minimal", "keep", prog.LoadOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer target.Close()
	s := section("freplace/keep")
	s.AttachProg = target
	got, err := prog.FindTarget(s, nil, nil)
	if err != nil || got.TypeID == 0 || got.Module != "" {
		t.Fatalf("%+v, %v", got, err)
	}
	s.AttachTarget = "loose"
	if _, err := prog.FindTarget(s, nil, nil); !errors.Is(err, btf.ErrNotFound) || !strings.Contains(err.Error(), `no func "loose" in the types of program "keep" (socket_filter)`) {
		t.Errorf("a function that is not there: %v", err)
	}

	info, err := target.Info()
	if err != nil {
		t.Fatal(err)
	}
	types, err := sys.GetFDByID(sys.Live(), sys.ObjBTF, info.BTFID, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer types.Close()
	p, err := prog.Load(sys.Live(), s, prog.Code{
		Insns: assemble(t, zero), BTFFD: types.Int(), FuncInfo: prog.AppendFuncInfo(nil, 0, got.TypeID),
		AttachProgFD: target.FD(), AttachBTFID: uint32(got.TypeID),
	}, prog.LoadOptions{})
	if errors.Is(err, sys.EPERM) {
		t.Skipf("needs a kernel that lets root load extensions: %v", err)
	}
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	if p.Type() != sys.ProgTypeExt {
		t.Errorf("type %v", p.Type())
	}
}

// moduleBTF is a split BTF with functions of its own.
func moduleBTF(t *testing.T, base *btf.Spec, names ...string) *btf.Spec {
	t.Helper()
	b := btf.NewBuilder(base)
	proto := b.AddFuncProto(0)
	for _, n := range names {
		b.AddFunc(n, proto, btf.LinkageStatic)
	}
	raw, err := b.Bytes(binary.LittleEndian)
	if err != nil {
		t.Fatal(err)
	}
	s, err := btf.Parse(raw, base)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestFindTarget(t *testing.T) {
	base := moduleBTF(t, nil, "common", "only_kernel", "bpf_lsm_file_open", "bpf_iter_task")
	asked := 0
	modules := func() ([]prog.ModuleBTF, error) {
		asked++
		return []prog.ModuleBTF{
			{Name: "nf_tables", BTF: moduleBTF(t, base, "common", "nft_do")},
			{Name: "nf", BTF: moduleBTF(t, base, "nft_do", "in_nf")},
			{Name: "broken"},
		}, nil
	}
	for _, c := range []struct {
		section, module, name, err string
		asked                      int
	}{
		{section: "fentry/only_kernel", name: "only_kernel"},
		{section: "fentry/common", name: "common"},
		{section: "fentry/nf_tables:common", module: "nf_tables", name: "common", asked: 1},
		{section: "fentry/nft_do", module: "nf_tables", name: "nft_do", asked: 1},
		{section: "fentry/nf:nft_do", module: "nf", name: "nft_do", asked: 1},
		{section: "fentry/nf:only_kernel", asked: 1, err: `no func "only_kernel" in the types of module "nf"`},
		{section: "fentry/n:nft_do", asked: 1, err: `no func "nft_do" in the types of module "n"`},
		{section: "fentry/vmlinux:nft_do", err: `no func "nft_do" in the types of vmlinux`},
		{section: "fexit/nothing", asked: 1, err: `prog: program "test" (section "fexit/nothing"): no func "nothing" in the types of the kernel and its modules`},
		{section: "lsm/file_open", name: "bpf_lsm_file_open"},
		{section: "lsm_cgroup/file_open", name: "bpf_lsm_file_open"},
		{section: "iter.s/task", name: "bpf_iter_task"},
		{section: "tp_btf/common", asked: 1, err: `no typedef "btf_trace_common"`},
		{section: "fentry", err: "set AttachTarget"},
		{section: "freplace/common", err: "Spec.AttachProg is not set"},
		{section: "tc"},
	} {
		asked = 0
		got, err := prog.FindTarget(section(c.section), base, modules)
		if c.err != "" {
			if !errors.Is(err, btf.ErrNotFound) || !strings.Contains(err.Error(), c.err) {
				t.Errorf("%q: %v, want %q", c.section, err, c.err)
			}
		} else if err != nil || got.Module != c.module || c.name == "" && got.TypeID != 0 || c.module == "" && base.Type(got.TypeID).Name() != c.name {
			t.Errorf("%q: %+v, %v", c.section, got, err)
		}
		if asked != c.asked {
			t.Errorf("%q: modules read %d times, want %d", c.section, asked, c.asked)
		}
	}
}
