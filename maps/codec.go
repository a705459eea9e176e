package maps

import (
	"encoding/binary"
	"fmt"
	"math"
	"reflect"

	"github.com/lode-bpf/lode/btf"
)

// codec translates between Go values and memory that BTF describes, in any byte
// order.
type codec struct {
	b     *btf.Spec
	order binary.ByteOrder
}

// maxDepth bounds how deeply structures and arrays are nested by value.
const maxDepth = 32

// shapeError says that a Go value does not fit a type.
func shapeError(t btf.Type, v reflect.Value, why string) error {
	return fmt.Errorf("a %v for a %v of BTF (type %d %q): %s", v.Type(), t.Kind(), t.ID(), t.Name(), why)
}

// resolve finds the type behind an id and checks that dst is its size.
func (c *codec) resolve(mem []byte, id btf.TypeID, depth int) (btf.Type, error) {
	if c.b == nil {
		return btf.Type{}, fmt.Errorf("its type is not known: %w", ErrNotExist)
	}
	if depth > maxDepth {
		return btf.Type{}, fmt.Errorf("%w: types nested more than %d deep", ErrLimit, maxDepth)
	}
	size, err := c.b.SizeOf(id)
	if err != nil {
		return btf.Type{}, err
	}
	if size != uint64(len(mem)) {
		return btf.Type{}, fmt.Errorf("%w: type %d has %d bytes, its place %d", ErrSize, id, size, len(mem))
	}
	return c.b.Resolve(id)
}

// rawBytes is the memory of a Go value that stands for bytes as they are.
func rawBytes(v reflect.Value) ([]byte, bool) {
	if k := v.Kind(); (k == reflect.Slice || k == reflect.Array && v.CanAddr()) && v.Type().Elem().Kind() == reflect.Uint8 {
		return v.Bytes(), true
	}
	return nil, false
}

func isCharArray(b *btf.Spec, t btf.Type) bool {
	if t.Kind() != btf.KindArray {
		return false
	}
	e, err := b.Resolve(t.Elem())
	return err == nil && e.Kind() == btf.KindInt && e.Size() == 1
}

func (c *codec) encode(mem []byte, id btf.TypeID, v reflect.Value, depth int) error {
	if !v.IsValid() {
		return fmt.Errorf("nil is not a value")
	}
	if v.Kind() == reflect.Pointer || v.Kind() == reflect.Interface {
		if v.IsNil() {
			return fmt.Errorf("nil is not a value")
		}
		return c.encode(mem, id, v.Elem(), depth+1)
	}
	if v.Kind() == reflect.Array && !v.CanAddr() {
		p := reflect.New(v.Type())
		p.Elem().Set(v)
		v = p.Elem()
	}
	if raw, ok := rawBytes(v); ok && len(raw) == len(mem) {
		copy(mem, raw)
		return nil
	}
	t, err := c.resolve(mem, id, depth)
	if err != nil {
		return err
	}
	switch t.Kind() {
	case btf.KindInt, btf.KindEnum, btf.KindEnum64, btf.KindPtr:
		return c.putInt(mem, t, v)
	case btf.KindFloat:
		return c.putFloat(mem, t, v)
	case btf.KindArray:
		return c.encodeArray(mem, t, v, depth)
	case btf.KindStruct:
		return c.fields(mem, t, v, func(mem []byte, m btf.Member, f reflect.Value) error {
			if m.BitSize != 0 {
				return c.putBits(mem, m, f)
			}
			return c.encode(mem, m.Type, f, depth+1)
		})
	}
	return shapeError(t, v, "want its bytes")
}

func (c *codec) encodeArray(mem []byte, t btf.Type, v reflect.Value, depth int) error {
	if isCharArray(c.b, t) {
		text, ok := "", v.Kind() == reflect.String
		if ok {
			text = v.String()
		} else if raw, isRaw := rawBytes(v); isRaw {
			text, ok = string(raw), true
		}
		if ok {
			if len(text) > len(mem) {
				return fmt.Errorf("%w: text of %d bytes for an array of %d", ErrSize, len(text), len(mem))
			}
			clear(mem[copy(mem, text):])
			return nil
		}
	}
	return c.elements(mem, t, v, func(mem []byte, e reflect.Value) error { return c.encode(mem, t.Elem(), e, depth+1) })
}

func (c *codec) decode(mem []byte, id btf.TypeID, v reflect.Value, depth int) error {
	if !v.CanSet() {
		return fmt.Errorf("a %v that cannot be set", v.Type())
	}
	if raw, ok := rawBytes(v); ok && len(raw) == len(mem) {
		copy(raw, mem)
		return nil
	}
	if v.Kind() == reflect.Slice && v.Type().Elem().Kind() == reflect.Uint8 {
		v.SetBytes(append([]byte(nil), mem...))
		return nil
	}
	t, err := c.resolve(mem, id, depth)
	if err != nil {
		return err
	}
	switch t.Kind() {
	case btf.KindInt, btf.KindEnum, btf.KindEnum64, btf.KindPtr:
		return c.getInt(mem, t, v)
	case btf.KindFloat:
		return c.getFloat(mem, t, v)
	case btf.KindArray:
		if v.Kind() == reflect.String && isCharArray(c.b, t) {
			v.SetString(cString(mem))
			return nil
		}
		if v.Kind() == reflect.Slice && uint64(t.Nelems()) <= uint64(len(mem)) {
			v.Set(reflect.MakeSlice(v.Type(), int(t.Nelems()), int(t.Nelems()))) // no more than mem has bytes
		}
		return c.elements(mem, t, v, func(mem []byte, e reflect.Value) error { return c.decode(mem, t.Elem(), e, depth+1) })
	case btf.KindStruct:
		return c.fields(mem, t, v, func(mem []byte, m btf.Member, f reflect.Value) error {
			if m.BitSize != 0 {
				return c.getBits(mem, m, f)
			}
			return c.decode(mem, m.Type, f, depth+1)
		})
	}
	return shapeError(t, v, "want memory for its bytes")
}

// cString is the text up to the first NUL.
func cString(b []byte) string {
	for i, ch := range b {
		if ch == 0 {
			return string(b[:i])
		}
	}
	return string(b)
}

// elements applies do to the elements of an array.
func (c *codec) elements(mem []byte, t btf.Type, v reflect.Value, do func([]byte, reflect.Value) error) error {
	if k := v.Kind(); k != reflect.Array && k != reflect.Slice {
		return shapeError(t, v, "want an array or slice")
	}
	n := int(t.Nelems())
	if v.Len() != n || n == 0 && len(mem) > 0 {
		return shapeError(t, v, fmt.Sprintf("%d elements, want %d", v.Len(), n))
	}
	for i := range n {
		size := len(mem) / n
		if err := do(mem[i*size:(i+1)*size], v.Index(i)); err != nil {
			return fmt.Errorf("element %d: %w", i, err)
		}
	}
	return nil
}

// fields applies do to the members of a structure and the fields of a Go struct: to
// the memory of the member or, of a bit field, that of the whole structure.
func (c *codec) fields(mem []byte, t btf.Type, v reflect.Value, do func([]byte, btf.Member, reflect.Value) error) error {
	if v.Kind() != reflect.Struct {
		return shapeError(t, v, "want a struct or its bytes")
	}
	n := 0
	for i := range v.NumField() {
		field := v.Type().Field(i)
		if field.Name == "_" {
			continue
		}
		if n >= t.NumMembers() {
			return shapeError(t, v, fmt.Sprintf("field %q is one more than the %d members", field.Name, n))
		}
		m := t.Member(n)
		n++
		size, err := c.b.SizeOf(m.Type)
		if err != nil {
			return err
		}
		at := uint64(m.BitOffset / 8)
		if m.BitSize != 0 {
			at, size = 0, uint64(len(mem))
		}
		if at > uint64(len(mem)) || size > uint64(len(mem))-at {
			return shapeError(t, v, fmt.Sprintf("member %q is outside the structure", m.Name))
		}
		if !field.IsExported() {
			return shapeError(t, v, fmt.Sprintf("field %q is not exported", field.Name))
		}
		if err := do(mem[at:at+size], m, v.Field(i)); err != nil {
			return fmt.Errorf("field %q, member %q: %w", field.Name, m.Name, err)
		}
	}
	if n != t.NumMembers() {
		return shapeError(t, v, fmt.Sprintf("%d fields, want %d", n, t.NumMembers()))
	}
	return nil
}

func (c *codec) putInt(mem []byte, t btf.Type, v reflect.Value) error {
	n, err := integer(t, v, uint(8*len(mem)))
	if err != nil {
		return err
	}
	return c.putWord(mem, n)
}

// integer is the value of a Go integer or bool, if it fits into that many bits.
func integer(t btf.Type, v reflect.Value, bits uint) (n uint64, err error) {
	fits := true
	switch {
	case v.CanInt():
		i := v.Int()
		n = uint64(i)
		if t.Signed() {
			fits = bits >= 64 || i>>(bits-1) == 0 || i>>(bits-1) == -1
		} else {
			fits = i >= 0 && (bits >= 64 || i>>bits == 0)
		}
	case v.CanUint():
		n = v.Uint()
		fits = bits > 64 || n>>(bits-1) == 0 || !t.Signed() && (bits == 64 || n>>bits == 0)
	case v.Kind() == reflect.Bool:
		if v.Bool() {
			n = 1
		}
	default:
		return 0, shapeError(t, v, "want an integer")
	}
	if !fits {
		return 0, fmt.Errorf("%w: %v does not fit into %d bits", ErrRange, v, bits)
	}
	return n, nil
}

func (c *codec) getInt(mem []byte, t btf.Type, v reflect.Value) error {
	n, err := c.word(mem)
	if err != nil {
		return err
	}
	return setInteger(t, v, n, uint(8*len(mem)))
}

// setInteger is the inverse of integer.
func setInteger(t btf.Type, v reflect.Value, n uint64, bits uint) error {
	signed := int64(n) << (64 - bits) >> (64 - bits)
	switch {
	case v.Kind() == reflect.Bool:
		v.SetBool(n != 0)
	case v.CanInt() && t.Signed():
		if v.OverflowInt(signed) {
			return fmt.Errorf("%w: %d does not fit into a %v", ErrRange, signed, v.Type())
		}
		v.SetInt(signed)
	case v.CanInt():
		if n > math.MaxInt64 || v.OverflowInt(int64(n)) {
			return fmt.Errorf("%w: %d does not fit into a %v", ErrRange, n, v.Type())
		}
		v.SetInt(int64(n))
	case v.CanUint():
		if t.Signed() && signed < 0 || v.OverflowUint(n) {
			return fmt.Errorf("%w: %d does not fit into a %v", ErrRange, signed, v.Type())
		}
		v.SetUint(n)
	default:
		return shapeError(t, v, "want an integer")
	}
	return nil
}

func (c *codec) putFloat(mem []byte, t btf.Type, v reflect.Value) error {
	switch {
	case !v.CanFloat():
		return shapeError(t, v, "want a float")
	case len(mem) == 4:
		return c.putWord(mem, uint64(math.Float32bits(float32(v.Float()))))
	}
	return c.putWord(mem, math.Float64bits(v.Float()))
}

func (c *codec) getFloat(mem []byte, t btf.Type, v reflect.Value) error {
	n, err := c.word(mem)
	switch {
	case err != nil:
		return err
	case !v.CanFloat():
		return shapeError(t, v, "want a float")
	case len(mem) == 4:
		v.SetFloat(float64(math.Float32frombits(uint32(n))))
	default:
		v.SetFloat(math.Float64frombits(n))
	}
	return nil
}

// putWord and word are integers of 1, 2, 4 or 8 bytes.
func (c *codec) putWord(mem []byte, n uint64) error {
	switch len(mem) {
	case 1:
		mem[0] = byte(n)
	case 2:
		c.order.PutUint16(mem, uint16(n))
	case 4:
		c.order.PutUint32(mem, uint32(n))
	case 8:
		c.order.PutUint64(mem, n)
	default:
		return fmt.Errorf("%w: a number of %d bytes", ErrSize, len(mem))
	}
	return nil
}

func (c *codec) word(mem []byte) (uint64, error) {
	switch len(mem) {
	case 1:
		return uint64(mem[0]), nil
	case 2:
		return uint64(c.order.Uint16(mem)), nil
	case 4:
		return uint64(c.order.Uint32(mem)), nil
	case 8:
		return c.order.Uint64(mem), nil
	}
	return 0, fmt.Errorf("%w: a number of %d bytes", ErrSize, len(mem))
}
