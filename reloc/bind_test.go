package reloc

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/lode-bpf/lode/btf"
	"github.com/lode-bpf/lode/insn"
)

func TestKconfigValues(t *testing.T) {
	tests := []struct {
		name   string
		kind   KconfigKind
		signed bool
		size   uint32
		text   string
		want   string // bytes, or the reason of a refusal
	}{
		{"bool y", KconfigBool, false, 1, "y", "\x01"},
		{"bool n", KconfigBool, false, 1, "n", "\x00"},
		{"bool m", KconfigBool, false, 1, "m", "does not fit the variable's type"},
		{"bool number", KconfigBool, false, 1, "1", "is a number, which the variable's type does not take"},
		{"tristate m", KconfigTristate, false, 4, "m", "\x02\x00\x00\x00"},
		{"tristate y", KconfigTristate, false, 4, "y", "\x01\x00\x00\x00"},
		{"tristate number", KconfigTristate, false, 4, "2", "is a number, which the variable's type does not take"},
		{"char m", KconfigChar, true, 1, "m", "m"},
		{"char number", KconfigChar, true, 1, "-1", "\xff"},
		{"char too large", KconfigChar, true, 1, "128", "does not fit into 8 bits"},
		{"unsigned char", KconfigChar, false, 1, "255", "\xff"},
		{"int", KconfigInt, true, 4, "1000", "\xe8\x03\x00\x00"},
		{"int y", KconfigInt, true, 4, "y", "does not fit the variable's type"},
		{"hexadecimal", KconfigInt, false, 8, "0xffffffff81000000", "\x00\x00\x00\x81\xff\xff\xff\xff"},
		{"octal", KconfigInt, true, 2, "010", "\x08\x00"},
		{"binary is no C", KconfigInt, true, 4, "0b1", "is no number"},
		{"underscore is no C", KconfigInt, true, 4, "1_0", "is no number"},
		{"negative", KconfigInt, true, 4, "-2147483648", "\x00\x00\x00\x80"},
		{"too negative", KconfigInt, true, 4, "-2147483649", "does not fit into 32 bits"},
		{"negative unsigned", KconfigInt, false, 4, "-1", "does not fit into 32 bits"},
		{"too large", KconfigInt, false, 4, "4294967296", "does not fit into 32 bits"},
		{"letters behind", KconfigInt, true, 4, "12x", "is no number of 64 bits"},
		{"empty", KconfigInt, true, 4, "", "is empty"},
		{"text", KconfigChars, false, 8, `"lode"`, "lode\x00\x00\x00\x00"},
		{"text cut", KconfigChars, false, 4, `"(none)"`, "(no\x00"},
		{"text without end", KconfigChars, false, 8, `"lode`, "has no closing quote"},
		{"one quote", KconfigChars, false, 8, `"`, "has no closing quote"},
		{"text into int", KconfigInt, true, 4, `"4"`, "is text, which the variable's type does not take"},
	}
	le := types(t, nil, func(*btf.Builder, btf.TypeID) {}).ByteOrder()
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			dst := make([]byte, tt.size)
			got := parseKconfig(&Extern{Kconfig: tt.kind, Signed: tt.signed, Size: tt.size}, tt.text, dst, le)
			if got == "" {
				got = string(dst)
			}
			if got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

func TestKconfig(t *testing.T) {
	for _, order := range []string{"", "/eb"} {
		o := open(t, "kconfig"+order)
		o.Env = &fakeEnv{version: 6<<16 | 1<<8, has: map[string]bool{FeatureBPFCookie: true}, config: map[string]string{
			"CONFIG_BPF_SYSCALL": "y", "CONFIG_NET": "m", "CONFIG_BPF_JIT": "y", "CONFIG_HZ": "250", "CONFIG_LOG_BUF_SHIFT": "18", "CONFIG_DEFAULT_HOSTNAME": `"(none)"`,
		}}
		r, err := Relocate(o.Input)
		if err != nil {
			t.Fatal(err)
		}
		if err := r.Programs[0].Err; err != nil {
			t.Fatal(err)
		}
		value := func(name string) (v uint64) {
			for _, e := range o.Externs {
				if e.Name == name {
					b := make([]byte, 8)
					copy(b, r.Kconfig[e.Offset:e.Offset+e.Size])
					if order == "" {
						return o.BTF.ByteOrder().Uint64(b)
					}
					return o.BTF.ByteOrder().Uint64(b) >> (64 - 8*min(e.Size, 8))
				}
			}
			t.Errorf("no extern %q", name)
			return 0
		}
		for name, want := range map[string]uint64{
			"LINUX_KERNEL_VERSION": 6<<16 | 1<<8, "LINUX_HAS_BPF_COOKIE": 1, "LINUX_HAS_SYSCALL_WRAPPER": 0, "CONFIG_BPF_SYSCALL": 1,
			"CONFIG_NET": 2, "CONFIG_BPF_JIT": 'y', "CONFIG_HZ": 250, "CONFIG_LOG_BUF_SHIFT": 18, "CONFIG_LODE_NO_SUCH_OPTION": 0,
		} {
			if got := value(name); got != want {
				t.Errorf("%s%s: %d, want %d", name, order, got, want)
			}
		}
	}
}

// Text that is longer than its variable is cut, and that is said.
func TestKconfigCut(t *testing.T) {
	o := open(t, "kconfig")
	for text, findings := range map[string]int{`"` + strings.Repeat("x", 15) + `"`: 0, `"` + strings.Repeat("x", 16) + `"`: 1} {
		o.Env = &fakeEnv{config: map[string]string{"CONFIG_DEFAULT_HOSTNAME": text}}
		r, err := Relocate(o.Input)
		if err != nil {
			t.Fatal(err)
		}
		n := 0
		for _, f := range r.Findings {
			if strings.Contains(f.Text, `"CONFIG_DEFAULT_HOSTNAME" is cut to 15 bytes`) {
				n++
			}
		}
		if n != findings {
			t.Errorf("%s: %v", text, r.Findings)
		}
	}
}

// The layout is by alignment, then size, then name (libbpf's, so that tools
// which read the map by it agree).
func TestKconfigLayout(t *testing.T) {
	o := open(t, "kconfig")
	got := map[string]uint32{}
	for _, e := range o.Externs {
		got[e.Name] = e.Offset
	}
	want := map[string]uint32{
		"CONFIG_LOG_BUF_SHIFT": 0, "CONFIG_HZ": 8, "CONFIG_LODE_NO_SUCH_OPTION": 12, "CONFIG_NET": 16, "LINUX_KERNEL_VERSION": 20,
		"CONFIG_BPF_JIT": 24, "CONFIG_BPF_SYSCALL": 25, "CONFIG_LODE_NO_SUCH_SWITCH": 26, "LINUX_HAS_BPF_COOKIE": 27, "LINUX_HAS_SYSCALL_WRAPPER": 28,
		"CONFIG_DEFAULT_HOSTNAME": 29,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if o.Kconfig.Size != 45 || o.BTF.Type(o.Kconfig.TypeID).Name() != ".kconfig" {
		t.Errorf("layout %+v", o.Kconfig)
	}
}

// A strong option that is not set fails the programs that use it, by name.
func TestKconfigMissing(t *testing.T) {
	o := open(t, "kconfig")
	o.Env = &fakeEnv{config: map[string]string{"CONFIG_HZ": "lots"}}
	r, err := Relocate(o.Input)
	if err != nil {
		t.Fatal(err)
	}
	text := r.Programs[0].Err.Error()
	for _, want := range []string{`"CONFIG_DEFAULT_HOSTNAME"`, "the kernel's configuration does not have it", "declare it __weak", "kconfig.bpf.c:46"} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is not in %s", want, text)
		}
	}
	for _, e := range r.Programs[0].Err.(*ProgramError).Errs {
		var re *RefError
		if !errors.As(e, &re) || re.Record < 0 || r.Records[re.Record].Fate != FateReported {
			t.Errorf("%v is not accounted for", e)
		}
	}
}

func TestKsyms(t *testing.T) {
	o := open(t, "ksyms")
	kernel := types(t, nil, func(b *btf.Builder, i32 btf.TypeID) {
		b.AddVar("bpf_prog_active", b.AddVolatile(i32), btf.LinkageGlobal)
	})
	env := &fakeEnv{kernel: kernel, symbols: map[string][]uint64{"schedule": {0xffffffff81234567}}}
	o.Env = env
	r, err := Relocate(o.Input)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range r.Programs {
		if p.Err != nil {
			t.Errorf("%s: %v", p.Name, p.Err)
		}
	}
	var got []uint64
	for _, c := range r.Programs[0].Changes {
		if c.Kind == ChangeKsym && c.To.Op.IsWide() {
			i := r.Programs[0].Insns[c.Index : c.Index+2]
			got = append(got, uint64(uint32(i[0].Imm))|uint64(uint32(i[1].Imm))<<32)
		}
	}
	slices.Sort(got)
	if diff := cmp.Diff([]uint64{0, 0, 0xffffffff81234567}, got); diff != "" {
		t.Errorf("constants (-want +got):\n%s", diff)
	}
	if i := r.Programs[1].Insns[0]; i.Src() != insn.PseudoBTFID || i.Imm != 3 {
		t.Errorf("typed variable: %+v", i)
	}

	env.symbols["schedule"] = []uint64{1, 2}
	if r, _ = Relocate(o.Input); !errors.Is(r.Programs[0].Err, ErrAmbiguous) || r.Programs[1].Err != nil {
		t.Error(r.Programs[0].Err, r.Programs[1].Err)
	}
	delete(env.symbols, "schedule")
	if r, _ = Relocate(o.Input); !errors.Is(r.Programs[0].Err, ErrUnresolved) || r.Programs[1].Err != nil {
		t.Error(r.Programs[0].Err, r.Programs[1].Err)
	}
	env.kernel = types(t, nil, func(b *btf.Builder, i32 btf.TypeID) { b.AddVar("bpf_prog_active", b.AddPtr(i32), btf.LinkageGlobal) })
	if r, _ = Relocate(o.Input); !errors.Is(r.Programs[1].Err, ErrMismatch) {
		t.Error(r.Programs[1].Err)
	}
}

// A kernel function is found by its essential name in vmlinux or a module; a
// weak one that is missing leaves a call that the verifier must not reach.
func TestKfuncs(t *testing.T) {
	o := open(t, "kfunc")
	vmlinux := types(t, nil, func(b *btf.Builder, i32 btf.TypeID) {
		b.AddFunc("bpf_rcu_read_lock", b.AddFuncProto(0), btf.LinkageStatic)
	})
	module := types(t, vmlinux, func(b *btf.Builder, i32 btf.TypeID) {
		b.AddFunc("bpf_rcu_read_unlock", b.AddFuncProto(0), btf.LinkageStatic)
	})
	env := &fakeEnv{kernel: vmlinux, modules: []Module{{Name: "rcu", BTF: module}}}
	o.Env = env
	r, err := Relocate(o.Input)
	if err != nil {
		t.Fatal(err)
	}
	p := r.Programs[0]
	if p.Err != nil {
		t.Fatal(p.Err)
	}
	want := []BTFRef{{Index: 1, Module: "rcu", Call: true}}
	if diff := cmp.Diff(want, p.BTFRefs); diff != "" {
		t.Errorf("BTF references (-want +got):\n%s", diff)
	}
	for i, id := range []int32{3, 6} {
		if c := p.Insns[i]; c.Src() != insn.PseudoKfuncCall || c.Imm != id {
			t.Errorf("call %d: %+v", i, c)
		}
	}
	poison := 0
	for _, c := range p.Changes {
		if c.Kind == ChangePoison {
			poison++
			n := int(c.To.Imm) - PoisonKfunc
			if c.To.Regs != 0 || n < 0 || n >= len(o.Externs) || o.Externs[n].Name != "lode_no_such_function" {
				t.Errorf("poison %+v", c.To)
			}
		}
	}
	if poison != 1 {
		t.Errorf("%d calls of a missing function", poison)
	}
	env.modules = nil
	if r, _ = Relocate(o.Input); !errors.Is(r.Programs[0].Err, ErrUnresolved) || !strings.Contains(r.Programs[0].Err.Error(), `"bpf_rcu_read_unlock"`) {
		t.Error(r.Programs[0].Err)
	}
}

// Weak, hidden, static and undefined maps.
func TestMaps(t *testing.T) {
	o := open(t, "weakmaps")
	r, err := Relocate(o.Input)
	if err != nil {
		t.Fatal(err)
	}
	p := r.Programs[0]
	var got []string
	for _, m := range p.Maps {
		got = append(got, m.Map)
		if i := p.Insns[m.Index]; i.Src() != insn.PseudoMapFD || i.Imm != 0 || m.Value {
			t.Errorf("reference %+v: %+v", m, i)
		}
	}
	if diff := cmp.Diff([]string{"weak_map", "hidden_map", "plain_map"}, got); p.Err != nil || diff != "" {
		t.Errorf("%v, maps (-want +got):\n%s", p.Err, diff)
	}

	sec := insn.Symbol{Index: 1, Section: 4, SectionName: ".maps"}
	undef := func(name string, bind uint8) insn.Symbol { return insn.Symbol{Index: 2, Name: name, Bind: bind} }
	at := func(off int32) insn.Instruction { return insn.Instruction{Op: insn.OpLdImm64, Imm: off} }
	f := code("main", 0, at(32), half, at(0), half, at(0), half, exit)
	f.Refs = []insn.Ref{ref(0, relWide, sec), ref(2, relWide, undef("elsewhere", 1)), ref(4, relWide, undef("nowhere", stbWeak))}
	maps := []MapSymbol{{Map: "a", Section: 4, Size: 32}, {Map: "b", Section: 4, Offset: 32, Size: 24}, {Map: "injected", Name: "elsewhere"}}
	r, err = Relocate(Input{Programs: []*insn.Func{f}, Maps: maps})
	if err != nil || r.Programs[0].Err != nil {
		t.Fatal(err, r.Programs[0].Err)
	}
	want := []MapRef{{Index: 0, Map: "b"}, {Index: 2, Map: "injected"}}
	if diff := cmp.Diff(want, r.Programs[0].Maps); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if i := r.Programs[0].Insns[4]; i.Src() != 0 || i.Imm != 0 {
		t.Errorf("a weak map that nobody defines is no NULL: %+v", i)
	}
	f.Insns[0].Imm = 40
	if r, _ = Relocate(Input{Programs: []*insn.Func{f}, Maps: maps}); !errors.Is(r.Programs[0].Err, ErrFormat) {
		t.Error(r.Programs[0].Err)
	}
}

// Bytes of data sections, arenas at a place of their own.
func TestData(t *testing.T) {
	sym := func(section int, value uint64) insn.Symbol {
		return insn.Symbol{Index: 1, Section: section, SectionName: ".x", Value: value}
	}
	f := code("main", 0, insn.Instruction{Op: insn.OpLdImm64, Imm: 4}, half, insn.Instruction{Op: insn.OpLdImm64, Imm: -8}, insn.Instruction{Imm: -1}, wide, half, exit)
	f.Refs = []insn.Ref{ref(0, relWide, sym(5, 16)), ref(2, relWide, sym(5, 64)), ref(4, relWide, sym(6, 8))}
	r, err := Relocate(Input{Programs: []*insn.Func{f}, Maps: []MapSymbol{
		{Map: ".data", Section: 5, Size: 64, Data: true}, {Map: "arena", Section: 6, Size: 16, Data: true, Arena: true, Base: 4096},
	}})
	if err != nil || r.Programs[0].Err != nil {
		t.Fatal(err, r.Programs[0].Err)
	}
	p := r.Programs[0]
	want := []MapRef{{0, ".data", true, 20}, {2, ".data", true, 56}, {4, "arena", true, 4104}}
	if diff := cmp.Diff(want, p.Maps); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	for _, m := range p.Maps {
		if i := p.Insns[m.Index : m.Index+2]; i[0].Src() != insn.PseudoMapValue || i[0].Imm != 0 || i[1].Imm != int32(m.Offset) {
			t.Errorf("%+v", i)
		}
	}
	if len(p.Changes) != 6 || p.Changes[0].From.Imm != 4 || p.Changes[0].Record != 0 {
		t.Errorf("changes %+v", p.Changes)
	}
}

// A jump table becomes an instruction array whose entries count from the
// program's start, wherever its function ends up.
func TestJumpTables(t *testing.T) {
	table := make([]byte, 32)
	for i, target := range []uint64{101, 103, 101, 102} {
		nativeOrder().PutUint64(table[8*i:], target*8)
	}
	sub := code("sub", 100, mov0, mov0, mov0, wide, half, exit)
	sym := insn.Symbol{Index: 1, Name: "BPF.JT.0.0", Section: 7, SectionName: ".jumptables", Value: 8, Size: 24}
	sub.Refs = []insn.Ref{ref(3, relWide, sym)}
	in := Input{Programs: []*insn.Func{code("main", 0, call(99), exit)}, Subs: []*insn.Func{sub}, JumpTables: Section{Index: 7, Data: table, Order: nativeOrder()}}
	r, err := Relocate(in)
	if err != nil || r.Programs[0].Err != nil {
		t.Fatal(err, r.Programs[0].Err)
	}
	p := r.Programs[0]
	if diff := cmp.Diff([]JumpTable{{Map: ".jumptables+8", Targets: []uint32{5, 3, 4}}}, p.JumpTables); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if diff := cmp.Diff([]MapRef{{Index: 5, Map: ".jumptables+8", Value: true}}, p.Maps); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	for _, bad := range []uint64{99 * 8, 106 * 8, 101*8 + 4, 1 << 63} {
		nativeOrder().PutUint64(table[16:], bad)
		if r, _ = Relocate(in); !errors.Is(r.Programs[0].Err, ErrRange) {
			t.Errorf("entry %d: %v", bad, r.Programs[0].Err)
		}
	}
}

// A jump table belongs to one function, and all of them together are bounded.
func TestJumpTablesRefused(t *testing.T) {
	sym := insn.Symbol{Index: 1, Name: "BPF.JT.0.0", Section: 7, SectionName: ".jumptables", Size: 16}
	relocate := func(limit int) *Program {
		sub := code("sub", 100, wide, half, exit)
		main := code("main", 0, wide, half, wide, half, call(95), exit)
		sub.Refs = []insn.Ref{ref(0, relWide, sym)}
		main.Refs = []insn.Ref{ref(0, relWide, sym), ref(2, relWide, sym)}
		r, err := Relocate(Input{Programs: []*insn.Func{main}, Subs: []*insn.Func{sub}, Limits: Limits{TotalInsns: limit},
			JumpTables: Section{Index: 7, Data: make([]byte, 16), Order: nativeOrder()}})
		if err != nil {
			t.Fatal(err)
		}
		return r.Programs[0]
	}
	p := relocate(9)
	if pe, ok := p.Err.(*ProgramError); !ok || len(pe.Errs) != 1 || !errors.Is(p.Err, ErrMismatch) || len(p.JumpTables) != 1 || len(p.Maps) != 2 {
		t.Error(p.Err, p.JumpTables, p.Maps)
	}
	sym.Size = 8 * 10
	if p = relocate(9); !errors.Is(p.Err, ErrRange) {
		t.Error(p.Err)
	}
	main := code("main", 0, wide, half, exit)
	main.Refs = []insn.Ref{ref(0, relWide, sym)}
	r, err := Relocate(Input{Programs: []*insn.Func{main}, Limits: Limits{TotalInsns: 9}, JumpTables: Section{Index: 7, Data: make([]byte, 80)}})
	if err != nil || !errors.Is(r.Programs[0].Err, ErrLimit) {
		t.Error(err, r.Programs[0].Err)
	}
}

func TestExceptionCallback(t *testing.T) {
	cb := code("handler", 10, mov0, exit)
	relocate := func(tags ...string) *Program {
		var main btf.TypeID
		s := types(t, nil, func(b *btf.Builder, i32 btf.TypeID) {
			main = b.AddFunc("main", b.AddFuncProto(i32), btf.LinkageGlobal)
			for _, tag := range tags {
				b.AddDeclTag("exception_callback:"+tag, main, -1)
			}
		})
		f := code("main", 0, mov0, exit)
		f.TypeID = uint32(main)
		r, err := Relocate(Input{BTF: s, Programs: []*insn.Func{f}, Subs: []*insn.Func{cb}})
		if err != nil {
			t.Fatal(err)
		}
		return r.Programs[0]
	}
	if p := relocate("handler"); p.Err != nil || len(p.Insns) != 4 || len(p.Funcs) != 2 {
		t.Error(p.Err, p.Insns)
	}
	if p := relocate(); p.Err != nil || len(p.Insns) != 2 {
		t.Error(p.Err, p.Insns)
	}
	if p := relocate("nobody"); !errors.Is(p.Err, ErrUnresolved) {
		t.Error(p.Err)
	}
	if p := relocate("handler", "other"); !errors.Is(p.Err, ErrAmbiguous) {
		t.Error(p.Err)
	}
	cb.Visibility = stvHidden
	if p := relocate("handler"); !errors.Is(p.Err, ErrMismatch) {
		t.Error(p.Err)
	}
}

func TestStructOps(t *testing.T) {
	o := open(t, "structops")
	sec, ok := o.file.SectionByName(".struct_ops")
	if !ok {
		t.Fatal("no .struct_ops")
	}
	local, ok := o.BTF.Find("tcp_congestion_ops", btf.KindStruct)
	if !ok {
		t.Fatal("no tcp_congestion_ops")
	}
	kernel := func(withInit bool) *btf.Spec {
		return types(t, nil, func(b *btf.Builder, i32 btf.TypeID) {
			char := b.AddInt("char", 1, btf.IntSigned)
			name := b.AddArray(char, i32, 16)
			fn := b.AddPtr(b.AddFuncProto(0))
			ms := []btf.Member{member("flags", i32, 0), member("undo_cwnd", fn, 64), member("ssthresh", fn, 128), member("cong_avoid", fn, 192), member("name", name, 256)}
			if withInit {
				ms = append(ms, member("init", fn, 384))
			}
			ops := b.AddStruct("tcp_congestion_ops", 56, ms...)
			b.AddStruct("bpf_struct_ops_tcp_congestion_ops", 128, member("common", i32, 0), member("data", ops, 512))
		})
	}
	in := o.Input
	in.StructOps = []StructOps{{Map: "fixed", TypeID: local.ID(), Data: sec.Data(), Members: []MemberRef{{16, "ssthresh"}, {24, "cong_avoid"}, {32, "init"}, {40, "undo_cwnd"}}}}
	in.Env = &fakeEnv{kernel: kernel(true)}
	got := BindStructOps(&in)[0]
	if got.Err != nil {
		t.Fatal(got.Err)
	}
	if name := string(got.Value[96:106]); name != "lode_fixed" || got.ValueSize != 128 {
		t.Errorf("value %q", got.Value)
	}
	want := []MemberBinding{{"ssthresh", 2, 64 + 16}, {"cong_avoid", 3, 64 + 24}, {"init", 5, 64 + 48}, {"undo_cwnd", 1, 64 + 8}}
	if diff := cmp.Diff(want, got.Members); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	in.Env = &fakeEnv{kernel: kernel(false)}
	if got = BindStructOps(&in)[0]; !errors.Is(got.Err, ErrUnresolved) || !strings.Contains(got.Err.Error(), "program \"init\"") {
		t.Errorf("a program for a member that the kernel lacks: %v", got.Err)
	}
	in.Env = &fakeEnv{kernel: kernel(true)}
	for at, kind := range map[uint32]error{17: ErrFormat, 0: ErrMismatch} { // inside of a member; at one that is no function
		in.StructOps[0].Members[0].Offset = at
		if got = BindStructOps(&in)[0]; !errors.Is(got.Err, kind) {
			t.Errorf("program at byte %d: %v, want %v", at, got.Err, kind)
		}
	}
	in.Env = &fakeEnv{kernel: types(t, nil, func(*btf.Builder, btf.TypeID) {})}
	if got = BindStructOps(&in)[0]; !errors.Is(got.Err, ErrUnresolved) {
		t.Error(got.Err)
	}
}

// Where the configuration cannot be read, weak options read as 0, and that is
// said; strong ones are errors.
func TestKconfigUnreadable(t *testing.T) {
	o := open(t, "kconfig")
	o.Env = &Recorded{KernelVersion: 1, Features: map[string]bool{FeatureBPFCookie: true, FeatureSyscallWrapper: true}}
	r, err := Relocate(o.Input)
	if err != nil {
		t.Fatal(err)
	}
	weak := 0
	for _, f := range r.Findings {
		if strings.Contains(f.Text, "reads as 0") {
			weak++
		}
	}
	if weak != 2 || !errors.Is(r.Programs[0].Err, ErrNoEnv) {
		t.Errorf("%d weak options: %v %v", weak, r.Findings, r.Programs[0].Err)
	}
}
