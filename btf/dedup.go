package btf

import (
	"encoding/binary"
	"hash/maphash"
	"slices"
)

// Dedup writes the types with every type once. Two types are the same if
// nothing tells them apart, however far one follows the types that they refer
// to; circles of types are no obstacle. A forward declaration becomes the one
// structure or union of its name and kind, if there is exactly one. Types
// that the base has are not repeated. Variables and Datasecs all stay, for
// two of them are two places in memory. Order is kept.
//
// The second result has the new id of each type: ids[i] is that of the type
// that was FirstID()+i.
func (s *Spec) Dedup() (out []byte, ids []TypeID, err error) {
	for t := range s.Types() {
		if !t.Kind().known() {
			return nil, nil, &FormatError{Part: "types", Index: int(t.id), Offset: s.typAt + int64(t.off), Field: "kind", Value: uint64(t.Kind()),
				Kind: Unsupported, Detail: "nobody knows what such a type refers to"}
		}
	}
	d := newDeduper(s)
	// A declaration that was resolved makes more types equal, which may leave
	// one structure of a name where there were two.
	for range maxDedupRounds {
		d.classify()
		if !d.resolveFwds() {
			break
		}
	}
	ids = d.number()
	b := NewBuilder(s.base)
	remap := func(id TypeID) TypeID {
		if id = d.rep[d.target(id)]; id >= s.first {
			return ids[id-s.first]
		}
		return id
	}
	for t := range s.Types() {
		if d.kept(t.id) {
			b.AddType(t, remap)
		}
	}
	out, err = b.Bytes(s.ByteOrder())
	return out, ids, err
}

const (
	maxDedupRounds = 8  // of resolving forward declarations
	maxRefinements = 64 // of telling the types of a circle apart
)

// A deduper puts types into classes of equals. Types are nodes of a graph;
// those of the base are nodes, too.
type deduper struct {
	s    *Spec
	n    int
	fwd  map[TypeID]TypeID // forward declarations and what they declare
	rep  []TypeID          // of each type: the first type of its class
	hash []uint64          // of each type: equal for all of a class
	circ []bool            // of each type: part of a circle
	like map[uint64]uint64 // hashes outside a circle and inside, of the same types
	buf  []byte
}

func newDeduper(s *Spec) *deduper {
	n := s.NumTypes()
	return &deduper{s: s, n: n, fwd: make(map[TypeID]TypeID), rep: make([]TypeID, n), hash: make([]uint64, n), circ: make([]bool, n),
		like: make(map[uint64]uint64)}
}

// target follows a resolved forward declaration.
func (d *deduper) target(id TypeID) TypeID {
	if to, ok := d.fwd[id]; ok {
		return to
	}
	return id
}

// kept reports whether a type is written.
func (d *deduper) kept(id TypeID) bool { return d.target(id) == id && d.rep[id] == id }

// number gives the types that are kept their new ids.
func (d *deduper) number() []TypeID {
	ids := make([]TypeID, d.n-int(d.s.first))
	next := d.s.first
	for i := range ids {
		if id := d.s.first + TypeID(i); d.kept(id) {
			ids[i] = next
			next++
		}
	}
	for i := range ids {
		id := d.rep[d.target(d.s.first+TypeID(i))]
		if id >= d.s.first {
			ids[i] = ids[id-d.s.first]
		} else {
			ids[i] = id
		}
	}
	return ids
}

// local appends what a type is without the types it refers to.
func (d *deduper) local(b []byte, t Type) []byte {
	b = binary.LittleEndian.AppendUint32(b, t.info())
	b = append(append(b, t.Name()...), 0)
	k := &kinds[t.Kind()]
	if !k.ref && t.Kind() != KindFwd && t.Kind() != KindArray {
		b = binary.LittleEndian.AppendUint32(b, t.word(2))
	}
	words := int(k.elem / 4)
	for i := range t.elems() {
		w := 3 + i*words
		switch t.Kind() {
		case KindStruct, KindUnion:
			b = append(append(b, t.s.str(t.word(w))...), 0)
			b = binary.LittleEndian.AppendUint32(b, t.word(w+2))
		case KindFuncProto:
			b = append(append(b, t.s.str(t.word(w))...), 0)
		case KindEnum, KindEnum64:
			b = append(append(b, t.s.str(t.word(w))...), 0)
			for j := 1; j < words; j++ {
				b = binary.LittleEndian.AppendUint32(b, t.word(w+j))
			}
		case KindDatasec:
			b = binary.LittleEndian.AppendUint32(b, t.word(w+1))
			b = binary.LittleEndian.AppendUint32(b, t.word(w+2))
		}
	}
	switch t.Kind() {
	case KindInt, KindVar, KindDeclTag:
		b = binary.LittleEndian.AppendUint32(b, t.word(3))
	case KindArray:
		b = binary.LittleEndian.AppendUint32(b, t.Nelems())
	}
	return b
}

// hashOf hashes a type with what is known of those it refers to.
func (d *deduper) hashOf(t Type, of func(TypeID) uint64) uint64 {
	d.buf = d.local(d.buf[:0], t)
	for id := range t.Refs() {
		d.buf = binary.LittleEndian.AppendUint64(d.buf, of(d.target(id)))
	}
	return maphash.Bytes(seed, d.buf)
}

// classify computes d.rep. Types are hashed after those they refer to; the
// types of a circle are told apart step by step, as far as it takes.
func (d *deduper) classify() {
	clear(d.circ)
	clear(d.like)
	g := sccWalker{n: d.n, refs: func(id TypeID, yield func(TypeID) bool) {
		for to := range d.s.Type(id).Refs() {
			if !yield(d.target(to)) {
				return
			}
		}
	}}
	place := make(map[TypeID]int) // of the types of one circle
	g.walk(func(circle []TypeID, loop bool) {
		if !loop {
			h := d.outside(circle[0])
			if same, ok := d.like[h]; ok {
				h = same
			}
			d.hash[circle[0]] = h
			return
		}
		d.refine(circle, place)
	})
	d.group()
	d.verify()
}

// refine hashes the types of one circle: first as if they did not refer to
// each other, then with the hashes of the round before, until no more types
// become different from one another.
func (d *deduper) refine(circle []TypeID, place map[TypeID]int) {
	clear(place)
	for i, id := range circle {
		place[id] = i
		d.circ[id] = true
	}
	now, next := make([]uint64, len(circle)), make([]uint64, len(circle))
	distinct := make(map[uint64]struct{})
	classes := 1
	for range maxRefinements {
		clear(distinct)
		for i, id := range circle {
			next[i] = d.hashOf(d.s.Type(id), func(to TypeID) uint64 {
				if j, ok := place[to]; ok {
					return now[j]
				}
				return d.hash[to]
			})
			distinct[next[i]] = struct{}{}
		}
		now, next = next, now
		if len(distinct) == classes {
			break
		}
		classes = len(distinct)
	}
	// The hashes tell the types of this circle apart, but reach only as far as
	// that took. All of them together tell it from other circles.
	all := slices.Clone(now)
	slices.Sort(all)
	d.buf = d.buf[:0]
	for _, h := range slices.Compact(all) {
		d.buf = binary.LittleEndian.AppendUint64(d.buf, h)
	}
	whole := maphash.Bytes(seed, d.buf)
	for i, id := range circle {
		d.buf = binary.LittleEndian.AppendUint64(d.buf[:0], whole)
		d.buf = binary.LittleEndian.AppendUint64(d.buf, now[i])
		d.hash[id] = maphash.Bytes(seed, d.buf)
	}
	// A type outside that refers to the circle may be the same as one inside.
	for _, id := range circle {
		d.like[d.outside(id)] = d.hash[id]
	}
}

// outside is the hash of a type that is in no circle.
func (d *deduper) outside(id TypeID) uint64 {
	return d.hashOf(d.s.Type(id), func(to TypeID) uint64 { return d.hash[to] })
}

// group makes one class of the types with one hash.
func (d *deduper) group() {
	first := make(map[uint64]TypeID, d.n)
	for id := range TypeID(d.n) {
		d.rep[id] = id
		if id == 0 || d.s.Type(id).is(KindVar, KindDatasec) {
			continue
		}
		if r, ok := first[d.hash[id]]; ok {
			d.rep[id] = r
		} else {
			first[d.hash[id]] = id
		}
	}
}

// verify takes out of its class every type that is not the same as the
// class's first, and repeats that until all classes are right: what hashes
// promise, this proves. Types of the base stay what they are.
func (d *deduper) verify() {
	var a, b []byte
	for round := 0; ; round++ {
		again := false
		for id := TypeID(1); int(id) < d.n; id++ {
			r := d.rep[id]
			if r == id {
				continue
			}
			t, u := d.s.Type(id), d.s.Type(r)
			a, b = d.local(a[:0], t), d.local(b[:0], u)
			if string(a) != string(b) || !d.sameRefs(t, u) || round > maxRefinements && d.circ[id] {
				d.rep[id] = id
				again = true
			}
		}
		if !again {
			return
		}
	}
}

func (d *deduper) sameRefs(t, u Type) bool {
	for w := range t.refWords() { // the same words: kinds and lengths are equal
		if d.rep[d.target(TypeID(t.word(w)))] != d.rep[d.target(TypeID(u.word(w)))] {
			return false
		}
	}
	return true
}

// resolveFwds finds what forward declarations declare, and reports whether it
// found anything new.
func (d *deduper) resolveFwds() bool {
	type key struct {
		name  string
		union bool
	}
	only := make(map[key]TypeID) // 0: there are several
	for id := TypeID(1); int(id) < d.n; id++ {
		t := d.s.Type(id)
		if d.rep[id] != id || !t.is(KindStruct, KindUnion) || t.Name() == "" {
			continue
		}
		k := key{t.Name(), t.Kind() == KindUnion}
		if _, ok := only[k]; ok {
			only[k] = 0
		} else {
			only[k] = id
		}
	}
	found := false
	for t := range d.s.Types() {
		if t.Kind() != KindFwd || d.fwd[t.id] != 0 {
			continue
		}
		if to := only[key{t.Name(), t.KindFlag()}]; to != 0 {
			d.fwd[t.id] = to
			found = true
		}
	}
	return found
}
