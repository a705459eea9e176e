package btf

import "strconv"

// A cLayout follows what a C compiler does with the members of a structure,
// so that the printer sees where it would go another way.
type cLayout struct {
	union  bool
	packed bool
	end    uint64 // bits used so far
	align  uint64 // largest alignment so far, in bytes
}

// place is where the compiler puts a member with an alignment in bytes.
func (l *cLayout) place(align uint64) uint64 {
	if l.union {
		return 0
	}
	if l.packed {
		align = 1
	}
	unit := 8 * align
	return (l.end + unit - 1) / unit * unit
}

// placeBits is where the compiler puts a bit field: behind the last member,
// unless it would cross a boundary of its type.
func (l *cLayout) placeBits(size, align, width uint64) uint64 {
	if l.union {
		return 0
	}
	if unit := 8 * size; !l.packed && l.end/unit != (l.end+width-1)/unit {
		return l.place(align)
	}
	return l.end
}

// add takes note of a member.
func (l *cLayout) add(at, bits, align uint64) {
	l.end = max(l.end, at+bits)
	if !l.packed {
		l.align = max(l.align, align)
	}
}

// composite prints the definition of a structure or union; inside another one,
// without its name.
func (p *cPrinter) composite(t Type, depth int) error {
	if depth >= maxDepth {
		return &TypeError{Op: "print", ID: t.id, At: t.id, Kind: Limit, Detail: "types nested deeper than " + strconv.Itoa(maxDepth)}
	}
	p.put(cTag(t), " ")
	if depth == 0 {
		p.pads = 0
		if t.Name() != "" {
			p.put(p.names.of(t), " ")
		}
	}
	p.put("{\n")
	l := cLayout{union: t.Kind() == KindUnion, packed: p.packed(t), align: 1}
	for _, m := range t.Members() {
		if p.budget < 0 {
			return &TypeError{Op: "print", ID: t.id, At: t.id, Kind: Limit, Detail: "anonymous types that repeat one another"}
		}
		if err := p.member(&l, m, depth); err != nil {
			return err
		}
	}
	p.tail(&l, uint64(t.Size()), depth)
	p.indent(depth)
	p.put("}")
	if l.packed {
		p.put(" __attribute__((packed))")
	}
	return nil
}

// packed reports whether a structure can have its layout only if it is packed.
func (p *cPrinter) packed(t Type) bool {
	most := uint64(1)
	for _, m := range t.Members() {
		align, err := p.align.of(m.Type)
		if err != nil {
			continue // see member
		}
		most = max(most, align)
		if m.BitSize == 0 {
			if uint64(m.BitOffset)%(8*align) != 0 {
				return true
			}
			continue
		}
		if size, err := p.s.SizeOf(m.Type); err == nil && size != 0 {
			first, last := uint64(m.BitOffset), uint64(m.BitOffset)+uint64(m.BitSize)-1
			if first/(8*size) != last/(8*size) {
				return true
			}
		}
	}
	return uint64(t.Size())%most != 0
}

// member prints one member, and before it what brings the compiler to its
// place.
func (p *cPrinter) member(l *cLayout, m Member, depth int) error {
	size, err := p.s.SizeOf(m.Type)
	align, err2 := p.align.of(m.Type)
	bits := 8 * size
	if m.BitSize != 0 {
		bits = uint64(m.BitSize)
	}
	at := uint64(m.BitOffset)
	switch {
	case err != nil || err2 != nil:
		p.comment(m, "has no size", depth)
		return nil
	case size > 1<<32 || bits > 8*size:
		p.comment(m, "is larger than its type", depth)
		return nil
	case l.union && at != 0, !l.union && at < l.end, m.BitSize == 0 && at%8 != 0:
		p.comment(m, "overlaps another member", depth)
		return nil
	}
	where := func() uint64 {
		if m.BitSize != 0 {
			return l.placeBits(size, align, bits)
		}
		return l.place(align)
	}
	if where() != at {
		p.pad(l, at, depth)
	}
	p.indent(depth + 1)
	if err := p.memberType(m, depth+1); err != nil {
		return err
	}
	if m.BitSize != 0 {
		p.put(": ")
		p.putUint(bits)
	}
	p.put(";\n")
	l.add(at, bits, align)
	return nil
}

// memberType prints a member's type and name. A member without a name may have a
// type with one (-fms-extensions), which a C compiler takes only if it is spelled
// out.
func (p *cPrinter) memberType(m Member, depth int) error {
	if m.Name != "" {
		return p.declarator(m.Type, identifier(m.Name), depth)
	}
	if t, err := p.s.Resolve(m.Type); err == nil && t.is(KindStruct, KindUnion) {
		return p.composite(t, depth)
	}
	return p.declarator(m.Type, "", depth)
}

// pad fills the bits up to a place: the rest of a byte with a bit field that
// has no name, whole bytes with an array.
func (p *cPrinter) pad(l *cLayout, to uint64, depth int) {
	bitfield := func(n uint64) {
		if n > 0 {
			p.indent(depth + 1)
			p.put("unsigned char: ")
			p.putUint(n)
			p.put(";\n")
			l.end += n
		}
	}
	if rest := -l.end % 8; to-l.end >= rest {
		bitfield(rest)
	}
	if n := (to - l.end) / 8; n > 0 {
		p.padBytes(n, depth)
		l.end += 8 * n
	}
	bitfield(to - l.end)
}

// padBytes is an array of bytes, whose name differs from all others of the
// outermost structure: members of members without a name share their scope.
func (p *cPrinter) padBytes(n uint64, depth int) {
	p.indent(depth + 1)
	p.put("unsigned char __btf_pad_")
	p.putUint(p.pads)
	p.pads++
	p.put("[")
	p.putUint(n)
	p.put("];\n")
}

// tail makes the structure as long as it has to be.
func (p *cPrinter) tail(l *cLayout, size uint64, depth int) {
	end := (l.end + 7) / 8
	if full := (end + l.align - 1) / l.align * l.align; full >= size {
		return
	}
	if l.union {
		p.padBytes(size, depth)
	} else {
		p.padBytes(size-end, depth)
	}
}

func (p *cPrinter) indent(depth int) {
	for range depth {
		p.put("\t")
	}
}

// comment stands for a member that C cannot express.
func (p *cPrinter) comment(m Member, why string, depth int) {
	p.indent(depth + 1)
	p.put("/* ", identifier(m.Name), ", at bit ", strconv.Itoa(int(m.BitOffset)), ", ", why, " */\n")
}
