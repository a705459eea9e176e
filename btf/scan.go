package btf

import "math/bits"

// A scanner is the one pass over the types. It keeps the largest type id and
// name offset that it sees instead of looking each one up; only when those
// are out of range, a second pass finds the culprit.
type scanner struct {
	s              *Spec
	lim            Limits
	maxID, maxName uint32
	tags           []TypeID // the DeclTags
}

// scan fills s.offs. What most types of a kernel are is read here: it takes
// less time than to call scanType.
func (sc *scanner) scan() (err error) {
	s := sc.s
	// A type has at least 12 bytes; 25 is what they have on average.
	offs := make([]uint32, len(s.types)/24+16)
	n, maxID, maxName := 0, uint32(0), uint32(0)
	for t := s.types; len(t) > 0; n++ {
		if n == len(offs) {
			offs = append(offs, make([]uint32, len(offs)/4+16)...)
		}
		offs[n] = uint32(len(s.types) - len(t))
		if len(t) < typeSize {
			return sc.fail(n, t, "size", uint64(len(t)), Truncated, "a type has at least 12 bytes")
		}
		info, third := le32(t[4:]), le32(t[8:])
		kind, vlen := Kind(info>>24&maxKind), uint64(info&maxVlen)
		size := uint64(typeSize)
		switch {
		case plain>>kind&1 != 0:
			maxName, maxID = max(maxName, le32(t)), max(maxID, third)
		case kind == KindFuncProto && vlen <= fewParams && len(t) >= typeSize+8*fewParams:
			is := &isParam[vlen]
			maxName = max(maxName, le32(t), le32(t[12:])&is[0], le32(t[20:])&is[1], le32(t[28:])&is[2], le32(t[36:])&is[3])
			maxID = max(maxID, third, le32(t[16:])&is[0], le32(t[24:])&is[1], le32(t[32:])&is[2], le32(t[40:])&is[3])
			size += 8 * vlen
		case (kind == KindStruct || kind == KindUnion) && typeSize+12*vlen <= uint64(len(t)):
			size += 12 * vlen
			maxName = max(maxName, le32(t))
			offset, end := uint32(0xffffffff)>>(info>>31<<3), uint32(0) // without the size of a bit field
			for e := t[typeSize:size]; len(e) >= 12; e = e[12:] {
				maxName, maxID = max(maxName, le32(e)), max(maxID, le32(e[4:]))
				end = max(end, le32(e[8:])&offset)
			}
			if uint64(end) > uint64(third)*8 {
				return sc.fail(n, t, "member offset", uint64(end), Range, "past the end of the type")
			}
		default:
			if size, err = sc.scanType(n, t); err != nil {
				return err
			}
		}
		t = t[size:]
	}
	sc.maxID, sc.maxName = max(maxID, sc.maxID), max(maxName, sc.maxName)
	return sc.keep(offs[:n])
}

// plain are the kinds that are a struct btf_type with a type id, and no more.
const plain = uint64(1<<KindPtr | 1<<KindTypedef | 1<<KindVolatile | 1<<KindConst | 1<<KindRestrict | 1<<KindFunc | 1<<KindTypeTag)

// Most prototypes have at most four parameters. For these, scan reads the
// places of four and masks those that are none, because a loop that the
// processor expects to end earlier or later costs more.
const (
	fewParams = 4
	param     = 0xffffffff
)

var isParam = [fewParams + 1][fewParams]uint32{
	{}, {param}, {param, param}, {param, param, param}, {param, param, param, param},
}

// scanType looks at the n-th type, with which t begins and which scan does not
// know how to read, and returns its size.
func (sc *scanner) scanType(n int, t []byte) (uint64, error) {
	info, third := le32(t[4:]), le32(t[8:])
	kind, vlen := Kind(info>>24&maxKind), info&maxVlen
	if !kind.known() {
		return sc.unknown(n, t)
	}
	k := &kinds[kind]
	size := typeSize + uint64(k.extra) + uint64(k.elem)*uint64(vlen)
	if size > uint64(len(t)) {
		return 0, sc.fail(n, t, "vlen", uint64(vlen), Truncated, "the type ends after the type section")
	}
	maxName, maxID := max(sc.maxName, le32(t)), sc.maxID
	if k.ref {
		maxID = max(maxID, third)
	}
	e := t[typeSize:size]
	switch kind {
	case KindInt:
		if w := le32(e); uint64(w>>16&0xff)+uint64(w&0xff) > uint64(third)*8 {
			return 0, sc.fail(n, t, "bits", uint64(w&0xff), Range, "more bits than the INT has")
		}
		if sc.s.ptrSize == 0 {
			sc.s.learnPointer(le32(t), third)
		}
	case KindArray:
		maxID = max(maxID, le32(e), le32(e[4:]))
	case KindEnum, KindEnum64:
		if !enumSize(third) && !(third == 0 && info == uint32(KindEnum)<<24) { // clang gives no size to one that is only declared
			return 0, sc.fail(n, t, "size", uint64(third), Range, "an enumeration has 1, 2, 4 or 8 bytes")
		}
		for ; len(e) >= int(k.elem); e = e[k.elem:] {
			maxName = max(maxName, le32(e))
		}
	case KindFuncProto:
		for ; len(e) >= 8; e = e[8:] {
			maxName, maxID = max(maxName, le32(e)), max(maxID, le32(e[4:]))
		}
	case KindDatasec:
		for ; len(e) >= 12; e = e[12:] {
			maxID = max(maxID, le32(e))
		}
	case KindFloat:
		if !floatSize(third) {
			return 0, sc.fail(n, t, "size", uint64(third), Range, "a FLOAT has 2, 4, 8, 12 or 16 bytes")
		}
	case KindDeclTag:
		sc.tags = append(sc.tags, sc.s.first+TypeID(n))
	}
	sc.maxName, sc.maxID = maxName, maxID
	return size, nil
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

func floatSize(n uint32) bool {
	return n == 2 || n == 4 || n == 8 || n == 12 || n == 16
}

func enumSize(n uint32) bool { return n <= 8 && bits.OnesCount32(n) == 1 }

// unknown returns the size of a type of a kind that only the layout section
// describes.
func (sc *scanner) unknown(n int, t []byte) (uint64, error) {
	kind, vlen := Kind(le32(t[4:])>>24&maxKind), le32(t[4:])&maxVlen
	i := int(kind) * layoutSize
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
