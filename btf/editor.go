package btf

import (
	"bytes"
	"encoding/binary"
)

// An editor is a copy of a Spec's types that is changed in place, word by
// word: no type changes its length, so ids, offsets and strings stay valid
// for whatever refers to them. Types and strings may be added at the end.
type editor struct {
	s     *Spec
	types []byte // in little endian
	strs  *strtab
	added int // types at the end
}

func newEditor(s *Spec) *editor {
	return &editor{s: s, types: bytes.Clone(s.types), strs: copyStrtab(s)}
}

// at is where the i-th word of a type is. The type must be of the Spec's own.
func (e *editor) at(t Type, i int) []byte { return e.types[int(t.off)+4*i:] }

func (e *editor) word(t Type, i int) uint32 { return le32(e.at(t, i)) }

func (e *editor) set(t Type, i int, v uint32) { putLE(e.at(t, i), v) }

// setKind changes kind and kind flag, and leaves vlen alone.
func (e *editor) setKind(t Type, k Kind) { e.setInfo(t, k, t.Vlen()) }

func (e *editor) setInfo(t Type, k Kind, vlen int) { e.set(t, 1, uint32(k)<<24|uint32(vlen)) }

func (e *editor) setName(t Type, name string) { e.set(t, 0, e.strs.add(name)) }

// add appends a type and returns its id.
func (e *editor) add(words ...uint32) TypeID {
	for _, w := range words {
		e.types = binary.LittleEndian.AppendUint32(e.types, w)
	}
	e.added++
	return TypeID(e.s.NumTypes() + e.added - 1)
}

// addInt appends an unsigned integer.
func (e *editor) addInt(name string, size uint32) TypeID {
	return e.add(e.strs.add(name), uint32(KindInt)<<24, size, 8*size)
}

// bytes writes the result in the byte order of the original.
func (e *editor) bytes(layout bool) ([]byte, error) {
	b := Builder{base: e.s.base, first: e.s.first, n: len(e.s.offs) + e.added, types: e.types, strs: e.strs}
	if layout {
		b.layout = bytes.Clone(e.s.layout[:len(e.s.layout)&^(layoutSize-1)])
		if e.s.be { // Bytes swaps it
			for l := b.layout; len(l) >= layoutSize; l = l[layoutSize:] {
				l[2], l[3] = l[3], l[2]
			}
		}
	}
	return b.Bytes(e.s.ByteOrder())
}
