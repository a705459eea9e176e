package link

import (
	"bytes"
	"strconv"
)

// A USDTProbe is one place where a file has a USDT probe; a probe that the compiler
// copied has several.
type USDTProbe struct {
	Provider, Name string
	Args           string // where its arguments are, in the assembler's syntax
	Offset         uint64 // in the file
	Semaphore      uint64 // offset in the file of the counter that enables it, 0 for none

	addr uint64 // of the instruction, as the file is linked
}

// USDTProbes lists the USDT probes of an executable or library: the notes of type 3
// of owner "stapsdt" (https://sourceware.org/systemtap/wiki/UserSpaceProbeImplementation).
func USDTProbes(path string) ([]USDTProbe, error) {
	x, err := openExecutable(path)
	if err != nil {
		return nil, err
	}
	defer x.f.Close()
	return x.probes()
}

// maxProbes bounds the probes of one file.
const maxProbes = 1 << 16

func (x *executable) probes() ([]USDTProbe, error) {
	names, err := x.sectionNames()
	if err != nil {
		return nil, err
	}
	var base uint64 // where the file says that it is linked
	for i, s := range x.sections {
		if names(i) == ".stapsdt.base" {
			base = s.addr
		}
	}
	var out []USDTProbe
	for i, s := range x.sections {
		if names(i) != ".note.stapsdt" || s.typ != shtNote {
			continue
		}
		b, err := x.at(s.off, s.size)
		if err != nil {
			return nil, err
		}
		if out, err = x.notes(out, b, base); err != nil {
			return nil, err
		}
	}
	return out, nil
}

const shtNote = 7

// notes reads one section: three words (sizes of the name and the description, and
// the type), the name and the description, each padded to four bytes.
func (x *executable) notes(out []USDTProbe, b []byte, base uint64) ([]USDTProbe, error) {
	const probeType = 3
	for len(b) >= 12 {
		nameSize, descSize := uint64(x.e.Uint32(b)), uint64(x.e.Uint32(b[4:]))
		typ := x.e.Uint32(b[8:])
		b = b[12:]
		if nameSize > uint64(len(b)) || descSize > uint64(len(b)) || (nameSize+3)&^3+descSize > uint64(len(b)) {
			return nil, x.bad("a note is cut off")
		}
		name := b[:nameSize]
		desc := b[(nameSize+3)&^3:][:descSize]
		b = b[min((nameSize+3)&^3+(descSize+3)&^3, uint64(len(b))):]
		if typ != probeType || string(name) != "stapsdt\x00" {
			continue
		}
		p, err := x.probe(desc, base)
		if err != nil {
			return nil, err
		}
		if out = append(out, p); len(out) > maxProbes {
			return nil, x.bad("more than " + strconv.Itoa(maxProbes) + " probes")
		}
	}
	return out, nil
}

// probe reads a description: the addresses of the instruction, of the base and of
// the semaphore, then three strings. If the file was moved after linking
// (prelink), the base tells by how much.
func (x *executable) probe(desc []byte, base uint64) (USDTProbe, error) {
	word := x.pick(4, 8)
	if len(desc) < 3*word {
		return USDTProbe{}, x.bad("a probe is cut off")
	}
	addr, linked, semaphore := x.word(desc, 0, 0), x.word(desc, 4, 8), x.word(desc, 8, 16)
	strings := bytes.SplitN(desc[3*word:], []byte{0}, 4)
	if len(strings) < 4 {
		return USDTProbe{}, x.bad("a probe has no name")
	}
	p := USDTProbe{Provider: string(strings[0]), Name: string(strings[1]), Args: string(strings[2])}
	if base != 0 {
		addr += base - linked
		if semaphore != 0 {
			semaphore += base - linked
		}
	}
	var ok bool
	if p.Offset, ok = x.offset(addr); !ok {
		return p, x.bad("probe " + strconv.Quote(p.Name) + " is at an address that is not loaded")
	}
	if semaphore != 0 {
		if p.Semaphore, ok = x.offset(semaphore); !ok {
			return p, x.bad("the semaphore of probe " + strconv.Quote(p.Name) + " is at an address that is not in the file")
		}
	}
	p.addr = addr
	return p, nil
}

// sectionNames gives the names of sections by number.
func (x *executable) sectionNames() (func(int) string, error) {
	if x.namesAt >= uint64(len(x.sections)) {
		return nil, x.bad("no section names")
	}
	s := x.sections[x.namesAt]
	b, err := x.at(s.off, s.size)
	if err != nil {
		return nil, err
	}
	return func(i int) string {
		if off := uint64(x.sections[i].name); off < uint64(len(b)) {
			return cString(b[off:])
		}
		return ""
	}, nil
}
