package maps

import (
	"encoding/binary"
	"fmt"
	"io"

	"github.com/lode-bpf/lode/btf"
)

// AppendJSON appends a value as JSON: structures as objects, arrays of char
// that are text as strings, enumerations by name, pointers in hexadecimal.
// order is the byte order of mem, which has the size of the type.
func AppendJSON(dst []byte, b *btf.Spec, id btf.TypeID, order binary.ByteOrder, mem []byte) ([]byte, error) {
	j := jsonWriter{buf: dst}
	c := codec{b: b, order: order}
	if err := j.typed(&c, id, mem, varsOf(b, id)); err != nil {
		return dst, err
	}
	return j.buf, nil
}

// WriteJSON writes all entries as a JSON array of objects with "key" and
// "value", or "values" with one for each "cpu". What has no type is an array of
// bytes in hexadecimal. See LoadTypes.
func (m *Map) WriteJSON(w io.Writer) error {
	return m.dump(w, &jsonWriter{})
}

// Dump writes all entries for a person to read, laid out as `bpftool map dump`
// does: with types as WriteJSON does but over several lines, without types as
// one line of hexadecimal bytes for each entry, and their number.
func (m *Map) Dump(w io.Writer) error {
	if m.btf == nil || m.value == 0 {
		return m.dumpHex(w)
	}
	return m.dump(w, &jsonWriter{plain: true})
}

// dumpChunk is how much text is collected before it is written.
const dumpChunk = 32 << 10

func (m *Map) dump(w io.Writer, j *jsonWriter) error {
	c := &codec{b: m.btf, order: nativeEndian}
	j.begin('[')
	e := m.Entries()
	for key, value := range e.All() {
		if err := m.dumpEntry(j, c, key, value); err != nil {
			return &OpError{Op: "dump", Map: m.name, Err: err}
		}
		if len(j.buf) >= dumpChunk {
			if _, err := w.Write(j.buf); err != nil {
				return err
			}
			j.buf = j.buf[:0]
		}
	}
	if e.Err() != nil {
		return e.Err()
	}
	if j.plain {
		j.comma = false
		j.buf = append(j.buf, '\n')
	}
	j.end(']')
	_, err := w.Write(append(j.buf, '\n'))
	return err
}

func (m *Map) dumpEntry(j *jsonWriter, c *codec, key, value []byte) error {
	j.begin('{')
	defer j.end('}')
	if m.value == 0 || m.key != 0 {
		j.name("key")
		if err := m.typedOrBytes(j, c, m.key, key); err != nil {
			return err
		}
	}
	if m.cpus == 0 {
		j.name("value")
		return m.typedOrBytes(j, c, m.value, value)
	}
	j.name("values")
	j.begin('[')
	defer j.end(']')
	for cpu, v := range m.SplitPerCPU(value) {
		j.begin('{')
		j.name("cpu")
		j.int(int64(cpu))
		j.name("value")
		if err := m.typedOrBytes(j, c, m.value, v); err != nil {
			return err
		}
		j.end('}')
	}
	return nil
}

// typedOrBytes writes a key or value of which the type may not be known.
func (m *Map) typedOrBytes(j *jsonWriter, c *codec, id btf.TypeID, mem []byte) error {
	if c.b == nil || id == 0 {
		j.bytes(mem)
		return nil
	}
	return j.typed(c, id, mem, m.vars)
}

// typed writes a value, or all variables if the type is a section of data.
func (j *jsonWriter) typed(c *codec, id btf.TypeID, mem []byte, vars []Var) error {
	if c.b == nil {
		return fmt.Errorf("%w: no types", ErrNotExist)
	}
	ds := c.b.Type(id)
	if ds.Kind() != btf.KindDatasec {
		return j.value(c, id, mem, 0)
	}
	j.begin('{')
	defer j.end('}')
	j.name(ds.Name())
	j.begin('[')
	defer j.end(']')
	for _, v := range vars {
		if v.Offset > uint64(len(mem)) || v.Size > uint64(len(mem))-v.Offset {
			return fmt.Errorf("variable %q ends after its section of %d bytes", v.Name, len(mem))
		}
		j.begin('{')
		j.name(v.Name)
		if err := j.value(c, v.Type, mem[v.Offset:v.Offset+v.Size], 0); err != nil {
			return err
		}
		j.end('}')
	}
	return nil
}

// dumpHex is the form without types.
func (m *Map) dumpHex(w io.Writer) error {
	n := 0
	buf := make([]byte, 0, dumpChunk)
	e := m.Entries()
	for key, value := range e.All() {
		n++
		buf = appendHex(append(buf, "key:"...), key)
		if m.cpus == 0 {
			buf = appendHex(append(buf, "  value:"...), value)
		} else {
			for cpu, v := range m.SplitPerCPU(value) {
				buf = appendHex(fmt.Appendf(buf, "\nvalue (CPU %02d):", cpu), v)
			}
		}
		buf = append(buf, '\n')
		if len(buf) >= dumpChunk/2 {
			if _, err := w.Write(buf); err != nil {
				return err
			}
			buf = buf[:0]
		}
	}
	if e.Err() != nil {
		return e.Err()
	}
	_, err := w.Write(fmt.Appendf(buf, "Found %d element%s\n", n, map[bool]string{false: "s"}[n == 1]))
	return err
}

func appendHex(dst, b []byte) []byte {
	for _, c := range b {
		dst = append(dst, ' ', hexDigits[c>>4], hexDigits[c&15])
	}
	return dst
}
