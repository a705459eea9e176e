package static

import (
	"iter"

	"github.com/lode-bpf/lode/btf"
)

// Sizes of what .BTF.ext is made of: struct btf_ext_header with the part for
// CO-RE, and the records (include/linux/btf.h of libbpf, Documentation/bpf/btf.rst).
const (
	extHeader   = 32
	funcInfoLen = 8
	lineInfoLen = 16
	coreInfoLen = 16
)

// mergedExt writes .BTF.ext; strings go to b. It is nil if there is nothing to
// be said.
func (l *linker) mergedExt(b *btf.Builder) []byte {
	str := func(in *input, off uint32) uint32 {
		s, _ := in.btf.String(off)
		return b.AddString(s)
	}
	funcs := l.part(b, funcInfoLen, func(in *input, section string) iter.Seq2[uint32, [3]uint32] {
		return func(yield func(uint32, [3]uint32) bool) {
			for _, r := range in.ext.Funcs(section) {
				if !yield(r.Off, [3]uint32{in.typeID(r.Type)}) {
					return
				}
			}
		}
	})
	lines := l.part(b, lineInfoLen, func(in *input, section string) iter.Seq2[uint32, [3]uint32] {
		return func(yield func(uint32, [3]uint32) bool) {
			for _, r := range in.ext.Lines(section) {
				if !yield(r.Off, [3]uint32{str(in, r.FileOff), str(in, r.LineOff), r.LineCol}) {
					return
				}
			}
		}
	})
	core := l.part(b, coreInfoLen, func(in *input, section string) iter.Seq2[uint32, [3]uint32] {
		return func(yield func(uint32, [3]uint32) bool) {
			for _, r := range in.ext.CORE(section) {
				if !yield(r.Off, [3]uint32{in.typeID(r.Type), str(in, r.AccessOff), uint32(r.Kind)}) {
					return
				}
			}
		}
	})
	if len(funcs)+len(lines)+len(core) == 0 {
		return nil
	}
	return l.ext(funcs, lines, core)
}

// typeID is a type's id in the output, 0 if it is none of the input's.
func (in *input) typeID(id btf.TypeID) uint32 {
	if int(id) >= len(in.ids) {
		return 0
	}
	return uint32(in.ids[id])
}

// part writes one kind of records: its record size, then for each section its
// name, the number of records, and the records, whose first word is the place
// in the section.
func (l *linker) part(b *btf.Builder, size uint32, records func(*input, string) iter.Seq2[uint32, [3]uint32]) []byte {
	var out []byte
	put := func(v uint32) { out = l.appendUint32(out, v) }
	for _, sec := range l.secs {
		start, n := len(out), uint32(0)
		for _, in := range l.inputs {
			src, ok := in.secs[sec.Name]
			if in.ext == nil || !ok {
				continue
			}
			for off, words := range records(in, sec.Name) {
				_, at, placed := in.at(src.Index(), uint64(off))
				if !placed || uint64(off) >= src.Size() || in.isLost(src.Index(), uint64(off)) {
					continue
				}
				if n == 0 {
					put(b.AddString(sec.Name))
					put(0) // number of records
				}
				n++
				put(uint32(at))
				for _, w := range words[:size/4-1] {
					put(w)
				}
			}
		}
		if n > 0 {
			l.order.PutUint32(out[start+4:], n)
		}
	}
	if out == nil {
		return nil
	}
	return append(l.appendUint32(nil, size), out...)
}

func (l *linker) appendUint32(b []byte, v uint32) []byte {
	var w [4]byte
	l.order.PutUint32(w[:], v)
	return append(b, w[:]...)
}

// ext writes the header and the parts behind it.
func (l *linker) ext(parts ...[]byte) []byte {
	out := make([]byte, extHeader)
	l.order.PutUint16(out, 0xeb9f)
	out[2] = 1 // version
	l.order.PutUint32(out[4:], extHeader)
	for i, p := range parts {
		l.order.PutUint32(out[8+8*i:], uint32(len(out)-extHeader))
		l.order.PutUint32(out[12+8*i:], uint32(len(p)))
		out = append(out, p...)
	}
	return out
}
