package link

import (
	"encoding/binary"
	"runtime"
	"strconv"
	"strings"
)

// The maps of a USDT program hold where the arguments of each probe are, in the form
// of libbpf's usdt.bpf.h, which is what the programs are compiled with:
//
//	struct __bpf_usdt_arg_spec {     // 16 bytes
//		u64 val_off;                 // constant, or offset from a register
//		u32 arg_type;                // low byte: constant, register, memory at register, memory at base and index
//		s16 reg_off;                 // of the register in struct pt_regs
//		bool arg_signed;
//		s8 arg_bitshift;             // to cut the value to its size
//	};
//	struct __bpf_usdt_spec { struct __bpf_usdt_arg_spec args[12]; u64 usdt_cookie; s16 arg_cnt; };
const (
	usdtArgSize  = 16
	usdtMaxArgs  = 12
	usdtSpecSize = usdtMaxArgs*usdtArgSize + 16

	usdtConst = 0
	usdtReg   = 1
	usdtDeref = 2
	usdtSIB   = 3 // base, index and scale: programs compiled since libbpf 1.7
)

// A usdtArg is one argument.
type usdtArg struct {
	kind     uint8
	off      int64
	reg      int16
	index    int16 // usdtSIB only
	shift    uint8 // of the index
	signed   bool
	bitShift int8
}

// A USDTArgError says that an argument is written in a way that is not understood.
type USDTArgError struct{ Args, Arg string }

func (e *USDTArgError) Error() string {
	return "argument " + strconv.Quote(e.Arg) + " of " + strconv.Quote(e.Args) + ": not understood for " + runtime.GOARCH
}

// parseUSDTArgs reads the arguments of a probe: "SIZE@OPERAND SIZE@OPERAND …", where a
// negative size means a signed value. Blanks may stand inside of brackets.
func parseUSDTArgs(arch, args string) ([]usdtArg, error) {
	var out []usdtArg
	for rest := strings.TrimSpace(args); rest != ""; {
		text := nextUSDTArg(rest)
		rest = strings.TrimSpace(rest[len(text):])
		a, ok := parseUSDTArg(arch, text)
		if !ok || len(out) == usdtMaxArgs {
			return nil, &USDTArgError{args, text}
		}
		out = append(out, a)
	}
	return out, nil
}

// nextUSDTArg is the text up to a blank that is not in brackets.
func nextUSDTArg(s string) string {
	depth := 0
	for i := range len(s) {
		switch s[i] {
		case '[', '(':
			depth++
		case ']', ')':
			depth--
		case ' ', '\t':
			if depth <= 0 {
				return s[:i]
			}
		}
	}
	return s
}

func parseUSDTArg(arch, text string) (usdtArg, bool) {
	size, operand, ok := strings.Cut(text, "@")
	n, err := strconv.ParseInt(size, 10, 8)
	if !ok || err != nil {
		return usdtArg{}, false
	}
	var a usdtArg
	switch arch {
	case "amd64":
		a, ok = x86Operand(operand)
	case "arm64":
		a, ok = arm64Operand(operand)
	case "s390x":
		a, ok = s390Operand(operand)
	default:
		return usdtArg{}, false
	}
	a.signed = n < 0
	switch n = max(n, -n); n {
	case 1, 2, 4, 8:
		a.bitShift = int8(64 - 8*n)
		return a, ok
	}
	return usdtArg{}, false
}

// x86Registers are the registers in the order of struct pt_regs, each 8 bytes.
var x86Registers = [...]string{"r15", "r14", "r13", "r12", "bp", "bx", "r11", "r10", "r9", "r8",
	"ax", "cx", "dx", "si", "di", "", "ip", "", "", "sp"}

// x86Register finds a register by any of its names: %rax, %eax, %ax, %al; %r8, %r8d …
func x86Register(s string) (int16, bool) {
	s, ok := strings.CutPrefix(s, "%")
	if !ok || s == "" {
		return 0, false
	}
	base := s
	if len(s) > 1 && s[0] == 'r' && s[1] >= '0' && s[1] <= '9' {
		base = strings.TrimRight(s, "dwb")
	} else {
		if len(s) == 3 && (s[0] == 'r' || s[0] == 'e') {
			base = s[1:]
		}
		if len(base) == 3 && base[2] == 'l' { // sil, dil, bpl, spl
			base = base[:2]
		} else if len(base) == 2 && base[1] == 'l' { // al, bl, cl, dl
			base = base[:1] + "x"
		}
	}
	for i, name := range x86Registers {
		if name == base {
			return int16(i * 8), true
		}
	}
	return 0, false
}

// x86Operand reads $5, %rax, -8(%rbp), (%rax), (%rax,%rbx,4) and 16(%rax,%rbx).
func x86Operand(s string) (usdtArg, bool) {
	if c, ok := strings.CutPrefix(s, "$"); ok {
		v, err := strconv.ParseInt(c, 0, 64)
		return usdtArg{kind: usdtConst, off: v}, err == nil
	}
	if reg, ok := x86Register(s); ok {
		return usdtArg{kind: usdtReg, reg: reg}, true
	}
	off, memory, ok := strings.Cut(s, "(")
	memory, closed := strings.CutSuffix(memory, ")")
	if !ok || !closed {
		return usdtArg{}, false
	}
	a := usdtArg{kind: usdtDeref}
	if off != "" {
		var err error
		if a.off, err = strconv.ParseInt(off, 0, 64); err != nil {
			return usdtArg{}, false // a symbol relative to the instruction
		}
	}
	parts := strings.Split(memory, ",")
	if a.reg, ok = x86Register(strings.TrimSpace(parts[0])); !ok || len(parts) > 3 {
		return usdtArg{}, false
	}
	if len(parts) == 1 {
		return a, true
	}
	a.kind = usdtSIB
	if a.index, ok = x86Register(strings.TrimSpace(parts[1])); !ok {
		return usdtArg{}, false
	}
	if len(parts) == 3 {
		switch strings.TrimSpace(parts[2]) {
		case "1":
		case "2":
			a.shift = 1
		case "4":
			a.shift = 2
		case "8":
			a.shift = 3
		default:
			return usdtArg{}, false
		}
	}
	return a, true
}

// arm64Register finds x0 … x30, w0 … and sp in struct user_pt_regs.
func arm64Register(s string) (int16, bool) {
	if s == "sp" {
		return 31 * 8, true
	}
	if len(s) < 2 || s[0] != 'x' && s[0] != 'w' {
		return 0, false
	}
	n, err := strconv.ParseUint(s[1:], 10, 8)
	return int16(n) * 8, err == nil && n <= 30
}

// arm64Operand reads 5, x0, [sp], [sp, 8] and [x1, -16].
func arm64Operand(s string) (usdtArg, bool) {
	if reg, ok := arm64Register(s); ok {
		return usdtArg{kind: usdtReg, reg: reg}, true
	}
	if memory, ok := strings.CutPrefix(s, "["); ok {
		memory, ok = strings.CutSuffix(memory, "]")
		base, off, has := strings.Cut(memory, ",")
		a := usdtArg{kind: usdtDeref}
		var okReg bool
		a.reg, okReg = arm64Register(strings.TrimSpace(base))
		var err error
		if has {
			a.off, err = strconv.ParseInt(strings.TrimPrefix(strings.TrimSpace(off), "#"), 0, 64)
		}
		return a, ok && okReg && err == nil
	}
	v, err := strconv.ParseInt(s, 0, 64)
	return usdtArg{kind: usdtConst, off: v}, err == nil
}

// s390Register finds %r0 … %r15 in user_pt_regs, behind args[1] and psw.
func s390Register(s string) (int16, bool) {
	n, err := strconv.ParseUint(strings.TrimPrefix(s, "%r"), 10, 8)
	return 24 + int16(n)*8, err == nil && n <= 15 && strings.HasPrefix(s, "%r")
}

// s390Operand reads 5, %r2, 160(%r15) and (%r2).
func s390Operand(s string) (a usdtArg, ok bool) {
	if a.reg, ok = s390Register(s); ok {
		a.kind = usdtReg
		return a, true
	}
	var err error
	off, memory, in := strings.Cut(s, "(")
	if off != "" || !in {
		a.off, err = strconv.ParseInt(off, 0, 64)
	}
	if !in {
		a.kind, a.reg = usdtConst, 0
		return a, err == nil
	}
	memory, closed := strings.CutSuffix(memory, ")")
	a.kind = usdtDeref
	a.reg, ok = s390Register(memory)
	return a, ok && closed && err == nil
}

// usdtSpec is struct __bpf_usdt_spec.
func usdtSpec(args []usdtArg, cookie uint64) []byte {
	e := binary.NativeEndian
	b := make([]byte, usdtSpecSize)
	for i, a := range args {
		at := b[i*usdtArgSize:]
		e.PutUint64(at, uint64(a.off))
		word := uint32(a.kind) | uint32(a.index)&0xfff<<8 | uint32(a.shift)<<20
		if e.Uint16([]byte{0, 1}) == 1 { // bit fields count from the other end
			word = uint32(a.kind)
		}
		e.PutUint32(at[8:], word)
		e.PutUint16(at[12:], uint16(a.reg))
		if a.signed {
			at[14] = 1
		}
		at[15] = byte(a.bitShift)
	}
	e.PutUint64(b[usdtMaxArgs*usdtArgSize:], cookie)
	e.PutUint16(b[usdtMaxArgs*usdtArgSize+8:], uint16(len(args)))
	return b
}
