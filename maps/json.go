package maps

import (
	"fmt"
	"math"
	"strconv"

	"github.com/lode-bpf/lode/btf"
)

// jsonWriter writes JSON, either without spaces or, plain, laid out as bpftool
// does for people: names on lines of their own, elements of arrays not, and
// characters, pointers and wide integers without quotes.
type jsonWriter struct {
	buf   []byte
	depth int
	comma bool // a separator stands before what comes next
	plain bool
}

func (j *jsonWriter) separate() {
	if j.comma {
		j.buf = append(j.buf, ',')
	}
	j.comma = true
}

func (j *jsonWriter) newline() {
	if !j.plain {
		return
	}
	j.buf = append(j.buf, '\n')
	for range j.depth {
		j.buf = append(j.buf, "    "...)
	}
}

func (j *jsonWriter) begin(c byte) {
	j.separate()
	j.buf = append(j.buf, c)
	j.depth++
	j.comma = false
}

func (j *jsonWriter) end(c byte) {
	j.depth--
	if j.comma {
		j.newline()
	}
	j.buf = append(j.buf, c)
	j.comma = true
}

func (j *jsonWriter) name(s string) {
	j.separate()
	j.comma = false
	j.newline()
	j.quote(s)
	j.buf = append(j.buf, ':')
	if j.plain {
		j.buf = append(j.buf, ' ')
	}
}

// quote appends a JSON string; bytes outside of ASCII are escaped, because text
// in a map may be anything.
func (j *jsonWriter) quote(s string) {
	j.buf = append(j.buf, '"')
	for i := range len(s) {
		switch c := s[i]; {
		case c == '"' || c == '\\':
			j.buf = append(j.buf, '\\', c)
		case c < 0x20 || c >= 0x7f:
			j.buf = append(j.buf, '\\', 'u', '0', '0', hexDigits[c>>4], hexDigits[c&15])
		default:
			j.buf = append(j.buf, c)
		}
	}
	j.buf = append(j.buf, '"')
}

const hexDigits = "0123456789abcdef"

func (j *jsonWriter) text(s string)    { j.separate(); j.quote(s) }
func (j *jsonWriter) literal(s string) { j.separate(); j.buf = append(j.buf, s...) }
func (j *jsonWriter) uint(n uint64)    { j.separate(); j.buf = strconv.AppendUint(j.buf, n, 10) }
func (j *jsonWriter) int(n int64)      { j.separate(); j.buf = strconv.AppendInt(j.buf, n, 10) }

// token is a number in hexadecimal or the like, which JSON has to quote.
func (j *jsonWriter) token(s string) {
	if j.plain {
		j.literal(s)
	} else {
		j.text(s)
	}
}

// bytes is memory without a type: an array of bytes in hexadecimal.
func (j *jsonWriter) bytes(mem []byte) {
	j.begin('[')
	for _, c := range mem {
		j.text("0x" + string([]byte{hexDigits[c>>4], hexDigits[c&15]}))
	}
	j.end(']')
}

// value writes memory of a type, which has its size. Depth is bounded: a type
// that contains itself has no size.
func (j *jsonWriter) value(c *codec, id btf.TypeID, mem []byte, depth int) error {
	t, err := c.resolve(mem, id, depth)
	if err != nil {
		return err
	}
	switch t.Kind() {
	case btf.KindInt:
		j.integer(c, t, mem)
	case btf.KindEnum, btf.KindEnum64:
		j.enum(c, t, mem)
	case btf.KindPtr:
		n, err := c.word(mem)
		if err != nil {
			return err
		}
		j.token(fmt.Sprintf("%#x", n))
	case btf.KindFloat:
		j.float(c, mem)
	case btf.KindArray:
		return j.array(c, t, mem, depth)
	case btf.KindStruct, btf.KindUnion:
		return j.members(c, t, mem, depth)
	default:
		return fmt.Errorf("type %d is a %v, which has no value", id, t.Kind())
	}
	return nil
}

func (j *jsonWriter) integer(c *codec, t btf.Type, mem []byte) {
	n, err := c.word(mem)
	switch {
	case err != nil:
		j.token(wideHex(c, mem))
	case t.Encoding()&btf.IntBool != 0:
		j.literal(strconv.FormatBool(n != 0))
	case t.Encoding()&btf.IntChar != 0 && len(mem) == 1:
		j.char(mem[0])
	case t.Signed():
		j.int(int64(n) << (64 - 8*len(mem)) >> (64 - 8*len(mem)))
	default:
		j.uint(n)
	}
}

// char is one character.
func (j *jsonWriter) char(c byte) {
	switch {
	case !j.plain:
		j.text(string([]byte{c}))
	case c >= 0x20 && c < 0x7f:
		j.literal("'" + string([]byte{c}) + "'")
	default:
		j.literal(strconv.FormatUint(uint64(c), 16))
	}
}

// wideHex is an integer of more than 8 bytes.
func wideHex(c *codec, mem []byte) string {
	out := []byte("0x")
	started := false
	for i := range mem {
		b := mem[i]
		if c.order.Uint16([]byte{1, 0}) == 1 {
			b = mem[len(mem)-1-i]
		}
		if b == 0 && !started && i < len(mem)-1 {
			continue
		}
		if !started && b < 16 {
			out = append(out, hexDigits[b])
		} else {
			out = append(out, hexDigits[b>>4], hexDigits[b&15])
		}
		started = true
	}
	return string(out)
}

func (j *jsonWriter) enum(c *codec, t btf.Type, mem []byte) {
	n, err := c.word(mem)
	if err != nil {
		j.bytes(mem)
		return
	}
	signed := int64(n) << (64 - 8*len(mem)) >> (64 - 8*len(mem))
	for _, e := range t.Enumerators() {
		if e.Value == n || e.Value == uint64(signed) && t.Signed() {
			j.text(e.Name)
			return
		}
	}
	if t.Signed() {
		j.int(signed)
	} else {
		j.uint(n)
	}
}

func (j *jsonWriter) float(c *codec, mem []byte) {
	n, err := c.word(mem)
	if err != nil {
		j.bytes(mem)
		return
	}
	f, bits := math.Float64frombits(n), 64
	if len(mem) == 4 {
		f, bits = float64(math.Float32frombits(uint32(n))), 32
	}
	if s := strconv.FormatFloat(f, 'g', -1, bits); math.IsNaN(f) || math.IsInf(f, 0) {
		j.text(s)
	} else {
		j.literal(s)
	}
}

func (j *jsonWriter) array(c *codec, t btf.Type, mem []byte, depth int) error {
	if s, ok := textOf(c.b, t, mem); ok {
		j.text(s)
		return nil
	}
	j.begin('[')
	defer j.end(']')
	n := int(t.Nelems())
	for i := 0; i < n && len(mem) > 0; i++ { // elements without size are not shown
		size := len(mem) / n
		if err := j.value(c, t.Elem(), mem[i*size:(i+1)*size], depth+1); err != nil {
			return err
		}
	}
	return nil
}

// textOf is the text in an array of char that has an end and is printable.
func textOf(b *btf.Spec, t btf.Type, mem []byte) (string, bool) {
	e, err := b.Resolve(t.Elem())
	if err != nil || e.Kind() != btf.KindInt || e.Size() != 1 || e.Name() != "char" {
		return "", false
	}
	for i, c := range mem {
		if c == 0 {
			return string(mem[:i]), true
		}
		if c <= 0x1f || c >= 0x7f {
			return "", false
		}
	}
	return "", false
}

func (j *jsonWriter) members(c *codec, t btf.Type, mem []byte, depth int) error {
	j.begin('{')
	defer j.end('}')
	for _, m := range t.Members() {
		name := m.Name
		if name == "" {
			name = "(anon)"
		}
		size, err := c.b.SizeOf(m.Type)
		if err != nil {
			return err
		}
		if m.BitSize != 0 {
			j.name(name)
			if err := j.bitField(c, m, mem); err != nil {
				return err
			}
			continue
		}
		at := uint64(m.BitOffset / 8)
		if at > uint64(len(mem)) || size > uint64(len(mem))-at {
			return fmt.Errorf("member %q ends after its structure of %d bytes", m.Name, len(mem))
		}
		j.name(name)
		if err := j.value(c, m.Type, mem[at:at+size], depth+1); err != nil {
			return err
		}
	}
	return nil
}

func (j *jsonWriter) bitField(c *codec, m btf.Member, mem []byte) error {
	t, n, err := c.bits(mem, m)
	if err != nil {
		return err
	}
	if shift := 64 - m.BitSize; t.Signed() {
		j.int(int64(n) << shift >> shift)
	} else {
		j.uint(n)
	}
	return nil
}
