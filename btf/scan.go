package btf

import "math/bits"

// A scanner is the one pass over the types. It keeps the largest type id and
// name offset that it sees instead of looking each one up; only when those
// are out of range, a second pass finds the culprit.
//
// The kernel has more than a hundred thousand types, of all kinds mixed, and
// a branch that depends on the kind costs more than the few words that a type
// has. So the pass has one loop for all kinds, and a table of masks (scanRow)
// says which words are ids and which are names.
type scanner struct {
	s              *Spec
	lim            Limits
	maxID, maxName uint32
	tags           []TypeID // the DeclTags
}

// A scanRow says how to scan one kind. Masks are all ones or zero.
type scanRow struct {
	size     uint64 // of a type without elements; of a kind that is not known, more than any file has
	elem     uint32 // size of an element
	special  bool   // needs a look by itself
	third    uint32 // mask: the third word of struct btf_type is an id
	name     uint32 // mask: an element's first word is a name
	id0, id1 uint32 // masks: an element's first, second word is an id
}

// scanRows follows from the table of kinds.
var scanRows = func() (rows [maxKind + 1]scanRow) {
	const all = 0xffffffff
	for k := range rows {
		rows[k].size = 1 << 62
	}
	for k := KindInt; int(k) < len(kinds); k++ {
		r := &rows[k]
		r.size, r.elem = typeSize+uint64(kinds[k].extra), uint32(kinds[k].elem)
		if kinds[k].ref {
			r.third = all
		}
		switch k {
		case KindStruct, KindUnion, KindFuncProto:
			r.name, r.id1 = all, all
		case KindEnum, KindEnum64:
			r.name = all
		case KindDatasec:
			r.id0 = all
		}
		switch k {
		case KindInt, KindArray, KindDeclTag, KindFloat, KindEnum, KindEnum64:
			r.special = true
		}
	}
	return rows
}()

// scan fills s.offs.
func (sc *scanner) scan() error {
	s := sc.s
	// A type has at least 12 bytes; 25 is what they have on average.
	offs := make([]uint32, len(s.types)/24+16)
	n := 0
	maxID, maxName := uint32(0), uint32(0)
	for t := s.types; len(t) > 0; n++ {
		if n == len(offs) {
			offs = append(offs, make([]uint32, len(offs)/4+16)...)
		}
		offs[n] = uint32(len(s.types) - len(t))
		if len(t) < typeSize {
			return sc.fail(n, t, "size", uint64(len(t)), Truncated, "a type has at least 12 bytes")
		}
		info, third := le32(t[4:]), le32(t[8:])
		r := &scanRows[info>>24&maxKind]
		size := r.size + uint64(r.elem)*uint64(info&0xffffff)
		if size > uint64(len(t)) {
			var err error
			if size, err = sc.other(n, t); err != nil {
				return err
			}
			t = t[size:]
			continue
		}
		maxName = max(maxName, le32(t))
		maxID = max(maxID, third&r.third)
		if r.special {
			id, err := sc.special(n, t)
			if err != nil {
				return err
			}
			maxID = max(maxID, id)
		}
		switch e := t[typeSize:size]; r.elem {
		case 8:
			for ; len(e) >= 8; e = e[8:] {
				maxName = max(maxName, le32(e)&r.name)
				maxID = max(maxID, le32(e[4:])&r.id1)
			}
		case 12:
			mask := uint32(0xffffffff) >> (info >> 31 << 3) // without the size of a bit field
			end := uint32(0)
			for ; len(e) >= 12; e = e[12:] {
				w := le32(e)
				maxName = max(maxName, w&r.name)
				maxID = max(maxID, w&r.id0, le32(e[4:])&r.id1)
				end = max(end, le32(e[8:])&mask)
			}
			if uint64(end&r.id1) > uint64(third)*8 {
				return sc.fail(n, t, "member offset", uint64(end), Range, "past the end of the type")
			}
		}
		t = t[size:]
	}
	sc.maxID, sc.maxName = maxID, maxName
	return sc.keep(offs[:n])
}

// keep takes over where the types begin. What is held for long should have no
// room to spare.
func (sc *scanner) keep(offs []uint32) error {
	s, n := sc.s, len(offs)
	s.offs = offs
	if spare := cap(offs) - n; spare > n/8+64 {
		s.offs = append(make([]uint32, 0, n), offs...)
	}
	if limit := min(sc.lim.Types, maxTypes); s.NumTypes()-1 > limit {
		return sc.fail(n, nil, "types", uint64(s.NumTypes()-1), Limit, "Limits.Types")
	}
	return nil
}

// special looks at kinds that have a form of their own. It returns the
// largest id outside struct btf_type.
func (sc *scanner) special(n int, t []byte) (uint32, error) {
	info, size := le32(t[4:]), le32(t[8:])
	switch Kind(info >> 24 & maxKind) {
	case KindArray:
		return max(le32(t[12:]), le32(t[16:])), nil
	case KindInt:
		if w := le32(t[12:]); uint64(w>>16&0xff)+uint64(w&0xff) > uint64(size)*8 {
			return 0, sc.fail(n, t, "bits", uint64(w&0xff), Range, "more bits than the INT has")
		}
		if sc.s.ptrSize == 0 {
			sc.s.learnPointer(le32(t), size)
		}
	case KindEnum, KindEnum64:
		if !enumSize(size) {
			return 0, sc.fail(n, t, "size", uint64(size), Range, "an enumeration has 1, 2, 4 or 8 bytes")
		}
	case KindFloat:
		if !floatSize(size) {
			return 0, sc.fail(n, t, "size", uint64(size), Range, "a FLOAT has 2, 4, 8, 12 or 16 bytes")
		}
	case KindDeclTag:
		sc.tags = append(sc.tags, sc.s.first+TypeID(n))
	}
	return 0, nil
}

func floatSize(n uint32) bool {
	return n == 2 || n == 4 || n == 8 || n == 12 || n == 16
}

func enumSize(n uint32) bool { return n <= 8 && bits.OnesCount32(n) == 1 }

// other returns the length of a type of which scan does not know how long it
// is: only the layout section describes its kind, or it is too long.
func (sc *scanner) other(n int, t []byte) (uint64, error) {
	info := le32(t[4:])
	kind, vlen := Kind(info>>24&maxKind), info&0xffffff
	i := int(kind) * layoutSize
	if kind.known() {
		return 0, sc.fail(n, t, "vlen", uint64(vlen), Truncated, "the type ends after the type section")
	}
	if kind == KindVoid || len(sc.s.layout) < i+layoutSize {
		return 0, sc.fail(n, t, "kind", uint64(kind), Unsupported, "no such kind, and no layout that describes it")
	}
	l := sc.s.layout[i:]
	size := uint64(typeSize) + uint64(l[0]) + uint64(l[1])*uint64(vlen)
	if size%4 != 0 {
		return 0, sc.fail(n, t, "layout", size, Range, "the layout section makes types that are not aligned")
	}
	if size > uint64(len(t)) {
		return 0, sc.fail(n, t, "vlen", uint64(vlen), Truncated, "the type ends after the type section")
	}
	return size, nil
}

// learnPointer takes the size of a pointer from an INT that C calls long.
func (s *Spec) learnPointer(name, size uint32) {
	if size != 4 && size != 8 {
		return
	}
	switch n, _ := s.String(name); n {
	case "long", "long int", "unsigned long", "unsigned long int", "long unsigned int":
		s.ptrSize = uint8(size)
	}
}

// fail makes an error for the n-th type, with which t begins.
func (sc *scanner) fail(n int, t []byte, field string, v uint64, k ErrorKind, detail string) error {
	return &FormatError{Part: "types", Index: int(sc.s.first) + n, Offset: sc.s.typAt + int64(len(sc.s.types)-len(t)),
		Field: field, Value: v, Kind: k, Detail: detail}
}
