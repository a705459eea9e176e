package reloc

import (
	"fmt"
	"math"
	"slices"
	"sort"

	"github.com/lode-bpf/lode/insn"
)

// Classes and sizes of opcodes (RFC 9669, section 3.1 and 5).
const (
	classLD    = 0
	classLDX   = 1
	classST    = 2
	classSTX   = 3
	classALU   = 4
	classALU64 = 7

	srcReg   = 0x08 // BPF_X
	sizeMask = 0x18
)

// Sizes of loads and stores, by bits 3 and 4 of the opcode.
var memSizes = [4]uint64{4, 2, 1, 8}

// patch decides what becomes of the instruction of d.
func patch(d *Decision, r result) error {
	d.Old, d.New = r.local.v, r.target.v
	d.Outcome = OutcomeValue
	if r.absent {
		d.Outcome = OutcomeAbsent
	}
	d.To = d.From
	if r.poison {
		d.poison()
		return nil
	}
	switch class := d.From[0].Op & 7; class {
	case classALU, classALU64:
		return d.patchALU(r, class == classALU64)
	case classLDX, classST, classSTX:
		return d.patchMem(r)
	case classLD:
		return d.patchWide(r)
	}
	return specError(ErrFormat, fmt.Sprintf("opcode %#02x takes no value", uint8(d.From[0].Op)))
}

func (d *Decision) poison() {
	d.Outcome = OutcomePoison
	d.To[0] = insn.Instruction{Op: insn.OpCall, Imm: PoisonCORE}
	if d.From[0].Op.IsWide() {
		d.To[1] = d.To[0]
	}
}

func (d *Decision) unexpected(have int64) error {
	return specError(ErrMismatch, fmt.Sprintf("the instruction has %d where the compiler put %d", have, int64(d.Old)))
}

// patchALU writes an immediate, which the processor extends by its sign to 64
// bits for 64-bit operations.
func (d *Decision) patchALU(r result, wide bool) error {
	from := d.From[0]
	fits := int64(d.New) == int64(int32(d.New)) || !wide && d.New <= math.MaxUint32
	switch {
	case from.Op&srcReg != 0:
		return specError(ErrFormat, fmt.Sprintf("opcode %#02x has no immediate", uint8(from.Op)))
	case r.local.validate && uint64(int64(from.Imm)) != d.Old && !(!wide && uint64(uint32(from.Imm)) == d.Old):
		return d.unexpected(int64(from.Imm))
	case !fits:
		return specError(ErrRange, fmt.Sprintf("value %#x does not fit into the immediate", d.New))
	}
	d.To[0].Imm = int32(uint32(d.New))
	return nil
}

// patchMem writes the offset of a load or store, and its size if the field has
// another one in the target.
func (d *Decision) patchMem(r result) error {
	from := d.From[0]
	switch {
	case r.local.validate && uint64(int64(from.Off)) != d.Old:
		return d.unexpected(int64(from.Off))
	case d.New > math.MaxInt16:
		return specError(ErrRange, fmt.Sprintf("offset %d does not fit into the instruction", d.New))
	case r.sizes:
		return specError(ErrAmbiguous, "the candidates' sizes differ")
	case r.noResize:
		d.NoResize = true
		d.poison()
		return nil
	}
	d.To[0].Off = int16(d.New)
	if !r.resize {
		return nil
	}
	if have := memSizes[from.Op&sizeMask>>3]; have != r.local.size {
		return specError(ErrMismatch, fmt.Sprintf("the instruction accesses %d bytes of a field of %d", have, r.local.size))
	}
	bits := slices.Index(memSizes[:], r.target.size)
	if bits < 0 {
		return specError(ErrRange, fmt.Sprintf("no instruction accesses %d bytes", r.target.size))
	}
	d.To[0].Op = from.Op&^sizeMask | insn.Opcode(bits)<<3
	d.Resized = true
	return nil
}

func (d *Decision) patchWide(r result) error {
	lo, hi := d.From[0], d.From[1]
	if !lo.Op.IsWide() || lo.Src() != 0 || lo.Off != 0 || hi.Op != 0 || hi.Regs != 0 || hi.Off != 0 {
		return specError(ErrFormat, fmt.Sprintf("opcode %#02x takes no value", uint8(lo.Op)))
	}
	have := uint64(uint32(lo.Imm)) | uint64(uint32(hi.Imm))<<32
	if r.local.validate && have != d.Old {
		return d.unexpected(int64(have))
	}
	d.To[0].Imm, d.To[1].Imm = int32(uint32(d.New)), int32(uint32(d.New>>32))
	return nil
}

// Apply writes decisions into linked programs, in each of them once for every
// function that it has. A program with a decision that is invalid gets it as
// Err. Decisions may be changed before, or taken out.
func Apply(in *Input, programs []*Program, decisions []Decision) {
	newIndex(in).apply(programs, decisions)
}

func (x *index) apply(programs []*Program, ds []Decision) {
	order, starts := x.byFunc(ds)
	for e := range x.fns { // of each function, those that are invalid come last: a function may be in any number of programs
		own := order[starts[e]:starts[e+1]]
		sort.SliceStable(own, func(i, j int) bool {
			return ds[own[i]].Outcome != OutcomeInvalid && ds[own[j]].Outcome == OutcomeInvalid
		})
	}
	for _, p := range programs {
		changed := len(p.Changes)
		for _, f := range p.Funcs {
			e, ok := x.byFn[f.Func]
			if !ok {
				continue
			}
			own := order[starts[e]:starts[e+1]]
			for n, i := range own {
				if ds[i].Outcome == OutcomeInvalid {
					p.failDecisions(ds, own[n:])
					break
				}
				x.applyOne(p, f, &x.fns[e], &ds[i])
			}
		}
		if len(p.Changes) > changed {
			p.sortChanges()
		}
	}
}

// failDecisions adds the errors of invalid decisions to a program.
func (p *Program) failDecisions(ds []Decision, bad []int32) {
	for _, i := range bad[:min(len(bad), maxErrs)] {
		p.fail(ds[i].Err)
	}
	p.failMore(len(bad) - maxErrs)
}

// applyOne writes one decision into one copy of its function.
func (x *index) applyOne(p *Program, placed Placed, f *fn, d *Decision) {
	at, n := placed.Index+d.Index, 1
	if d.From[0].Op.IsWide() {
		n = 2
	}
	if d.Index < 0 || d.Index+n > len(f.Insns) || at+n > len(p.Insns) || !slices.Equal(p.Insns[at:at+n], d.From[:n]) {
		p.fail(&COREError{Decision: d, Kind: ErrMismatch, Detail: "the instruction is not the one that the decision was taken on"})
		return
	}
	kind := ChangeCORE
	if d.Outcome == OutcomePoison {
		kind = ChangePoison
	}
	for k := range n {
		if k == 0 || d.From[k] != d.To[k] {
			p.Changes = append(p.Changes, Change{Index: at + k, Kind: kind, From: d.From[k], To: d.To[k], Record: d.number - 1})
		}
		p.Insns[at+k] = d.To[k]
	}
}
