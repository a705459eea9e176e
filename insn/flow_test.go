package insn

import (
	"encoding/binary"
	"errors"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func assemble(tb testing.TB, code string) []Instruction {
	tb.Helper()
	insns, err := Assemble(code, Verifier)
	if err != nil {
		tb.Fatal(err)
	}
	return insns
}

func TestGraph(t *testing.T) {
	for _, c := range []struct {
		name   string
		code   string
		tables map[int][]int
		want   []Block
	}{
		{name: "straight", code: "r0 = 0\nexit", want: []Block{{Start: 0, End: 2, Reachable: true, Idom: -1}}},
		{name: "if", code: `
			if r1 == 0x0 goto a
			r0 = 0x1
			exit
			a:
			r0 = 2
			exit`,
			want: []Block{
				{Start: 0, End: 1, Succs: []int{2, 1}, Reachable: true, Idom: -1},
				{Start: 1, End: 4, Preds: []int{0}, Reachable: true, Idom: 0},
				{Start: 4, End: 6, Preds: []int{0}, Reachable: true, Idom: 0},
			}},
		{name: "loop", code: `
			r1 = 5
			loop:
			r1 += -1
			may_goto out
			goto loop
			out:
			exit`,
			want: []Block{
				{Start: 0, End: 1, Succs: []int{1}, Reachable: true, Idom: -1},
				{Start: 1, End: 3, Succs: []int{3, 2}, Preds: []int{0, 2}, Reachable: true, Idom: 0},
				{Start: 3, End: 4, Succs: []int{1}, Preds: []int{1}, Reachable: true, Idom: 1},
				{Start: 4, End: 5, Preds: []int{1}, Reachable: true, Idom: 1},
			}},
		{name: "dead code and a wide load at the end of a block", code: `
			goto a
			r0 = 1
			a:
			r1 = 0x5
			b:
			gotol b
			exit`,
			want: []Block{
				{Start: 0, End: 1, Succs: []int{2}, Reachable: true, Idom: -1},
				{Start: 1, End: 2, Succs: []int{2}, Idom: -1},
				{Start: 2, End: 4, Succs: []int{3}, Preds: []int{0, 1}, Reachable: true, Idom: 0},
				{Start: 4, End: 5, Succs: []int{3}, Preds: []int{2, 3}, Reachable: true, Idom: 2},
				{Start: 5, End: 6, Idom: -1},
			}},
		{name: "indirect jump", code: "gotox r1\nr0 = 1\nexit\nr0 = 2\nexit", tables: map[int][]int{0: {3, 1, 3}},
			want: []Block{
				{Start: 0, End: 1, Succs: []int{1, 2}, Reachable: true, Idom: -1},
				{Start: 1, End: 3, Preds: []int{0}, Reachable: true, Idom: 0},
				{Start: 3, End: 5, Preds: []int{0}, Reachable: true, Idom: 0},
			}},
	} {
		t.Run(c.name, func(t *testing.T) {
			g, err := NewGraph(assemble(t, c.code), c.tables)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.want, g.Blocks); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

// Ways out of the code are errors of the graph and problems for Check.
func TestGraphRefuses(t *testing.T) {
	for _, c := range []struct {
		name  string
		code  string
		err   error
		index int
		check bool // whether Check says so, too
	}{
		{"empty", "", ErrRange, 0, false},
		{"runs over the end", "r0 = 0", ErrRange, 0, true},
		{"jump past the end", "exit\ngoto pc+1\nexit", ErrRange, 1, true},
		{"jump before the start", "goto pc-2\nexit", ErrRange, 0, true},
		{"jump far", "gotol pc+2147483647\nexit", ErrRange, 0, true},
		{"branch past the end", "if r1 == 0x0 goto pc+7\nexit", ErrRange, 0, true},
		{"into a wide load", "goto pc+1\nr1 = 0x5\nexit", ErrRange, 0, true},
		{"half a wide load", "exit\ninsn(0x18, 1, 0, 0, 0)", ErrTruncated, 1, true},
		{"indirect jump", "gotox r1\nexit", ErrUnknown, 0, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			code := assemble(t, c.code)
			_, err := NewGraph(code, nil)
			var e *Error
			if !errors.Is(err, c.err) || !errors.As(err, &e) || e.Index != c.index {
				t.Errorf("error %v, want %v at slot %d", err, c.err, c.index)
			}
			found := false
			for e := range Check(code) {
				found = found || errors.Is(e, c.err) && e.Index == c.index
			}
			if found != c.check {
				t.Errorf("Check says so: %v, want %v", found, c.check)
			}
		})
	}
}

func TestCheck(t *testing.T) {
	code := assemble(t, `
		r1 = 5
		insn(0xff, 1, 2, 3, 4)   ; no such opcode
		insn(0xb7, 15, 0, 0, 4)  ; no such register
		insn(0xb7, 1, 0, 9, 4)   ; an offset that means nothing
		insn(0x18, 1, 0, 0, 1)   ; a wide load whose second half has an opcode
		insn(0x05, 0, 0, 0, 1)
		call pc+1#5              ; as in a dump of a loaded program
		exit`)
	var at []int
	for e := range Check(code) {
		if e.Kind != Unknown {
			t.Error(e)
		}
		at = append(at, e.Index)
	}
	if want := []int{1, 2, 3, 4, 6}; !slices.Equal(at, want) {
		t.Errorf("slots %v, want %v", at, want)
	}
	for range Check(code) {
		break // stops
	}
}

// slowDominates is the definition: b cannot be reached without passing a.
func slowDominates(g *Graph, a, b int, without func(from, to int) bool) bool {
	seen := make([]bool, len(g.Blocks))
	stack := []int{}
	if a != 0 {
		stack = append(stack, 0)
	}
	for len(stack) > 0 {
		n := stack[len(stack)-1]
		stack = stack[:len(stack)-1]
		if n == b {
			return false
		}
		if seen[n] {
			continue
		}
		seen[n] = true
		for _, s := range g.Blocks[n].Succs {
			if s != a && !without(n, s) {
				stack = append(stack, s)
			}
		}
	}
	return true
}

// Dominators of random code agree with their definition.
func TestDominators(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for range 300 {
		n := 2 + rng.IntN(30)
		code := make([]Instruction, n, n+1)
		for i := range code {
			target := rng.IntN(n + 1)
			switch rng.IntN(4) {
			case 0:
				code[i] = Instruction{Op: 0xb7}
			case 1:
				code[i] = Instruction{Op: OpJa, Off: int16(target - i - 1)}
			default:
				code[i] = Instruction{Op: 0x15, Off: int16(target - i - 1)}
			}
		}
		code = append(code, Instruction{Op: OpExit})
		g, err := NewGraph(code, nil)
		if err != nil {
			t.Fatal(err)
		}
		never := func(int, int) bool { return false }
		for a := range g.Blocks {
			for b := range g.Blocks {
				if !g.Blocks[a].Reachable || !g.Blocks[b].Reachable {
					if g.Dominates(a, b) {
						t.Errorf("block %d, not reachable, dominates %d", a, b)
					}
					continue
				}
				if got, want := g.Dominates(a, b), slowDominates(g, a, b, never) || a == b; got != want {
					t.Errorf("%v\nblock %d dominates %d: %v, want %v", g.Blocks, a, b, got, want)
				}
				for _, to := range g.Blocks[a].Succs {
					edge := func(from, s int) bool { return from == a && s == to }
					if got, want := g.EdgeDominates(a, to, b), slowDominates(g, -1, b, edge); got != want {
						t.Errorf("%v\nedge %d→%d dominates %d: %v, want %v", g.Blocks, a, to, b, got, want)
					}
				}
			}
		}
	}
}

// A chain of a million blocks, a ladder that is hard on dominators, and a row of
// wide loads take linear time and no stack.
func TestGraphOfLargeCode(t *testing.T) {
	const n = 1 << 20
	chain := make([]Instruction, n)
	for i := range chain {
		chain[i] = Instruction{Op: 0x15, Off: 1}
	}
	chain[n-2], chain[n-1] = Instruction{Op: OpExit}, Instruction{Op: OpExit}
	back := make([]Instruction, 1<<15)
	for i := range back {
		back[i] = Instruction{Op: 0x15, Off: int16(-i - 1)}
	}
	back[len(back)-1] = Instruction{Op: OpExit}
	wide := make([]Instruction, n)
	for i := range wide {
		wide[i] = Instruction{Op: OpLdImm64}
	}
	wide[n-2] = Instruction{Op: OpExit}
	wide[n-1] = Instruction{Op: OpExit}
	for _, code := range [][]Instruction{chain, back, wide} {
		g, err := NewGraph(code, nil)
		if err != nil {
			t.Fatal(err)
		}
		if last := len(g.Blocks) - 1; !g.Dominates(0, g.BlockOf(len(code)-1)) && g.Blocks[last].Reachable {
			t.Error("the entry does not dominate the end")
		}
	}
}

func TestCallees(t *testing.T) {
	code := assemble(t, `
		call bpf_map_lookup_elem
		call pc+3
		r1 = subprog[-5]
		call kernel-function#99 fd_array[2]
		call pc-4#7
		exit`)
	want := []Callee{
		{Index: 0, Kind: Helper, Number: 1},
		{Index: 1, Kind: Function, Target: 5},
		{Index: 2, Kind: Function, Target: -2},
		{Index: 4, Kind: Kfunc, Number: 99},
		{Index: 5, Kind: Function, Target: 2},
	}
	if diff := cmp.Diff(want, slices.Collect(Callees(code))); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func TestReplace(t *testing.T) {
	f := func() *Func {
		return &Func{
			Insns: assemble(t, `
				if r1 == 0x0 goto pc+3
				r1 = 0x5
				call pc+1
				goto pc-5
				exit`),
			Refs:  []Ref{{Index: 1}, {Index: 3}},
			Lines: []Line{{Index: 0, LineCol: 1}, {Index: 3, LineCol: 2}, {Index: 4, LineCol: 3}},
			CORE:  []CORE{{Index: 1}, {Index: 4}},
		}
	}
	nop := Instruction{Op: OpJa}
	for _, c := range []struct {
		name  string
		at, n int
		with  []Instruction
		code  string
		lines []int
		refs  []int
		core  []int
		err   error
	}{
		{name: "nothing", at: 2, code: "if r1 == 0x0 goto pc+3\nr1 = 0x5\ncall pc+1\ngoto pc-5\nexit", err: ErrRange}, // within the wide load
		{name: "insert", at: 3, with: []Instruction{nop, nop},
			code: "if r1 == 0x0 goto pc+5\nr1 = 0x5\ngoto pc+0\ngoto pc+0\ncall pc+1\ngoto pc-7\nexit", lines: []int{0, 5, 6}, refs: []int{1, 5}, core: []int{1, 6}},
		{name: "insert in front", at: 0, with: []Instruction{nop},
			code: "goto pc+0\nif r1 == 0x0 goto pc+3\nr1 = 0x5\ncall pc+1\ngoto pc-6\nexit", lines: []int{1, 4, 5}, refs: []int{2, 4}, core: []int{2, 5}},
		{name: "remove a wide load", at: 1, n: 2,
			code: "if r1 == 0x0 goto pc+1\ncall pc+1\ngoto pc-3\nexit", lines: []int{0, 1, 2}, refs: []int{1}, core: []int{2}},
		{name: "replace a jump's target", at: 4, n: 1, with: []Instruction{nop, {Op: OpExit}},
			code: "if r1 == 0x0 goto pc+3\nr1 = 0x5\ncall pc+1\ngoto pc+0\nexit\nexit", lines: []int{0, 3, 4}, refs: []int{1, 3}, core: []int{1}},
		{name: "a jump into the middle", at: 3, n: 2, with: []Instruction{nop}, err: ErrRange},
		{name: "half a wide load", at: 2, n: 1, err: ErrRange},
		{name: "past the end", at: 5, n: 2, err: ErrRange},
		{name: "too far", at: 3, with: make([]Instruction, 1<<15), err: ErrRange},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, before := f(), f()
			err := got.Replace(c.at, c.n, c.with)
			if !errors.Is(err, c.err) {
				t.Fatalf("error %v, want %v", err, c.err)
			}
			if c.err != nil {
				if diff := cmp.Diff(before, got); diff != "" {
					t.Errorf("changed by a failure (-want +got):\n%s", diff)
				}
				return
			}
			if diff := cmp.Diff(assemble(t, c.code), got.Insns); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
			var lines, refs, core []int
			for _, l := range got.Lines {
				lines = append(lines, l.Index)
			}
			for _, r := range got.Refs {
				refs = append(refs, r.Index)
			}
			for _, r := range got.CORE {
				core = append(core, r.Index)
			}
			if !slices.Equal(lines, c.lines) || !slices.Equal(refs, c.refs) || !slices.Equal(core, c.core) {
				t.Errorf("lines %v, references %v, CO-RE %v; want %v, %v, %v", lines, refs, core, c.lines, c.refs, c.core)
			}
		})
	}
}

// The classes of malformed code: decoding is total, and Check says what is
// wrong.
func TestMalformedCode(t *testing.T) {
	for _, c := range []struct {
		name  string
		code  []byte
		err   error // of Decode
		kinds []Kind
	}{
		{name: "I01 size is not a multiple of 8", code: make([]byte, 15), err: ErrTruncated},
		{name: "I02 wide load in the last slot", code: []byte{0x18, 1, 0, 0, 0, 0, 0, 0}, kinds: []Kind{Truncated}},
		{name: "I02 second slot has an opcode", code: []byte{0x18, 1, 0, 0, 0, 0, 0, 0, 0x95, 0, 0, 0, 0, 0, 0, 0, 0x95, 0, 0, 0, 0, 0, 0, 0}, kinds: []Kind{Unknown}},
		{name: "I03 jump out of range", code: []byte{0x05, 0, 0xff, 0x7f, 0, 0, 0, 0}, kinds: []Kind{Range}},
		{name: "I05 unknown opcode", code: []byte{0xff, 0, 0, 0, 0, 0, 0, 0, 0x95, 0, 0, 0, 0, 0, 0, 0}, kinds: []Kind{Unknown}},
		{name: "I05 register 15", code: []byte{0xb7, 0x0f, 0, 0, 0, 0, 0, 0, 0x95, 0, 0, 0, 0, 0, 0, 0}, kinds: []Kind{Unknown}},
	} {
		t.Run(c.name, func(t *testing.T) {
			code, err := Decode(c.code, binary.LittleEndian)
			if !errors.Is(err, c.err) {
				t.Fatalf("Decode: %v, want %v", err, c.err)
			}
			var got []Kind
			for e := range Check(code) {
				got = append(got, e.Kind)
				if e.Error() == "" || e.Index < 0 {
					t.Errorf("%#v", e)
				}
			}
			if !slices.Equal(got, c.kinds) {
				t.Errorf("Check says %v, want %v", got, c.kinds)
			}
		})
	}
}

// A distance that does not fit is an error and changes nothing.
func TestSetDistance(t *testing.T) {
	for _, c := range []struct {
		code     string
		distance int
		want     string
	}{
		{"goto pc+1", 32767, "goto pc+32767"},
		{"goto pc+1", 32768, ""},
		{"goto pc+1", -32769, ""},
		{"gotol pc+1", 40000, "gotol pc+40000"},
		{"if r1 == 0x5 goto pc+1", -5, "if r1 == 0x5 goto pc-5"},
		{"call pc+1", 1 << 20, "call pc+1048576"},
		{"may_goto pc+1", 2, "may_goto pc+2"},
		{"r1 = 5", 1, ""},
		{"call bpf_map_lookup_elem", 1, ""},
	} {
		i := assemble(t, c.code)[0]
		before := i
		err := i.SetDistance(c.distance)
		if (err == nil) != (c.want != "") || err == nil && i.String() != c.want || err != nil && i != before {
			t.Errorf("%s to %d: %v, %v; want %q", c.code, c.distance, i, err, c.want)
		}
	}
}
