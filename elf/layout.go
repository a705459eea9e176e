package elf

import "encoding/binary"

// A layout is where the fields of each record stand in the two classes. Fields
// of the class's own width (addresses, offsets, most sizes) are read by word.
type layout struct {
	word int // bytes in an address or offset

	// Elf32_Ehdr, Elf64_Ehdr: e_type, e_machine and e_version stand at 16, 18, 20 in both.
	ehsize                                                   int
	ePhoff, eShoff, eFlags, eEhsize                          int
	ePhentsize, ePhnum, eShentsize, eShnum, eShstrndx        int
	shentsize                                                int // Elf32_Shdr, Elf64_Shdr: sh_name 0, sh_type 4, sh_flags 8
	shAddr, shOffset, shSize, shLink, shInfo                 int
	shAddralign, shEntsize                                   int
	symsize                                                  int // Elf32_Sym, Elf64_Sym: st_name 0
	stInfo, stOther, stShndx, stValue, stSize                int
	relsize, relasize                                        int // Elf32_Rel, …: r_offset 0
	rInfo, rAddend                                           int
	phentsize                                                int // Elf32_Phdr, Elf64_Phdr: p_type 0
	pFlags, pOffset, pVaddr, pPaddr, pFilesz, pMemsz, pAlign int
}

var layout32 = layout{
	word:   4,
	ehsize: 52, ePhoff: 28, eShoff: 32, eFlags: 36, eEhsize: 40,
	ePhentsize: 42, ePhnum: 44, eShentsize: 46, eShnum: 48, eShstrndx: 50,
	shentsize: 40, shAddr: 12, shOffset: 16, shSize: 20, shLink: 24, shInfo: 28, shAddralign: 32, shEntsize: 36,
	symsize: 16, stValue: 4, stSize: 8, stInfo: 12, stOther: 13, stShndx: 14,
	relsize: 8, relasize: 12, rInfo: 4, rAddend: 8,
	phentsize: 32, pOffset: 4, pVaddr: 8, pPaddr: 12, pFilesz: 16, pMemsz: 20, pFlags: 24, pAlign: 28,
}

var layout64 = layout{
	word:   8,
	ehsize: 64, ePhoff: 32, eShoff: 40, eFlags: 48, eEhsize: 52,
	ePhentsize: 54, ePhnum: 56, eShentsize: 58, eShnum: 60, eShstrndx: 62,
	shentsize: 64, shAddr: 16, shOffset: 24, shSize: 32, shLink: 40, shInfo: 44, shAddralign: 48, shEntsize: 56,
	symsize: 24, stInfo: 4, stOther: 5, stShndx: 6, stValue: 8, stSize: 16,
	relsize: 16, relasize: 24, rInfo: 8, rAddend: 16,
	phentsize: 56, pFlags: 4, pOffset: 8, pVaddr: 16, pPaddr: 24, pFilesz: 32, pMemsz: 40, pAlign: 48,
}

// An image is the bytes of a file with its width and byte order. Nothing in it
// can panic: what lies outside the bytes reads as zero.
type image struct {
	data []byte
	lay  *layout
	big  bool
}

// at is the n bytes at off, nil if they are not all there. The result's
// capacity ends with it.
func (m *image) at(off, n uint64) []byte {
	size := uint64(len(m.data))
	if off > size || n > size-off {
		return nil
	}
	return m.data[off : off+n : off+n]
}

func (m *image) u8(off uint64) uint8 {
	if off < uint64(len(m.data)) {
		return m.data[off]
	}
	return 0
}

func (m *image) u16(off uint64) uint16 {
	b := m.at(off, 2)
	switch {
	case b == nil:
		return 0
	case m.big:
		return binary.BigEndian.Uint16(b)
	}
	return binary.LittleEndian.Uint16(b)
}

func (m *image) u32(off uint64) uint32 {
	b := m.at(off, 4)
	switch {
	case b == nil:
		return 0
	case m.big:
		return binary.BigEndian.Uint32(b)
	}
	return binary.LittleEndian.Uint32(b)
}

// wordAt reads a field of the class's own width.
func (m *image) wordAt(off uint64) uint64 {
	if m.lay.word == 4 {
		return uint64(m.u32(off))
	}
	b := m.at(off, 8)
	switch {
	case b == nil:
		return 0
	case m.big:
		return binary.BigEndian.Uint64(b)
	}
	return binary.LittleEndian.Uint64(b)
}
