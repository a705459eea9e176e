package elf

import (
	"bytes"
	"encoding/binary"
	"io"
	"iter"
	"os"
	"unsafe"
)

// A File is an ELF file: its bytes and where things stand in them. It is
// immutable and may be read by any number of goroutines. What its methods
// return are views: small values that read from the bytes.
type File struct {
	image
	typ     Type
	machine Machine
	flags   uint32

	shoff    uint64 // section table
	nsec     int
	shstrndx int
	names    extent // of sections
	syms     symtab // the first SHT_SYMTAB
	dyns     symtab // the first SHT_DYNSYM
	phoff    uint64 // program headers
	nph      int

	findings []Finding
}

// An extent is a range of bytes of the file that has been checked to be there.
type extent struct{ off, size uint64 }

// A symtab is where a symbol table stands.
type symtab struct {
	section int // 0: there is none
	off     uint64
	n       int
	names   extent
	xindex  extent // SHT_SYMTAB_SHNDX, empty if there is none
}

// Parse reads the structure of b with the default limits. The File keeps b,
// which must not change as long as the File or a view of it is in use.
//
// What contradicts the format is an error, of type *FormatError. What is odd
// but harmless is a finding.
func Parse(b []byte) (*File, error) { return ParseLimits(b, Limits{}) }

// ParseLimits is Parse with other limits.
func ParseLimits(b []byte, lim Limits) (*File, error) {
	p := parser{File: new(File), lim: lim.filled()}
	p.data = b
	if err := p.parse(); err != nil {
		return nil, err
	}
	return p.File, nil
}

// Open reads the regular file at path and parses it with the default limits.
// The file is not in use afterwards.
func Open(path string) (*File, error) {
	info, err := os.Stat(path)
	if err := checkMode(path, info, err); err != nil { // opening a FIFO would wait for a writer
		return nil, err
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err = f.Stat()
	if err := checkMode(path, info, err); err != nil {
		return nil, err
	}
	b := make([]byte, info.Size())
	n, err := io.ReadFull(f, b)
	if err != nil && err != io.ErrUnexpectedEOF && err != io.EOF {
		return nil, err
	}
	file, err := Parse(b[:n])
	if err != nil {
		return nil, &os.PathError{Op: "parse", Path: path, Err: err}
	}
	return file, nil
}

// A notRegular says what stands in the place of a file.
type notRegular string

func (e notRegular) Error() string { return "elf: " + string(e) }

// Is matches ErrUnsupported.
func (e notRegular) Is(target error) bool { return target == ErrUnsupported }

// checkMode refuses what is not a file of reasonable size.
func checkMode(path string, info os.FileInfo, err error) error {
	most := DefaultLimits().FileSize
	switch {
	case err != nil:
		return err
	case info.IsDir():
		err = notRegular("it is a directory; name a file in it")
	case !info.Mode().IsRegular():
		err = notRegular("it is no regular file, which an ELF file is read from")
	case info.Size() > int64(most):
		err = fileSizeError(info.Size(), most)
	default:
		return nil
	}
	return &os.PathError{Op: "open", Path: path, Err: err}
}

// Class is the width of the file's addresses.
func (f *File) Class() Class {
	if f.lay.word == 4 {
		return ELFCLASS32
	}
	return ELFCLASS64
}

// ByteOrder is the byte order of every number in the file.
func (f *File) ByteOrder() binary.ByteOrder {
	if f.big {
		return binary.BigEndian
	}
	return binary.LittleEndian
}

// Type is what the file is: ET_REL for an object.
func (f *File) Type() Type { return f.typ }

// Machine is the architecture: EM_BPF, or EM_NONE as old compilers left it.
func (f *File) Machine() Machine { return f.machine }

// Flags is e_flags, whose meaning is the machine's.
func (f *File) Flags() uint32 { return f.flags }

// Entry is the address of the first instruction to be executed, 0 if none.
func (f *File) Entry() uint64 { return f.wordAt(24) }

// Size is the number of bytes of the input.
func (f *File) Size() int { return len(f.data) }

// Data is the input, which must not be changed.
func (f *File) Data() []byte { return f.data }

// NumSections is the number of entries in the section table, including the
// first, which is always empty.
func (f *File) NumSections() int { return f.nsec }

// Section is the section with number i; not valid if there is none.
func (f *File) Section(i int) Section {
	if i < 0 || i >= f.nsec {
		return Section{}
	}
	return Section{f, i}
}

// Sections are the sections in the order of the table, the empty first one
// included.
func (f *File) Sections() iter.Seq[Section] {
	return func(yield func(Section) bool) {
		for i := 0; i < f.nsec; i++ {
			if !yield(Section{f, i}) {
				return
			}
		}
	}
}

// SectionByName is the first section of that name. It looks at each in turn.
func (f *File) SectionByName(name string) (Section, bool) {
	for i := 1; i < f.nsec; i++ {
		s := Section{f, i}
		if f.isNamed(f.names, uint64(f.u32(s.at())), name) {
			return s, true
		}
	}
	return Section{}, false
}

// NumSymbols is the number of entries in the symbol table (SHT_SYMTAB),
// including the first, which is always empty. If a file has several such
// tables the first counts.
func (f *File) NumSymbols() int { return f.syms.n }

// Symbol is the symbol with number i; not valid if there is none.
func (f *File) Symbol(i int) Symbol { return f.symbol(&f.syms, i) }

// Symbols are the symbols in the order of the table.
func (f *File) Symbols() iter.Seq[Symbol] { return f.symbols(&f.syms) }

// NumDynamicSymbols is the number of entries in the table of a linked file's
// dynamic symbols (SHT_DYNSYM).
func (f *File) NumDynamicSymbols() int { return f.dyns.n }

// DynamicSymbol is the dynamic symbol with number i; not valid if there is none.
func (f *File) DynamicSymbol(i int) Symbol { return f.symbol(&f.dyns, i) }

// DynamicSymbols are the dynamic symbols in the order of the table.
func (f *File) DynamicSymbols() iter.Seq[Symbol] { return f.symbols(&f.dyns) }

// Findings are what Parse found odd, in the order of their place in the file.
// The slice must not be changed.
func (f *File) Findings() []Finding { return f.findings[:len(f.findings):len(f.findings)] }

// str is the string that starts at byte off of the table, without a copy. The
// last string of a table that lacks its NUL ends with the table.
func (f *File) str(table extent, off uint64) string {
	if off >= table.size {
		return ""
	}
	b := f.at(table.off+off, table.size-off)
	if i := bytes.IndexByte(b, 0); i >= 0 {
		b = b[:i]
	}
	return unsafe.String(unsafe.SliceData(b), len(b))
}

// isNamed reports whether the string at byte off of the table is name, and
// reads no more of it than that takes.
func (f *File) isNamed(table extent, off uint64, name string) bool {
	if off >= table.size || uint64(len(name)) > table.size-off {
		return name == "" && off >= table.size
	}
	n := uint64(len(name))
	return string(f.at(table.off+off, n)) == name && (off+n == table.size || f.u8(table.off+off+n) == 0)
}
