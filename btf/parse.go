package btf

import (
	"bytes"
	"encoding/binary"
	"sync/atomic"
	"unsafe"
)

// A Spec is a set of types: one BTF blob and, for split BTF, the base that it
// builds on. It keeps the input and reads from it on demand. It is immutable;
// any number of goroutines may use it.
type Spec struct {
	raw   []byte
	types []byte   // type section, in little endian whatever the input
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
	if h.be {
		s.types = bytes.Clone(s.types)
		swapWords(s.types)
	}
	if h.layoutLen >= layoutSize {
		s.layout = part(h.layoutOff, h.layoutLen)
	}
	long, err := s.checkStrings(lim)
	if err != nil {
		return nil, err
	}
	sc := scanner{s: s, lim: lim, tags: make([]TypeID, 0, 256)}
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
