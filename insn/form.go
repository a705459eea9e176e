package insn

import "iter"

// An Operand says how an instruction uses one of its fields.
type Operand uint32

// Uses of a field. Registers are Write, Read and Modify; the others are numbers.
const (
	Zero         Operand = iota << 16 // not used; must be zero
	Fixed                             // one value, in the low 16 bits, that makes this instruction what it is
	Write                             // register that is written
	Read                              // register that is read
	Modify                            // register that is read and written
	Number                            // constant, sign-extended where 64 bits are wanted
	Wide                              // one half of a 64-bit constant
	Displacement                      // signed offset in bytes from the address in a register
	Jump                              // signed distance in slots from the next slot
	Helper                            // number of a helper function
	Function                          // signed distance in slots from the next slot to a function of this program
	Kfunc                             // BTF id of a kernel function
	MapFD                             // descriptor of a map
	BTFID                             // BTF id of a kernel variable
	FD                                // descriptor of a module's BTF, 0 for vmlinux
	FDIndex                           // index into the array of descriptors that is given at load
	Spaces                            // two address spaces of 16 bits: the source in the low half, the target in the high half
)

const operandKind Operand = 0xffff << 16

// Kind is the use without the value of Fixed.
func (o Operand) Kind() Operand { return o & operandKind }

// IsRegister reports whether the field is the number of a register.
func (o Operand) IsRegister() bool { return o == Write || o == Read || o == Modify }

// fits reports whether a field may have the value v.
func (o Operand) fits(v int32) bool {
	switch o.Kind() {
	case Zero:
		return v == 0
	case Fixed:
		return v == int32(int16(o))
	case Write, Read, Modify:
		return v <= MaxRegister
	}
	return true
}

// MaxRegister is the number of the last register, r10, the frame pointer.
const MaxRegister = 10

// An ISA is the version of the instruction set that brought an instruction, as
// compilers count them (-mcpu=v1 to v4).
type ISA uint8

// The versions.
const (
	V1       ISA = 1 + iota
	V2           // less-than jumps
	V3           // 32-bit jumps, atomic operations
	V4           // sign extension, signed division, byte swaps, long jumps, and what came since
	Internal     // made by the kernel only: seen in dumps of a loaded program, never accepted
)

// A Form is one defined instruction: an opcode and, where several instructions
// share one, the value of another field that tells them apart.
type Form struct {
	Op    Opcode
	Name  string  // as in RFC 9669, lower case, with the width in bits where there are two
	Dst   Operand // what the fields are used for
	Src   Operand
	Off   Operand
	Imm   Operand
	High  Operand // Imm of the second slot of a wide load
	ISA   ISA
	Since string // the first Linux release that accepts it; empty if none does

	verifier, llvm string // templates of the text
}

// Form is the defined instruction that i is, and whether there is one: the
// opcode is known, registers exist, and fields that are not used are zero. Of
// a wide load this looks at the first slot.
func (i Instruction) Form() (Form, bool) {
	if f := i.form(); f != nil {
		return *f, true
	}
	return Form{}, false
}

// form is the row of the table, nil if there is none.
func (i Instruction) form() *Form { return findForm(i, nil) }

// formAt is the row for the instruction at a slot; of a wide load both slots
// must be in order. Nil if there is none.
func formAt(insns []Instruction, at int) *Form {
	i := insns[at]
	if !i.Op.IsWide() {
		return i.form()
	}
	if at+1 >= len(insns) {
		return nil
	}
	high := insns[at+1]
	if high != (Instruction{Imm: high.Imm}) {
		return nil
	}
	return findForm(i, &high.Imm)
}

// findForm is the first row that fits an instruction and, if it is given, the
// upper half of a wide load.
func findForm(i Instruction, high *int32) *Form {
	at := formIndex[i.Op]
	rows := forms[at[0]:][:at[1]]
	for n := range rows {
		f := &rows[n]
		if f.Src.fits(int32(i.Src())) && f.Off.fits(int32(i.Off)) && f.Imm.fits(i.Imm) && f.Dst.fits(int32(i.Dst())) &&
			(high == nil || f.High.fits(*high)) {
			return f
		}
	}
	return nil
}

// Forms are all defined instructions, by opcode.
func Forms() iter.Seq[Form] {
	return func(yield func(Form) bool) {
		for _, f := range forms {
			if !yield(f) {
				return
			}
		}
	}
}
