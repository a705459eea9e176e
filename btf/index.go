package btf

import (
	"bytes"
	"encoding/binary"
	"unsafe"

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

// scanName returns the length of the name at the beginning of b, in which
// there is a NUL, and whether it might have a flavour: it looks at eight
// bytes at a time, for the NUL and for three underscores in a row.
func scanName(b []byte) (n int, flavour bool) {
	const ones, highs = 0x0101010101010101, 0x8080808080808080
	for n+8 <= len(b) {
		w := binary.LittleEndian.Uint64(b[n:])
		// The lowest bit of highs in zero is at the first NUL. Bits above it,
		// here and in u, may be wrong, which at worst costs a second look.
		zero := (w - ones) &^ w & highs
		u := w ^ '_'*ones
		u = (u - ones) &^ u & highs
		if u&(u>>8)&(u>>16) != 0 {
			flavour = true
		}
		if zero != 0 {
			return n + bits.TrailingZeros64(zero)/8, flavour
		}
		n += 6 // three underscores may begin in the last two bytes
	}
	return n + bytes.IndexByte(b[n:], 0), true
}

// A nameIndex finds the named types of one Spec by the hash of their
// essential name. Bucket b holds entries[starts[b]:starts[b+1]], in the order
// of their ids. An entry is the type's number among the Spec's own (20 bits,
// see maxTypes) and 12 more bits of the hash, so that a type of another name
// is rarely looked at. For the types of a kernel that is about half a
// megabyte.
type nameIndex struct {
	starts  []uint32
	entries []uint32
	shift   uint8 // leaves the top bits of a hash: the bucket
}

const (
	entryBits = 20                 // of an entry are the type's number
	tagMask   = 0xfff << entryBits // and the others hash bits
)

// seed makes the hash unpredictable: no file can choose its collisions.
var seed = maphash.MakeSeed()

func hashName(essential string) uint64 { return maphash.String(seed, essential) }

func (x *nameIndex) bucket(h uint64) []uint32 {
	b := h >> x.shift
	return x.entries[x.starts[b]:x.starts[b+1]]
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

// buildIndex is a counting sort by bucket: hash every name, count, place.
func (s *Spec) buildIndex() *nameIndex {
	// While sorting, a name is the high 44 bits of its hash and its number.
	const number = 1<<entryBits - 1
	hashes := make([]uint64, 0, len(s.offs)*5/8+16)
	for i, off := range s.offs {
		t := s.types[off:]
		name := le32(t)
		if name == 0 || le32(t[4:])>>24&maxKind >= uint32(len(kinds)) {
			continue
		}
		b, ok := s.stringAt(name)
		if !ok {
			continue
		}
		n, flavour := scanName(b)
		if flavour {
			n = len(EssentialName(unsafe.String(unsafe.SliceData(b), n)))
		}
		h := maphash.Bytes(seed, b[:n])
		hashes = append(hashes, h&^number|uint64(i))
	}
	// Between one and two names a bucket.
	n := max(nextPow2(len(hashes))/2, 1)
	x := &nameIndex{starts: make([]uint32, n+2), entries: make([]uint32, len(hashes)), shift: uint8(65 - bits.Len(uint(n)))}
	// Bucket b is counted at b+2, so that after the sums its entries begin at
	// starts[b+1]; placing them moves that to where bucket b+1 begins.
	for _, h := range hashes {
		x.starts[h>>x.shift+2]++
	}
	for i := 1; i < len(x.starts); i++ {
		x.starts[i] += x.starts[i-1]
	}
	for _, h := range hashes {
		at := &x.starts[h>>x.shift+1]
		x.entries[*at] = uint32(h)
		*at++
	}
	return x
}

// Find returns the first type of a name and of one of the kinds, or of any
// kind if none is given. Its own types come before the base's.
func (s *Spec) Find(name string, kinds ...Kind) (Type, bool) {
	h := hashName(EssentialName(name))
	for ; s != nil; s = s.base {
		for _, e := range s.names().bucket(h) {
			if !tagEqual(e, h) {
				continue
			}
			t := s.own(e)
			if t.Name() == name && (len(kinds) == 0 || slices.Contains(kinds, t.Kind())) {
				return t, true
			}
		}
	}
	return Type{}, false
}

// Named are all types of exactly this name, by id, its own before the base's.
func (s *Spec) Named(name string) iter.Seq[Type] {
	return func(yield func(Type) bool) {
		h := hashName(EssentialName(name))
		for s := s; s != nil; s = s.base {
			for _, e := range s.names().bucket(h) {
				if !tagEqual(e, h) {
					continue
				}
				if t := s.own(e); t.Name() == name && !yield(t) {
					return
				}
			}
		}
	}
}

// Candidates are all types whose [EssentialName] is the given one, by id, its
// own before the base's.
func (s *Spec) Candidates(essential string) iter.Seq[Type] {
	return func(yield func(Type) bool) {
		h := hashName(essential)
		for s := s; s != nil; s = s.base {
			for _, e := range s.names().bucket(h) {
				if !tagEqual(e, h) {
					continue
				}
				if t := s.own(e); EssentialName(t.Name()) == essential && !yield(t) {
					return
				}
			}
		}
	}
}

// own is the type that an entry of the index stands for.
func (s *Spec) own(entry uint32) Type {
	i := entry & (1<<entryBits - 1)
	return Type{s: s, off: s.offs[i], id: s.first + TypeID(i)}
}

func tagEqual(entry uint32, h uint64) bool { return (entry^uint32(h))&tagMask == 0 }

func nextPow2(n int) int { return 1 << bits.Len(uint(max(n, 1)-1)) }
