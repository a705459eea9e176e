package maps

import (
	"encoding/binary"
	"errors"
	"os"
	"strconv"
	"unsafe"

	"github.com/lode-bpf/lode/btf"
	"github.com/lode-bpf/lode/sys"
)

// A Map is a map in the kernel and a descriptor of it, which it owns: Close
// releases that. The map itself lives as long as anything refers to it.
//
// Keys and values are bytes in the machine's byte order and layout; Typed puts
// Go types in front of them. All methods but Close may be used by several
// goroutines at once.
type Map struct {
	k    sys.Kernel
	live bool // k is the running kernel: operations go to it directly
	fd   *sys.FD

	name       string
	typ        sys.MapType
	keySize    int
	valueSize  int // of one value
	cpus       int // possible CPUs of a per-CPU map, else 0
	elemSize   int // what a lookup returns: valueSize, or that of all CPUs
	maxEntries uint32
	flags      uint32
	extra      uint64

	btf        *btf.Spec
	key, value btf.TypeID
	vars       []Var
	dataAt     uint64 // of variables in an arena

	findings []Finding
	mem      memory
	missing  [len(missingOps)]error
}

var nativeEndian = binary.NativeEndian

// Operations for which "no such key" is an everyday answer: their errors are
// made once, so that a miss costs no allocation.
const (
	opLookup = iota
	opDelete
	opNext
	opLookupAndDelete
)

var missingOps = [...]string{opLookup: "lookup", opDelete: "delete", opNext: "next key", opLookupAndDelete: "lookup and delete"}

// newMap describes a map that exists. s has its final attributes.
func newMap(k sys.Kernel, fd *sys.FD, s *Spec, cpus int) *Map {
	m := &Map{k: k, live: sys.IsLive(k), fd: fd, typ: s.Type,
		keySize: int(s.KeySize), valueSize: int(s.ValueSize), maxEntries: s.MaxEntries, flags: s.Flags, extra: s.Extra,
		btf: s.BTF, key: s.Key, value: s.Value, vars: s.Vars, dataAt: s.DataAt}
	m.elemSize = m.valueSize
	switch {
	case isPerCPU(s.Type):
		m.cpus = max(1, cpus)
		m.elemSize = PerCPUSize(m.valueSize, m.cpus)
	case isFDMap(s.Type):
		m.elemSize = 4
	}
	m.SetName(s.Name)
	return m
}

// isPerCPU reports the types that keep one value for each CPU.
func isPerCPU(t sys.MapType) bool {
	switch t {
	case sys.MapTypePerCPUHash, sys.MapTypePerCPUArray, sys.MapTypeLRUPerCPUHash, sys.MapTypePerCPUCgroupStorage:
		return true
	}
	return false
}

// isFDMap reports the types whose values are descriptors on the way in and ids
// of 4 bytes on the way out.
func isFDMap(t sys.MapType) bool {
	switch t {
	case sys.MapTypePerfEventArray, sys.MapTypeProgArray, sys.MapTypeCgroupArray, sys.MapTypeArrayOfMaps, sys.MapTypeHashOfMaps:
		return true
	}
	return false
}

// PerCPUSize is the number of bytes of all CPUs' values: each begins at a
// multiple of 8.
func PerCPUSize(valueSize, cpus int) int { return (valueSize + 7) &^ 7 * cpus }

// Close releases the descriptor and, if the map was mapped by Memory, that
// memory. A second Close does nothing.
func (m *Map) Close() error {
	if m == nil {
		return nil
	}
	return errors.Join(m.unmap(), m.fd.Close())
}

// Name is the name that the definition gave, or the kernel's for a map that was
// not made from one.
func (m *Map) Name() string { return m.name }

// SetName changes what errors and dumps call the map, not the kernel's name.
// It is not to be called while others use the Map.
func (m *Map) SetName(name string) {
	m.name = name
	for op, opName := range missingOps {
		m.missing[op] = &OpError{Op: opName, Map: name, Err: noSuchKey{}}
	}
}

// FD is the descriptor, -1 after Close. The Map keeps owning it.
func (m *Map) FD() int { return m.fd.Int() }

// Type, KeySize, ValueSize, MaxEntries and Flags are the attributes as the
// kernel has them.
func (m *Map) Type() sys.MapType  { return m.typ }
func (m *Map) KeySize() int       { return m.keySize }
func (m *Map) ValueSize() int     { return m.valueSize }
func (m *Map) MaxEntries() uint32 { return m.maxEntries }
func (m *Map) Flags() uint32      { return m.flags }

// CPUs is the number of values that a per-CPU map keeps for a key, 0 for
// other types.
func (m *Map) CPUs() int { return m.cpus }

// ElemSize is how many bytes Lookup returns: ValueSize, or PerCPUSize of it
// for a per-CPU map, or 4 (an id) for a map of descriptors.
func (m *Map) ElemSize() int { return m.elemSize }

// BTF is what is known of the types of key and value: nil and 0 if nothing.
func (m *Map) BTF() (spec *btf.Spec, key, value btf.TypeID) { return m.btf, m.key, m.value }

// Findings lists what was odd when the map was created.
func (m *Map) Findings() []Finding { return m.findings }

func (m *Map) find(text string) {
	m.findings = append(m.findings, Finding{Map: m.name, Text: text})
}

// Info is what the kernel tells about a map.
type Info struct {
	Type       sys.MapType
	ID         uint32
	Name       string // at most 15 characters
	KeySize    uint32
	ValueSize  uint32
	MaxEntries uint32
	Flags      uint32
	Extra      uint64
	IfIndex    uint32 // of an offloaded map

	BTFID uint32     // of the BTF object that Key and Value are types of; 0 if none
	Key   btf.TypeID // 0 if none
	Value btf.TypeID

	// KernelValue is the type of the value in the kernel's own BTF
	// (struct_ops), 0 for other types.
	KernelValue btf.TypeID

	// BTF and Inner are filled in by Describe only: the types, and the first
	// inner map of a map of maps that has any.
	BTF   *btf.Spec
	Inner *Info
}

// Info asks the kernel.
func (m *Map) Info() (Info, error) {
	var i sys.MapInfo
	if err := sys.ObjGetInfoByFD(m.k, m.fd.Int(), &i); err != nil {
		return Info{}, m.fail("info of", err)
	}
	return Info{Type: i.Type, ID: i.ID, Name: i.Name.String(), KeySize: i.KeySize, ValueSize: i.ValueSize,
		MaxEntries: i.MaxEntries, Flags: i.MapFlags, Extra: i.MapExtra, IfIndex: i.IfIndex,
		BTFID: i.BTFID, Key: btf.TypeID(i.BTFKeyTypeID), Value: btf.TypeID(i.BTFValueTypeID),
		KernelValue: btf.TypeID(i.BTFVmlinuxValueTypeID)}, nil
}

// Describe is Info with the types of key and value and, for a map of maps that
// has an entry, what its inner maps are like. What of these cannot be had is
// left out.
func (m *Map) Describe() (Info, error) {
	info, err := m.Info()
	if err != nil {
		return info, err
	}
	if info.BTFID != 0 {
		info.BTF, _ = loadedBTF(m.k, info.BTFID) // without it the types are just not known
	}
	if m.typ == sys.MapTypeArrayOfMaps || m.typ == sys.MapTypeHashOfMaps {
		info.Inner = m.firstInner()
	}
	return info, nil
}

// firstInner describes the first inner map there is, nil if none.
func (m *Map) firstInner() *Info {
	id := make([]byte, 4)
	key, next := []byte(nil), make([]byte, m.keySize)
	for range m.maxEntries {
		if m.Next(key, next) != nil {
			return nil
		}
		key = append(key[:0], next...)
		if m.LookupInto(key, id, 0) != nil {
			continue
		}
		inner, err := FromID(m.k, nativeEndian.Uint32(id))
		if err != nil {
			continue
		}
		defer inner.Close()
		if info, err := inner.Describe(); err == nil {
			return &info
		}
	}
	return nil
}

// loadedBTF reads a BTF object that the kernel has.
func loadedBTF(k sys.Kernel, id uint32) (*btf.Spec, error) {
	b, err := sys.BTFDataByID(k, id)
	if err != nil {
		return nil, err
	}
	return btf.Parse(b, nil)
}

// FromFD makes a Map of a descriptor, which it owns from here on, also if this
// fails. What is not a map is an error that matches ErrMapType.
func FromFD(k sys.Kernel, fd *sys.FD) (*Map, error) {
	m := &Map{k: k, fd: fd}
	if other := otherObject(fd.Int()); other != "" {
		err := &OpError{Op: "open", Err: &both{ErrMapType, errors.New("descriptor is a " + other)}}
		return nil, errors.Join(err, fd.Close())
	}
	info, err := m.Info()
	if err == nil {
		cpus := 0
		if isPerCPU(info.Type) {
			cpus, err = sys.PossibleCPUs()
		}
		if err == nil {
			return newMap(k, fd, info.spec(), cpus), nil
		}
	}
	return nil, errors.Join(err, fd.Close())
}

// otherObject says what a descriptor is if it is one of bpf(2), but not a map.
// The kernel answers a question about a map for a program as well, with what
// is at the same place in its description.
func otherObject(fd int) string {
	link, err := os.Readlink("/proc/self/fd/" + strconv.Itoa(fd))
	if err != nil {
		return "" // no /proc, or not this system: Info has the last word
	}
	switch link {
	case "anon_inode:bpf-prog":
		return "program"
	case "anon_inode:bpf_link":
		return "link"
	case "anon_inode:btf":
		return "BTF object"
	case "anon_inode:bpf-token":
		return "token"
	}
	return ""
}

// FromID opens the map with that id. It needs CAP_SYS_ADMIN.
func FromID(k sys.Kernel, id uint32) (*Map, error) {
	fd, err := sys.GetFDByID(k, sys.ObjMap, id, 0)
	if err != nil {
		return nil, &OpError{Op: "open", Map: "id " + strconv.FormatUint(uint64(id), 10), Err: meaning(err)}
	}
	return FromFD(k, fd)
}

// FromPin opens the map that is pinned at path. flags are 0 or one of
// BPF_F_RDONLY and BPF_F_WRONLY.
func FromPin(k sys.Kernel, path string, flags uint32) (*Map, error) {
	fd, err := sys.ObjGet(k, &sys.ObjAttr{Pathname: sys.StringPtr(path), FileFlags: flags})
	if err != nil {
		return nil, &OpError{Op: "open pinned", Map: path, Err: meaning(err)}
	}
	return FromFD(k, fd)
}

// spec is a definition with the attributes of a map that exists.
func (i *Info) spec() *Spec {
	return &Spec{Name: i.Name, Type: i.Type, KeySize: i.KeySize, ValueSize: i.ValueSize, MaxEntries: i.MaxEntries,
		Flags: i.Flags, Extra: i.Extra, IfIndex: i.IfIndex}
}

// UseTypes makes the map's types and variables those of a definition that it is
// Compatible with: a map that was found has none of its own.
func (m *Map) UseTypes(s *Spec) {
	m.btf, m.key, m.value, m.vars, m.dataAt = s.BTF, s.Key, s.Value, s.Vars, s.DataAt
}

// LoadTypes asks the kernel for the BTF of the map, so that values can be
// printed and variables found by name. It does nothing if the types are known;
// a map that has none stays without.
func (m *Map) LoadTypes() error {
	if m.btf != nil {
		return nil
	}
	info, err := m.Info()
	if err != nil || info.BTFID == 0 {
		return err
	}
	b, err := loadedBTF(m.k, info.BTFID)
	if err != nil {
		return m.fail("types of", err)
	}
	m.btf, m.key, m.value = b, info.Key, info.Value
	m.vars = varsOf(b, info.Value)
	return nil
}

// varsOf lists the variables of a DATASEC whose offsets are set, as the
// kernel's always are.
func varsOf(b *btf.Spec, id btf.TypeID) []Var {
	var vars []Var
	ds := b.Type(id)
	if ds.Kind() != btf.KindDatasec {
		return nil
	}
	for _, v := range ds.Vars() {
		if t := b.Type(v.Type); t.Kind() == btf.KindVar {
			vars = append(vars, Var{Name: t.Name(), Type: t.Elem(), Offset: uint64(v.Offset), Size: uint64(v.Size), Static: t.Linkage() == btf.LinkageStatic})
		}
	}
	return vars
}

// at is a pointer to the first byte, nil if there is none: queues and the like
// take no key, not even an empty one.
func at(b []byte) unsafe.Pointer {
	if len(b) == 0 {
		return nil
	}
	return unsafe.Pointer(unsafe.SliceData(b))
}
