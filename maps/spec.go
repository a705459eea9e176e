package maps

import (
	"github.com/lode-bpf/lode/btf"
	"github.com/lode-bpf/lode/sys"
)

// A Spec is the definition of a map: plain data that may be edited freely
// until the map is created. Collect makes Specs from an object file; a program
// may as well write one by hand:
//
//	maps.Spec{Name: "hits", Type: sys.MapTypeHash, KeySize: 4, ValueSize: 8, MaxEntries: 1024}
//
// Sizes are in bytes. A Spec refers to no kernel object.
type Spec struct {
	Name       string      // as the object calls it; see KernelName for what the kernel is told
	Type       sys.MapType // what kind of map
	KeySize    uint32      // 0 where the type has no key
	ValueSize  uint32      // of one value; per-CPU maps hold one such value for each possible CPU
	MaxEntries uint32      // pages for an arena, bytes for ring buffers
	Flags      uint32      // BPF_F_*, including BPF_F_NUMA_NODE, as written
	NumaNode   uint32      // counts only with BPF_F_NUMA_NODE
	IfIndex    uint32      // network device of an offloaded map
	Extra      uint64      // map_extra: hash functions of a bloom filter, address of an arena

	// Pinning is the pin value of the definition: 0 none, 1 by name, any
	// other as the configuration says. It is kept, not judged.
	Pinning uint32

	// BTF describes the map's types; Key and Value are ids in it, 0 if not
	// known. For a data section Value is the DATASEC, for a struct_ops map
	// the local structure.
	BTF   *btf.Spec
	Key   btf.TypeID
	Value btf.TypeID

	// Inner is the template for the inner maps of a map of maps. InnerMap
	// names another map of the object that serves as one instead.
	Inner    *Spec
	InnerMap string

	// Slots are references to other maps and to programs that are written
	// once those exist, in order of Index.
	Slots []Slot

	// Contents are entries written after creation, in this order.
	Contents []KV

	// Data is the initial value of a global data section, of a struct_ops
	// variable or of an arena's globals. Nil stands for DataSize zero bytes
	// (.bss): a size from a file costs no memory before the map is created.
	// DataSection is the number of the section that the bytes come from, 0 if
	// none; Vars are the variables in them, sorted by offset.
	Data        []byte
	DataSize    uint64
	DataAt      uint64 // where in an arena Data begins, in bytes; 0 for everything else
	DataSection int
	Vars        []Var

	// Freeze makes the map read-only for user space after it was filled.
	Freeze bool

	// Section, SectionIndex, Offset and Size say where the map's symbol
	// stands in the object file. Instructions refer to a map by that place,
	// so two maps may share a name in different files, and a renamed map
	// keeps its references. A definition made by hand has an empty Section.
	Section      string
	SectionIndex int
	Offset       uint64
	Size         uint64

	// Static says that the map's variable is local to its source file.
	Static bool

	// Internal marks a map that the loader makes for itself: a data section
	// or ".kconfig".
	Internal bool

	// Disabled says not to create the map.
	Disabled bool
}

// A Slot is one initial reference in a map of maps (Map), a program array
// (Program) or a struct_ops map (Program, or empty for a member that is
// cleared). Index is the key; for struct_ops it is the byte offset of the
// member in the local structure.
type Slot struct {
	Index   uint32
	Map     string
	Program string
}

// A Var is a global variable within the data of a map.
type Var struct {
	Name   string
	Type   btf.TypeID // in the Spec's BTF
	Offset uint64     // in bytes, from the start of the data
	Size   uint64     // in bytes
	Static bool       // local to its source file, or hidden: a Datasec of only such is not mapped into memory
}

// A KV is one entry of a map. For a per-CPU map Value is either one value,
// which is written for every CPU, or all CPUs' values (see PerCPUSize).
type KV struct {
	Key, Value []byte
}

// Clone is a deep copy, but for the BTF, which is immutable and shared.
func (s *Spec) Clone() *Spec {
	if s == nil {
		return nil
	}
	c := *s
	c.Inner = s.Inner.Clone()
	c.Slots = append([]Slot(nil), s.Slots...)
	c.Data = append([]byte(nil), s.Data...)
	c.Vars = append([]Var(nil), s.Vars...)
	if s.Contents != nil {
		c.Contents = make([]KV, len(s.Contents))
		for i, kv := range s.Contents {
			c.Contents[i] = KV{Key: append([]byte(nil), kv.Key...), Value: append([]byte(nil), kv.Value...)}
		}
	}
	return &c
}
