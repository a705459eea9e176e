// Package inflate expands compressed sections of ELF files, within bounds.
//
// Compilers and linkers compress debug sections only (gcc -gz, objcopy
// --compress-debug-sections). Package elf never expands anything: a reader that
// wants the contents asks this package, and a program that does not import it
// does not contain a decompressor. What comes out is data; if it claims to be
// compressed once more, that is the caller's to ignore.
package inflate

import (
	"bytes"
	"compress/zlib"
	"io"

	"github.com/lode-bpf/lode/elf"
)

// Limits bound what a compressed section may expand to. A zero field stands
// for its default.
type Limits struct {
	Ratio int // multiple of the size of the whole file; 16
	Size  int // bytes; 64 MiB
}

// Compression types (ch_type; gABI chapter 4, "Section compression").
const (
	ELFCOMPRESS_ZLIB = 1
	ELFCOMPRESS_ZSTD = 2
)

// Data is the contents of section s of f, expanded if it has SHF_COMPRESSED,
// which takes one allocation of the announced size. Sections that are not
// compressed are returned as they are, without a copy.
//
// An error is an *elf.FormatError: of kind Limit if the section announces more
// than the limits, Unsupported for another method than zlib, Range or Truncated
// if the contents are not what is announced.
func Data(f *elf.File, s elf.Section, lim Limits) ([]byte, error) {
	raw := s.Data()
	if s.Flags()&elf.SHF_COMPRESSED == 0 {
		return raw, nil
	}
	if lim.Ratio == 0 {
		lim.Ratio = 16
	}
	if lim.Size == 0 {
		lim.Size = 64 << 20
	}
	fail := func(field string, value uint64, kind elf.Kind, detail string) ([]byte, error) {
		return nil, &elf.FormatError{Section: s.Name(), Index: s.Index(), Offset: int64(s.Offset()), Field: field, Value: value, Kind: kind, Detail: detail}
	}
	// Elf32_Chdr is type, size, alignment of 32 bits each. Elf64_Chdr is a
	// 32-bit type, 32 reserved bits, and 64-bit size and alignment.
	header := 12
	if f.Class() == elf.ELFCLASS64 {
		header = 24
	}
	if len(raw) < header {
		return fail("ch_type", uint64(len(raw)), elf.Truncated, "the section is shorter than a compression header")
	}
	order := f.ByteOrder()
	size := uint64(order.Uint32(raw[4:]))
	if header == 24 {
		size = order.Uint64(raw[8:])
	}
	if method := order.Uint32(raw); method != ELFCOMPRESS_ZLIB {
		return fail("ch_type", uint64(method), elf.Unsupported, "1, zlib, can be expanded; objcopy --decompress-debug-sections expands others")
	}
	if size > uint64(lim.Size) {
		return fail("ch_size", size, elf.Limit, "more than Limits.Size bytes")
	}
	if size/uint64(lim.Ratio) > uint64(f.Size()) {
		return fail("ch_size", size, elf.Limit, "more than Limits.Ratio times the size of the file")
	}
	z, err := zlib.NewReader(bytes.NewReader(raw[header:]))
	if err != nil {
		return fail("zlib header", 0, elf.Range, err.Error())
	}
	out := make([]byte, size)
	n, err := io.ReadFull(z, out)
	if err != nil {
		return fail("ch_size", size, elf.Truncated, "the contents end early or are damaged: "+err.Error())
	}
	if extra, err := z.Read(make([]byte, 1)); extra != 0 || err != io.EOF {
		return fail("ch_size", size, elf.Range, "the contents are longer or their checksum is wrong")
	}
	return out[:n:n], nil
}
