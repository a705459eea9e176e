package sys

import (
	"encoding/binary"
	"unsafe"
)

// A layout describes one generated struct to code that prints, compares and
// fills any of them: where each field is and what it means.
type layout struct {
	name   string
	size   uintptr
	fields []field
}

type field struct {
	name   string
	off    uint16
	size   uint16
	kind   fieldKind
	out    bool  // the kernel writes it
	length uint8 // position+1 of the field that counts the elements behind a pointer
	elem   uint8 // size of such an element
}

type fieldKind uint8

const (
	kindUint        fieldKind = iota
	kindHex                   // flags and other bit masks
	kindVolatile              // differs from run to run: never recorded
	kindFD                    // descriptor; 0 is none
	kindDirFD                 // descriptor of a directory; 0 is none
	kindTarget                // descriptor or interface index, by attach type
	kindRelative              // descriptor or id, by flags
	kindName                  // ObjName
	kindTag                   // bytes
	kindMapType               // the enums
	kindProgType              //
	kindAttachType            //
	kindLinkType              //
	kindID                    // ids: numbered, not recorded as they are
	kindMapID                 //
	kindProgID                //
	kindBTFID                 //
	kindLinkID                //
	kindOpaque                // pointer to what is not recorded
	kindString                // pointer to a NUL-terminated string
	kindIn                    // pointer to what the kernel reads
	kindOut                   // pointer to what the kernel writes
	kindOutMapIDs             // the same, an array of ids
	kindOutProgIDs            //
	kindOutLinkIDs            //
	kindKey                   // pointers of element commands
	kindValue                 //
	kindBatchKeys             //
	kindBatchValues           //
	kindInsns                 // instructions, insn_cnt of them
	kindFDArray               // descriptors, fd_array_cnt of them
)

// pointer says whether a field of this kind is a Pointer.
func (k fieldKind) pointer() bool { return k >= kindOpaque }

// number reads a field that is not a pointer, a name or a tag.
func (f *field) number(p unsafe.Pointer) uint64 {
	at := unsafe.Add(p, f.off)
	switch f.size {
	case 4:
		return uint64(*(*uint32)(at))
	case 8:
		return binary.NativeEndian.Uint64(unsafe.Slice((*byte)(at), 8))
	}
	return 0
}

// setNumber is the inverse of number.
func (f *field) setNumber(p unsafe.Pointer, v uint64) {
	at := unsafe.Add(p, f.off)
	switch f.size {
	case 4:
		*(*uint32)(at) = uint32(v)
	case 8:
		binary.NativeEndian.PutUint64(unsafe.Slice((*byte)(at), 8), v)
	}
}

func (f *field) pointer(p unsafe.Pointer) Pointer { return *(*Pointer)(unsafe.Add(p, f.off)) }

func (f *field) bytes(p unsafe.Pointer) []byte {
	return unsafe.Slice((*byte)(unsafe.Add(p, f.off)), f.size)
}

// count is the number of bytes behind a pointer, by the field that counts them.
func (l *layout) count(f *field, p unsafe.Pointer) int {
	if f.length == 0 {
		return 0
	}
	return int(l.fields[f.length-1].number(p)) * int(f.elem)
}

// byName finds a field.
func (l *layout) byName(name string) *field {
	for i := range l.fields {
		if l.fields[i].name == name {
			return &l.fields[i]
		}
	}
	return nil
}
