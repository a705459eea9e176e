package maps

import (
	"unsafe"

	"github.com/lode-bpf/lode/sys"
)

// LookupInto copies the value of key to value, which must have ElemSize bytes.
// flags is 0 or BPF_F_LOCK. If there is no such key the error matches
// ErrNotExist. It allocates nothing.
//
// The value of a bloom filter is what is asked for: the answer is ErrNotExist
// or, if the filter may hold it, nil.
func (m *Map) LookupInto(key, value []byte, flags uint64) error {
	if len(key) != m.keySize {
		return m.sizeError("lookup", "the key", len(key), m.keySize)
	}
	if len(value) != m.sizeWith(flags) {
		return m.sizeError("lookup", "the value", len(value), m.sizeWith(flags))
	}
	if !m.live {
		return m.slow(opLookup, sys.CmdMapLookupElem, key, value, flags)
	}
	return m.missed(opLookup, sys.MapLookup(m.fd.Int(), at(key), at(value), flags))
}

// Lookup is LookupInto with memory of its own.
func (m *Map) Lookup(key []byte) ([]byte, error) {
	value := make([]byte, m.elemSize)
	if err := m.LookupInto(key, value, 0); err != nil {
		return nil, err
	}
	return value, nil
}

// Update sets the value of key. flags are BPF_ANY, BPF_NOEXIST (the error then
// matches ErrExist) or BPF_EXIST (ErrNotExist), with BPF_F_LOCK. A full map is
// ErrFull. For a queue, a stack or a bloom filter key is nil and the value is
// added; with BPF_EXIST a full queue or stack drops its oldest element.
//
// Per-CPU maps take the values of all CPUs (PerCPUSize), or one with
// BPF_F_ALL_CPUS or BPF_F_CPU, which newer kernels have.
func (m *Map) Update(key, value []byte, flags uint64) error {
	if len(key) != m.keySize {
		return m.sizeError("update", "the key", len(key), m.keySize)
	}
	if len(value) != m.sizeWith(flags) {
		return m.sizeError("update", "the value", len(value), m.sizeWith(flags))
	}
	if !m.live {
		return m.slow(-1, sys.CmdMapUpdateElem, key, value, flags)
	}
	if err := sys.MapUpdate(m.fd.Int(), at(key), at(value), flags); err != nil {
		return m.fail("update", err)
	}
	return nil
}

// Delete removes key; if there is none the error matches ErrNotExist.
func (m *Map) Delete(key []byte) error {
	if len(key) != m.keySize {
		return m.sizeError("delete", "the key", len(key), m.keySize)
	}
	if !m.live {
		return m.slow(opDelete, sys.CmdMapDeleteElem, key, nil, 0)
	}
	return m.missed(opDelete, sys.MapDelete(m.fd.Int(), at(key)))
}

// Next copies the key behind key to next; a nil key stands before the first.
// Behind the last the error matches ErrNotExist. If key was deleted meanwhile
// the kernel begins again with the first: Entries copes with that. key and
// next may be the same memory.
func (m *Map) Next(key, next []byte) error {
	if key != nil && len(key) != m.keySize {
		return m.sizeError("next key", "the key", len(key), m.keySize)
	}
	if len(next) != m.keySize {
		return m.sizeError("next key", "the buffer", len(next), m.keySize)
	}
	if !m.live {
		return m.slow(opNext, sys.CmdMapGetNextKey, key, next, 0)
	}
	return m.missed(opNext, sys.MapNextKey(m.fd.Int(), at(key), at(next)))
}

// LookupAndDelete takes the value of key out of the map; for a queue or stack,
// whose key is nil, its first or last element. flags are as for LookupInto.
func (m *Map) LookupAndDelete(key, value []byte, flags uint64) error {
	if len(key) != m.keySize {
		return m.sizeError("lookup and delete", "the key", len(key), m.keySize)
	}
	if len(value) != m.elemSize {
		return m.sizeError("lookup and delete", "the value", len(value), m.elemSize)
	}
	if !m.live {
		return m.slow(opLookupAndDelete, sys.CmdMapLookupAndDeleteElem, key, value, flags)
	}
	return m.missed(opLookupAndDelete, sys.MapLookupAndDelete(m.fd.Int(), at(key), at(value), flags))
}

// sizeWith is how many bytes a value has in a call with these flags.
func (m *Map) sizeWith(flags uint64) int {
	if flags&(sys.BPF_F_CPU|sys.BPF_F_ALL_CPUS) != 0 {
		return m.valueSize
	}
	return m.elemSize
}

// missed is the error of a direct operation, without allocation for a miss.
func (m *Map) missed(op int, err error) error {
	if err == nil {
		return nil
	}
	if err == sys.ENOENT {
		return m.missing[op]
	}
	return m.fail(missingOps[op], err)
}

// slow is an operation on a kernel that is not simply the running one. It works
// on copies, so that the caller's memory need not leave the stack for it.
func (m *Map) slow(op int, cmd sys.Cmd, key, value []byte, flags uint64) error {
	k, v := append([]byte(nil), key...), append([]byte(nil), value...)
	attr := &sys.MapElemAttr{MapFD: m.fd.Num(), Key: sys.BytesPtr(k), Value: sys.BytesPtr(v), Flags: flags}
	_, err := m.k.BPF(cmd, attr)
	if cmd != sys.CmdMapUpdateElem {
		copy(value, v)
	}
	switch {
	case err == nil:
		return nil
	case op >= 0 && sys.ErrnoOf(err) == sys.ENOENT:
		return m.missing[op]
	case op >= 0:
		return m.fail(missingOps[op], err)
	}
	return m.fail("update", err)
}

// bytesOf is the memory of a value of Go.
func bytesOf[T any](v *T) []byte {
	return unsafe.Slice((*byte)(unsafe.Pointer(v)), unsafe.Sizeof(*v))
}
