package btf

import (
	"bytes"
	"math"
	"strconv"
	"unsafe"
)

// FormatValue appends data, the bytes of a value of a type, as JSON, in the
// form in which "bpftool -j map dump" has it: structures as objects,
// characters and strings as strings, enumerations by name where the value has
// one, bit fields and integers of 128 bits in hexadecimal, in quotes. Floats,
// which bpftool does not print, become numbers. Data must be as long as the
// type; what follows is ignored.
func (s *Spec) FormatValue(dst []byte, id TypeID, data []byte) ([]byte, error) {
	return s.formatValue(dst, id, data, false, 0)
}

// FormatValueText appends a value as "bpftool map dump" prints it: over
// several lines, and hexadecimal numbers without quotes. Depth is how far the
// lines after the first are indented, in steps of four spaces.
func (s *Spec) FormatValueText(dst []byte, id TypeID, data []byte, depth int) ([]byte, error) {
	return s.formatValue(dst, id, data, true, depth)
}

func (s *Spec) formatValue(dst []byte, id TypeID, data []byte, text bool, depth int) ([]byte, error) {
	// A union shows its bytes once for each member, so nested ones multiply.
	v := valuePrinter{s: s, root: id, text: text, depth: depth, b: dst, limit: len(dst) + 1<<20 + 1024*len(data)}
	size, err := s.SizeOf(id)
	if err != nil {
		return dst, err
	}
	if uint64(len(data)) < size {
		return dst, &TypeError{Op: "format", ID: id, At: id, Kind: Truncated, Detail: strconv.Itoa(len(data)) + " bytes for a type of " + strconv.FormatUint(size, 10)}
	}
	if err := v.value(id, data[:size], 0); err != nil {
		return dst, err
	}
	return v.b, nil
}

// A valuePrinter prints one value.
type valuePrinter struct {
	s     *Spec
	root  TypeID
	text  bool
	depth int // of indentation
	b     []byte
	limit int
}

func (v *valuePrinter) fail(id TypeID, k ErrorKind, detail string) error {
	return &TypeError{Op: "format", ID: v.root, At: id, Kind: k, Detail: detail}
}

// value prints a value; data is as long as the type. nesting bounds the
// recursion.
func (v *valuePrinter) value(id TypeID, data []byte, nesting int) error {
	if nesting > maxDepth {
		return v.fail(id, Limit, "types nested deeper than "+strconv.Itoa(maxDepth))
	}
	if len(v.b) > v.limit {
		return v.fail(id, Limit, "unions that repeat the same bytes")
	}
	t, err := v.s.Resolve(id)
	if err != nil {
		return err
	}
	switch t.Kind() {
	case KindInt:
		v.number(t, data)
	case KindFloat:
		v.float(data)
	case KindPtr:
		if n := v.load(data); v.text {
			v.b = strconv.AppendUint(append(v.b, "0x"...), n, 16)
		} else {
			v.b = strconv.AppendUint(v.b, n, 10)
		}
	case KindEnum, KindEnum64:
		v.enum(t, v.load(data))
	case KindArray:
		return v.array(t, data, nesting)
	case KindStruct, KindUnion:
		return v.members(t, data, nesting)
	case KindVar:
		v.open('{')
		v.name(t.Name())
		if err := v.value(t.Elem(), data, nesting+1); err != nil {
			return err
		}
		v.close('}')
	case KindDatasec:
		return v.datasec(t, data, nesting)
	default:
		return noValue("format", v.root, t)
	}
	return nil
}

// open begins an object or array, close ends it, name begins a member.
func (v *valuePrinter) open(c byte) {
	v.b = append(v.b, c)
	v.depth++
}

func (v *valuePrinter) close(c byte) {
	v.depth--
	if last := v.b[len(v.b)-1]; last != '{' && last != '[' {
		v.newline()
	}
	v.b = append(v.b, c)
}

func (v *valuePrinter) name(name string) {
	if v.b[len(v.b)-1] != '{' {
		v.b = append(v.b, ',')
	}
	v.newline()
	v.b = append(appendJSON(v.b, name), ':')
	if v.text {
		v.b = append(v.b, ' ')
	}
}

func (v *valuePrinter) newline() {
	if !v.text {
		return
	}
	v.b = append(v.b, '\n')
	for range v.depth {
		v.b = append(v.b, "    "...)
	}
}

// load reads up to 8 bytes as a number.
func (v *valuePrinter) load(data []byte) (n uint64) {
	for i := range min(len(data), 8) {
		if v.s.be {
			n = n<<8 | uint64(data[i])
		} else {
			n |= uint64(data[i]) << (8 * i)
		}
	}
	return n
}

// hex appends digits in hexadecimal, in quotes if this is to be JSON.
func (v *valuePrinter) hex(digits []byte) {
	if !v.text {
		v.b = append(v.b, '"')
	}
	v.b = append(append(v.b, "0x"...), digits...)
	if !v.text {
		v.b = append(v.b, '"')
	}
}

func (v *valuePrinter) number(t Type, data []byte) {
	n := v.load(data)
	bits := t.IntBits()
	switch {
	case t.IntOffset() != 0 || bits != 8*uint32(len(data)):
		v.bitfield(data, t.IntOffset(), bits)
	case len(data) > 8:
		v.wide(data)
	case t.Encoding()&IntBool != 0:
		v.b = strconv.AppendBool(v.b, n != 0)
	case t.Encoding()&IntChar != 0:
		v.char(byte(n))
	case t.Encoding()&IntSigned != 0:
		shift := 64 - bits
		v.b = strconv.AppendInt(v.b, int64(n<<shift)>>shift, 10)
	default:
		v.b = strconv.AppendUint(v.b, n, 10)
	}
}

func (v *valuePrinter) char(c byte) {
	switch {
	case c >= ' ' && c <= '~' || !v.text:
		v.b = appendJSON(v.b, string([]byte{c}))
	default:
		v.b = strconv.AppendUint(append(v.b, "0x"...), uint64(c), 16)
	}
}

// wide prints an integer of more than 64 bits.
func (v *valuePrinter) wide(data []byte) {
	var digits [32]byte
	d := digits[:0]
	for i := range data {
		c := data[i]
		if !v.s.be {
			c = data[len(data)-1-i]
		}
		if len(d) == 0 && c == 0 && i < len(data)-1 {
			continue
		}
		if len(d) > 0 && c < 16 {
			d = append(d, '0')
		}
		d = strconv.AppendUint(d, uint64(c), 16)
	}
	v.hex(d)
}

// bitfield prints some bits of data, which count from the low bit of the
// first byte in little endian, from the high bit in big endian.
func (v *valuePrinter) bitfield(data []byte, off, n uint32) {
	var w [16]byte // little endian
	for i := range min(n, 128) {
		from := off + i
		if v.s.be {
			from = off + n - 1 - i
		}
		if int(from/8) >= len(data) {
			continue
		}
		bit := data[from/8] >> (from % 8)
		if v.s.be {
			bit = data[from/8] >> (7 - from%8)
		}
		w[i/8] |= bit & 1 << (i % 8)
	}
	var digits []byte
	for i := len(w) - 1; i >= 0; i-- {
		if len(digits) > 0 && w[i] < 16 {
			digits = append(digits, '0')
		}
		if len(digits) > 0 || w[i] != 0 || i == 0 {
			digits = strconv.AppendUint(digits, uint64(w[i]), 16)
		}
	}
	v.hex(digits)
}

func (v *valuePrinter) float(data []byte) {
	f, width := 0.0, 64
	switch len(data) {
	case 4:
		f, width = float64(math.Float32frombits(uint32(v.load(data)))), 32
	case 8:
		f = math.Float64frombits(v.load(data))
	default:
		v.wide(data)
		return
	}
	if math.IsNaN(f) || math.IsInf(f, 0) { // JSON has no number for it
		v.b = appendJSON(v.b, strconv.FormatFloat(f, 'g', -1, width))
		return
	}
	v.b = strconv.AppendFloat(v.b, f, 'g', -1, width)
}

func (v *valuePrinter) enum(t Type, n uint64) {
	size := t.Size()
	shift := 64 - 8*size
	if t.Signed() {
		n = uint64(int64(n<<shift) >> shift)
	}
	for _, e := range t.Enumerators() {
		if e.Value == n {
			v.b = appendJSON(v.b, e.Name)
			return
		}
	}
	if t.Signed() {
		v.b = strconv.AppendInt(v.b, int64(n), 10)
		return
	}
	v.b = strconv.AppendUint(v.b, n, 10)
}

// isText reports whether an array holds a C string: of elements named char,
// printable up to a NUL.
func (v *valuePrinter) isText(elem TypeID, data []byte) (string, bool) {
	t := v.s.Type(elem)
	for n := 0; t.Kind().modifier() && t.Kind() != KindTypedef && n < maxChain; n++ {
		t = v.s.Type(t.Elem())
	}
	if t.Kind() != KindInt || t.Size() != 1 || t.Name() != "char" {
		return "", false
	}
	n := bytes.IndexByte(data, 0)
	if n < 0 {
		return "", false
	}
	for _, c := range data[:n] {
		if c < ' ' || c > '~' {
			return "", false
		}
	}
	return unsafe.String(unsafe.SliceData(data), n), true
}

func (v *valuePrinter) array(t Type, data []byte, nesting int) error {
	if s, ok := v.isText(t.Elem(), data); ok {
		v.b = appendJSON(v.b, s)
		return nil
	}
	size, err := v.s.SizeOf(t.Elem())
	if err != nil {
		return err
	}
	v.open('[')
	for i := 0; size != 0 && len(data) > 0; i++ {
		if i > 0 {
			v.b = append(v.b, ',')
		}
		if err := v.value(t.Elem(), data[:size], nesting+1); err != nil {
			return err
		}
		data = data[size:]
	}
	v.close(']')
	return nil
}

func (v *valuePrinter) members(t Type, data []byte, nesting int) error {
	v.open('{')
	for _, m := range t.Members() {
		v.name(m.Name)
		off := m.BitOffset / 8
		if m.BitSize != 0 {
			v.bitfield(data[min(int(off), len(data)):], m.BitOffset%8, m.BitSize)
			continue
		}
		size, err := v.s.SizeOf(m.Type)
		if err != nil {
			return err
		}
		if size > uint64(len(data))-uint64(off) {
			return v.fail(t.id, Range, "a member that ends after its structure")
		}
		if err := v.value(m.Type, data[off:uint64(off)+size], nesting+1); err != nil {
			return err
		}
	}
	v.close('}')
	return nil
}

// datasec prints the variables of a section.
func (v *valuePrinter) datasec(t Type, data []byte, nesting int) error {
	v.open('{')
	v.name(t.Name())
	v.open('[')
	for i, sec := range t.Vars() {
		if i > 0 {
			v.b = append(v.b, ',')
		}
		size, err := v.s.SizeOf(sec.Type)
		if err != nil {
			return err
		}
		if uint64(sec.Offset) > uint64(len(data)) || size > uint64(len(data))-uint64(sec.Offset) {
			return v.fail(sec.Type, Range, "a variable that ends after its section")
		}
		if err := v.value(sec.Type, data[sec.Offset:uint64(sec.Offset)+size], nesting+1); err != nil {
			return err
		}
	}
	v.close(']')
	v.close('}')
	return nil
}

// appendJSON appends a string of JSON. Bytes outside ASCII become one
// character each, so any bytes make valid JSON.
func appendJSON(b []byte, s string) []byte {
	const digits = "0123456789abcdef"
	b = append(b, '"')
	for i := range len(s) {
		switch c := s[i]; {
		case c == '"' || c == '\\':
			b = append(b, '\\', c)
		case c < ' ' || c > '~':
			b = append(b, '\\', 'u', '0', '0', digits[c>>4], digits[c&15])
		default:
			b = append(b, c)
		}
	}
	return append(b, '"')
}
