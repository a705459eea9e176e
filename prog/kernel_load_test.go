package prog_test

import (
	"bytes"
	"errors"
	"fmt"
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
	if err != nil {
		t.Fatal(err)
	}
	p.Close()
	if !strings.Contains(log, "(cut: Load keeps 4096 bytes)") {
		t.Errorf("log of %d bytes", len(log))
	}

	// A refused program with a log that has no room is still refused as such.
	bad := assemble(t, "r1 = 1\n"+long+"r0 = r7\nexit")
	_, err = prog.Load(sys.Live(), section("socket"), prog.Code{Insns: bad}, prog.LoadOptions{LogSize: 4096})
	var e *prog.VerifierError
	if !errors.As(err, &e) || !e.Truncated || !errors.Is(err, sys.EACCES) || errors.Is(err, sys.ENOSPC) {
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

// What of a load the kernel is too old for is named, with the version that brought
// it.
func TestKernelTooOld(t *testing.T) {
	ktest.Root(t)
	ktest.NoFDLeaks(t)
	frags, invariants := section("xdp.frags"), section("socket")
	invariants.Flags = sys.BPF_F_TEST_REG_INVARIANTS
	m, err := sys.MapCreate(sys.Live(), &sys.MapCreateAttr{MapType: sys.MapTypeArray, KeySize: 4, ValueSize: 4, MaxEntries: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	insns := assemble(t, zero)
	for _, c := range []struct {
		spec         *prog.Spec
		code         prog.Code
		major, minor int
		text         string
	}{
		{frags, prog.Code{Insns: insns}, 5, 18, "packets in fragments"},
		{invariants, prog.Code{Insns: insns}, 6, 8, "register invariants"},
		{section("socket"), prog.Code{Insns: insns, FDArray: []int32{m.Num()}}, 5, 14, "fd_array"},
		{section("socket"), prog.Code{Insns: insns, FDArray: []int32{m.Num()}, BindFDArray: true}, 6, 14, "fd_array_cnt"},
		{section("socket"), prog.Code{Insns: insns, Signature: []byte("none")}, 6, 18, "signed programs"},
	} {
		p, err := prog.Load(sys.Live(), c.spec, c.code, prog.LoadOptions{})
		p.Close()
		var absent *sys.NotSupported
		found := errors.As(err, &absent)
		if major, minor := ktest.Version(); major > c.major || major == c.major && minor >= c.minor {
			if found || err != nil && c.code.Signature == nil {
				t.Errorf("%s: %v", c.text, err)
			}
			continue
		}
		since, text := fmt.Sprintf("%d.%d", c.major, c.minor), c.text
		if major, minor := ktest.Version(); c.code.BindFDArray && (major < 5 || major == 5 && minor < 14) {
			since, text = "5.14", "fd_array" // the kernel lacks even that
		}
		if !found || absent.Since != since || !strings.Contains(err.Error(), text) {
			t.Errorf("%s: %v", c.text, err)
		}
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
