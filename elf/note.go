package elf

import (
	"iter"
	"unsafe"
)

// A Note is one record of a SHT_NOTE section or PT_NOTE segment.
type Note struct {
	Name string // owner, such as "GNU", without its final NUL
	Type uint32 // meaning is the owner's
	Desc []byte // contents; a part of the input
}

// Notes are the records of a note section, none for any other. A record that is
// cut off, which is a finding of Parse, ends them.
func (s Section) Notes() iter.Seq[Note] {
	return func(yield func(Note) bool) {
		if s.Type() != SHT_NOTE {
			return
		}
		s.f.notes(s.extent(), s.Addralign(), yield)
	}
}

// notes walks note records and returns where it stopped: the end of the extent
// if all is well. Each record has three 32-bit numbers, then name and contents,
// padded to 4 bytes, or to 8 where the alignment says so (gABI chapter 5).
func (f *File) notes(e extent, align uint64, yield func(Note) bool) uint64 {
	if align != 8 {
		align = 4
	}
	at, end := e.off, e.off+e.size
	for end-at >= 12 {
		namesz, descsz, typ := uint64(f.u32(at)), uint64(f.u32(at+4)), f.u32(at+8)
		name := at + 12
		if namesz > end-name {
			return at
		}
		desc := e.off + roundUp(name+namesz-e.off, align)
		if desc > end || descsz > end-desc {
			return at
		}
		b := f.at(name, namesz)
		if n := len(b); n > 0 && b[n-1] == 0 {
			b = b[:n-1]
		}
		if !yield(Note{unsafe.String(unsafe.SliceData(b), len(b)), typ, f.at(desc, descsz)}) {
			return end
		}
		at = min(e.off+roundUp(desc+descsz-e.off, align), end)
	}
	return at
}

// roundUp rounds n up to a multiple of align, a power of two. Both are far from
// where that could overflow: n is a place in the file.
func roundUp(n, align uint64) uint64 { return (n + align - 1) &^ (align - 1) }
