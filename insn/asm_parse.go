package insn

import (
	"math"
	"strconv"
	"strings"
)

// A parse is the reading of one line after one template.
type parse struct {
	s        string // what is left
	style    Style
	form     *Form
	i        Instruction
	high     int32
	label    string
	dst, src bool // the register has been read
}

// template reads the whole line.
func (p *parse) template(t string) bool {
	for t != "" {
		switch n := word(t); {
		case t[0] == ' ' || t[0] == '\t':
			t = t[1:]
		case t[0] == '$':
			if !p.part(t[1]) {
				return false
			}
			t = t[2:]
		case n > 0:
			if !p.literal(t[:n]) {
				return false
			}
			t = t[n:]
		default:
			if !p.literal(t[:1]) {
				return false
			}
			t = t[1:]
		}
	}
	if p.label == "" && p.style == LLVM && strings.HasPrefix(p.space(), "<") && strings.HasSuffix(p.s, ">") {
		p.s = "" // where a jump goes, in words
	}
	return p.end()
}

// word is the length of the letters, digits, "_" and "." that s starts with.
func word(s string) int {
	n := 0
	for n < len(s) && (s[n] == '_' || s[n] == '.' || s[n] >= '0' && s[n] <= '9' || s[n]|0x20 >= 'a' && s[n]|0x20 <= 'z') {
		n++
	}
	return n
}

// space skips spaces and returns what is left.
func (p *parse) space() string {
	p.s = strings.TrimLeft(p.s, " \t")
	return p.s
}

func (p *parse) end() bool { return p.space() == "" }

// literal reads a text that must be there.
func (p *parse) literal(want string) bool {
	rest, ok := strings.CutPrefix(p.space(), want)
	if ok {
		p.s = rest
	}
	return ok
}

// part reads what a letter of a template stands for; see appendForm.
func (p *parse) part(part byte) bool {
	switch part {
	case 'D', 'd':
		n, ok := p.register(part|0x20 == part, 'D')
		ok = ok && (!p.dst || n == p.i.Dst())
		p.i.Regs, p.dst = p.i.Regs.WithDst(n), true
		return ok
	case 'S', 's':
		n, ok := p.register(part|0x20 == part, 'S')
		ok = ok && (!p.src || n == p.i.Src())
		p.i.Regs, p.src = p.i.Regs.WithSrc(n), true
		return ok
	case 'i', 'h', 'x', 'g', 'u', 'e':
		return p.imm(&p.i.Imm)
	case 'v':
		return p.imm(&p.high)
	case 'q', 'Q':
		return p.wide(part == 'q')
	case 'w':
		v, ok := p.number()
		p.i.Off = int16(v)
		return ok && v >= 0 && v <= math.MaxUint16
	case 'a', 'A', 'b', 'B':
		v, ok := p.number()
		if part|0x20 == 'a' {
			v <<= 16
		}
		p.i.Imm |= int32(uint32(v))
		return ok && v >= 0 && v <= math.MaxUint32 && (part|0x20 == 'a' || v <= math.MaxUint16)
	case 'o', 'O':
		return p.off()
	case 'p':
		return p.literal("pc") && p.off()
	case 'j', 'c', 'k':
		return p.target(part)
	case 'n':
		return p.helper()
	}
	return false
}

// register reads r0 to r10, or w0 to w10.
func (p *parse) register(narrow bool, part byte) (uint8, bool) {
	s := p.space()
	if len(s) < 2 || s[0] != 'r' && s[0] != 'w' {
		return 0, false
	}
	if (s[0] == 'w') != narrow && !(s[0] == 'w' && p.mayBeNarrow(part)) {
		return 0, false
	}
	n := word(s)
	v, err := strconv.ParseUint(s[1:n], 10, 8)
	if err != nil || v > MaxRegister || s[1] == '0' && n > 2 {
		return 0, false
	}
	p.s = s[n:]
	return uint8(v), true
}

// mayBeNarrow reports whether the register is the value of a load or store of
// at most 32 bits: clang writes w there from -mcpu=v3 on.
func (p *parse) mayBeNarrow(part byte) bool {
	class, size := p.form.Op&7, p.form.Op&0x18
	return p.style == LLVM && size != 0x18 && (class == 1 && part == 'D' && p.form.Dst == Write || class == 3 && part == 'S')
}

// number reads a decimal or hexadecimal number with an optional sign.
func (p *parse) number() (int64, bool) {
	s := p.space()
	negative := false
	if s != "" && (s[0] == '-' || s[0] == '+') {
		negative = s[0] == '-'
		s = strings.TrimLeft(s[1:], " \t")
	}
	n := word(s)
	digits, base := s[:n], 10
	if rest, ok := strings.CutPrefix(digits, "0x"); ok {
		digits, base = rest, 16
	}
	v, err := strconv.ParseUint(digits, base, 63)
	if err != nil {
		return 0, false
	}
	p.s = s[n:]
	if negative {
		return -int64(v), true
	}
	return int64(v), true
}

// signed reads a number that must have a sign.
func (p *parse) signed() (int64, bool) {
	if s := p.space(); s == "" || s[0] != '-' && s[0] != '+' {
		return 0, false
	}
	return p.number()
}

// off reads a number of 16 bits that must have a sign.
func (p *parse) off() bool {
	v, ok := p.signed()
	p.i.Off = int16(v)
	return ok && v == int64(p.i.Off)
}

// imm reads a number of 32 bits, signed or unsigned.
func (p *parse) imm(v *int32) bool {
	n, ok := p.number()
	*v = int32(uint32(n))
	return ok && n >= math.MinInt32 && n <= math.MaxUint32
}

// wide reads a number of 64 bits, signed or unsigned.
func (p *parse) wide(hexadecimal bool) bool {
	s := p.space()
	digits, negative := strings.CutPrefix(s, "-")
	hex, isHex := strings.CutPrefix(digits, "0x")
	if hexadecimal && (!isHex || negative) {
		return false
	}
	base := 10
	if isHex {
		digits, base = hex, 16
	}
	n := word(digits)
	v, err := strconv.ParseUint(digits[:n], base, 64)
	if err != nil || negative && v > 1<<63 {
		return false
	}
	if negative {
		v = -v
	}
	p.s = digits[n:]
	p.i.Imm, p.high = int32(uint32(v)), int32(uint32(v>>32))
	return true
}

// target reads a distance or a label.
func (p *parse) target(part byte) bool {
	s := p.space()
	relative := s
	if part != 'k' {
		relative, _ = strings.CutPrefix(s, "pc")
	}
	if relative != "" && (relative[0] == '+' || relative[0] == '-') && (part == 'k' || len(relative) < len(s)) {
		p.s = relative
		v, ok := p.number()
		return ok && v == int64(int32(v)) && p.i.setDistance(p.form, int(v))
	}
	n := word(s)
	if n == 0 || s[0] >= '0' && s[0] <= '9' {
		return false
	}
	p.label, p.s = s[:n], s[n:]
	return true
}

// helper reads the name of a helper function, or any name and its number.
func (p *parse) helper() bool {
	s := p.space()
	n := word(s)
	if n == 0 {
		return false
	}
	if n < len(s) && s[n] == '#' {
		p.s = s[n+1:]
		return p.imm(&p.i.Imm)
	}
	number, ok := HelperNumber(s[:n])
	p.i.Imm, p.s = number, s[n:]
	return ok
}
