package gen

import (
	"bytes"
	delf "debug/elf"
	"encoding/binary"
	"fmt"
	"testing"

	"github.com/lode-bpf/lode"
	"github.com/lode-bpf/lode/btf"
	"github.com/lode-bpf/lode/elf"
	"github.com/lode-bpf/lode/insn"
)

const seeds = 300

// Every BPF object goes through all that needs no kernel, and nothing is said
// against it.
func TestObjectsAreValid(t *testing.T) {
	orders := map[string]int{}
	for seed := range uint64(seeds) {
		b := New(seed).Object(Profile{})
		o, err := lode.Parse(b, lode.ParseOptions{Name: "gen"})
		if err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		for _, f := range o.Findings {
			t.Errorf("seed %d: %v", seed, f)
		}
		orders[o.File.ByteOrder().String()]++
		r, err := o.RelocateTarget(nil, o.BTF)
		if err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		if n := r.Relocation; n.In != n.Applied+n.Reported+n.Outside || n.Reported != 0 {
			t.Errorf("seed %d: %+v", seed, n.Accounting)
		}
		for _, p := range r.Programs {
			if p.Code == nil || p.Code.Err != nil {
				t.Errorf("seed %d: program %q: %v", seed, p.Name, p.Code.Err)
			}
		}
		compare(t, seed, b)
	}
	for _, order := range []string{"LittleEndian", "BigEndian"} {
		if orders[order] < seeds/4 {
			t.Errorf("%d of %d objects are %s", orders[order], seeds, order)
		}
	}
}

func TestPlainObjectsAreValid(t *testing.T) {
	for seed := range uint64(seeds) {
		b := New(seed).Object(Profile{Plain: true})
		f, err := elf.Parse(b)
		if err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		for _, x := range f.Findings() {
			if x.Field != "e_machine" {
				t.Errorf("seed %d: %v", seed, x)
			}
		}
		compare(t, seed, b)
	}
}

// compare wants the standard library to see as many sections and symbols.
func compare(t *testing.T, seed uint64, b []byte) {
	t.Helper()
	ours, err := elf.Parse(b)
	if err != nil {
		t.Fatal(err)
	}
	theirs, err := delf.NewFile(bytes.NewReader(b))
	if err != nil {
		t.Fatalf("seed %d: debug/elf: %v", seed, err)
	}
	if len(theirs.Sections) != ours.NumSections() {
		t.Errorf("seed %d: debug/elf has %d sections, elf %d", seed, len(theirs.Sections), ours.NumSections())
	}
	symbols, err := theirs.Symbols()
	if err == delf.ErrNoSymbols && ours.NumSymbols() == 0 {
		return
	}
	if err != nil || len(symbols)+1 != ours.NumSymbols() {
		t.Errorf("seed %d: debug/elf has %d symbols, %v; elf %d", seed, len(symbols), err, ours.NumSymbols())
	}
}

// A profile decides what it names and leaves the rest.
func TestProfile(t *testing.T) {
	for seed := range uint64(50) {
		o, err := lode.Parse(New(seed).Object(Profile{Programs: 3, Maps: 5, NoCORE: true, ByteOrder: binary.BigEndian}), lode.ParseOptions{Name: "gen"})
		if err != nil {
			t.Fatal(err)
		}
		maps := 0
		for _, m := range o.Maps {
			if !m.Internal {
				maps++
			}
		}
		if len(o.Programs) != 3 || maps != 5 || o.Ext.NumCORE() != 0 || o.File.ByteOrder() != binary.BigEndian {
			t.Errorf("seed %d: %d programs, %d maps, %d CO-RE records, %v", seed, len(o.Programs), maps, o.Ext.NumCORE(), o.File.ByteOrder())
		}
		f, err := elf.Parse(New(seed).Object(Profile{NoBTF: true}))
		if err != nil {
			t.Fatal(err)
		}
		if _, ok := f.SectionByName(".BTF"); ok {
			t.Errorf("seed %d: .BTF in an object without", seed)
		}
		for _, class := range []elf.Class{elf.ELFCLASS32, elf.ELFCLASS64} {
			if f, err := elf.Parse(New(seed).Object(Profile{Plain: true, Class: class})); err != nil || f.Class() != class {
				t.Errorf("seed %d: want %v, %v", seed, class, err)
			}
		}
	}
}

// BTF has every kind sooner or later, and sizes are what the types say.
func TestBTFIsValid(t *testing.T) {
	kinds := map[btf.Kind]bool{}
	for seed := range uint64(seeds) {
		s, err := btf.Parse(New(seed).BTF(nil), nil)
		if err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		if len(s.Findings()) != 0 {
			t.Errorf("seed %d: %v", seed, s.Findings())
		}
		for typ := range s.Types() {
			kinds[typ.Kind()] = true
			for i, m := range typ.Members() {
				size, err := s.SizeOf(m.Type)
				if err != nil || uint64(m.BitOffset/8)+size > uint64(typ.Size()) && m.BitSize == 0 {
					t.Errorf("seed %d: type %d member %d: size %d, %v", seed, typ.ID(), i, size, err)
				}
			}
		}
	}
	for k := btf.KindInt; k <= btf.KindEnum64; k++ {
		if !kinds[k] {
			t.Errorf("no %v", k)
		}
	}
}

// Code has every form that needs no loader, and nothing wrong in it.
func TestInsnsAreValid(t *testing.T) {
	forms := map[string]bool{}
	for seed := range uint64(seeds) {
		code := New(seed).Insns(50)
		for e := range insn.Check(code) {
			t.Errorf("seed %d: %v", seed, e)
		}
		for _, i := range code {
			if f, ok := i.Form(); ok {
				forms[fmt.Sprint(f.Op, f.Name)] = true
			}
		}
	}
	for _, f := range usable {
		if !forms[fmt.Sprint(f.Op, f.Name)] {
			t.Errorf("never made %s (%#x)", f.Name, f.Op)
		}
	}
}

func TestDeterministic(t *testing.T) {
	all := func(seed uint64) []byte {
		g := New(seed)
		b := g.Object(Profile{})
		b = append(b, g.Object(Profile{Plain: true})...)
		b = append(b, g.BTF(nil)...)
		return insn.Append(b, g.Insns(20), binary.LittleEndian)
	}
	for seed := range uint64(20) {
		if !bytes.Equal(all(seed), all(seed)) {
			t.Errorf("seed %d gives two results", seed)
		}
		if bytes.Equal(all(seed), all(seed+1)) {
			t.Errorf("seeds %d and %d give the same", seed, seed+1)
		}
	}
}

func BenchmarkObject(b *testing.B) {
	g := New(1)
	n := 0
	for b.Loop() {
		n += len(g.Object(Profile{}))
	}
	b.SetBytes(int64(n / b.N))
}
