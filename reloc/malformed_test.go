package reloc

import (
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/lode-bpf/lode/btf"
	"github.com/lode-bpf/lode/insn"
)

var (
	exit = insn.Instruction{Op: insn.OpExit}
	mov0 = insn.Instruction{Op: 0xb7}
	wide = insn.Instruction{Op: insn.OpLdImm64, Regs: insn.Regs(1, 0)}
	half = insn.Instruction{}
)

func call(imm int32) insn.Instruction {
	return insn.Instruction{Op: insn.OpCall, Regs: insn.Regs(0, insn.PseudoCall), Imm: imm}
}

// code is a function of the section with index 1, named ".text".
func code(name string, offset int, insns ...insn.Instruction) *insn.Func {
	return &insn.Func{Name: name, Section: ".text", SectionIndex: 1, Offset: offset, Bind: 1, Insns: insns}
}

func ref(index int, typ uint32, s insn.Symbol) insn.Ref {
	return insn.Ref{Index: index, Type: typ, Symbol: s, RelSection: 9, Record: index}
}

var (
	dataSym = insn.Symbol{Index: 1, Name: "data", Section: 5, SectionName: ".data"}
	textSym = insn.Symbol{Index: 2, Section: 1, SectionName: ".text"}
	noSym   = insn.Symbol{}
)

// relocateOne relocates one program, which gets refs, with a data section.
func relocateOne(t *testing.T, f *insn.Func, refs []insn.Ref, subs ...*insn.Func) *Result {
	t.Helper()
	f.Refs = refs
	r, err := Relocate(Input{Programs: []*insn.Func{f}, Subs: subs, Maps: []MapSymbol{{Map: ".data", Section: 5, Size: 64, Data: true}}})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// TestMalformedRelocations are the classes R01 to R11 as far as they get here:
// each is an error of the program, and the record is reported.
func TestMalformedRelocations(t *testing.T) {
	with := func(r insn.Ref, change func(*insn.Ref)) insn.Ref {
		change(&r)
		return r
	}
	good := ref(1, relWide, dataSym)
	tests := []struct {
		name  string
		insns []insn.Instruction
		refs  []insn.Ref
		kind  error
		text  string
	}{
		{"R01 past the end", []insn.Instruction{mov0, exit}, []insn.Ref{ref(2, relWide, dataSym)}, ErrFormat, "outside the function"},
		{"R01 before the beginning", []insn.Instruction{mov0, exit}, []insn.Ref{ref(-1, relWide, dataSym)}, ErrFormat, "outside the function"},
		{"R03 no symbol", []insn.Instruction{mov0, wide, half, exit}, []insn.Ref{ref(1, relWide, noSym)}, ErrFormat, "without a symbol"},
		{"R03 reserved section", []insn.Instruction{mov0, wide, half, exit}, []insn.Ref{ref(1, relWide, insn.Symbol{Index: 3, Name: "abs", Section: 0xfff1})}, ErrUnresolved, "section index 65521"},
		{"R05 second slot", []insn.Instruction{mov0, wide, half, exit}, []insn.Ref{ref(2, relWide, dataSym)}, ErrFormat, "second slot"},
		{"R06 on exit", []insn.Instruction{mov0, exit}, []insn.Ref{ref(1, relWide, dataSym)}, ErrFormat, "refers to nothing"},
		{"R06 on a helper call", []insn.Instruction{{Op: insn.OpCall, Imm: 1}, exit}, []insn.Ref{ref(0, relCall, textSym)}, ErrFormat, "call of a helper"},
		{"R08 two records", []insn.Instruction{mov0, wide, half, exit}, []insn.Ref{good, good}, ErrFormat, "more than one"},
		{"R09 addend overflow", []insn.Instruction{call(-1), exit}, []insn.Ref{ref(0, relCall, insn.Symbol{Index: 2, Section: 1, Value: math.MaxUint64 - 7})}, ErrRange, "out of range"},
		{"R09 negative target", []insn.Instruction{call(math.MinInt32), exit}, []insn.Ref{ref(0, relCall, textSym)}, ErrRange, "out of range"},
		{"R09 behind the section", []insn.Instruction{call(math.MaxInt32), exit}, []insn.Ref{ref(0, relCall, textSym)}, ErrUnresolved, "there is no function"},
		{"R09 data addend", []insn.Instruction{mov0, {Op: insn.OpLdImm64, Imm: -1}, half, exit}, []insn.Ref{good}, ErrRange, "outside the section"},
		{"R09 data behind the section", []insn.Instruction{mov0, {Op: insn.OpLdImm64, Imm: 65}, half, exit}, []insn.Ref{good}, ErrUnresolved, "neither map nor data"},
		{"R09 64-bit addend", []insn.Instruction{mov0, wide, {Imm: 1}, exit}, []insn.Ref{good}, ErrRange, "more than 32 bits"},
		{"R09 64-bit function address", []insn.Instruction{mov0, {Op: insn.OpLdImm64, Imm: 100 * 8}, {Imm: 1}, exit}, []insn.Ref{ref(1, relWide, textSym)}, ErrRange, "out of range"},
		{"R10 middle of a function", []insn.Instruction{call(100), exit}, []insn.Ref{ref(0, relCall, textSym)}, ErrFormat, `into the middle of function "callee" (its instruction 1)`},
		{"R10 pointer into the middle", []insn.Instruction{mov0, {Op: insn.OpLdImm64, Imm: 101 * 8}, half, exit}, []insn.Ref{ref(1, relWide, textSym)}, ErrFormat, "into the middle"},
		{"R11 RELA addend", []insn.Instruction{mov0, wide, half, exit}, []insn.Ref{with(good, func(r *insn.Ref) { r.Addend = -1 })}, ErrFormat, "explicit addend"},
		{"R11 unknown type", []insn.Instruction{mov0, wide, half, exit}, []insn.Ref{ref(1, 77, dataSym)}, ErrFormat, "relocation type 77"},
		{"R11 NODYLD32 in code", []insn.Instruction{mov0, wide, half, exit}, []insn.Ref{ref(1, 4, dataSym)}, ErrFormat, "relocation type 4"},
		{"R11 call type on a wide load", []insn.Instruction{mov0, wide, half, exit}, []insn.Ref{ref(1, relCall, dataSym)}, ErrFormat, "relocation type 10"},
		{"call of data", []insn.Instruction{call(-1), exit}, []insn.Ref{ref(0, relCall, dataSym)}, ErrUnresolved, "there is no function"},
		{"undefined symbol", []insn.Instruction{call(-1), exit}, []insn.Ref{ref(0, relCall, insn.Symbol{Index: 4, Name: "nowhere", Bind: 1})}, ErrUnresolved, `"nowhere": the symbol is not defined`},
		{"odd address", []insn.Instruction{mov0, {Op: insn.OpLdImm64, Imm: 4}, half, exit}, []insn.Ref{ref(1, relWide, textSym)}, ErrRange, "multiple of 8"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			callee := code("callee", 100, mov0, exit)
			r := relocateOne(t, code("main", 0, tt.insns...), tt.refs, callee)
			err := r.Programs[0].Err
			if !errors.Is(err, tt.kind) || !strings.Contains(err.Error(), tt.text) {
				t.Errorf("error %v, want kind %v and %q", err, tt.kind, tt.text)
			}
			if r.Reported == 0 || r.In != r.Applied+r.Reported+r.Outside {
				t.Errorf("accounting %+v", r.Accounting)
			}
		})
	}
}

// TestMalformedR08Many: 100,000 records for one instruction take no longer than
// a pass over them.
func TestMalformedR08Many(t *testing.T) {
	refs := make([]insn.Ref, 100_000)
	for i := range refs {
		refs[i] = ref(0, relWide, dataSym)
		refs[i].Record = i
	}
	r := relocateOne(t, code("main", 0, wide, half, exit), refs)
	if r.In != 100_000 || r.Reported != 99_999 || r.Applied != 1 {
		t.Errorf("accounting %+v", r.Accounting)
	}
}

// TestMalformedInstructions are the classes I01 and I02.
func TestMalformedInstructions(t *testing.T) {
	for name, insns := range map[string][]insn.Instruction{
		"I01 wide load in the last slot":     {mov0, wide},
		"I02 wide load cut in half":          {mov0, wide, exit},
		"I02 wide load with a reference cut": {wide, exit, exit},
	} {
		t.Run(name, func(t *testing.T) {
			var refs []insn.Ref
			if insns[0].Op.IsWide() {
				refs = []insn.Ref{ref(0, relWide, dataSym)}
			}
			r := relocateOne(t, code("main", 0, insns...), refs)
			if err := r.Programs[0].Err; !errors.Is(err, ErrFormat) || !strings.Contains(err.Error(), "second slot") {
				t.Error(err)
			}
		})
	}
}

// TestMalformedI04 is recursion: the cycle is reported with its names.
func TestMalformedI04(t *testing.T) {
	self := relocateOne(t, code("main", 0, call(-1), exit), nil)
	a, b := code("a", 10, call(9), exit), code("b", 20, call(-11), exit)
	pair := relocateOne(t, code("main", 0, call(9), exit), nil, a, b)
	for _, tt := range []struct {
		r    *Result
		want []string
	}{{self, []string{"main"}}, {pair, []string{"a", "b"}}} {
		var c *CycleError
		if err := tt.r.Programs[0].Err; !errors.As(err, &c) || !errors.Is(err, ErrCycle) {
			t.Fatal(err)
		}
		if diff := cmp.Diff(tt.want, c.Funcs); diff != "" {
			t.Error(diff)
		}
	}
	want := `program "main": reloc: instruction 0 of "b" (".text"+0xa0): recursion: "a" calls "b" calls "a"; the kernel does not allow recursion: use a loop or bpf_loop`
	if got := pair.Programs[0].Err.Error(); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

// A function whose address is taken, by itself or by what it calls, is no
// recursion: a timer's callback sets itself again.
func TestPointerIsNoRecursion(t *testing.T) {
	cb := code("callback", 10, wide, half, call(6), exit)
	cb.Refs = []insn.Ref{ref(0, relWide, insn.Symbol{Index: 2, Section: 1, Value: 80})}
	helper := code("helper", 19, wide, half, exit)
	helper.Refs = []insn.Ref{ref(0, relWide, insn.Symbol{Index: 2, Section: 1, Value: 80})}
	r := relocateOne(t, code("main", 0, wide, half, exit), []insn.Ref{ref(0, relWide, insn.Symbol{Index: 2, Section: 1, Value: 80})}, cb, helper)
	p := r.Programs[0]
	if p.Err != nil {
		t.Fatal(p.Err)
	}
	pf := func(imm int32) insn.Instruction {
		return insn.Instruction{Op: insn.OpLdImm64, Regs: insn.Regs(1, insn.PseudoFunc), Imm: imm}
	}
	want := []insn.Instruction{pf(2), half, exit, pf(-1), half, call(1), exit, pf(-5), half, exit}
	if diff := cmp.Diff(want, p.Insns); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// TestMalformedI06 is a chain of 100,000 subprograms.
func TestMalformedI06(t *testing.T) {
	const n = 100_000
	subs := make([]*insn.Func, n)
	for i := range subs {
		subs[i] = code(fmt.Sprint("f", i), 2+2*i, call(0), exit)
		subs[i].Insns[0].Imm = 1 // the function that follows
	}
	subs[n-1].Insns[0] = mov0
	r := relocateOne(t, code("main", 0, call(1), exit), nil, subs...)
	var l *LimitError
	if err := r.Programs[0].Err; !errors.As(err, &l) || l.Limit != "Subprograms" || l.Max != 256 {
		t.Fatal(err)
	}
}

// TestMalformedI07 is 2,000 programs that call one function of 20,000
// instructions: 40 million instructions of a small file.
func TestMalformedI07(t *testing.T) {
	big := code("big", 100_000)
	big.Insns = make([]insn.Instruction, 20_000)
	for i := range big.Insns {
		big.Insns[i] = mov0
	}
	in := Input{Subs: []*insn.Func{big}}
	for i := range 2000 {
		in.Programs = append(in.Programs, code(fmt.Sprint("p", i), 10*i, call(int32(100_000-10*i-1)), exit))
	}
	start := time.Now()
	r, err := Relocate(in)
	if err != nil {
		t.Fatal(err)
	}
	total, limited := 0, 0
	for _, p := range r.Programs {
		total += len(p.Insns)
		if errors.Is(p.Err, ErrLimit) {
			limited++
		} else if p.Err != nil {
			t.Fatal(p.Err)
		}
	}
	if total > 4_000_000 || total < 3_900_000 || limited < 1800 {
		t.Errorf("%d instructions, %d programs over the limit", total, limited)
	}
	t.Logf("%v", time.Since(start))
}

// coreObject is a program of one instruction with one CO-RE record, of an object
// with the given types, of which root is accessed.
func coreObject(t *testing.T, b *btf.Builder, root btf.TypeID, access string, kind uint32, ins ...insn.Instruction) Input {
	t.Helper()
	off := b.AddString(access)
	raw, err := b.Bytes(nativeOrder())
	if err != nil {
		t.Fatal(err)
	}
	s, err := btf.Parse(raw, nil)
	if err != nil {
		t.Fatal(err)
	}
	f := code("main", 0, append(ins, exit)...)
	f.CORE = []insn.CORE{{TypeID: uint32(root), AccessOff: off, Kind: kind}}
	return Input{BTF: s, Target: s, Programs: []*insn.Func{f}}
}

// TestMalformedCORE are the classes X05 to X07 and their like.
func TestMalformedCORE(t *testing.T) {
	steps := func(n int) string { return strings.TrimSuffix(strings.Repeat("0:", n), ":") }
	tests := []struct {
		name   string
		access string
		kind   uint32
		want   error
		text   string
	}{
		{"X05 a million steps", steps(1_000_000), 0, ErrLimit, "more than 64 steps"},
		{"X05 65 steps", steps(65), 0, ErrLimit, "more than 64 steps"},
		{"X06 negative", "-1:0", 0, ErrFormat, "not a list of numbers"},
		{"X06 huge", "0:99999999999", 0, ErrFormat, "not a list of numbers"},
		{"X06 empty", "", 0, ErrFormat, "not a list of numbers"},
		{"X06 ends with a colon", "0:", 0, ErrFormat, "not a list of numbers"},
		{"X06 begins with a colon", ":0", 0, ErrFormat, "not a list of numbers"},
		{"X06 sign", "+0:0", 0, ErrFormat, "not a list of numbers"},
		{"X06 space", "0: 0", 0, ErrFormat, "not a list of numbers"},
		{"X06 member out of range", "0:9", 0, ErrFormat, "member 9 of a type with 3"},
		{"X06 member far out of range", "0:2147483647", 0, ErrFormat, "member 2147483647"},
		{"X06 element out of range", "0:1:4", 0, ErrFormat, "element 4 of an array of 4"},
		{"X06 step into an int", "0:0:0", 0, ErrFormat, "no members (INT)"},
		{"X06 far element", "2147483647:0", 0, ErrMismatch, "where the compiler put"},
		{"X06 type with a path", "0:0", 8, ErrFormat, "accesses nothing"},
		{"X06 enumerator of a struct", "0", 10, ErrFormat, "names no enumerator"},
		{"X07 kind 99", "0:0", 99, ErrUnsupported, "unknown kind 99"},
		{"signed of an element", "0:1:2", 3, ErrUnsupported, "array element"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var b btf.Builder
			i32 := b.AddInt("int", 4, btf.IntSigned)
			arr := b.AddArray(i32, i32, 4)
			inner := b.AddStruct("inner", 4, btf.Member{Name: "x", Type: i32})
			root := b.AddStruct("s", 24, btf.Member{Name: "a", Type: i32}, btf.Member{Name: "v", Type: arr, BitOffset: 32}, btf.Member{Type: inner, BitOffset: 160})
			in := coreObject(t, &b, root, tt.access, tt.kind, mov0)
			r, err := Relocate(in)
			if err != nil {
				t.Fatal(err)
			}
			err = r.Programs[0].Err
			if !errors.Is(err, tt.want) || !strings.Contains(err.Error(), tt.text) {
				t.Errorf("error %v, want kind %v and %q", err, tt.want, tt.text)
			}
			if r.Accounting != (Accounting{In: 1, Reported: 1}) {
				t.Errorf("accounting %+v", r.Accounting)
			}
		})
	}
}

// TestMalformedCOREInstruction: a record for an instruction that cannot take the
// value is an error, whatever the target.
func TestMalformedCOREInstruction(t *testing.T) {
	big := insn.Instruction{Op: 0xb7, Imm: 1}
	tests := []struct {
		name string
		ins  []insn.Instruction
		at   int
		kind error
		text string
	}{
		{"no such instruction", []insn.Instruction{mov0}, 7, ErrRange, "no such instruction"},
		{"negative", []insn.Instruction{mov0}, -1, ErrRange, "no such instruction"},
		{"exit", nil, 0, ErrFormat, "takes no value"},
		{"register source", []insn.Instruction{{Op: 0xbf}}, 0, ErrFormat, "no immediate"},
		{"another immediate", []insn.Instruction{big}, 0, ErrMismatch, "has 1 where the compiler put 0"},
		{"another offset", []insn.Instruction{{Op: 0x61, Off: 3}}, 0, ErrMismatch, "has 3 where the compiler put 0"},
		{"map load", []insn.Instruction{{Op: 0x18, Regs: insn.Regs(1, 1)}, half}, 0, ErrFormat, "takes no value"},
		{"half a load", []insn.Instruction{{Op: 0x18}}, 0, ErrFormat, "without its second slot"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var b btf.Builder
			i32 := b.AddInt("int", 4, btf.IntSigned)
			root := b.AddStruct("s", 4, btf.Member{Name: "a", Type: i32})
			in := coreObject(t, &b, root, "0:0", 0, tt.ins...)
			in.Programs[0].CORE[0].Index = tt.at
			r, err := Relocate(in)
			if err != nil {
				t.Fatal(err)
			}
			if err := r.Programs[0].Err; !errors.Is(err, tt.kind) || !strings.Contains(err.Error(), tt.text) {
				t.Errorf("error %v, want kind %v and %q", err, tt.kind, tt.text)
			}
		})
	}
}

// Errors of a function that many programs call are not listed in each of them.
func TestManyErrorsManyPrograms(t *testing.T) {
	sub := code("sub", 100_000, wide, half, exit)
	for i := range 50_000 {
		r := ref(0, relWide, dataSym)
		r.Record = i
		sub.Refs = append(sub.Refs, r)
		sub.CORE = append(sub.CORE, insn.CORE{Index: 0, Record: i})
	}
	in := Input{Subs: []*insn.Func{sub}, Maps: []MapSymbol{{Map: ".data", Section: 5, Size: 64, Data: true}}}
	for i := range 2000 {
		in.Programs = append(in.Programs, code(fmt.Sprint("p", i), 10*i, call(int32(100_000-10*i-1)), exit))
	}
	r, err := Relocate(in)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range r.Programs {
		pe, ok := p.Err.(*ProgramError)
		if !ok || len(pe.Errs) != 2*maxErrs || pe.More != 99_999-2*maxErrs {
			t.Fatalf("%v", p.Err)
		}
	}
	if r.Accounting != (Accounting{In: 100_000, Applied: 1, Reported: 99_999}) {
		t.Errorf("%+v", r.Accounting)
	}
}
