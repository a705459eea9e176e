package btf

import (
	"io"
	"strconv"
)

// FormatRaw lists the types of its own, one paragraph each, as "bpftool btf
// dump ... format raw" does.
func (s *Spec) FormatRaw(w io.Writer) error {
	p := newPrinter(w)
	for t := range s.Types() {
		p.b = append(t.AppendRaw(p.b), '\n')
		p.flush(false)
	}
	return p.flush(true)
}

// printBuffer is how much a printer gathers before it writes.
const printBuffer = 32 << 10

// A printer gathers text and writes it in large pieces. It keeps the first
// error of the writer.
type printer struct {
	w   io.Writer
	b   []byte
	err error
}

func newPrinter(w io.Writer) *printer {
	return &printer{w: w, b: make([]byte, 0, printBuffer+4096)}
}

// flush writes what is there if it is much, or all in any case.
func (p *printer) flush(all bool) error {
	if len(p.b) >= printBuffer || all && len(p.b) > 0 {
		if p.err == nil {
			_, p.err = p.w.Write(p.b)
		}
		p.b = p.b[:0]
	}
	return p.err
}

// AppendRaw appends the listing of one type, without a final newline.
func (t Type) AppendRaw(b []byte) []byte {
	b = append(b, '[')
	b = strconv.AppendUint(b, uint64(t.id), 10)
	b = append(b, "] "...)
	b = append(b, t.Kind().String()...)
	b = rawName(append(b, ' '), t.Name())
	switch t.Kind() {
	case KindInt:
		b = rawUint(b, " size=", t.Size())
		b = rawUint(b, " bits_offset=", t.IntOffset())
		b = rawUint(b, " nr_bits=", t.IntBits())
		b = append(append(b, " encoding="...), t.Encoding().String()...)
	case KindPtr, KindTypedef, KindVolatile, KindConst, KindRestrict, KindTypeTag:
		b = rawUint(b, " type_id=", uint32(t.Elem()))
	case KindArray:
		b = rawUint(b, " type_id=", uint32(t.Elem()))
		b = rawUint(b, " index_type_id=", uint32(t.Index()))
		b = rawUint(b, " nr_elems=", t.Nelems())
	case KindStruct, KindUnion:
		b = t.appendRawMembers(b)
	case KindEnum, KindEnum64:
		b = t.appendRawEnum(b)
	case KindFwd:
		kind := "struct"
		if t.KindFlag() {
			kind = "union"
		}
		b = append(append(b, " fwd_kind="...), kind...)
	case KindFunc:
		b = rawUint(b, " type_id=", uint32(t.Elem()))
		b = append(append(b, " linkage="...), t.Linkage().String()...)
	case KindFuncProto:
		b = rawUint(b, " ret_type_id=", uint32(t.Elem()))
		b = rawUint(b, " vlen=", uint32(t.Vlen()))
		for _, p := range t.Params() {
			b = rawName(append(b, "\n\t"...), p.Name)
			b = rawUint(b, " type_id=", uint32(p.Type))
		}
	case KindVar:
		b = rawUint(b, " type_id=", uint32(t.Elem()))
		b = append(append(b, ", linkage="...), t.Linkage().String()...)
	case KindDatasec:
		b = t.appendRawVars(b)
	case KindFloat:
		b = rawUint(b, " size=", t.Size())
	case KindDeclTag:
		b = rawUint(b, " type_id=", uint32(t.Elem()))
		b = strconv.AppendInt(append(b, " component_idx="...), int64(t.ComponentIndex()), 10)
	}
	return b
}

func (t Type) appendRawMembers(b []byte) []byte {
	b = rawUint(b, " size=", t.Size())
	b = rawUint(b, " vlen=", uint32(t.Vlen()))
	for _, m := range t.Members() {
		b = rawName(append(b, "\n\t"...), m.Name)
		b = rawUint(b, " type_id=", uint32(m.Type))
		b = rawUint(b, " bits_offset=", m.BitOffset)
		if m.BitSize != 0 {
			b = rawUint(b, " bitfield_size=", m.BitSize)
		}
	}
	return b
}

func (t Type) appendRawEnum(b []byte) []byte {
	encoding, suffix := "UNSIGNED", ""
	if t.Signed() {
		encoding = "SIGNED"
	}
	if t.Kind() == KindEnum64 {
		if suffix = "ULL"; t.Signed() {
			suffix = "LL"
		}
	}
	b = append(append(b, " encoding="...), encoding...)
	b = rawUint(b, " size=", t.word(2))
	b = rawUint(b, " vlen=", uint32(t.Vlen()))
	for _, e := range t.Enumerators() {
		b = rawName(append(b, "\n\t"...), e.Name)
		b = append(b, " val="...)
		if t.Signed() {
			b = strconv.AppendInt(b, int64(e.Value), 10)
		} else {
			b = strconv.AppendUint(b, e.Value, 10)
		}
		b = append(b, suffix...)
	}
	return b
}

func (t Type) appendRawVars(b []byte) []byte {
	b = rawUint(b, " size=", t.word(2))
	b = rawUint(b, " vlen=", uint32(t.Vlen()))
	for _, v := range t.Vars() {
		b = rawUint(b, "\n\ttype_id=", uint32(v.Type))
		b = rawUint(b, " offset=", v.Offset)
		b = rawUint(b, " size=", v.Size)
		if typ := t.s.Type(v.Type); typ.id != 0 {
			b = append(append(b, " ("...), typ.Kind().String()...)
			b = append(rawName(append(b, ' '), typ.Name()), ')')
		}
	}
	return b
}

func rawUint(b []byte, label string, v uint32) []byte {
	return strconv.AppendUint(append(b, label...), uint64(v), 10)
}

// rawName appends a name in single quotes. Bytes that would do something to a
// terminal are escaped as in Go.
func rawName(b []byte, name string) []byte {
	if name == "" {
		name = "(anon)"
	}
	b = append(b, '\'')
	b = appendPrintable(b, name)
	return append(b, '\'')
}

// appendPrintable appends text of a file, with what is not printable escaped.
func appendPrintable(b []byte, s string) []byte {
	for i := range len(s) {
		if c := s[i]; c < ' ' || c > '~' {
			q := strconv.AppendQuoteToASCII(nil, s)
			return append(b, q[1:len(q)-1]...)
		}
	}
	return append(b, s...)
}
