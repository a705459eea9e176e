package iproute2

import "math"

// ParseTailCall reads the name of a tail-call section, ID/IDX: the program in
// it goes into the program array with that id, under that key. The numbers are
// written as C's scanf("%i/%i") reads them, because that is what iproute2 does:
// a base by prefix (0x, 0), an optional sign, blanks before either number but
// not before the slash, and whatever follows the second is ignored. A negative
// number means its two's complement. A number of more than 32 bits is refused.
func ParseTailCall(section string) (id, key uint32, ok bool) {
	id, rest, ok := scanInt(section)
	if !ok || rest == "" || rest[0] != '/' {
		return 0, 0, false
	}
	key, _, ok = scanInt(rest[1:])
	return id, key, ok
}

// scanInt is one %i of C's scanf.
func scanInt(s string) (v uint32, rest string, ok bool) {
	for s != "" && (s[0] == ' ' || s[0] >= '\t' && s[0] <= '\r') {
		s = s[1:]
	}
	negative := false
	if s != "" && (s[0] == '-' || s[0] == '+') {
		negative = s[0] == '-'
		s = s[1:]
	}
	base := uint64(10)
	switch {
	case len(s) > 2 && s[0] == '0' && s[1]|0x20 == 'x' && digit(s[2]) < 16:
		base, s = 16, s[2:]
	case len(s) > 0 && s[0] == '0':
		base = 8
	}
	n, digits := uint64(0), 0
	for s != "" && digit(s[0]) < base {
		n = n*base + digit(s[0])
		if n > math.MaxUint32 {
			return 0, "", false
		}
		s = s[1:]
		digits++
	}
	if negative {
		if n > -math.MinInt32 {
			return 0, "", false
		}
		n = -n
	}
	return uint32(n), s, digits > 0
}

// digit is the value of c as a digit, more than 15 if it is none.
func digit(c byte) uint64 {
	switch {
	case c >= '0' && c <= '9':
		return uint64(c - '0')
	case c|0x20 >= 'a' && c|0x20 <= 'f':
		return uint64(c|0x20-'a') + 10
	}
	return math.MaxUint64
}
