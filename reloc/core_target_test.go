package reloc

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/lode-bpf/lode/btf"
	"github.com/lode-bpf/lode/insn"
)

// types builds BTF.
func types(t testing.TB, base *btf.Spec, build func(b *btf.Builder, i32 btf.TypeID)) *btf.Spec {
	t.Helper()
	b := btf.NewBuilder(base)
	build(b, b.AddInt("int", 4, btf.IntSigned))
	raw, err := b.Bytes(nativeOrder())
	if err != nil {
		t.Fatal(err)
	}
	s, err := btf.Parse(raw, base)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func member(name string, typ btf.TypeID, bit uint32) btf.Member {
	return btf.Member{Name: name, Type: typ, BitOffset: bit}
}

// fieldOffset relocates `r0 = offset of s.NAME`, where the local struct s has
// only that int.
func fieldOffset(t *testing.T, name string, target *btf.Spec) *Decision {
	t.Helper()
	var b btf.Builder
	i32 := b.AddInt("int", 4, btf.IntSigned)
	root := b.AddStruct("s", 4, member(name, i32, 0))
	in := coreObject(t, &b, root, "0:0", 0, mov0)
	in.Target = target
	ds, _ := CORE(&in)
	return &ds[0]
}

// The place of a member found and given up within a member without a name must
// not count: here anonymous{a of another type} stands before the right a.
func TestCOREAbandonedMember(t *testing.T) {
	target := types(t, nil, func(b *btf.Builder, i32 btf.TypeID) {
		ptr := b.AddPtr(0)
		anon := b.AddStruct("", 16, member("x", i32, 0), member("a", ptr, 64))
		b.AddStruct("s", 64, member("first", i32, 0), member("", anon, 128), member("a", i32, 320))
	})
	if d := fieldOffset(t, "a", target); d.Outcome != OutcomeValue || d.New != 40 {
		t.Error(d)
	}
}

// Many members without a name side by side are no nesting.
func TestCOREBreadthIsNotDepth(t *testing.T) {
	const n = 200
	target := types(t, nil, func(b *btf.Builder, i32 btf.TypeID) {
		var ms []btf.Member
		for i := range uint32(n) {
			ms = append(ms, member("", b.AddUnion("", 4, member(fmt.Sprint("m", i), i32, 0)), 32*i))
		}
		b.AddStruct("s", 4*n, ms...)
	})
	if d := fieldOffset(t, "m199", target); d.Outcome != OutcomeValue || d.New != 4*199 {
		t.Error(d)
	}
}

// Nesting deeper than an access may be is an error, of the program only.
func TestCOREDepth(t *testing.T) {
	nested := func(depth int) *btf.Spec {
		return types(t, nil, func(b *btf.Builder, i32 btf.TypeID) {
			id := b.AddStruct("", 4, member("a", i32, 0))
			for range depth - 2 {
				id = b.AddStruct("", 4, member("", id, 0))
			}
			b.AddStruct("s", 4, member("", id, 0))
		})
	}
	if d := fieldOffset(t, "a", nested(63)); d.Outcome != OutcomeValue {
		t.Error(d)
	}
	if d := fieldOffset(t, "a", nested(65)); !errors.Is(d.Err, ErrLimit) {
		t.Error(d)
	}
}

// A type that contains itself twice at each of 40 levels is looked through once
// at each.
func TestCOREEntangled(t *testing.T) {
	target := types(t, nil, func(b *btf.Builder, i32 btf.TypeID) {
		id := b.AddStruct("", 4, member("z", i32, 0))
		for range 40 {
			id = b.AddUnion("", 4, member("", id, 0), member("", id, 0))
		}
		b.AddStruct("s", 8, member("", id, 0), member("a", i32, 32))
	})
	if d := fieldOffset(t, "a", target); d.Outcome != OutcomeValue || d.New != 4 {
		t.Error(d)
	}
}

// Types that only matching by every combination would tell apart exhaust the
// budget, not the time.
func TestCOREStepLimit(t *testing.T) {
	entangled := func(b *btf.Builder, leaf string, i32 btf.TypeID) btf.TypeID {
		id := b.AddStruct("", 4, member(leaf, i32, 0))
		for range 28 {
			id = b.AddUnion("", 4, member("", id, 0), member("", id, 0), member("", id, 0))
		}
		return b.AddStruct("s", 8, member("", id, 0))
	}
	var b btf.Builder
	root := entangled(&b, "x", b.AddInt("int", 4, btf.IntSigned))
	in := coreObject(t, &b, root, "0", uint32(btf.CORETypeMatches), insn.Instruction{Op: 0xb7, Imm: 1})
	in.Target = types(t, nil, func(b *btf.Builder, i32 btf.TypeID) { entangled(b, "y", i32) })
	in.Limits.CORESteps = 1 << 20
	ds, _ := CORE(&in)
	if !errors.Is(ds[0].Err, ErrLimit) || !strings.Contains(ds[0].Err.Error(), "CORESteps") {
		t.Error(ds[0].String())
	}
}

// What does not fit into an instruction is an error, never cut.
func TestCORERange(t *testing.T) {
	target := types(t, nil, func(b *btf.Builder, i32 btf.TypeID) {
		b.AddStruct("s", 0x90000000, member("a", i32, 8*40000))
	})
	var b btf.Builder
	i32 := b.AddInt("int", 4, 0)
	root := b.AddStruct("s", 4, member("a", i32, 0))
	for _, tt := range []struct {
		name string
		kind btf.COREKind
		acc  string
		ins  insn.Instruction
		want error
	}{
		{"64-bit immediate", btf.CORETypeSize, "0", insn.Instruction{Op: 0xb7, Imm: 4}, ErrRange},
		{"32-bit immediate", btf.CORETypeSize, "0", insn.Instruction{Op: 0xb4, Imm: 4}, nil},
		{"offset of a load", btf.COREFieldByteOffset, "0:0", insn.Instruction{Op: 0x61}, ErrRange},
		{"offset as an immediate", btf.COREFieldByteOffset, "0:0", insn.Instruction{Op: 0x07}, nil},
	} {
		in := coreObject(t, &b, root, tt.acc, uint32(tt.kind), tt.ins)
		in.Target = target
		ds, _ := CORE(&in)
		if d := ds[0]; !errors.Is(d.Err, tt.want) {
			t.Errorf("%s: %s, want error %v", tt.name, &d, tt.want)
		}
	}
}

// A candidate that one record dropped is not looked at again, so that all
// fields of a type come from one layout.
func TestCOREPruning(t *testing.T) {
	target := types(t, nil, func(b *btf.Builder, i32 btf.TypeID) {
		b.AddStruct("s___1", 8, member("a", i32, 0), member("b", i32, 32))
		b.AddStruct("s___2", 8, member("a", i32, 64), member("c", i32, 0))
	})
	local := func(accesses ...string) []Decision {
		var b btf.Builder
		i32 := b.AddInt("int", 4, btf.IntSigned)
		root := b.AddStruct("s", 8, member("a", i32, 0), member("b", i32, 32))
		offs := []uint32{b.AddString("0:0"), b.AddString("0:1")}
		in := coreObject(t, &b, root, "0:0", 0)
		f := in.Programs[0]
		f.Insns, f.CORE = nil, nil
		for i, a := range accesses {
			f.Insns = append(f.Insns, insn.Instruction{Op: 0x07, Imm: int32(4 * strings.Index("ab", a))})
			f.CORE = append(f.CORE, insn.CORE{Index: i, TypeID: uint32(root), AccessOff: offs[strings.Index("ab", a)], Record: i})
		}
		f.Insns = append(f.Insns, exit)
		in.Target = target
		ds, _ := CORE(&in)
		return ds
	}
	if ds := local("a", "b"); !errors.Is(ds[0].Err, ErrAmbiguous) || ds[1].Outcome != OutcomeValue {
		t.Error(ds[0].String(), ds[1].String())
	}
	ds := local("b", "a")
	if ds[0].New != 4 || ds[1].Outcome != OutcomeValue || ds[1].New != 0 {
		t.Error(ds[0].String(), ds[1].String())
	}
	var got []string
	for i := range ds {
		for j := range ds[i].Candidates {
			got = append(got, ds[i].Reason(&ds[i].Candidates[j]))
		}
	}
	want := []string{"matches: 4", "has no member b", "matches: 0", "was dropped by record 0"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// A program that is not to be loaded stands among the subprograms. It gets its
// decisions, but drops no candidate of the programs that are.
func TestCOREPruningNotLoaded(t *testing.T) {
	target := types(t, nil, func(b *btf.Builder, i32 btf.TypeID) {
		b.AddStruct("s___1", 8, member("a", i32, 0), member("b", i32, 32))
		b.AddStruct("s___2", 8, member("a", i32, 64), member("c", i32, 0))
	})
	for section, want := range map[string]error{"xdp": ErrAmbiguous, ".text": nil} {
		var b btf.Builder
		i32 := b.AddInt("int", 4, btf.IntSigned)
		root := b.AddStruct("s", 8, member("a", i32, 0), member("b", i32, 32))
		second := b.AddString("0:1")
		in := coreObject(t, &b, root, "0:0", 0, mov0)
		in.Target = target
		in.Programs[0].CORE[0].Record = 1
		off := code("off", 10, insn.Instruction{Op: 0x07, Imm: 4}, exit)
		off.Section = section
		off.CORE = []insn.CORE{{TypeID: uint32(root), AccessOff: second}}
		in.Subs = []*insn.Func{off}
		ds, _ := CORE(&in)
		if !errors.Is(ds[0].Err, want) || ds[1].Outcome != OutcomeValue || ds[1].New != 4 {
			t.Errorf("%s: %s, %s", section, ds[0].String(), ds[1].String())
		}
	}
}

// Candidates of which a field has different sizes agree on its offset, but not
// on how to load it, whichever is asked first.
func TestCOREAmbiguousSize(t *testing.T) {
	target := types(t, nil, func(b *btf.Builder, i32 btf.TypeID) {
		u32, u64 := b.AddInt("unsigned int", 4, 0), b.AddInt("unsigned long long", 8, 0)
		b.AddStruct("s___1", 8, member("a", u32, 0))
		b.AddStruct("s___2", 8, member("a", u64, 0))
	})
	number, load := insn.Instruction{Op: 0x07}, insn.Instruction{Op: 0x61}
	for _, code := range [][]insn.Instruction{{number, load}, {load, number}} {
		var b btf.Builder
		root := b.AddStruct("s", 4, member("a", b.AddInt("unsigned int", 4, 0), 0))
		in := coreObject(t, &b, root, "0:0", uint32(btf.COREFieldByteOffset), code...)
		f := in.Programs[0]
		f.CORE = append(f.CORE, insn.CORE{Index: 1, TypeID: f.CORE[0].TypeID, AccessOff: f.CORE[0].AccessOff, Record: 1})
		in.Target = target
		ds, _ := CORE(&in)
		for i, d := range ds {
			if want := map[bool]error{true: ErrAmbiguous}[code[i] == load]; !errors.Is(d.Err, want) {
				t.Errorf("%s: %s, want error %v", code[i], &d, want)
			}
		}
	}
}

// Modules are asked only when vmlinux has no type of the name; one that cannot
// be read is in nobody's way.
func TestCOREModules(t *testing.T) {
	vmlinux := types(t, nil, func(b *btf.Builder, i32 btf.TypeID) { b.AddStruct("other", 4, member("a", i32, 0)) })
	module := types(t, vmlinux, func(b *btf.Builder, i32 btf.TypeID) { b.AddStruct("s", 8, member("a", i32, 32)) })
	env := &fakeEnv{kernel: vmlinux, modules: []Module{{Name: "broken", Err: errors.New("24 bytes")}, {Name: "mod", BTF: module}}}
	relocate := func(name string) Decision {
		var b btf.Builder
		i32 := b.AddInt("int", 4, btf.IntSigned)
		root := b.AddStruct(name, 4, member("a", i32, 0))
		in := coreObject(t, &b, root, "0:0", 0, mov0)
		in.Target, in.Env = nil, env
		ds, _ := CORE(&in)
		return ds[0]
	}
	if d := relocate("s"); d.Outcome != OutcomeValue || d.New != 4 || d.Module != "mod" {
		t.Error(d.String())
	}
	if diff := cmp.Diff([]string{"kernel", "modules"}, env.asked); diff != "" {
		t.Error(diff)
	}
	env.asked = nil
	if d := relocate("other"); d.Outcome != OutcomeValue || d.Module != "" {
		t.Error(d.String())
	}
	if diff := cmp.Diff([]string{"kernel"}, env.asked); diff != "" {
		t.Error(diff)
	}
	env.kernel = nil
	if d := relocate("other"); d.Outcome != OutcomeInvalid {
		t.Error(d.String())
	}
}

// Without a kernel, only what does not depend on one can be decided.
func TestCOREWithoutEnvironment(t *testing.T) {
	var b btf.Builder
	i32 := b.AddInt("int", 4, btf.IntSigned)
	root := b.AddStruct("s", 4, member("a", i32, 0))
	in := coreObject(t, &b, root, "0", uint32(btf.CORETypeIDLocal), insn.Instruction{Op: 0xb7, Imm: 12345})
	in.Target = nil
	ds, _ := CORE(&in)
	if d := ds[0]; d.Outcome != OutcomeValue || d.To[0].Imm != int32(root) {
		t.Error(d.String())
	}
	in.Programs[0].CORE[0].Kind = uint32(btf.CORETypeSize)
	if ds, _ = CORE(&in); !errors.Is(ds[0].Err, ErrNoEnv) {
		t.Error(ds[0].String())
	}
}
