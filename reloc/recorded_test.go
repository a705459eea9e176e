package reloc

import (
	"bytes"
	"encoding/binary"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/lode-bpf/lode/btf"
)

// Relocating against what was recorded gives the same bytes.
func TestRecordedSame(t *testing.T) {
	vmlinux := types(t, nil, func(b *btf.Builder, i32 btf.TypeID) {
		b.AddStruct("task_struct", 64, member("pid", i32, 64), member("tgid", i32, 128))
		b.AddFunc("bpf_rcu_read_lock", b.AddFuncProto(0), btf.LinkageStatic)
		b.AddVar("bpf_prog_active", i32, btf.LinkageGlobal)
	})
	module := types(t, vmlinux, func(b *btf.Builder, i32 btf.TypeID) {
		b.AddFunc("bpf_rcu_read_unlock", b.AddFuncProto(0), btf.LinkageStatic)
	})
	env := &fakeEnv{
		kernel: vmlinux, modules: []Module{{Name: "broken", Err: errors.New("no BTF")}, {Name: "rcu", BTF: module}},
		symbols: map[string][]uint64{"schedule": {0xffffffff81000000}}, version: 0x060102,
		config: map[string]string{"CONFIG_HZ": "250", "CONFIG_BPF_SYSCALL": "y", "CONFIG_NET": "y", "CONFIG_BPF_JIT": "y", "CONFIG_LOG_BUF_SHIFT": "17", "CONFIG_DEFAULT_HOSTNAME": `"x"`},
		has:    map[string]bool{FeatureBPFCookie: true},
	}
	rec := NewRecorder(env)
	relocate := func(name string, env Env) []*Program {
		o := open(t, name)
		o.Env = env
		r, err := Relocate(o.Input)
		if err != nil {
			t.Fatal(err)
		}
		return r.Programs
	}
	names := []string{"core", "coremissing", "kconfig", "kfunc", "ksyms", "counter"}
	var want [][]*Program
	for _, n := range names {
		want = append(want, relocate(n, rec))
	}
	file, err := rec.Recorded().Append(nil)
	if err != nil {
		t.Fatal(err)
	}
	again, err := rec.Recorded().Append(nil)
	if err != nil || !bytes.Equal(file, again) {
		t.Error("two files of one recording differ", err)
	}
	read, err := ReadRecorded(file)
	if err != nil {
		t.Fatal(err)
	}
	for i, n := range names {
		for j, p := range relocate(n, read) {
			if diff := cmp.Diff(want[i][j].Insns, p.Insns); diff != "" || (p.Err == nil) != (want[i][j].Err == nil) {
				t.Errorf("%s: %v, want %v, -want +got:\n%s", p.Name, p.Err, want[i][j].Err, diff)
			}
		}
	}
	if m, err := read.Modules(); err != nil || len(m) != 2 || m[0].Err == nil || m[1].BTF == nil {
		t.Errorf("modules %v %v", m, err)
	}
}

// What was not recorded is an error, not an answer.
func TestRecordedUnknown(t *testing.T) {
	r := &Recorded{HasModules: false}
	var e *NotRecordedError
	if _, err := r.Kernel(); !errors.As(err, &e) || !errors.Is(err, ErrNoEnv) {
		t.Error(err)
	}
	if _, err := r.Modules(); !errors.As(err, &e) {
		t.Error(err)
	}
	if _, err := r.Symbol("x"); !errors.As(err, &e) {
		t.Error(err)
	}
	if _, _, err := r.Config("CONFIG_X"); !errors.As(err, &e) {
		t.Error(err)
	}
	if _, err := r.Feature("x"); !errors.As(err, &e) {
		t.Error(err)
	}
}

func TestReadRecordedMalformed(t *testing.T) {
	file := func(index string, rest ...byte) []byte {
		b := binary.LittleEndian.AppendUint32([]byte(recordMagic), recordVersion)
		b = binary.LittleEndian.AppendUint32(b, uint32(len(index)))
		b = append(b, index...)
		return append(appendZeros(b, -len(index)&7), rest...)
	}
	good := file(`{"version":1,"arch":"amd64","options":{"CONFIG_X":null,"CONFIG_Y":"y"}}`)
	r, err := ReadRecorded(good)
	if err != nil {
		t.Fatal(err)
	}
	if v, ok, err := r.Config("CONFIG_Y"); v != "y" || !ok || err != nil {
		t.Error(v, ok, err)
	}
	if _, ok, err := r.Config("CONFIG_X"); ok || err != nil {
		t.Error(ok, err)
	}
	for name, b := range map[string][]byte{
		"empty":         nil,
		"magic":         []byte("lodeenv!0000000000000"),
		"cut":           good[:15],
		"index cut":     good[:30],
		"version":       append([]byte(recordMagic), 9, 0, 0, 0, 0, 0, 0, 0),
		"no JSON":       file("{"),
		"blob outside":  file(`{"kernel":{"offset":8,"size":24}}`),
		"blob negative": file(`{"kernel":{"offset":-8,"size":24}}`),
		"blob overflow": file(`{"kernel":{"offset":9223372036854775807,"size":9223372036854775807}}`),
		"not BTF":       file(`{"kernel":{"size":8}}`, 1, 2, 3, 4, 5, 6, 7, 8),
		"overlap":       file(`{"modules":[{"size":8},{"size":8}]}`, 1, 2, 3, 4, 5, 6, 7, 8),
	} {
		if _, err := ReadRecorded(b); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

// Everything that is decided is a value: CORE, changed decisions, Apply.
func TestStepByStep(t *testing.T) {
	o := open(t, "core_matrix")
	o.Target = open(t, "core_target").BTF
	programs, _ := Link(&o.Input)
	ds, _ := CORE(&o.Input)
	for i := range ds {
		if ds[i].Func == "exact" {
			ds[i].To[0].Imm = 4711
			if ds[i].To[0].Op&7 == classLDX {
				ds[i].To[0].Imm, ds[i].To[0].Off = 0, 4711
			}
		}
	}
	Apply(&o.Input, programs, ds)
	Bind(&o.Input, programs)
	changed := 0
	for _, i := range programs[0].Insns {
		if i.Imm == 4711 || i.Off == 4711 {
			changed++
		}
	}
	if changed != 4 || programs[0].Err != nil {
		t.Error(changed, programs[0].Err)
	}
	// Decisions do not apply twice.
	Apply(&o.Input, programs[:1], ds)
	if !errors.Is(programs[0].Err, ErrMismatch) {
		t.Error(programs[0].Err)
	}
}

// Of a kernel without types the recording says so in the kernel's words, and as a kernel does.
func TestRecordedNoTypes(t *testing.T) {
	rec := NewRecorder(&fakeEnv{})
	if _, err := rec.Kernel(); err == nil {
		t.Fatal("the environment has types")
	}
	file, err := rec.Recorded().Append(nil)
	if err != nil {
		t.Fatal(err)
	}
	read, err := ReadRecorded(file)
	if err != nil {
		t.Fatal(err)
	}
	_, want := rec.Kernel()
	_, got := read.Kernel()
	if got == nil || got.Error() != want.Error() || !errors.Is(got, btf.ErrNoBTF) || !errors.Is(got, ErrNoEnv) {
		t.Errorf("the kernel says %q, the recording %q", want, got)
	}
}
