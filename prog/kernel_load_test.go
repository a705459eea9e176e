package prog_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/lode-bpf/lode/btf"
	"github.com/lode-bpf/lode/insn"
	"github.com/lode-bpf/lode/internal/ktest"
	"github.com/lode-bpf/lode/prog"
	"github.com/lode-bpf/lode/sys"
)

// loadObject loads one program of an object with its types, lines and maps. Its
// calls must not leave it.
func loadObject(t *testing.T, object, name string, o prog.LoadOptions) (*prog.Program, error) {
	t.Helper()
	x := collect(t, ktest.Object(t, object))
	i := slices.IndexFunc(x.progs, func(p *prog.Spec) bool { return p.Name == name })
	p := x.progs[i].Clone()
	types, err := x.btf.Loadable(btf.LoadableOptions{ELF: x.file})
	if err != nil {
		t.Fatal(err)
	}
	blob, err := sys.BTFLoad(sys.Live(), &sys.BTFLoadAttr{BTF: sys.BytesPtr(types), Size: uint32(len(types))})
	if err != nil {
		t.Fatalf("BTF: %v", err)
	}
	defer blob.Close()
	c := prog.Code{Insns: p.Func.Insns, BTFFD: blob.Int()}
	c.FuncInfo = prog.AppendFuncInfo(nil, 0, btf.TypeID(p.Func.TypeID))
	c.LineInfo = prog.AppendLineInfo(nil, p.Func.Lines)
	if len(p.Func.Refs) > 0 {
		m, err := sys.MapCreate(sys.Live(), &sys.MapCreateAttr{MapType: sys.MapTypeHash, KeySize: 4, ValueSize: 8, MaxEntries: 16, MapName: sys.NewObjName("table")})
		if err != nil {
			t.Fatal(err)
		}
		defer m.Close()
		for _, r := range p.Func.Refs {
			c.Insns[r.Index].Imm = m.Num()
			c.Insns[r.Index].Regs = c.Insns[r.Index].Regs.WithSrc(insn.PseudoMapFD)
		}
	}
	if o.Lines == nil {
		o.Lines = func() []prog.SourceLine { return prog.SourceLines(p.Func.Lines, x.btf) }
	}
	return prog.Load(sys.Live(), p, c, o)
}

// The error of a refused program says which instruction, source line and
// registers it is about, and has the whole log.
func TestKernelVerifierError(t *testing.T) {
	ktest.Root(t)
	ktest.NoFDLeaks(t)
	_, err := loadObject(t, "rejected", "unchecked", prog.LoadOptions{})
	var e *prog.VerifierError
	if !errors.As(err, &e) || !errors.Is(err, sys.EACCES) {
		t.Fatalf("%v", err)
	}
	if e.Index < 0 || !strings.Contains(e.Log, "processed ") || e.Truncated || e.Reason == "" || !strings.HasPrefix(e.Instruction, "(79)") {
		t.Errorf("index %d, instruction %q, reason %q, log:\n%s", e.Index, e.Instruction, e.Reason, e.Log)
	}
	if e.Source == nil || !strings.Contains(e.Source.Text, "*value += 1") || !strings.HasSuffix(e.Source.File, "rejected.bpf.c") || e.Source.Line == 0 {
		t.Errorf("source %+v", e.Source)
	}
	for _, want := range []string{`program "unchecked" (section "tc", sched_cls)`, "permission denied", "*value += 1", "R0 invalid mem access"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("the message lacks %q", want)
		}
	}
	if len(e.Registers) == 0 || e.Registers[0].Number != 0 || !strings.Contains(e.Registers[0].State, "map_value_or_null") {
		t.Errorf("registers %+v", e.Registers)
	}
	if !strings.Contains(err.Error(), "with R0=map_value_or_null") {
		t.Errorf("the message lacks the register: %v", err)
	}
}

// What the verifier accepts beside it is loaded.
func TestKernelAccepted(t *testing.T) {
	ktest.Root(t)
	ktest.NoFDLeaks(t)
	p, err := loadObject(t, "rejected", "fine", prog.LoadOptions{})
	if err != nil {
		t.Fatal(err)
	}
	p.Close()
}

// Poisoned instructions are explained.
func TestKernelPoison(t *testing.T) {
	ktest.Root(t)
	ktest.NoFDLeaks(t)
	s := section("tc")
	code := prog.Code{Insns: []insn.Instruction{{Op: insn.OpCall, Imm: 0xbad2310}, {Op: insn.OpExit}}}
	_, err := prog.Load(sys.Live(), s, code, prog.LoadOptions{})
	if err == nil || !strings.Contains(err.Error(), "because: a CO-RE relocation found no target here") {
		t.Errorf("without a hook: %v", err)
	}
	_, err = prog.Load(sys.Live(), s, code, prog.LoadOptions{Explain: func(i int) string { return strings.Repeat("field of struct", i+1) }})
	if err == nil || !strings.Contains(err.Error(), "because: field of struct\n") {
		t.Errorf("with a hook: %v", err)
	}
}

// A log that is asked for is given, and grows as needed.
func TestKernelLog(t *testing.T) {
	ktest.Root(t)
	ktest.NoFDLeaks(t)
	long := strings.Repeat("r1 += 1\nr1 *= 3\n", 4000)
	text := assemble(t, "r1 = 1\n"+long+"r0 = 0\nexit")
	var log string
	p, err := prog.Load(sys.Live(), section("socket"), prog.Code{Insns: text}, prog.LoadOptions{LogLevel: sys.BPF_LOG_LEVEL2 | sys.BPF_LOG_STATS, Log: func(s string) { log = s }})
	if err != nil {
		t.Fatal(err)
	}
	p.Close()
	if len(log) < 300<<10 || !strings.Contains(log, "8002: (95) exit") || !strings.Contains(log, "processed ") {
		t.Errorf("log of %d bytes", len(log))
	}

	// The program is right; only its log has no room.
	log = ""
	p, err = prog.Load(sys.Live(), section("socket"), prog.Code{Insns: text}, prog.LoadOptions{LogLevel: 1, LogSize: 4096, Log: func(s string) { log = s }})
	if major, minor := ktest.Version(); major > 6 || major == 6 && minor >= 4 {
		if err != nil {
			t.Fatal(err)
		}
		p.Close()
		if !strings.Contains(log, "(cut: Load keeps 4096 bytes)") {
			t.Errorf("log of %d bytes", len(log))
		}
	} else if err == nil {
		p.Close()
	}

	// A refused program with a log that has no room is still refused as such.
	bad := assemble(t, "r1 = 1\n"+long+"r0 = r7\nexit")
	_, err = prog.Load(sys.Live(), section("socket"), prog.Code{Insns: bad}, prog.LoadOptions{LogSize: 4096})
	var e *prog.VerifierError
	if !errors.As(err, &e) || !e.Truncated {
		t.Errorf("cut log: %v", err)
	}
	_, err = prog.Load(sys.Live(), section("socket"), prog.Code{Insns: bad}, prog.LoadOptions{})
	if !errors.As(err, &e) || e.Truncated || e.Index != 8001 || !strings.Contains(e.Reason, "R7 !read_ok") {
		t.Errorf("whole log: %v", err)
	}
}

// What is missing in a definition is said before the kernel says EINVAL.
func TestLoadIncomplete(t *testing.T) {
	ok := prog.Code{Insns: []insn.Instruction{{Op: insn.OpExit}}}
	for _, c := range []struct {
		section string
		code    prog.Code
		want    string
	}{
		{"1/0", ok, "set Spec.Type"},
		{"xdp", prog.Code{}, "no instructions"},
		{"fentry/f", ok, "see FindTarget"},
		{"freplace/f", ok, "Spec.AttachProg"},
		{"struct_ops/f", ok, "no struct_ops variable"},
		{"tc", prog.Code{Insns: ok.Insns, FuncInfo: make([]byte, 8)}, "BTFFD"},
		{"tc", prog.Code{Insns: ok.Insns, AttachProgFD: 3, AttachBTFObjFD: 4}, "not to both"},
	} {
		_, err := prog.Load(sys.Live(), section(c.section), c.code, prog.LoadOptions{})
		var e *prog.SpecError
		if !errors.As(err, &e) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%q: %v, want %q", c.section, err, c.want)
		}
	}
}

// Errors that are not the program's fault are no verifier errors.
func TestKernelLoadError(t *testing.T) {
	ktest.Root(t)
	ktest.NoFDLeaks(t)
	k := sys.Live()
	s := section("tc")
	s.Type = 999
	_, err := prog.Load(k, s, prog.Code{Insns: assemble(t, zero)}, prog.LoadOptions{})
	var e *prog.LoadError
	var absent *sys.NotSupported
	if !errors.As(err, &e) || !errors.As(err, &absent) || !errors.Is(err, sys.EINVAL) {
		t.Errorf("unknown type: %v", err)
	}
	_, err = prog.Load(k, section("tc"), prog.Code{Insns: assemble(t, zero), BTFFD: 999, FuncInfo: make([]byte, 8)}, prog.LoadOptions{})
	if !errors.As(err, &e) || !errors.Is(err, sys.EBADF) {
		t.Errorf("no such BTF: %v", err)
	}
}

// Names are what the kernel accepts.
func TestKernelName(t *testing.T) {
	for in, want := range map[string]string{"a": "a", "": "", "0123456789abcdef": "0123456789abcde", "a$b c.d": "a_b_c.d", "ünter": "__nter"} {
		if got := prog.KernelName(in); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
	ktest.Root(t)
	s := section("tc")
	s.Name = "a name with $igns and more"
	p := load(t, s, zero)
	if info, err := p.Info(); err != nil || info.Name != "a_name_with__ig" || p.Name() != s.Name {
		t.Errorf("%q %q %v", info.Name, p.Name(), err)
	}
}

// Everything that the kernel tells about a program.
func TestKernelInfo(t *testing.T) {
	ktest.Root(t)
	ktest.NoFDLeaks(t)
	p, err := loadObject(t, "minimal", "keep", prog.LoadOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	info, err := p.Info()
	if err != nil || info.ID == 0 || info.BTFID == 0 || info.Xlated == 0 || info.Loaded == 0 || info.Tag == ([8]byte{}) {
		t.Errorf("%+v, %v", info, err)
	}
	d, err := p.Dump()
	if err != nil {
		t.Fatal(err)
	}
	text := d.String()
	if len(d.Insns)*insn.Size != info.Xlated || len(d.Lines) == 0 || len(d.FuncInfo) != 1 || !strings.Contains(text, "exit") || !strings.Contains(text, "; ") {
		t.Errorf("%d instructions, %d lines, functions %v:\n%s", len(d.Insns), len(d.Lines), d.FuncInfo, text)
	}
	if info.Jited > 0 {
		if b, err := p.Jited(); err != nil || len(b) != info.Jited {
			t.Errorf("machine code: %d bytes, %v", len(b), err)
		}
	}
	if b, err := p.BTF(); err != nil || b.NumTypes() < 2 {
		t.Errorf("BTF: %v", err)
	}
	q := load(t, section("tc"), zero)
	if _, err := q.BTF(); !errors.Is(err, btf.ErrNoBTF) {
		t.Errorf("BTF of a program without: %v", err)
	}
}

// Map ids, also of more maps than usual, and maps that the code does not use.
func TestKernelMaps(t *testing.T) {
	ktest.Root(t)
	ktest.NoFDLeaks(t)
	p := load(t, section("tc"), zero)
	ktest.Kernel(t, 5, 10, "BPF_PROG_BIND_MAP")
	const n = 40
	for range n {
		m, err := sys.MapCreate(sys.Live(), &sys.MapCreateAttr{MapType: sys.MapTypeArray, KeySize: 4, ValueSize: 8, MaxEntries: 1})
		if err != nil {
			t.Fatal(err)
		}
		defer m.Close()
		if err := p.BindMap(m.Int()); err != nil {
			t.Fatal(err)
		}
	}
	if info, err := p.Info(); err != nil || len(info.MapIDs) != n || slices.Contains(info.MapIDs, 0) {
		t.Errorf("%v, %v", info.MapIDs, err)
	}
	if err := p.BindMap(p.FD()); err == nil {
		t.Error("a program was bound as a map")
	}
}

// Programs are found by id, pin, descriptor, and in a walk.
func TestKernelOpen(t *testing.T) {
	ktest.Root(t)
	ktest.NoFDLeaks(t)
	k := sys.Live()
	p := load(t, section("xdp"), zero)
	id, err := p.ID()
	if err != nil {
		t.Fatal(err)
	}
	same := func(how string, q *prog.Program, err error) {
		t.Helper()
		if err != nil {
			t.Fatalf("%s: %v", how, err)
		}
		if n, err := q.ID(); err != nil || n != id || q.Type() != sys.ProgTypeXDP || q.Name() != "test" || q.FD() == p.FD() {
			t.Errorf("%s: id %d, %v, %v", how, n, q, err)
		}
		q.Close()
	}
	q, err := prog.FromID(k, id)
	same("id", q, err)
	q, err = p.Clone()
	same("clone", q, err)
	dir := ktest.BPFFS(t)
	if err := p.Pin(dir + "/p"); err != nil {
		t.Fatal(err)
	}
	q, err = prog.FromPin(k, dir+"/p")
	same("pin", q, err)
	found := false
	for q, err := range prog.All(k) {
		if err != nil {
			t.Fatal(err)
		}
		n, _ := q.ID()
		found = found || n == id
	}
	if !found {
		t.Error("the walk did not come to the program")
	}

	m, err := sys.MapCreate(k, &sys.MapCreateAttr{MapType: sys.MapTypeArray, KeySize: 4, ValueSize: 8, MaxEntries: 1, MapName: sys.NewObjName("not_a_program")})
	if err != nil {
		t.Fatal(err)
	}
	var not *prog.NotProgramError
	if _, err := prog.FromFD(k, m); !errors.As(err, &not) || m.Int() != -1 {
		t.Errorf("a map as a program: %v; its descriptor %d", err, m.Int())
	}
	if _, err := prog.FromID(k, 1<<31-1); !errors.Is(err, sys.ENOENT) {
		t.Errorf("an id of nothing: %v", err)
	}
	if _, err := prog.FromPin(k, dir+"/q"); !errors.Is(err, sys.ENOENT) {
		t.Errorf("a path of nothing: %v", err)
	}
}

// Runs are counted while statistics are on.
func TestKernelStats(t *testing.T) {
	ktest.Root(t)
	ktest.NoFDLeaks(t)
	stats, err := prog.EnableStats(sys.Live())
	if err != nil {
		t.Fatal(err)
	}
	defer stats.Close()
	p := load(t, section("tc"), zero)
	if err := p.Run(&prog.Run{Data: packet(64), Repeat: 10}); err != nil {
		t.Fatal(err)
	}
	spent, runs, err := p.Stats()
	info, _ := p.Info()
	if err != nil || info.RunCount != runs || info.RunTime != spent {
		t.Errorf("stats %v %d %v, info %+v", spent, runs, err, info)
	}
}

// A load that succeeds is one call.
func TestKernelLoadCalls(t *testing.T) {
	ktest.Root(t)
	ktest.NoFDLeaks(t)
	var text bytes.Buffer
	p, err := prog.Load(sys.NewRecorder(sys.Live(), &text), section("tc"), prog.Code{Insns: assemble(t, zero)}, prog.LoadOptions{})
	if err != nil {
		t.Fatal(err)
	}
	p.Close()
	if n := strings.Count(text.String(), "BPF_PROG_LOAD") + strings.Count(text.String(), "prog_load"); n != 1 {
		t.Errorf("%d loads:\n%s", n, text.String())
	}
}

// Whatever call fails, and however, nothing is left open, and the error number
// is there to be found.
func TestKernelFaults(t *testing.T) {
	ktest.Root(t)
	ktest.NoFDLeaks(t)
	steps := func(k sys.Kernel) error {
		p, err := prog.Load(k, section("xdp"), prog.Code{Insns: assemble(t, zero)}, prog.LoadOptions{})
		if err != nil {
			return err
		}
		defer p.Close()
		q, err := p.Clone()
		if err != nil {
			return err
		}
		defer q.Close()
		id, err := q.ID()
		if err != nil {
			return err
		}
		r, err := prog.FromID(k, id)
		if err != nil {
			return err
		}
		defer r.Close()
		if _, err := r.Info(); err != nil {
			return err
		}
		if _, err := r.Dump(); err != nil {
			return err
		}
		_, _, err = r.Test(packet(64))
		return err
	}
	count := &sys.Fault{Kernel: sys.Live()}
	if err := steps(count); err != nil {
		t.Fatal(err)
	}
	if count.Calls() < 8 {
		t.Errorf("only %d calls", count.Calls())
	}
	for n := 1; n <= count.Calls(); n++ {
		for _, e := range []sys.Errno{sys.EPERM, sys.ENOMEM, sys.EMFILE, sys.EINTR, sys.EINVAL, sys.E2BIG} {
			for _, after := range []bool{false, true} {
				err := steps(&sys.Fault{Kernel: sys.Live(), N: n, Errno: e, After: after})
				if err == nil && n > 1 { // a first load that fails is tried again for its log
					t.Errorf("call %d with %v: no error", n, e)
				}
				if err != nil && !errors.Is(err, e) {
					t.Errorf("call %d with %v: %v", n, e, err)
				}
			}
		}
	}
}

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
	ktest.Root(t)
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
