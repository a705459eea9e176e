package insn

// An Instruction is one 8-byte slot of a BPF program, field for field as the
// kernel's struct bpf_insn (include/uapi/linux/bpf.h, RFC 9669 section 3).
// A wide load (ld_imm64) is two slots: the second has opcode 0 and carries the
// upper 32 bits of the constant in Imm.
//
// The zero Instruction is the second half of such a load of a constant that
// fits in 32 bits.
type Instruction struct {
	Op   Opcode
	Regs Registers
	Off  int16
	Imm  int32
}

// Size is the size of an encoded instruction slot in bytes.
const Size = 8

// Registers holds the two register numbers of an instruction: the destination
// in the low nibble, the source in the high nibble, whatever the byte order
// of the file was.
type Registers uint8

// Regs packs a destination and a source register number.
func Regs(dst, src uint8) Registers { return Registers(dst&0xf | src<<4) }

// Dst is the number of the destination register.
func (r Registers) Dst() uint8 { return uint8(r) & 0xf }

// Src is the number of the source register, or the pseudo source that gives a
// wide load or a call its meaning (see PseudoMapFD and its neighbours).
func (r Registers) Src() uint8 { return uint8(r) >> 4 }

// WithSrc is r with its source replaced.
func (r Registers) WithSrc(src uint8) Registers { return r&0xf | Registers(src<<4) }

// WithDst is r with its destination replaced.
func (r Registers) WithDst(dst uint8) Registers { return r&0xf0 | Registers(dst&0xf) }

// Dst is the number of the destination register.
func (i Instruction) Dst() uint8 { return i.Regs.Dst() }

// Src is the number of the source register or the pseudo source.
func (i Instruction) Src() uint8 { return i.Regs.Src() }

// Pseudo sources of a wide load: what its immediate means (BPF_PSEUDO_* in
// include/uapi/linux/bpf.h).
const (
	PseudoMapFD       = 1 // map descriptor in the low half
	PseudoMapValue    = 2 // map descriptor in the low half, offset into value 0 in the high half
	PseudoBTFID       = 3 // BTF id of a kernel variable; high half: descriptor of a module's BTF
	PseudoFunc        = 4 // distance to a function of this program, as for a call
	PseudoMapIdx      = 5 // index into fd_array
	PseudoMapIdxValue = 6 // index into fd_array, offset in the high half
)

// Pseudo sources of a call.
const (
	PseudoCall      = 1 // function of this program: Imm is the distance in slots from the next instruction
	PseudoKfuncCall = 2 // kernel function: Imm is its BTF id, Off an index into fd_array (0 is vmlinux)
)
