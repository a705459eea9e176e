package btf

import (
	"bytes"
	"encoding/binary"
	"math/bits"
	"sync/atomic"
	"unsafe"
)

// A Spec is a set of types: one BTF blob and, for split BTF, the base that it
// builds on. It keeps the input and reads from it on demand. It is immutable;
// any number of goroutines may use it.
type Spec struct {
	raw   []byte
	types []byte   // type section
	strs  []byte   // string section
	offs  []uint32 // offs[i] is where type first+i begins in types
	typAt int64    // where types begins in raw
	strAt int64    // where strs begins in raw

	base    *Spec
	first   TypeID // id of the first type of its own
	strBase uint32 // string offsets below this belong to the base
	be      bool
	ptrSize uint8

	layout   []byte // layout section, 4 bytes a kind
	findings []Finding
	index    atomic.Pointer[nameIndex]
}

// Parse reads BTF with the default limits. A base is needed for split BTF,
// such as a kernel module's, and nil otherwise. b is kept, and must not be
// changed afterwards.
//
// One pass checks everything that accessors rely on: every type lies inside
// the data, every type id and name offset that a known kind holds is valid.
// What needs the graph of types (loops, sizes) is checked by the methods that
// walk it.
func Parse(b []byte, base *Spec) (*Spec, error) {
	return ParseLimits(b, base, DefaultLimits())
}

// ParseLimits is Parse with limits of the caller's choice.
func ParseLimits(b []byte, base *Spec, lim Limits) (*Spec, error) {
	lim = lim.filled()
	if len(b) > lim.Size {
		return nil, &FormatError{Part: "header", Index: -1, Offset: -1, Field: "size", Value: uint64(len(b)), Kind: Limit, Detail: "Limits.Size"}
	}
	h, findings, err := parseHeader(b)
	if err != nil {
		return nil, err
	}
	s := &Spec{raw: b, base: base, first: 1, be: h.be, findings: findings}
	if base != nil {
		if base.be != h.be {
			return nil, &FormatError{Part: "header", Index: -1, Field: "magic", Value: magic, Kind: Unsupported, Detail: "byte order differs from the base's"}
		}
		s.first = TypeID(base.NumTypes())
		s.strBase = base.strEnd()
		s.ptrSize = base.ptrSize
	}
	part := func(off, n uint32) []byte {
		i, j := uint64(h.len)+uint64(off), uint64(h.len)+uint64(off)+uint64(n)
		return b[i:j:j]
	}
	s.types, s.strs = part(h.typeOff, h.typeLen), part(h.strOff, h.strLen)
	s.typAt, s.strAt = int64(h.len)+int64(h.typeOff), int64(h.len)+int64(h.strOff)
	if h.layoutLen >= layoutSize {
		s.layout = part(h.layoutOff, h.layoutLen)
	}
	long, err := s.checkStrings(lim)
	if err != nil {
		return nil, err
	}
	sc := scanner{s: s, lim: lim}
	if err := sc.scan(); err != nil {
		return nil, err
	}
	if err := sc.checkRefs(long); err != nil {
		return nil, err
	}
	if s.ptrSize == 0 {
		s.ptrSize = 8
	}
	return s, nil
}

// layoutSize is the size of struct btf_layout: how long one kind is.
const layoutSize = 4

// strEnd is the end of the string offsets of s and its base.
func (s *Spec) strEnd() uint32 { return s.strBase + uint32(len(s.strs)) }

// checkStrings checks the string section: it begins (unless split) and ends
// with a NUL. It returns the stretches of the section, as pairs of offsets,
// where a name that begins there would be longer than the limit.
//
// From each position it looks for the last NUL within reach of the limit, so
// a section of short strings is not read but touched here and there.
func (s *Spec) checkStrings(lim Limits) (long []uint32, err error) {
	b := s.strs
	if len(b) == 0 {
		return nil, nil
	}
	if s.base == nil && b[0] != 0 {
		return nil, &FormatError{Part: "strings", Index: -1, Offset: s.strAt, Field: "first byte", Value: uint64(b[0]), Kind: Name, Detail: "want NUL"}
	}
	if b[len(b)-1] != 0 {
		return nil, &FormatError{Part: "strings", Index: -1, Offset: s.strAt + int64(len(b)) - 1, Field: "last byte", Value: uint64(b[len(b)-1]), Kind: Name, Detail: "want NUL"}
	}
	for p := 0; p < len(b); {
		end := len(b)
		if end-p > lim.Name+1 {
			end = p + lim.Name + 1
		}
		if i := bytes.LastIndexByte(b[p:end], 0); i >= 0 {
			p += i + 1
			continue
		}
		n := end + bytes.IndexByte(b[end:], 0) // there is one: the last byte
		long = append(long, s.strBase+uint32(p), s.strBase+uint32(n-lim.Name))
		p = n + 1
	}
	return long, nil
}

// A scanner is the one pass over the types. It keeps the largest type id and
// name offset that it sees instead of looking each one up; only when those
// are out of range, a second pass finds the culprit.
type scanner struct {
	s              *Spec
	lim            Limits
	maxID, maxName uint32
	firstTag       TypeID // first and last DECL_TAG
	lastTag        TypeID
}

// scan fills s.offs.
func (sc *scanner) scan() error {
	s := sc.s
	b, be := s.types, s.be
	limit := min(sc.lim.Types, maxTypes)
	// A type has at least 12 bytes; 24 is what they have on average.
	s.offs = make([]uint32, 0, len(b)/24+16)
	for off := 0; off < len(b); {
		if len(b)-off < typeSize {
			return sc.fail(off, "size", uint64(len(b)-off), Truncated, "a type has at least 12 bytes")
		}
		if int(s.first)+len(s.offs) > limit {
			return sc.fail(off, "types", uint64(int(s.first)+len(s.offs)), Limit, "Limits.Types")
		}
		t := b[off:]
		name, info, ref := ld32(t, be), ld32(t[4:], be), ld32(t[8:], be)
		kind, vlen := Kind(info>>24&maxKind), int(info&0xffffff)
		n := typeSize
		if kind.known() {
			k := &kinds[kind]
			n += int(k.extra) + int(k.elem)*vlen
			if len(t) < n {
				return sc.fail(off, "vlen", uint64(vlen), Truncated, "the type ends after the type section")
			}
			sc.maxName = max(sc.maxName, name)
			if k.ref {
				sc.maxID = max(sc.maxID, ref)
			}
			if k.elem != 0 || k.extra != 0 {
				if field, v := sc.rest(t[typeSize:n], kind, ref, info); field != "" {
					return sc.fail(off, field, v, Range, "in a type of kind "+kind.String())
				}
				if kind == KindInt && s.ptrSize == 0 {
					s.learnPointer(name, ref)
				}
			} else if kind == KindFloat && !floatSize(ref) {
				return sc.fail(off, "size", uint64(ref), Range, "a FLOAT has 2, 4, 8, 12 or 16 bytes")
			}
		} else {
			var err error
			if n, err = sc.unknown(off, kind, vlen); err != nil {
				return err
			}
		}
		s.offs = append(s.offs, uint32(off))
		off += n
	}
	// Growth may have left room; what is held for long should not.
	if spare := cap(s.offs) - len(s.offs); spare > len(s.offs)/8+64 {
		s.offs = append(make([]uint32, 0, len(s.offs)), s.offs...)
	}
	return nil
}

func floatSize(n uint32) bool {
	return n == 2 || n == 4 || n == 8 || n == 12 || n == 16
}

func enumSize(n uint32) bool { return n <= 8 && bits.OnesCount32(n) == 1 }

// rest reads what follows struct btf_type. It returns the name and value of
// a field that contradicts the format.
func (sc *scanner) rest(b []byte, kind Kind, ref, info uint32) (field string, v uint64) {
	be := sc.s.be
	maxID, maxName := sc.maxID, sc.maxName
	switch kind {
	case KindStruct, KindUnion:
		mask := uint32(0xffffffff)
		if info>>31 != 0 {
			mask = 0xffffff
		}
		end := uint32(0)
		for ; len(b) >= 12; b = b[12:] {
			maxName = max(maxName, ld32(b, be))
			maxID = max(maxID, ld32(b[4:], be))
			end = max(end, ld32(b[8:], be)&mask)
		}
		if uint64(end) > uint64(ref)*8 {
			return "member offset", uint64(end)
		}
	case KindFuncProto:
		for ; len(b) >= 8; b = b[8:] {
			maxName = max(maxName, ld32(b, be))
			maxID = max(maxID, ld32(b[4:], be))
		}
	case KindEnum:
		for ; len(b) >= 8; b = b[8:] {
			maxName = max(maxName, ld32(b, be))
		}
		if !enumSize(ref) {
			return "size", uint64(ref)
		}
	case KindEnum64:
		for ; len(b) >= 12; b = b[12:] {
			maxName = max(maxName, ld32(b, be))
		}
		if !enumSize(ref) {
			return "size", uint64(ref)
		}
	case KindDatasec:
		for ; len(b) >= 12; b = b[12:] {
			maxID = max(maxID, ld32(b, be))
		}
	case KindArray:
		maxID = max(maxID, ld32(b, be), ld32(b[4:], be))
	case KindInt:
		if w := ld32(b, be); uint64(w>>16&0xff)+uint64(w&0xff) > uint64(ref)*8 {
			return "bits", uint64(w & 0xff)
		}
	case KindDeclTag:
		id := sc.s.first + TypeID(len(sc.s.offs))
		if sc.firstTag == 0 {
			sc.firstTag = id
		}
		sc.lastTag = id
	}
	sc.maxID, sc.maxName = maxID, maxName
	return "", 0
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

// unknown returns the length of a type whose kind only the layout section
// describes.
func (sc *scanner) unknown(off int, kind Kind, vlen int) (int, error) {
	i := int(kind) * layoutSize
	if kind == KindVoid || len(sc.s.layout) < i+layoutSize {
		return 0, sc.fail(off, "kind", uint64(kind), Unsupported, "no such kind, and no layout that describes it")
	}
	l := sc.s.layout[i:]
	n := uint64(typeSize) + uint64(l[0]) + uint64(l[1])*uint64(vlen)
	if n%4 != 0 {
		return 0, sc.fail(off, "layout", n, Range, "the layout section makes types that are not aligned")
	}
	if n > uint64(len(sc.s.types)-off) {
		return 0, sc.fail(off, "vlen", uint64(vlen), Truncated, "the type ends after the type section")
	}
	return int(n), nil
}

// fail makes an error for the type that begins at off.
func (sc *scanner) fail(off int, field string, v uint64, k ErrorKind, detail string) error {
	return &FormatError{Part: "types", Index: int(sc.s.first) + len(sc.s.offs), Offset: sc.s.typAt + int64(off),
		Field: field, Value: v, Kind: k, Detail: detail}
}

// cstring is the string that begins at off, without a copy. The section is
// known to end with a NUL.
func cstring(b []byte, off uint32) string {
	b = b[off:]
	n := bytes.IndexByte(b, 0)
	if n <= 0 {
		return ""
	}
	return unsafe.String(unsafe.SliceData(b), n)
}

// String returns the string at an offset of the string section (or the
// base's), without a copy. Offset 0 is the empty string.
func (s *Spec) String(off uint32) (string, bool) {
	b, ok := s.stringAt(off)
	if !ok {
		return "", off == 0
	}
	return cstring(b, 0), true
}

// stringAt is the string section from an offset on.
func (s *Spec) stringAt(off uint32) ([]byte, bool) {
	for s != nil && off < s.strBase {
		s = s.base
	}
	if s == nil || off-s.strBase >= uint32(len(s.strs)) {
		return nil, false
	}
	return s.strs[off-s.strBase:], true
}

// str is String for offsets that Parse has checked; others are empty.
func (s *Spec) str(off uint32) string {
	if off == 0 {
		return ""
	}
	n, _ := s.String(off)
	return n
}

// ByteOrder is the byte order of the data.
func (s *Spec) ByteOrder() binary.ByteOrder {
	if s.be {
		return binary.BigEndian
	}
	return binary.LittleEndian
}

// PointerSize is the size of a pointer in bytes, 4 or 8: that of the C type
// long if the types have one, otherwise the base's, otherwise 8.
func (s *Spec) PointerSize() int { return int(s.ptrSize) }

// Base is what split BTF builds on, nil for a BTF that stands alone.
func (s *Spec) Base() *Spec { return s.base }

// Bytes is the input of Parse. It must not be changed.
func (s *Spec) Bytes() []byte { return s.raw }

// Findings lists what is odd in the data but harmless.
func (s *Spec) Findings() []Finding { return s.findings }
