package maps

import (
	"errors"
	"fmt"
	"os"
	"sync"

	"github.com/lode-bpf/lode/sys"
)

// memory is the mapping of a map into the process, made at most once.
type memory struct {
	mu       sync.Mutex
	bytes    []byte // whole pages
	size     int    // what of them belongs to the map
	writable bool
	placed   bool // at an address of our choice, past the Kernel
	closed   bool
}

// Memory maps an array (created with BPF_F_MMAPABLE) or an arena into the
// process: what a program writes is seen at once, without a system call, and
// the other way round. An array's values follow each other at multiples of 8
// bytes; an arena has MaxEntries pages, which come into being when touched.
//
// The memory is read-only for a map that is frozen or read-only for programs,
// and writing to it then ends the process: see Writable. While it is mapped
// writably the map cannot be frozen. It ends with the Map's Close, and so must
// every use of it. All calls return the same memory; access to it is not
// synchronised with programs but for what the machine does by itself.
func (m *Map) Memory() ([]byte, error) {
	m.mem.mu.Lock()
	defer m.mem.mu.Unlock()
	if m.mem.bytes != nil {
		return m.mem.bytes[:m.mem.size:m.mem.size], nil
	}
	if m.mem.closed {
		return nil, &OpError{Op: "map into memory", Map: m.name, Err: ErrClosed}
	}
	size, err := m.memorySize()
	if err != nil {
		return nil, err
	}
	page := os.Getpagesize()
	length := (size + page - 1) / page * page
	prot := sys.PROT_READ
	if m.flags&sys.BPF_F_RDONLY_PROG == 0 {
		prot |= sys.PROT_WRITE
	}
	b, err := m.mapPages(length, prot)
	if errors.Is(err, sys.EPERM) && prot&sys.PROT_WRITE != 0 {
		prot = sys.PROT_READ // frozen
		b, err = m.mapPages(length, prot)
	}
	if err != nil {
		return nil, m.fail("map into memory", err)
	}
	m.mem.bytes, m.mem.size, m.mem.writable = b, size, prot&sys.PROT_WRITE != 0
	return b[:size:size], nil
}

// Writable reports whether Memory is mapped and may be written to.
func (m *Map) Writable() bool {
	m.mem.mu.Lock()
	defer m.mem.mu.Unlock()
	return m.mem.writable
}

// memorySize is how many bytes the map has for a mapping.
func (m *Map) memorySize() (int, error) {
	var size uint64
	switch {
	case m.typ == sys.MapTypeArena:
		size = uint64(m.maxEntries) * uint64(os.Getpagesize())
	case m.typ == sys.MapTypeArray && m.flags&sys.BPF_F_MMAPABLE != 0:
		size = uint64(m.maxEntries) * uint64(m.stride())
	default:
		return 0, &OpError{Op: "map into memory", Map: m.name, Err: ErrMapType,
			Hint: "only arenas and arrays with the flag BPF_F_MMAPABLE can be"}
	}
	if size == 0 || size > 1<<40 || uint64(int(size)) != size {
		return 0, &OpError{Op: "map into memory", Map: m.name, Err: &both{ErrLimit, fmt.Errorf("%d bytes", size)}}
	}
	return int(size), nil
}

// stride is the distance between two values of an array in memory.
func (m *Map) stride() int { return (m.valueSize + 7) &^ 7 }

// mapPages maps the map. An arena that was created with an address has to be
// there.
func (m *Map) mapPages(length, prot int) ([]byte, error) {
	if m.typ == sys.MapTypeArena && m.extra != 0 {
		m.mem.placed = true
		return mmapAt(m.extra, m.fd.Int(), length, prot)
	}
	return m.k.Mmap(m.fd.Int(), 0, length, prot, sys.MAP_SHARED)
}

// unmap ends the mapping, if there is one, and forbids another.
func (m *Map) unmap() error {
	m.mem.mu.Lock()
	defer m.mem.mu.Unlock()
	b := m.mem.bytes
	m.mem.bytes, m.mem.writable, m.mem.closed = nil, false, true
	switch {
	case b == nil:
		return nil
	case m.mem.placed:
		return munmapAt(b)
	}
	return m.k.Munmap(b)
}

// fillArena maps an arena, so that it has an address, without which no program
// that uses it is loaded, and copies initial data to their place.
func (m *Map) fillArena(data []byte, at uint64) error {
	if m.extra != 0 && len(data) == 0 {
		return nil
	}
	b, err := m.Memory()
	if err != nil {
		return err
	}
	if at > uint64(len(b)) || len(data) > len(b)-int(at) {
		return m.sizeError("fill", "the initial data", len(data), len(b)-int(min(at, uint64(len(b)))))
	}
	copy(b[at:], data)
	return nil
}
