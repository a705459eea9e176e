package btf

import (
	"encoding/binary"
	"hash/maphash"
	"iter"
	"math/bits"
	"slices"
)

// EssentialName is a name without its flavour: CO-RE takes task_struct___old
// for task_struct. A flavour begins at the last three underscores that have
// another character on either side.
func EssentialName(name string) string {
	// Three in a row cannot hide between steps of three.
	for i := len(name) - 2; i > 0; i -= 3 {
		if name[i] != '_' {
			continue
		}
		first, last := i, i
		for first > 0 && name[first-1] == '_' {
			first--
		}
		for last < len(name)-1 && name[last+1] == '_' {
			last++
		}
		if last-first == 2 && first > 0 && last < len(name)-1 {
			return name[:first]
		}
		i = first + 1
	}
	return name
}

// A nameIndex finds the named types of one Spec by the hash of their
// essential name: a table of chains. An entry is a type's number among the
// Spec's own, counted from 1 (20 bits, see maxTypes), and 12 more bits of the
// hash, so that a type of another name is rarely looked at; 0 ends a chain.
// For the types of a kernel that is a bit more than half a megabyte.
type nameIndex struct {
	heads []uint32 // by the top bits of a hash: the first entry of the chain
	next  []uint32 // by a type's number less 1: the entry after it
	shift uint8    // leaves the top bits of a hash
}

const (
	entryBits   = 20 // of an entry are the type's number
	entryNumber = 1<<entryBits - 1
	entryHash   = 0xfff << entryBits
)

// seed makes hashes unpredictable: no file can choose its collisions.
var seed = maphash.MakeSeed()

// What follows reads eight bytes of a name at a time.
const (
	ones       = 0x0101010101010101
	underscore = '_' * ones
)

// zeros has the top bit of each byte of w that is 0. Bits above the lowest
// one may be wrong.
func zeros(w uint64) uint64 { return (w - ones) &^ w & (ones << 7) }

// mix adds eight bytes to a hash: a product of two numbers, of which nobody
// knows one, folded to half of its length (as in wyhash).
func mix(h, w uint64) uint64 {
	hi, lo := bits.Mul64(h^w, 0xa0761d6478bd642f)
	return hi ^ lo
}

func hashStart() uint64 { return maphash.String(seed, "") }

// hashName is the hash of an essential name.
func hashName(name string) uint64 {
	h := hashStart()
	for ; len(name) >= 8; name = name[8:] {
		h = mix(h, uint64(name[0])|uint64(name[1])<<8|uint64(name[2])<<16|uint64(name[3])<<24|
			uint64(name[4])<<32|uint64(name[5])<<40|uint64(name[6])<<48|uint64(name[7])<<56)
	}
	w := uint64(0)
	for i := range len(name) {
		w |= uint64(name[i]) << (8 * i)
	}
	return mix(h, w)
}

// hashAt is the hash of the essential name with which b begins and that ends
// with a NUL. It looks for the NUL, and for the three underscores of a
// flavour, while it computes the hash.
func hashAt(start uint64, b []byte) uint64 {
	h, before := start, uint64(0)
	for rest := b; len(rest) >= 8; rest = rest[8:] {
		w := binary.LittleEndian.Uint64(rest)
		end, under := zeros(w), zeros(w^underscore)
		if under&(under<<8|before>>56)&(under<<16|before>>48) != 0 {
			break // three in a row, also across the words
		}
		if end != 0 {
			return mix(h, w&((end&-end)>>7-1))
		}
		h, before = mix(h, w), under
	}
	return hashName(EssentialName(cstring(b, 0)))
}

// names returns the Spec's index and builds it if nobody has. Goroutines that
// come at once may each build one; all use the first that is done.
func (s *Spec) names() *nameIndex {
	if x := s.index.Load(); x != nil {
		return x
	}
	x := s.buildIndex()
	if !s.index.CompareAndSwap(nil, x) {
		x = s.index.Load()
	}
	return x
}

// buildIndex puts each type at the front of its chain, the last type first, so
// that chains are in the order of ids.
func (s *Spec) buildIndex() *nameIndex {
	n := max(nextPow2(len(s.offs))/4, 1)
	x := &nameIndex{heads: make([]uint32, n), next: make([]uint32, len(s.offs)), shift: uint8(65 - bits.Len(uint(n)))}
	start := hashStart()
	for i := len(s.offs) - 1; i >= 0; i-- {
		t := s.types[s.offs[i]:]
		name := le32(t)
		if name == 0 || le32(t[4:])>>24&maxKind >= uint32(len(kinds)) {
			continue
		}
		b, ok := s.stringAt(name)
		if !ok {
			continue
		}
		h := hashAt(start, b)
		head := &x.heads[h>>x.shift]
		x.next[i] = *head
		*head = uint32(h)&entryHash | uint32(i+1)
	}
	return x
}

// hashed are the types whose essential name may have this hash, by id, its
// own before the base's.
func (s *Spec) hashed(h uint64) iter.Seq[Type] {
	return func(yield func(Type) bool) {
		for s := s; s != nil; s = s.base {
			x := s.names()
			for e := x.heads[h>>x.shift]; e != 0; e = x.next[e&entryNumber-1] {
				if (e^uint32(h))&entryHash != 0 {
					continue
				}
				i := e&entryNumber - 1
				if !yield(Type{s: s, off: s.offs[i], id: s.first + TypeID(i)}) {
					return
				}
			}
		}
	}
}

// Find returns the first type of a name and of one of the kinds, or of any
// kind if none is given. Its own types come before the base's.
func (s *Spec) Find(name string, kinds ...Kind) (Type, bool) {
	for t := range s.hashed(hashName(EssentialName(name))) {
		if t.Name() == name && (len(kinds) == 0 || slices.Contains(kinds, t.Kind())) {
			return t, true
		}
	}
	return Type{}, false
}

// Named are all types of exactly this name, by id, its own before the base's.
func (s *Spec) Named(name string) iter.Seq[Type] {
	return func(yield func(Type) bool) {
		for t := range s.hashed(hashName(EssentialName(name))) {
			if t.Name() == name && !yield(t) {
				return
			}
		}
	}
}

// Candidates are all types whose [EssentialName] is the given one, by id, its
// own before the base's.
func (s *Spec) Candidates(essential string) iter.Seq[Type] {
	return func(yield func(Type) bool) {
		for t := range s.hashed(hashName(essential)) {
			if EssentialName(t.Name()) == essential && !yield(t) {
				return
			}
		}
	}
}

func nextPow2(n int) int { return 1 << bits.Len(uint(max(n, 1)-1)) }
