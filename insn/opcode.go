package insn

// An Opcode is the first byte of an instruction: class in the low three bits,
// the rest by class (RFC 9669 section 3.1).
type Opcode uint8

// The opcodes that a loader touches.
const (
	OpLdImm64 Opcode = 0x18 // BPF_LD | BPF_IMM | BPF_DW
	OpCall    Opcode = 0x85 // BPF_JMP | BPF_CALL
	OpExit    Opcode = 0x95 // BPF_JMP | BPF_EXIT
	OpJa      Opcode = 0x05 // BPF_JMP | BPF_JA: jump by Off
	OpJa32    Opcode = 0x06 // BPF_JMP32 | BPF_JA: jump by Imm
	OpJaX     Opcode = 0x0d // BPF_JMP | BPF_JA | BPF_X: jump to the address in a register
)

// IsWide reports whether the instruction takes two slots.
func (o Opcode) IsWide() bool { return o == OpLdImm64 }
