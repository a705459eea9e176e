package sys

import (
	"encoding/binary"
	"strconv"
	"strings"
	"unsafe"
)

// fill writes recorded outputs into an argument; false if one cannot be read. What
// pointers point to is filled first, while the fields that count it still are the
// caller's.
func (p *Replay) fill(cmd Cmd, attr Attr, pairs []pair) bool {
	targets := []Attr{attr}
	if i, ok := attr.(*infoCall); ok {
		targets = []Attr{i.info, attr}
	}
	for _, pointers := range []bool{true, false} {
		for _, v := range pairs {
			ptr, l, f := fieldNamed(targets, v.name)
			if f == nil || f.kind.pointer() == pointers && !p.set(cmd, ptr, l, f, v.value) {
				return false
			}
		}
	}
	return true
}

func fieldNamed(targets []Attr, name string) (unsafe.Pointer, *layout, *field) {
	for _, target := range targets {
		ptr, l := target.raw()
		if f := l.byName(name); f != nil {
			return ptr, l, f
		}
	}
	return nil, nil, nil
}

func (p *Replay) set(cmd Cmd, ptr unsafe.Pointer, l *layout, f *field, v string) bool {
	if f.kind.pointer() {
		return p.setBehind(cmd, ptr, l, f, v)
	}
	n, err := strconv.ParseUint(v, 0, 64)
	ok := err == nil
	switch f.kind {
	case kindName:
		s, err := strconv.Unquote(v)
		*(*ObjName)(unsafe.Add(ptr, f.off)) = NewObjName(s)
		return err == nil
	case kindTag:
		b, ok := parseHex(v)
		copy(f.bytes(ptr), b)
		return ok
	case kindMapType:
		t, found := ParseMapType(v)
		n, ok = uint64(t), found
	case kindProgType:
		t, found := ParseProgType(v)
		n, ok = uint64(t), found
	case kindAttachType:
		t, found := ParseAttachType(v)
		n, ok = uint64(t), found
	case kindLinkType:
		t, found := ParseLinkType(v)
		n, ok = uint64(t), found
	case kindID:
		n, ok = p.t.number(idSpaceOf(cmd), v), true
	case kindMapID, kindProgID, kindBTFID, kindLinkID:
		n, ok = p.t.number(f.kind.idSpace(), v), true
	}
	f.setNumber(ptr, n)
	return ok
}

// setBehind fills the memory that a pointer points to, as far as the caller said
// that there is some.
func (p *Replay) setBehind(cmd Cmd, ptr unsafe.Pointer, l *layout, f *field, v string) bool {
	at := f.pointer(ptr)
	switch f.kind {
	case kindOutMapIDs, kindOutProgIDs, kindOutLinkIDs:
		b := at.bytes(l.count(f, ptr))
		for _, s := range strings.Split(strings.Trim(v, "[]"), ",") {
			if len(b) < 4 {
				return false
			}
			binary.NativeEndian.PutUint32(b, uint32(p.t.number(f.kind.idSpace(), s)))
			b = b[4:]
		}
		return true
	}
	b, ok := parseHex(v)
	if !ok {
		return false
	}
	size := l.count(f, ptr)
	if sh, n, ok := p.elementShape(ptr, l, f); ok {
		size = n * sh.value
		if f.kind == kindBatchKeys || cmd == CmdMapGetNextKey {
			size = n * sh.key
		}
	}
	copy(at.bytes(min(size, len(b))), b)
	return true
}

func (p *Replay) elementShape(ptr unsafe.Pointer, l *layout, f *field) (mapShape, int, bool) {
	if f.kind != kindValue && f.kind != kindBatchKeys && f.kind != kindBatchValues {
		return mapShape{}, 0, false
	}
	return p.t.shapeOf(ptr, l)
}

// number is the inverse of symbol: the number that stands for a symbol in this
// run, a new one if it is the first time.
func (t *tape) number(space, symbol string) uint64 {
	kind, _, ok := strings.Cut(symbol, "#")
	if !ok {
		n, _ := strconv.ParseUint(symbol, 0, 64)
		return n
	}
	if n, ok := t.numbers[symbol]; ok {
		return uint64(n)
	}
	n := int64(1000 + len(t.numbers))
	t.symbol(space, kind, n)
	return uint64(n)
}
