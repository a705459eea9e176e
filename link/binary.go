package link

import (
	"encoding/binary"
	"os"
	"strconv"
)

// A SymbolError says that a file or the kernel has no such function or probe, or that
// the file is no ELF file.
type SymbolError struct {
	Path   string // "kernel" for functions of the kernel
	Symbol string // "" if it is about the file
	Reason string
	Err    error // what the kernel answered; may be nil
}

func (e *SymbolError) Error() string {
	s := strconv.Quote(e.Path) + ": "
	if e.Symbol != "" {
		s += "symbol " + strconv.Quote(e.Symbol) + ": "
	}
	s += e.Reason
	if e.Err != nil {
		s += ": " + e.Err.Error()
	}
	return s
}

// Unwrap is what the kernel answered.
func (e *SymbolError) Unwrap() error { return e.Err }

// Limits of the files that symbols are looked up in.
const (
	maxTable    = 256 << 20 // bytes in a table
	maxSections = 1 << 16
)

// fileOffset is where an instruction stands in a file on disk.
func fileOffset(path, symbol string, offset uint64) (uint64, error) {
	if symbol == "" {
		if _, member := splitMember(path); member == "" {
			return offset, nil
		}
		x, err := openExecutable(path)
		if err != nil {
			return 0, err
		}
		x.f.Close()
		return x.base + offset, nil
	}
	at, err := fileOffsets(path, []string{symbol})
	if err != nil {
		return 0, err
	}
	return at[0] + offset, nil
}

// fileOffsets looks functions up in the symbol tables of an ELF file.
func fileOffsets(path string, symbols []string) ([]uint64, error) {
	want := map[string]uint64{}
	missing := map[string]bool{}
	for _, s := range symbols {
		missing[s] = true
	}
	err := eachFunction(path, func(name string, offset uint64) {
		if missing[name] {
			want[name] = offset
			delete(missing, name)
		}
	})
	if err != nil {
		return nil, err
	}
	out := make([]uint64, len(symbols))
	for i, s := range symbols {
		offset, ok := want[s]
		if !ok {
			return nil, &SymbolError{Path: path, Symbol: s, Reason: "not found"}
		}
		out[i] = offset
	}
	return out, nil
}

// matchingFunctions are the offsets of the functions of a file whose names match a
// pattern, each once, in the order of the file's tables.
func matchingFunctions(path, pattern string) ([]uint64, error) {
	var out []uint64
	seen := map[uint64]bool{}
	err := eachFunction(path, func(name string, offset uint64) {
		if !seen[offset] && matches(pattern, name) {
			seen[offset] = true
			out = append(out, offset)
		}
	})
	if err == nil && out == nil {
		err = &SymbolError{Path: path, Symbol: pattern, Reason: "matches no function"}
	}
	return out, err
}

// eachFunction calls f for the functions of an ELF file and where they stand in it.
func eachFunction(path string, f func(name string, offset uint64)) error {
	x, err := openExecutable(path)
	if err != nil {
		return err
	}
	defer x.f.Close()
	for _, table := range []uint32{shtSymtab, shtDynsym} {
		err := x.symbols(table, func(name string, addr uint64) {
			if off, ok := x.offset(addr); ok {
				f(name, off)
			}
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func openExecutable(path string) (*executable, error) {
	x := &executable{path: path}
	file, member := splitMember(path)
	st, err := os.Stat(file) // before opening: a pipe would wait for a writer
	if err != nil {
		return nil, err
	}
	if !st.Mode().IsRegular() {
		return nil, x.bad("not a regular file")
	}
	if x.f, err = os.Open(file); err != nil {
		return nil, err
	}
	x.size = uint64(st.Size())
	if member != "" {
		err = x.findMember(member)
	}
	if err == nil {
		err = x.readHeader()
	}
	if err != nil {
		x.f.Close()
		return nil, err
	}
	return x, nil
}

// Numbers of ELF (the System V ABI) that matter here.
const (
	shtSymtab = 2
	shtDynsym = 11
	ptLoad    = 1
	etExec    = 2
	sttFunc   = 2
	sttIFunc  = 10
)

// An executable is an ELF file of 64 or 32 bits, of which only the tables that are
// needed are read.
type executable struct {
	f        *os.File
	path     string // for errors
	base     uint64 // where in f it begins: not 0 in an archive
	size     uint64
	e        binary.ByteOrder
	wide     bool
	fixed    bool // runs at the addresses that it is linked for (ET_EXEC)
	namesAt  uint64
	segments []segment
	sections []section
}

type segment struct{ off, addr, size uint64 }

type section struct {
	name, typ, link uint32
	addr, off, size uint64
}

// bad is the error of a file that cannot be read as an executable.
//
//go:noinline
func (x *executable) bad(reason string) error { return &SymbolError{Path: x.path, Reason: reason} }

func (x *executable) at(off uint64, n uint64) ([]byte, error) {
	if n > maxTable {
		return nil, x.bad("a table is too large")
	}
	if off > x.size || n > x.size-off {
		return nil, x.bad("cut off")
	}
	b := make([]byte, n)
	if _, err := x.f.ReadAt(b, int64(x.base+off)); err != nil {
		return nil, x.bad("cut off")
	}
	return b, nil
}

// word reads a number that is 4 or 8 bytes by the class of the file.
func (x *executable) word(b []byte, at32, at64 int) uint64 {
	if x.wide {
		return x.e.Uint64(b[at64:])
	}
	return uint64(x.e.Uint32(b[at32:]))
}

func (x *executable) pick(at32, at64 int) int {
	if x.wide {
		return at64
	}
	return at32
}

func (x *executable) readHeader() error {
	h, err := x.at(0, 52)
	if err != nil || string(h[:4]) != "\x7fELF" || h[4] < 1 || h[4] > 2 || h[5] < 1 || h[5] > 2 {
		return x.bad("not an ELF file")
	}
	x.wide, x.e = h[4] == 2, binary.LittleEndian
	if h[5] == 2 {
		x.e = binary.BigEndian
	}
	if h, err = x.at(0, uint64(x.pick(52, 64))); err != nil {
		return err
	}
	half := func(at32, at64 int) uint64 { return uint64(x.e.Uint16(h[x.pick(at32, at64):])) }
	x.fixed, x.namesAt = x.e.Uint16(h[16:]) == etExec, half(50, 62)
	if err := x.readSegments(x.word(h, 28, 32), half(42, 54), half(44, 56)); err != nil {
		return err
	}
	return x.readSections(x.word(h, 32, 40), half(46, 58), half(48, 60))
}

func (x *executable) readSegments(off, size, n uint64) error {
	if n > 0 && size < uint64(x.pick(32, 56)) {
		return x.bad("program headers are too small")
	}
	b, err := x.at(off, size*n)
	if err != nil {
		return err
	}
	for ; n > 0; n, b = n-1, b[size:] {
		if x.e.Uint32(b) == ptLoad {
			x.segments = append(x.segments, segment{x.word(b, 4, 8), x.word(b, 8, 16), x.word(b, 16, 32)})
		}
	}
	return nil
}

func (x *executable) readSections(off, size, n uint64) error {
	least := uint64(x.pick(40, 64))
	if off == 0 {
		return nil
	}
	if size < least {
		return x.bad("section headers are too small")
	}
	if n == 0 { // more than fit the header: the first section counts them
		b, err := x.at(off, least)
		if err != nil {
			return err
		}
		if n = x.word(b, 20, 32); n > maxSections {
			return x.bad("too many sections")
		}
	}
	b, err := x.at(off, size*n)
	if err != nil {
		return err
	}
	for ; n > 0; n, b = n-1, b[size:] {
		x.sections = append(x.sections, section{name: x.e.Uint32(b), typ: x.e.Uint32(b[4:]), link: x.e.Uint32(b[x.pick(24, 40):]),
			addr: x.word(b, 12, 16), off: x.word(b, 16, 24), size: x.word(b, 20, 32)})
	}
	return nil
}

// symbols calls f for the functions of the symbol tables of one type.
func (x *executable) symbols(table uint32, f func(name string, addr uint64)) error {
	size := x.pick(16, 24)
	for _, s := range x.sections {
		if s.typ != table || uint64(s.link) >= uint64(len(x.sections)) {
			continue
		}
		names := x.sections[s.link]
		strings, err := x.at(names.off, names.size)
		if err != nil {
			return err
		}
		b, err := x.at(s.off, s.size)
		if err != nil {
			return err
		}
		for ; len(b) >= size; b = b[size:] {
			info := b[x.pick(12, 4)] & 0xf
			defined := x.e.Uint16(b[x.pick(14, 6):]) != 0
			if name := x.e.Uint32(b); (info == sttFunc || info == sttIFunc) && defined && uint64(name) < uint64(len(strings)) {
				f(cString(strings[name:]), x.word(b, 4, 8))
			}
		}
	}
	return nil
}

// maxName is the longest name that is looked at; the kernel's own limit is 512.
const maxName = 4096

func cString(b []byte) string {
	b = b[:min(len(b), maxName)]
	for i, c := range b {
		if c == 0 {
			return string(b[:i])
		}
	}
	return string(b)
}

// offset turns an address into an offset in the file on disk.
func (x *executable) offset(addr uint64) (uint64, bool) {
	for _, s := range x.segments {
		if addr >= s.addr && addr-s.addr < s.size {
			return x.base + addr - s.addr + s.off, true
		}
	}
	return 0, false
}
