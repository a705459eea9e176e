package gen

import (
	"encoding/binary"
	"math/rand/v2"
	"strconv"

	"github.com/lode-bpf/lode/elf"
)

// A Gen makes one thing after another. It must not be used by two goroutines
// at once.
type Gen struct {
	src   *rand.PCG
	names int // names made so far; each is used once
}

// New is a Gen that depends on the seed alone.
func New(seed uint64) *Gen { return &Gen{src: rand.NewPCG(seed, 0x6c6f6465)} }

// A Profile says what an object has in it. What is zero is drawn.
type Profile struct {
	ByteOrder binary.ByteOrder

	// Plain asks for an ELF object that is not BPF: sections, symbols and
	// relocations of some machine. The fields below but Class do not apply.
	Plain bool

	// Class is the width of addresses of a Plain object. BPF objects are
	// ELFCLASS64.
	Class elf.Class

	Programs int  // entry programs, each in a section of its own; drawn: 1 to 4
	Maps     int  // maps, at most 64; drawn: 0 to 4; without BTF there are none
	NoBTF    bool // leaves out .BTF and .BTF.ext
	NoCORE   bool // leaves out CO-RE records: the object needs no kernel's types
	Size     int  // instructions in a function, roughly; drawn: 4 to 60
}

// Object is an object file of the profile.
func (g *Gen) Object(p Profile) []byte {
	p = g.drawn(p)
	if p.Plain {
		return g.plain(p)
	}
	return g.bpf(p)
}

// drawn fills in what the profile leaves open.
func (g *Gen) drawn(p Profile) Profile {
	// Each draw happens whether it is used or not, so that a profile that fixes
	// one thing leaves the others as they were.
	order, class, programs, maps, size := g.order(), elf.Class(1+g.n(2)), 1+g.n(4), g.n(5), 4+g.n(57)
	if p.ByteOrder == nil {
		p.ByteOrder = order
	}
	if p.Class == 0 {
		p.Class = class
	}
	if p.Programs <= 0 {
		p.Programs = programs
	}
	if p.Maps <= 0 {
		p.Maps = maps
	}
	p.Maps = min(p.Maps, 64)
	if p.NoBTF {
		p.Maps = 0
	}
	if p.Size <= 0 {
		p.Size = size
	}
	return p
}

func (g *Gen) order() binary.ByteOrder {
	if g.n(2) == 1 {
		return binary.BigEndian
	}
	return binary.LittleEndian
}

// n is a number from 0 to n-1.
func (g *Gen) n(n int) int { return int(g.src.Uint64() % uint64(n)) }

// once reports true one time in n.
func (g *Gen) once(n int) bool { return g.n(n) == 0 }

// number is a constant: often one that is special, otherwise any.
func (g *Gen) number() int32 {
	if g.once(2) {
		return pick(g, []int32{0, 1, -1, 2, 8, 255, 4096, 1<<31 - 1, -1 << 31})
	}
	return int32(g.src.Uint64())
}

// name is an identifier that was not made before.
func (g *Gen) name(prefix string) string {
	g.names++
	return prefix + "_" + strconv.Itoa(g.names)
}

func (g *Gen) bytes(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(g.src.Uint64())
	}
	return b
}

// pick is one of a list.
func pick[T any](g *Gen, list []T) T { return list[g.n(len(list))] }
