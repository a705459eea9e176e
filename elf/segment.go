package elf

import "iter"

// A Segment is one program header: what a linked file wants in memory. Objects
// have none. It is a small value to be copied freely.
type Segment struct {
	f *File
	i int
}

// NumSegments is the number of program headers, 0 if the table is not in the
// file, which is a finding of Parse.
func (f *File) NumSegments() int { return f.nph }

// Segment is the program header with number i; not valid if there is none.
func (f *File) Segment(i int) Segment {
	if i < 0 || i >= f.nph {
		return Segment{}
	}
	return Segment{f, i}
}

// Segments are the program headers in the order of the table.
func (f *File) Segments() iter.Seq[Segment] {
	return func(yield func(Segment) bool) {
		for i := 0; i < f.nph; i++ {
			if !yield(Segment{f, i}) {
				return
			}
		}
	}
}

// Valid reports whether the segment exists.
func (s Segment) Valid() bool { return s.f != nil }

// Index is the segment's number in its file.
func (s Segment) Index() int { return s.i }

// Type says what the segment is for.
func (s Segment) Type() SegmentType {
	if s.f == nil {
		return 0
	}
	return SegmentType(s.f.u32(s.at(0)))
}

// Flags are the permissions of the memory.
func (s Segment) Flags() SegmentFlags {
	if s.f == nil {
		return 0
	}
	return SegmentFlags(s.f.u32(s.at(s.f.lay.pFlags)))
}

// Offset is where the contents start in the file. Nothing has been checked
// about it.
func (s Segment) Offset() uint64 {
	if s.f == nil {
		return 0
	}
	return s.f.wordAt(s.at(s.f.lay.pOffset))
}

// Vaddr is the virtual address.
func (s Segment) Vaddr() uint64 {
	if s.f == nil {
		return 0
	}
	return s.f.wordAt(s.at(s.f.lay.pVaddr))
}

// Paddr is the physical address, where that means something.
func (s Segment) Paddr() uint64 {
	if s.f == nil {
		return 0
	}
	return s.f.wordAt(s.at(s.f.lay.pPaddr))
}

// Filesz is the size in the file in bytes.
func (s Segment) Filesz() uint64 {
	if s.f == nil {
		return 0
	}
	return s.f.wordAt(s.at(s.f.lay.pFilesz))
}

// Memsz is the size in memory in bytes.
func (s Segment) Memsz() uint64 {
	if s.f == nil {
		return 0
	}
	return s.f.wordAt(s.at(s.f.lay.pMemsz))
}

// Align is the alignment in memory and in the file.
func (s Segment) Align() uint64 {
	if s.f == nil {
		return 0
	}
	return s.f.wordAt(s.at(s.f.lay.pAlign))
}

// Data is the contents, nil if they are not all in the file.
func (s Segment) Data() []byte {
	if s.f == nil {
		return nil
	}
	return s.f.at(s.Offset(), s.Filesz())
}

// Notes are the records of a PT_NOTE segment, none for any other. A record that
// is cut off ends them.
func (s Segment) Notes() iter.Seq[Note] {
	return func(yield func(Note) bool) {
		if s.Type() == PT_NOTE && s.Data() != nil {
			s.f.notes(extent{s.Offset(), s.Filesz()}, s.Align(), yield)
		}
	}
}

// at is where a field of the program header stands in the file.
func (s Segment) at(field int) uint64 {
	return s.f.phoff + uint64(s.i)*uint64(s.f.lay.phentsize) + uint64(field)
}
