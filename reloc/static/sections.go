package static

import (
	"bytes"
	"math/bits"
	"strings"

	"github.com/lode-bpf/lode/elf"
)

// once are sections of which an object has one, whatever was linked.
var once = map[string]bool{"license": true, "version": true}

// jumpTables is the section of jump tables. LLVM does not mark it as one that is
// loaded, and makes the symbols of its tables global, although another file's
// may be called the same.
const jumpTables = ".jumptables"

// isLocal reports whether a symbol is its file's alone.
func isLocal(s elf.Symbol) bool { return s.Bind() == elf.STB_LOCAL || s.Section().Name() == jumpTables }

// kept reports whether a section goes into the output as it is. Symbols,
// relocations and types are made anew, debug information is left out.
func kept(s elf.Section) bool {
	switch s.Type() {
	case elf.SHT_PROGBITS, elf.SHT_NOBITS:
	default:
		return false
	}
	name := s.Name()
	return (s.Flags()&elf.SHF_ALLOC != 0 || name == jumpTables) && name != "" && name != ".BTF" && name != ".BTF.ext" && !strings.HasPrefix(name, ".debug")
}

// placeSections puts sections of a name one behind another.
func (l *linker) placeSections() error {
	for _, in := range l.inputs {
		in.places = make([]place, in.File.NumSections())
		in.secs = map[string]elf.Section{}
		for s := range in.File.Sections() {
			if !kept(s) {
				if s.Size() > 0 && s.Type() == elf.SHT_PROGBITS && !strings.HasPrefix(s.Name(), ".BTF") && !strings.HasPrefix(s.Name(), ".debug") {
					l.find(in, "section %q is left out: nothing loads it", s.Name())
				}
				continue
			}
			if in.secs[s.Name()].Valid() {
				return in.fail(ErrDuplicate, s.Name(), "", "two sections of one name", nil)
			}
			in.secs[s.Name()] = s
			if err := l.place(in, s); err != nil {
				return err
			}
		}
	}
	return nil
}

func (l *linker) place(in *input, s elf.Section) error {
	align := max(s.Addralign(), 1)
	if bits.OnesCount64(align) != 1 || align > 1<<16 {
		return in.fail(ErrFormat, s.Name(), "", "the alignment is no small power of two", nil)
	}
	i, ok := l.byName[s.Name()]
	if !ok {
		if i = len(l.secs); i == maxSections {
			return in.fail(ErrLimit, s.Name(), "", "more than 4,096 sections", nil)
		}
		l.byName[s.Name()] = i
		l.secs = append(l.secs, &section{first: in, SectionDef: elf.SectionDef{Name: s.Name(), Type: s.Type(), Flags: s.Flags(), Entsize: s.Entsize()}})
	}
	o := l.secs[i]
	if ok && once[s.Name()] {
		if !bytes.Equal(o.Data, s.Data()) {
			return &Error{Input: in.Name, Other: o.first.Name, Section: s.Name(), Kind: ErrMismatch, Detail: "the contents differ"}
		}
		return nil
	}
	if o.Type != s.Type() || o.Flags != s.Flags() || o.Entsize != s.Entsize() {
		return &Error{Input: in.Name, Other: o.first.Name, Section: s.Name(), Kind: ErrMismatch, Detail: "type, flags or entry size differ"}
	}
	off := (o.Size + align - 1) &^ (align - 1)
	if s.Size() > maxOutput || l.total+s.Size()+align > maxOutput {
		return in.fail(ErrLimit, s.Name(), "", "the linked object becomes larger than 64 MiB", nil)
	}
	l.total += off - o.Size + s.Size()
	o.Size = off + s.Size()
	o.Addralign = max(o.Addralign, align)
	in.places[s.Index()] = place{sec: i + 1, off: off}
	if s.Type() != elf.SHT_NOBITS {
		o.Data = append(append(o.Data, make([]byte, off-uint64(len(o.Data)))...), s.Data()...)
	}
	return nil
}

// at finds where a place in an input's section went.
func (in *input) at(section int, off uint64) (sec int, out uint64, ok bool) {
	if section <= 0 || section >= len(in.places) || in.places[section].sec == 0 {
		return 0, 0, false
	}
	p := in.places[section]
	return p.sec - 1, p.off + off, true
}

// writeSections gives the sections their numbers in the output, and each a
// symbol.
func (l *linker) writeSections() error {
	for _, s := range l.secs {
		s.num = l.out.AddSection(s.SectionDef)
		s.sym = l.out.AddSymbol(elf.SymbolDef{Type: elf.STT_SECTION, Section: s.num})
	}
	return nil
}
