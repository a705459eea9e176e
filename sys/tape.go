package sys

import (
	"encoding/binary"
	"slices"
	"strconv"
	"strings"
	"unsafe"
)

// A tape turns calls into text and back. It numbers what differs from run to
// run: descriptors by what they are and in order of appearance (map#1, prog#1,
// dir#2), ids and inodes likewise, so that the same load gives the same text.
type tape struct {
	symbols map[symKey]string
	numbers map[string]int64 // inverse of symbols, for replaying
	counts  map[string]int
	shapes  map[int]mapShape // by descriptor
}

// symKey tells descriptors and the kinds of ids apart, which overlap as numbers.
type symKey struct {
	space string
	n     int64
}

// A mapShape is what the element commands need to know of a map.
type mapShape struct {
	typ        MapType
	key, value int
}

func newTape() *tape {
	return &tape{symbols: map[symKey]string{}, numbers: map[string]int64{}, counts: map[string]int{}, shapes: map[int]mapShape{}}
}

// symbol is the name of a number; kind names it if it is new.
func (t *tape) symbol(space, kind string, n int64) string {
	if s, ok := t.symbols[symKey{space, n}]; ok {
		return s
	}
	t.counts[kind]++
	s := kind + "#" + strconv.Itoa(t.counts[kind])
	t.symbols[symKey{space, n}] = s
	t.numbers[s] = n
	return s
}

// fd is the name of a descriptor; those that were not opened on this tape are
// called ext.
func (t *tape) fd(n int) string {
	switch {
	case n == AT_FDCWD:
		return "cwd"
	case n < 0:
		return strconv.Itoa(n)
	}
	return t.symbol("fd", "ext", int64(n))
}

// opened gives a new descriptor its name.
func (t *tape) opened(kind string, n int) string {
	delete(t.symbols, symKey{"fd", int64(n)}) // the number was in use before
	delete(t.shapes, n)
	return t.symbol("fd", kind, int64(n))
}

func (t *tape) closed(n int) {
	delete(t.symbols, symKey{"fd", int64(n)})
	delete(t.shapes, n)
}

// idSpace is the namespace of ids of the kind of the field that holds one.
func (k fieldKind) idSpace() string {
	switch k {
	case kindMapID, kindOutMapIDs:
		return "map-id"
	case kindProgID, kindOutProgIDs:
		return "prog-id"
	case kindBTFID:
		return "btf-id"
	}
	return "link-id"
}

// request is the text of a command before it is made: its name and every field
// that is not zero.
func (t *tape) request(cmd Cmd, attr Attr) string {
	var b strings.Builder
	b.WriteString(cmdName(cmd))
	t.fields(&b, cmd, attr, false)
	if i, ok := attr.(*infoCall); ok {
		_, l := i.info.raw()
		b.WriteString(" info=" + l.name)
		t.fields(&b, cmd, i.info, false)
	}
	if w, ok := attr.(*WithCommon); ok {
		t.fields(&b, cmd, w.Common, false)
	}
	return b.String()
}

// outputs is what a command that succeeded left in its argument.
func (t *tape) outputs(cmd Cmd, attr Attr) string {
	var b strings.Builder
	t.fields(&b, cmd, attr, true)
	if i, ok := attr.(*infoCall); ok {
		t.fields(&b, cmd, i.info, true)
	}
	return b.String()
}

func (t *tape) fields(b *strings.Builder, cmd Cmd, attr Attr, out bool) {
	p, l := attr.raw()
	for i := range l.fields {
		f := &l.fields[i]
		if f.kind == kindVolatile || f.kind == kindOpaque || out && !t.isOutput(cmd, f) {
			continue
		}
		var v string
		if f.kind.pointer() {
			v = t.pointer(cmd, p, l, f, out)
		} else {
			v = t.value(cmd, p, l, f)
		}
		if v != "" {
			b.WriteString(" " + f.name + "=" + v)
		}
	}
}

// isOutput says whether the kernel writes a field, or what it points to.
func (t *tape) isOutput(cmd Cmd, f *field) bool {
	switch f.kind {
	case kindValue, kindBatchValues:
		return cmd != CmdMapUpdateElem && cmd != CmdMapUpdateBatch && cmd != CmdMapDeleteElem && cmd != CmdMapFreeze
	case kindBatchKeys:
		return cmd == CmdMapLookupBatch || cmd == CmdMapLookupAndDeleteBatch
	}
	return f.out
}

// value prints a field that is not a pointer; "" for zero.
func (t *tape) value(cmd Cmd, p unsafe.Pointer, l *layout, f *field) string {
	switch f.kind {
	case kindName:
		s := (*ObjName)(unsafe.Add(p, f.off)).String()
		if s == "" {
			return ""
		}
		return quote(s)
	case kindTag:
		return hexOrNone(f.bytes(p))
	}
	n := f.number(p)
	if n == 0 && f.name != "attach_type" { // the first hook is a hook
		return ""
	}
	switch f.kind {
	case kindFD, kindDirFD:
		return t.fd(int(int32(n)))
	case kindTarget:
		if onInterface(attachTypeOf(p, l)) {
			return strconv.FormatUint(n, 10)
		}
		return t.fd(int(int32(n)))
	case kindRelative:
		if hookFlags(p, l)&BPF_F_ID != 0 {
			return t.symbol("prog-id", "prog-id", int64(n))
		}
		return t.fd(int(int32(n)))
	case kindMapType:
		return MapType(n).String()
	case kindProgType:
		return ProgType(n).String()
	case kindAttachType:
		return AttachType(n).String()
	case kindLinkType:
		return LinkType(n).String()
	case kindID:
		return t.symbol(idSpaceOf(cmd), idSpaceOf(cmd), int64(n))
	case kindMapID, kindProgID, kindBTFID, kindLinkID:
		return t.symbol(f.kind.idSpace(), f.kind.idSpace(), int64(n))
	case kindHex:
		return "0x" + strconv.FormatUint(n, 16)
	}
	return strconv.FormatUint(n, 10)
}

func idSpaceOf(cmd Cmd) string {
	switch cmd {
	case CmdMapGetNextID, CmdMapGetFDByID:
		return "map-id"
	case CmdProgGetNextID, CmdProgGetFDByID:
		return "prog-id"
	case CmdBTFGetNextID, CmdBTFGetFDByID:
		return "btf-id"
	}
	return "link-id"
}

func attachTypeOf(p unsafe.Pointer, l *layout) AttachType {
	if f := l.byName("attach_type"); f != nil {
		return AttachType(f.number(p))
	}
	return ^AttachType(0)
}

func hookFlags(p unsafe.Pointer, l *layout) uint64 {
	for _, name := range []string{"flags", "attach_flags"} {
		if f := l.byName(name); f != nil {
			return f.number(p)
		}
	}
	return 0
}

// onInterface says whether the target of a hook is an interface index.
func onInterface(a AttachType) bool {
	switch a {
	case AttachXDP, AttachTCXIngress, AttachTCXEgress, AttachNetkitPrimary, AttachNetkitPeer:
		return true
	}
	return false
}

// pointer prints what a pointer points to: inputs before the call, outputs after it.
func (t *tape) pointer(cmd Cmd, p unsafe.Pointer, l *layout, f *field, out bool) string {
	ptr := f.pointer(p)
	if ptr.IsNil() || out != t.isOutput(cmd, f) {
		return ""
	}
	switch f.kind {
	case kindString:
		return quote(ptr.string())
	case kindIn, kindOut:
		return data(ptr.bytes(l.count(f, p)), out)
	case kindOutMapIDs, kindOutProgIDs, kindOutLinkIDs:
		return t.numberList(ptr.bytes(l.count(f, p)), func(n uint32) string {
			return t.symbol(f.kind.idSpace(), f.kind.idSpace(), int64(n))
		})
	case kindFDArray:
		return t.numberList(ptr.bytes(4*int(l.byName("fd_array_cnt").number(p))), func(n uint32) string { return t.fd(int(int32(n))) })
	case kindInsns:
		return t.insns(ptr.bytes(8 * int(l.byName("insn_cnt").number(p))))
	}
	return t.elements(cmd, p, l, f, out)
}

func (t *tape) numberList(b []byte, name func(uint32) string) string {
	var out []string
	for len(b) >= 4 {
		out = append(out, name(binary.NativeEndian.Uint32(b)))
		b = b[4:]
	}
	if out == nil {
		return ""
	}
	return "[" + strings.Join(out, ",") + "]"
}

// longData is the number of bytes above which inputs are printed as a digest.
const longData = 128

// data prints bytes: in full if they are outputs, which a replay must reproduce.
func data(b []byte, full bool) string {
	if !full && len(b) > longData {
		return strconv.Itoa(len(b)) + ":" + digest(b)
	}
	return hexOrNone(b)
}

func hexOrNone(b []byte) string {
	if len(b) == 0 || !slices.ContainsFunc(b, func(c byte) bool { return c != 0 }) && len(b) == 8 {
		return ""
	}
	return hexText(b)
}

// digest is FNV-1a with 64 bits: enough to see that data differ.
func digest(b []byte) string {
	h := uint64(14695981039346656037)
	for _, c := range b {
		h = (h ^ uint64(c)) * 1099511628211
	}
	return "fnv" + strconv.FormatUint(h, 16)
}

// insns prints a program with its descriptors taken out and listed behind it by
// slot: the same program gives the same text whatever the numbers are.
func (t *tape) insns(code []byte) string {
	const wideLoad, mapFD, mapValue = 0x18, 1, 2
	c := slices.Clone(code)
	var refs []string
	for i := 0; i+8 <= len(c); i += 8 {
		if c[i] != wideLoad {
			continue
		}
		src := c[i+1] >> 4
		if hostBigEndian {
			src = c[i+1] & 0xf
		}
		if src == mapFD || src == mapValue {
			n := binary.NativeEndian.Uint32(c[i+4:])
			refs = append(refs, strconv.Itoa(i/8)+":"+t.fd(int(int32(n))))
			clear(c[i+4 : i+8])
		}
		i += 8
	}
	s := data(c, false)
	if refs != nil {
		s += " refs=[" + strings.Join(refs, ",") + "]"
	}
	return s
}

var hostBigEndian = binary.NativeEndian.Uint16([]byte{0, 1}) == 1
