package btf

import (
	"encoding/binary"
	"math/bits"
)

// Sizes and values of struct btf_header.
const (
	magic        = 0xeb9f
	version      = 1
	headerLen    = 24 // up to and including str_len
	headerLenNew = 32 // with layout_off and layout_len, since Linux 7.1
)

// header is struct btf_header. Offsets count from its end.
type header struct {
	be        bool
	len       uint32
	typeOff   uint32
	typeLen   uint32
	strOff    uint32
	strLen    uint32
	layoutOff uint32 // 0 in headers of 24 bytes
	layoutLen uint32
}

// le32 reads a word of little endian.
func le32(b []byte) uint32 { return binary.LittleEndian.Uint32(b) }

// ld32 reads a word in the file's byte order.
func ld32(b []byte, be bool) uint32 {
	v := le32(b)
	if be {
		return bits.ReverseBytes32(v)
	}
	return v
}

// formatError makes a FormatError. It is not inlined: checks of many fields call
// it, and only if something is wrong.
//
//go:noinline
func formatError(part string, index int, off int64, field string, v uint64, k ErrorKind, detail string) error {
	return &FormatError{Part: part, Index: index, Offset: off, Field: field, Value: v, Kind: k, Detail: detail}
}

// parseMagic reads what .BTF and .BTF.ext have in common: magic, version,
// flags and the header's length, which must be at least minLen.
func parseMagic(b []byte, part string, minLen uint32) (be bool, hdrLen uint32, err error) {
	fail := func(off int64, field string, v uint64, k ErrorKind, detail string) error {
		return formatError(part, -1, off, field, v, k, detail)
	}
	if len(b) < 8 {
		return false, 0, fail(0, "size", uint64(len(b)), Truncated, "a header has at least 8 bytes")
	}
	switch m := binary.LittleEndian.Uint16(b); m {
	case magic:
	case magic>>8 | magic&0xff<<8:
		be = true
	default:
		return false, 0, fail(0, "magic", uint64(m), Unsupported, "want 0xeb9f in either byte order")
	}
	if b[2] != version {
		return be, 0, fail(2, "version", uint64(b[2]), Unsupported, "want 1")
	}
	if b[3] != 0 {
		return be, 0, fail(3, "flags", uint64(b[3]), Unsupported, "want 0")
	}
	hdrLen = ld32(b[4:], be)
	if hdrLen < minLen {
		return be, 0, fail(4, "hdr_len", uint64(hdrLen), Range, "shorter than the oldest header")
	}
	if uint64(hdrLen) > uint64(len(b)) {
		return be, 0, fail(4, "hdr_len", uint64(hdrLen), Truncated, "header ends after the data")
	}
	return be, hdrLen, nil
}

// parseHeader checks the header and that its sections lie inside b, are
// aligned and do not overlap.
func parseHeader(b []byte) (h header, findings []Finding, err error) {
	h.be, h.len, err = parseMagic(b, "header", headerLen)
	if err != nil {
		return h, nil, err
	}
	h.typeOff, h.typeLen = ld32(b[8:], h.be), ld32(b[12:], h.be)
	h.strOff, h.strLen = ld32(b[16:], h.be), ld32(b[20:], h.be)
	known := uint32(headerLen)
	if h.len >= headerLenNew {
		h.layoutOff, h.layoutLen = ld32(b[24:], h.be), ld32(b[28:], h.be)
		known = headerLenNew
	}
	for i := known; i < h.len; i++ {
		if b[i] != 0 {
			findings = append(findings, Finding{Part: "header", Index: -1, Offset: int64(i),
				Text: "header has bytes that this package does not know"})
			break
		}
	}
	rest := uint64(len(b)) - uint64(h.len)
	areas := [...]area{
		{"type", h.typeOff, h.typeLen, 8, 4},
		{"str", h.strOff, h.strLen, 16, 1},
		{"layout", h.layoutOff, h.layoutLen, 24, 4},
	}
	if err := checkAreas("header", areas[:], rest); err != nil {
		return h, nil, err
	}
	end := uint64(0)
	for _, a := range areas {
		end = max(end, uint64(a.off)+uint64(a.len))
	}
	if end < rest {
		findings = append(findings, Finding{Part: "header", Index: -1, Offset: int64(h.len) + int64(end),
			Text: "bytes that belong to no section"})
	}
	return h, findings, nil
}

// An area is a part of the data that a header describes.
type area struct {
	name     string
	off, len uint32
	at       int64 // where the header has the offset
	align    uint32
}

// checkAreas checks areas against the number of bytes after the header and
// against one another.
func checkAreas(part string, areas []area, rest uint64) error {
	for i, a := range areas {
		fail := func(field string, at int64, v uint32, k ErrorKind, detail string) error {
			return formatError(part, -1, at, a.name+field, uint64(v), k, detail)
		}
		if a.off%a.align != 0 {
			return fail("_off", a.at, a.off, Range, "not a multiple of 4")
		}
		if uint64(a.off) > rest {
			return fail("_off", a.at, a.off, Truncated, "past the end of the data")
		}
		if uint64(a.len) > rest-uint64(a.off) {
			return fail("_len", a.at+4, a.len, Truncated, "past the end of the data")
		}
		for _, b := range areas[:i] {
			if a.len > 0 && b.len > 0 && uint64(a.off) < uint64(b.off)+uint64(b.len) && uint64(b.off) < uint64(a.off)+uint64(a.len) {
				return fail("_off", a.at, a.off, Overlap, "overlaps the part before it")
			}
		}
	}
	return nil
}
