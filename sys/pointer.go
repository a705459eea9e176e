package sys

import "unsafe"

// BytesPtr points to the first byte of b; nil for an empty slice.
func BytesPtr(b []byte) Pointer { return UnsafePtr(unsafe.Pointer(unsafe.SliceData(b))).orNil(len(b)) }

// SlicePtr points to the first element of s; nil for an empty slice.
func SlicePtr[T any](s []T) Pointer {
	return UnsafePtr(unsafe.Pointer(unsafe.SliceData(s))).orNil(len(s))
}

// StringPtr points to a copy of s with a NUL behind it. A NUL inside s would cut
// it for the kernel; callers that take names from outside check them first.
func StringPtr(s string) Pointer {
	b := make([]byte, len(s)+1)
	copy(b, s)
	return BytesPtr(b)
}

// IsNil says whether p points nowhere.
func (p Pointer) IsNil() bool { return p.ptr == nil }

// Unsafe is p as Go writes it.
func (p Pointer) Unsafe() unsafe.Pointer { return p.ptr }

func (p Pointer) orNil(n int) Pointer {
	if n == 0 {
		return Pointer{}
	}
	return p
}

// bytes is the memory behind p; the caller knows that n bytes of it exist.
func (p Pointer) bytes(n int) []byte {
	if p.ptr == nil || n <= 0 {
		return nil
	}
	return unsafe.Slice((*byte)(p.ptr), n)
}

// string is the NUL-terminated string behind p.
func (p Pointer) string() string {
	if p.ptr == nil {
		return ""
	}
	n := 0
	for *(*byte)(unsafe.Add(p.ptr, n)) != 0 {
		n++
	}
	return string(unsafe.Slice((*byte)(p.ptr), n))
}

// An ObjName is the name of a map or program as the kernel keeps it: up to 15
// bytes and a NUL.
type ObjName [BPF_OBJ_NAME_LEN]byte

// NewObjName cuts s to 15 bytes. The kernel refuses characters other than
// letters, digits, '_' and '.'.
func NewObjName(s string) (n ObjName) {
	copy(n[:BPF_OBJ_NAME_LEN-1], s)
	return n
}

// String is the name up to its first NUL.
func (n ObjName) String() string {
	for i, c := range n {
		if c == 0 {
			return string(n[:i])
		}
	}
	return string(n[:])
}
