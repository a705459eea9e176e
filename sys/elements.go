package sys

import (
	"encoding/binary"
	"strings"
	"unsafe"
)

// elements prints keys and values of the element and batch commands. Their sizes
// are known from the creation of the map on the same tape or, for a map that was
// opened, from the kernel.
func (t *tape) elements(cmd Cmd, p unsafe.Pointer, l *layout, f *field, out bool) string {
	sh, n, ok := t.shapeOf(p, l)
	if !ok {
		return "?"
	}
	size, fds := sh.value, sh.holdsFDs()
	if f.kind == kindKey || f.kind == kindBatchKeys || cmd == CmdMapGetNextKey {
		size, fds = sh.key, sh.keyedByFD()
	}
	if sh.typ == MapTypeStructOps && size == sh.value && f.kind == kindValue {
		return "" // holds descriptors of programs wherever its type has functions
	}
	b := f.pointer(p).bytes(size * n)
	if out || !fds || size < 4 {
		return data(b, out)
	}
	var list []string
	for ; len(b) >= size; b = b[size:] {
		list = append(list, t.fd(int(int32(binary.NativeEndian.Uint32(b))))+nonZero(b[4:size]))
	}
	return strings.Join(list, ",")
}

func nonZero(b []byte) string {
	for _, c := range b {
		if c != 0 {
			return "+" + hexText(b)
		}
	}
	return ""
}

// shapeOf is the shape of the map of a command and the number of its elements.
func (t *tape) shapeOf(p unsafe.Pointer, l *layout) (mapShape, int, bool) {
	sh, ok := t.shapes[int(int32(l.byName("map_fd").number(p)))]
	n := 1
	if f := l.byName("count"); f != nil {
		n = int(f.number(p))
	}
	return sh, n, ok
}

// created remembers the shape of a new map.
func (t *tape) created(fd int, a *MapCreateAttr) {
	t.shapes[fd] = shape(a.MapType, int(a.KeySize), int(a.ValueSize))
}

func shape(typ MapType, key, value int) mapShape {
	switch typ {
	case MapTypePerCPUHash, MapTypePerCPUArray, MapTypeLRUPerCPUHash, MapTypePerCPUCgroupStorage:
		n, _ := PossibleCPUs()
		value = (value + 7) &^ 7 * n
	}
	return mapShape{typ, key, value}
}

// holdsFDs says whether the values that user space writes are descriptors.
func (s mapShape) holdsFDs() bool {
	switch s.typ {
	case MapTypeProgArray, MapTypePerfEventArray, MapTypeCgroupArray, MapTypeArrayOfMaps, MapTypeHashOfMaps,
		MapTypeReuseportSockArray, MapTypeSockMap, MapTypeSockHash, MapTypeXSKMap:
		return true
	}
	return false
}

// keyedByFD says whether the keys that user space gives are descriptors.
func (s mapShape) keyedByFD() bool {
	switch s.typ {
	case MapTypeSKStorage, MapTypeInodeStorage, MapTypeTaskStorage, MapTypeCgrpStorage:
		return true
	}
	return false
}
