package maps

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/lode-bpf/lode/btf"
	"github.com/lode-bpf/lode/elf"
)

// TestMalformed: each definition that contradicts itself is refused with an
// error that says where and why, and what is only odd is a finding.
func TestMalformed(t *testing.T) {
	type verdict struct {
		err     string // part of the error; empty: accepted
		finding string // part of a finding
	}
	notUnderstood := "NotUnderstood: "
	for _, c := range []struct {
		name  string
		build func(o *object)
		verdict
	}{
		{"a good map", func(o *object) { o.add("m", o.hash()...) }, verdict{}},
		{"variable ends after the section", func(o *object) { o.end = 4090; o.add("m", o.hash()...) }, verdict{err: "elf: section \".symtab\": [1]: st_size"}},
		{"variables overlap", func(o *object) { o.add("a", o.hash()...); o.end = 8; o.add("b", o.hash()...) }, verdict{err: `"b": variable overlaps "a"`}},
		{"variable ends after the section, without a symbol", func(o *object) {
			o.maps = o.section(".maps", make([]byte, 64), 0)
			o.btf.AddDatasec(".maps", 64, btf.VarSecinfo{Type: o.btf.AddVar("m", o.structOf(o.hash()...), btf.LinkageGlobal), Offset: 40, Size: 32})
			o.maps = 0
		}, verdict{err: `section ".maps" at 0x28: map "m": variable of 32 bytes ends after its section of 64`}},
		{"variable without a symbol", func(o *object) {
			o.maps = o.section(".maps", make([]byte, 64), 0)
			o.btf.AddDatasec(".maps", 0, btf.VarSecinfo{Type: o.btf.AddVar("m", o.structOf(o.hash()...), btf.LinkageGlobal), Size: 32})
			o.maps = 0
		}, verdict{err: "the section has no symbol"}},
		{"no types for the section", func(o *object) { o.section(".maps", make([]byte, 64), 0) }, verdict{err: "BTF does not describe this section"}},
		{"struct larger than its variable", func(o *object) { o.place("m", o.structOf(o.hash()...), btf.LinkageGlobal, 8) }, verdict{err: "struct has 32 bytes, its variable only 8"}},
		{"sizes whose product overflows", func(o *object) {
			o.add("m", o.uint("type", 1), o.uint("max_entries", 1<<32-1), o.uint("key_size", 1<<31), o.uint("value_size", 1<<31))
		}, verdict{finding: "more memory than a machine has"}},
		{"name with a path", func(o *object) { o.add("../victim", o.hash()...) }, verdict{finding: `"../victim": name is not a C identifier`}},
		{"name of two dots", func(o *object) { o.add("..", o.hash()...) }, verdict{finding: "not a C identifier"}},
		{"name of a terminal's commands", func(o *object) { o.add("\x1b[2J\n", o.hash()...) }, verdict{finding: `"\x1b[2J\n"`}},
		{"variable of type int", func(o *object) { o.place("m", o.int, btf.LinkageGlobal, 8) }, verdict{err: "variable is a INT, want a struct"}},
		{"extern map", func(o *object) { o.place("m", o.structOf(o.hash()...), btf.LinkageExtern, 32) }, verdict{err: "declared extern"}},
		{"static map", func(o *object) { o.place("m", o.structOf(o.hash()...), btf.LinkageStatic, 32) }, verdict{}},
		{"two maps of one name", func(o *object) { o.add("m", o.hash()...); o.add("m", o.hash()...) }, verdict{err: "2 symbols have this name"}},
		{"map named as a section of data", func(o *object) { o.section(".data", []byte{1}, 0); o.add(".data", o.hash()...) }, verdict{err: "a map of this name stands in section"}},
		{"unknown attribute", func(o *object) { o.add("m", append(o.hash(), o.uint("colour", 1))...) }, verdict{err: notUnderstood + `maps: map "m" in section ".maps" (40 bytes): unknown attribute "colour"`}},
		{"no type", func(o *object) { o.add("m", o.uint("max_entries", 1)) }, verdict{err: "map has no type"}},
		{"attribute twice", func(o *object) { o.add("m", append(o.hash(), o.uint("type", 1))...) }, verdict{err: "given twice"}},
		{"number as a type", func(o *object) { o.add("m", attr{"type", o.int}) }, verdict{err: `"type": attribute is a INT, want a pointer to an array`}},
		{"number as a pointer", func(o *object) { o.add("m", o.typ("type", o.int)) }, verdict{err: "attribute points to a INT"}},
		{"key of no size", func(o *object) { o.add("m", o.uint("type", 1), o.typ("key", 0)) }, verdict{err: `"key": size of the type`}},
		{"key and key_size differ", func(o *object) { o.add("m", o.uint("type", 1), o.uint("key_size", 8), o.typ("key", o.int)) }, verdict{err: "size 4 contradicts the 8 given before"}},
		{"values in a hash", func(o *object) { o.add("m", append(o.hash(), o.values(o.int))...) }, verdict{err: "a map of type hash has no initial values"}},
		{"values not last", func(o *object) {
			o.add("m", o.uint("type", 12), o.values(o.structOf(o.hash()...)), o.uint("key_size", 4))
		}, verdict{err: "must be the last member"}},
		{"values of ints", func(o *object) { o.add("m", o.uint("type", 12), o.values(o.int)) }, verdict{err: "elements point to a INT"}},
		{"values with a length", func(o *object) {
			o.add("m", o.uint("type", 12), attr{"values", o.btf.AddArray(o.btf.AddPtr(o.int), o.index, 3)})
		}, verdict{err: "want an array without a length"}},
		{"inner map of itself", func(o *object) {
			outer := o.btf.NextID() + 4
			o.place("m", o.structOf(o.uint("type", 12), attr{"values", o.btf.AddArray(o.btf.AddPtr(outer), o.index, 0)}), btf.LinkageGlobal, 16)
		}, verdict{err: "an inner map cannot have inner maps itself"}},
		{"inner map that is pinned", func(o *object) {
			o.add("m", o.uint("type", 12), o.values(o.structOf(append(o.hash(), o.uint("pinning", 1))...)))
		}, verdict{err: "an inner map cannot be pinned"}},
		{"inner map with an unknown attribute", func(o *object) {
			o.add("m", o.uint("type", 12), o.values(o.structOf(append(o.hash(), o.uint("colour", 1))...)))
		}, verdict{err: notUnderstood}},
		{"map_extra of two values", func(o *object) {
			o.add("m", o.uint("type", 1), attr{"map_extra", o.btf.AddEnum("", 4, false, btf.Enumerator{Name: "a"}, btf.Enumerator{Name: "b"})})
		}, verdict{err: "enumeration has 2 values"}},
		{"too many maps", func(o *object) {
			s := o.structOf(o.uint("type", 1))
			o.maps = o.section(".maps", make([]byte, 8*(MaxMaps+1)), 0)
			for i := range MaxMaps + 1 {
				o.place(fmt.Sprint("m", i), s, btf.LinkageGlobal, 8)
			}
		}, verdict{err: "limit MaxMaps"}},
		{"a section of a foreign loader", func(o *object) {
			n := o.section("maps", make([]byte, 40), 0)
			o.elf.AddSymbol(elf.SymbolDef{Name: "x", Bind: elf.STB_GLOBAL, Type: elf.STT_OBJECT, Section: n, Size: 40})
		}, verdict{err: notUnderstood + `maps: map "x" in section "maps" (40 bytes)`}},
		{"two sections of data of one name", func(o *object) { o.section(".data", []byte{1}, 0); o.section(".data", []byte{2}, 0) }, verdict{finding: "a second section of this name"}},
		{"64 GiB of zeroes", func(o *object) { o.section(".bss", nil, 1<<36) }, verdict{finding: "section of 68719476736 bytes cannot be a map"}},
		{"compressed data", func(o *object) {
			o.elf.AddSection(elf.SectionDef{Name: ".data", Type: elf.SHT_PROGBITS, Flags: elf.SHF_COMPRESSED, Data: make([]byte, 24)})
		}, verdict{err: "elf: "}},
		{"arena data without an arena", func(o *object) { o.section(".addr_space.1", []byte{1}, 0) }, verdict{err: "no map of type arena"}},
		{"arena data for two arenas", func(o *object) {
			o.section(".addr_space.1", []byte{1}, 0)
			o.add("a", o.uint("type", 33), o.uint("max_entries", 1))
			o.add("b", o.uint("type", 33), o.uint("max_entries", 1))
		}, verdict{err: "which of them"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			o := newObject(t)
			c.build(o)
			specs, findings, err := collectFile(o.bytes())
			checkVerdict(t, specs, findings, err, c.err, c.finding)
		})
	}
}

func checkVerdict(t *testing.T, specs []*Spec, findings []Finding, err error, wantErr, wantFinding string) {
	t.Helper()
	text := ""
	if err != nil {
		text = err.Error()
		var n *NotUnderstoodError
		var d *DefinitionError
		switch {
		case errors.As(err, &n):
			text = "NotUnderstood: " + text
		case !errors.As(err, &d) && !strings.HasPrefix(wantErr, "elf: "):
			t.Errorf("error is a %T, want one of this package: %v", err, err)
		}
		if strings.ContainsAny(text, "\x1b\n") {
			t.Errorf("error prints what the file says: %q", text)
		}
		if specs != nil {
			t.Errorf("%d maps beside an error", len(specs))
		}
	}
	if wantErr == "" && err != nil || !strings.Contains(text, wantErr) {
		t.Errorf("error is %q, want %q", text, wantErr)
	}
	found := wantFinding == ""
	for _, f := range findings {
		found = found || strings.Contains(f.String(), wantFinding)
	}
	if !found {
		t.Errorf("findings are %v, want %q", findings, wantFinding)
	}
}

// TestMalformedSlots: initial values that point anywhere but to an element and a
// map or program.
func TestMalformedSlots(t *testing.T) {
	const abs64 = elf.R_BPF_64_ABS64
	for _, c := range []struct {
		name   string
		offset uint64 // of the relocation
		typ    uint32
		target string // symbol
		addend uint64
		err    string // empty: accepted
	}{
		{"an element", 40, abs64, "inner", 0, ""},
		{"the last element", 56, abs64, "inner", 0, ""},
		{"by section and addend", 40, abs64, "maps", 0, ""},
		{"into the middle of a map", 40, abs64, "maps", 8, "does not refer to a map"},
		{"before the elements", 32, abs64, "inner", 0, "is not one of an element"},
		{"between two elements", 44, abs64, "inner", 0, "is not one of an element"},
		{"across the end", 60, abs64, "inner", 0, "is not one of an element"},
		{"in another map", 8, abs64, "inner", 0, "in a map that has no initial values"},
		{"in no map", 128, abs64, "inner", 0, "not inside a map"},
		{"outside of the section", 1 << 20, abs64, "inner", 0, "elf: section \".rel.maps\": [0]: r_offset"},
		{"at the end of all numbers", ^uint64(0) - 7, abs64, "inner", 0, "elf: section \".rel.maps\": [0]: r_offset"},
		{"another type", 40, elf.R_BPF_64_32, "inner", 0, "not one of a pointer"},
		{"the map itself", 40, abs64, "outer", 0, "is the map itself"},
		{"no map", 40, abs64, "other", 0, "does not refer to a map"},
		{"undefined symbol", 40, abs64, "undefined", 0, "not defined in a section"},
		{"wrapping addend", 40, abs64, "inner", ^uint64(0), "outside section"},
	} {
		t.Run(c.name, func(t *testing.T) {
			o := newObject(t)
			o.maps = o.section(".maps", o.sectionWith(c.offset, c.addend), 0)
			symbols := map[string]int{}
			symbols["maps"] = o.elf.AddSymbol(elf.SymbolDef{Type: elf.STT_SECTION, Section: o.maps})
			text := o.section("other", make([]byte, 8), 0)
			symbols["inner"] = 2
			o.add("inner", o.hash()...)
			symbols["outer"] = 3
			in := o.structOf(o.hash()...)
			o.place("outer", o.structOf(o.uint("type", 12), o.values(in)), btf.LinkageGlobal, 32)
			symbols["other"] = o.elf.AddSymbol(elf.SymbolDef{Name: "other", Bind: elf.STB_GLOBAL, Type: elf.STT_OBJECT, Section: text, Size: 8})
			symbols["undefined"] = o.elf.AddSymbol(elf.SymbolDef{Name: "undefined", Bind: elf.STB_GLOBAL})
			o.elf.AddReloc(o.maps, elf.Reloc{Offset: c.offset, Type: c.typ, Symbol: symbols[c.target]})
			specs, findings, err := collectFile(o.bytes())
			checkVerdict(t, specs, findings, err, c.err, "")
			if c.err == "" && err == nil {
				want := fmt.Sprint([]Slot{{Index: uint32(c.offset-40) / 8, Map: "inner"}})
				if got := fmt.Sprint(specs[1].Slots); got != want {
					t.Errorf("slots are %s, want %s", got, want)
				}
			}
		})
	}
}

// sectionWith is a section with an addend in it.
func (o *object) sectionWith(offset, addend uint64) []byte {
	b := make([]byte, 4096)
	if offset <= 4088 {
		o.order.PutUint64(b[offset:], addend)
	}
	return b
}

// TestMalformedDuplicateSlot: two values for one element.
func TestMalformedDuplicateSlot(t *testing.T) {
	o := newObject(t)
	o.add("inner", o.hash()...)
	o.place("outer", o.structOf(o.uint("type", 12), o.values(o.structOf(o.hash()...))), btf.LinkageGlobal, 32)
	for range 2 {
		o.elf.AddReloc(o.maps, elf.Reloc{Offset: 40, Type: elf.R_BPF_64_ABS64, Symbol: 1})
	}
	specs, findings, err := collectFile(o.bytes())
	checkVerdict(t, specs, findings, err, "two relocations for the same bytes", "")
}

// TestClaimed: a section that the caller understands is left alone.
func TestClaimed(t *testing.T) {
	o := newObject(t)
	o.section("maps", make([]byte, 40), 0)
	o.section(".data", []byte{1, 2}, 0)
	specs, _, err := collectFile(o.bytes(), "maps", ".data")
	if err != nil || len(specs) != 0 {
		t.Errorf("%d maps, %v, want none", len(specs), err)
	}
}

// TestOverlappingData: many sections over the same bytes are not copied.
func TestOverlappingData(t *testing.T) {
	o := newObject(t)
	for i := range 8 {
		o.section(fmt.Sprint(".data.x", i), make([]byte, 4096), 0)
	}
	b := o.bytes()
	f, err := elf.Parse(b)
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := Collect(f, nil); err != nil {
		t.Fatal(err)
	}
	// Now all of them over the whole file.
	shoff := o.order.Uint64(b[0x28:])
	for i := 1; i <= 8; i++ {
		o.order.PutUint64(b[shoff+uint64(i)*64+24:], 0)
		o.order.PutUint64(b[shoff+uint64(i)*64+32:], uint64(len(b)))
	}
	if f, err = elf.Parse(b); err != nil {
		t.Fatal(err)
	}
	_, _, err = Collect(f, nil)
	if !errors.Is(err, ErrLimit) || !strings.Contains(err.Error(), "overlap") {
		t.Errorf("error is %v, want one that says they overlap", err)
	}
}
