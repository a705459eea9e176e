package prog_test

import (
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

// A program holds every map of its descriptor array if told so.
func TestKernelBindFDArray(t *testing.T) {
	ktest.Root(t)
	ktest.NoFDLeaks(t)
	ktest.Kernel(t, 6, 14, "fd_array_cnt of BPF_PROG_LOAD")
	m, err := sys.MapCreate(sys.Live(), &sys.MapCreateAttr{MapType: sys.MapTypeArray, KeySize: 4, ValueSize: 8, MaxEntries: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	for _, bind := range []bool{false, true} {
		p, err := prog.Load(sys.Live(), section("tc"), prog.Code{Insns: assemble(t, zero), FDArray: []int32{m.Num()}, BindFDArray: bind}, prog.LoadOptions{})
		if err != nil {
			t.Fatal(err)
		}
		if info, err := p.Info(); err != nil || (len(info.MapIDs) == 1) != bind {
			t.Errorf("bind %v: maps %v, %v", bind, info.MapIDs, err)
		}
		p.Close()
	}
}

// A signature that is none is not passed over in silence.
func TestKernelSignature(t *testing.T) {
	ktest.Root(t)
	ktest.NoFDLeaks(t)
	ktest.Kernel(t, 6, 18, "signed programs")
	p, err := prog.Load(sys.Live(), section("tc"), prog.Code{Insns: assemble(t, zero), Signature: []byte("not a signature")}, prog.LoadOptions{})
	if err == nil {
		p.Close()
		t.Error("the program was loaded")
	}
}

// A program that wrote nothing has empty streams.
func TestKernelStream(t *testing.T) {
	ktest.Root(t)
	ktest.Kernel(t, 6, 18, "streams of programs")
	p := load(t, section("tc"), zero)
	for _, stream := range []uint32{sys.BPF_STREAM_STDOUT, sys.BPF_STREAM_STDERR} {
		if n, err := p.ReadStream(stream, make([]byte, 64)); n != 0 || err != nil {
			t.Errorf("stream %d: %d, %v", stream, n, err)
		}
	}
	if _, err := p.ReadStream(9, make([]byte, 64)); err == nil {
		t.Error("a stream that does not exist was read")
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
