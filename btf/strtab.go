package btf

import (
	"bytes"
	"hash/maphash"
)

// A strtab is a string section under construction, in which every string
// stands once. Offset 0 is the empty string.
type strtab struct {
	b     []byte
	off   uint32   // of b[0]: what the base has comes before
	base  *Spec    // whose strings are used where they serve; may be nil
	slots []uint32 // open addressing: 0 is free, otherwise an offset
	n     int      // slots in use
}

// newStrtab begins an empty section, or one that continues a base's.
func newStrtab(base *Spec) *strtab {
	t := &strtab{base: base}
	if base != nil {
		t.off = base.strEnd()
		for s := base; s != nil; s = s.base {
			t.index(s.strs, s.strBase)
		}
		return t
	}
	t.b = []byte{0}
	return t
}

// copyStrtab begins with the whole section of a Spec, so that all offsets
// into it stay what they are.
func copyStrtab(s *Spec) *strtab {
	t := &strtab{base: s.base, off: s.strBase, b: bytes.Clone(s.strs)}
	if s.base == nil && len(t.b) == 0 {
		t.b = []byte{0}
	}
	t.index(t.b, t.off)
	return t
}

// index enters the strings of a section that exists.
func (t *strtab) index(b []byte, off uint32) {
	for p := 0; p < len(b); {
		n := bytes.IndexByte(b[p:], 0)
		if n < 0 {
			return
		}
		if n > 0 {
			t.put(b[p:p+n], off+uint32(p))
		}
		p += n + 1
	}
}

// at is the string at an offset that slots hold.
func (t *strtab) at(off uint32) []byte {
	b := t.b
	if off >= t.off {
		off -= t.off
	} else {
		b, _ = t.base.stringAt(off)
		off = 0
	}
	b = b[off:]
	return b[:bytes.IndexByte(b, 0)]
}

// slot is where a string is, or where it would go.
func (t *strtab) slot(s []byte) *uint32 {
	mask := uint64(len(t.slots) - 1)
	for i := maphash.Bytes(seed, s); ; i++ {
		p := &t.slots[i&mask]
		if *p == 0 || bytes.Equal(t.at(*p), s) {
			return p
		}
	}
}

// put enters a string that stands at an offset, unless it is known.
func (t *strtab) put(s []byte, off uint32) {
	if 4*t.n >= 3*len(t.slots) {
		old := t.slots
		t.slots = make([]uint32, max(64, 2*len(old)))
		for _, o := range old {
			if o != 0 {
				*t.slot(t.at(o)) = o
			}
		}
	}
	if p := t.slot(s); *p == 0 {
		*p = off
		t.n++
	}
}

// find returns the offset of a string that is there.
func (t *strtab) find(s string) (uint32, bool) {
	if s == "" {
		return 0, true
	}
	if len(t.slots) == 0 {
		return 0, false
	}
	off := *t.slot([]byte(s))
	return off, off != 0
}

// add returns the offset of a string and appends it if it is new.
func (t *strtab) add(s string) uint32 {
	if off, ok := t.find(s); ok {
		return off
	}
	off := t.off + uint32(len(t.b))
	t.b = append(append(t.b, s...), 0)
	t.put(t.b[len(t.b)-1-len(s):len(t.b)-1], off)
	return off
}
