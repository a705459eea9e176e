package maps

import (
	"fmt"

	"github.com/lode-bpf/lode/btf"
	"github.com/lode-bpf/lode/sys"
)

// CreateOptions is what creating a map takes beside its definition. Every
// descriptor stays the caller's; 0 stands for none.
type CreateOptions struct {
	// Name is what the kernel is told to call the map; if empty, the Spec's
	// name. Either is cut to 15 characters and freed of what the kernel does
	// not allow. See KernelName for maps of global data.
	Name string

	// BTFFD is the loaded BTF that the definition's Key and Value are types
	// of. It is not used for types of map whose BTF the kernel refuses.
	BTFFD int

	// InnerFD is the template of a map of maps. Without it the definition's
	// Inner is created, used and closed.
	InnerFD int

	// KernelValue is the type of a struct_ops map's value in the kernel's BTF
	// (struct bpf_struct_ops_NAME), ValueSize its size. KernelBTFFD is the
	// module that this BTF belongs to, 0 for vmlinux.
	KernelValue btf.TypeID
	ValueSize   uint32
	KernelBTFFD int

	// TokenFD is a BPF token that allows what the process itself may not.
	TokenFD int

	// Env describes the machine; where it is zero, this one.
	Env Env
}

// keepsBTF reports whether the kernel takes types of key and value for a map.
func keepsBTF(t sys.MapType) bool {
	switch t {
	case sys.MapTypePerfEventArray, sys.MapTypeCgroupArray, sys.MapTypeStackTrace, sys.MapTypeArrayOfMaps,
		sys.MapTypeHashOfMaps, sys.MapTypeDevMap, sys.MapTypeDevMapHash, sys.MapTypeCPUMap, sys.MapTypeXSKMap,
		sys.MapTypeSockMap, sys.MapTypeSockHash, sys.MapTypeQueue, sys.MapTypeStack, sys.MapTypeArena,
		sys.MapTypeRingBuf, sys.MapTypeUserRingBuf, sys.MapTypeStructOps, sys.MapTypeInsnArray:
		return false
	}
	return true
}

// Create makes the map that a definition describes: empty, neither filled nor
// frozen nor pinned. The definition is not changed; what the kernel is told
// differs from it in these ways, which loaders agree on:
//
//   - a perf event array without max_entries gets one for each possible CPU;
//   - the size of a ring buffer becomes a power of two of pages;
//   - sizes of keys and values that are descriptors, where left out, are 4;
//   - types of key and value are left out for kinds of map that have none;
//   - if the kernel refuses the map with its types, it is tried without, and
//     that it took it then is among Map.Findings.
//
// The error is a *DefinitionError, or an *OpError around the kernel's.
func Create(k sys.Kernel, s *Spec, opts CreateOptions) (*Map, error) {
	n := *s
	if opts.Env.CPUs == 0 && (isPerCPU(n.Type) || n.Type == sys.MapTypePerfEventArray) {
		cpus, err := sys.PossibleCPUs()
		if err != nil {
			return nil, &OpError{Op: "create", Map: s.Name, Err: err}
		}
		opts.Env.CPUs = cpus
	}
	beforeCreation(&n, opts.Env)
	if opts.ValueSize != 0 {
		n.ValueSize = opts.ValueSize
	}
	if n.Internal && uint64(n.ValueSize) != n.DataSize {
		return nil, &DefinitionError{Section: n.Section, Map: n.Name, Field: "value_size",
			Reason: fmt.Sprintf("map of %d bytes for a section of %d", n.ValueSize, n.DataSize)}
	}
	attr, err := createAttr(&n, opts)
	if err != nil {
		return nil, err
	}
	if isMapOfMaps(n.Type) && opts.InnerFD == 0 {
		inner, err := createInner(k, &n, opts)
		if err != nil {
			return nil, err
		}
		defer inner.Close()
		attr.InnerMapFD = inner.fd.Num()
	}
	return create(k, &n, attr, opts)
}

func isMapOfMaps(t sys.MapType) bool {
	return t == sys.MapTypeArrayOfMaps || t == sys.MapTypeHashOfMaps
}

// createAttr is the argument of BPF_MAP_CREATE for a definition.
func createAttr(s *Spec, opts CreateOptions) (*sys.MapCreateAttr, error) {
	name := opts.Name
	if name == "" {
		name = s.Name
	}
	attr := &sys.MapCreateAttr{MapType: s.Type, KeySize: s.KeySize, ValueSize: s.ValueSize, MaxEntries: s.MaxEntries,
		MapFlags: s.Flags, InnerMapFD: int32(opts.InnerFD), MapName: sys.NewObjName(kernelName(name)),
		MapIfIndex: s.IfIndex, MapExtra: s.Extra}
	if s.Flags&sys.BPF_F_NUMA_NODE != 0 {
		attr.NumaNode = s.NumaNode
	}
	if opts.BTFFD != 0 && keepsBTF(s.Type) && s.Value != 0 { // the kernel takes no key without a value
		attr.BTFFD, attr.BTFKeyTypeID, attr.BTFValueTypeID = int32(opts.BTFFD), uint32(s.Key), uint32(s.Value)
	}
	if s.Type == sys.MapTypeStructOps {
		if opts.KernelValue == 0 {
			return nil, &DefinitionError{Section: s.Section, Offset: s.Offset, Map: s.Name,
				Reason: "a struct_ops map needs the type of its value in the kernel (CreateOptions.KernelValue)"}
		}
		attr.BTFFD, attr.BTFVmlinuxValueTypeID = int32(opts.BTFFD), uint32(opts.KernelValue)
		if opts.KernelBTFFD != 0 {
			attr.ValueTypeBTFObjFD = int32(opts.KernelBTFFD)
			attr.MapFlags |= sys.BPF_F_VTYPE_BTF_OBJ_FD
		}
	}
	if opts.TokenFD != 0 {
		attr.MapTokenFD = int32(opts.TokenFD)
		attr.MapFlags |= sys.BPF_F_TOKEN_FD
	}
	return attr, nil
}

// createInner makes the template of a map of maps.
func createInner(k sys.Kernel, s *Spec, opts CreateOptions) (*Map, error) {
	if s.Inner == nil {
		reason := "a map of maps needs a template for its inner maps (Inner, or a descriptor)"
		if s.InnerMap != "" {
			reason = fmt.Sprintf("the template %q is another map: create that first and pass its descriptor", s.InnerMap)
		}
		return nil, &DefinitionError{Section: s.Section, Offset: s.Offset, Map: s.Name, Field: "values", Reason: reason}
	}
	if isMapOfMaps(s.Inner.Type) {
		return nil, &DefinitionError{Section: s.Section, Offset: s.Offset, Map: s.Name, Field: "values",
			Reason: fmt.Sprintf("inner maps are of type %v; the kernel allows one level of maps in maps", s.Inner.Type)}
	}
	return Create(k, s.Inner, CreateOptions{BTFFD: opts.BTFFD, TokenFD: opts.TokenFD, Env: opts.Env})
}

// create makes the system call, and once more without BTF if that was refused.
func create(k sys.Kernel, s *Spec, attr *sys.MapCreateAttr, opts CreateOptions) (*Map, error) {
	fd, err := sys.MapCreate(k, attr)
	if err == nil {
		return newMap(k, fd, s, opts.Env.CPUs), nil
	}
	if attr.BTFFD == 0 || s.Type == sys.MapTypeStructOps || !mayBeBTF(err) {
		return nil, refused(k, s, attr, err)
	}
	without := *attr
	without.BTFFD, without.BTFKeyTypeID, without.BTFValueTypeID = 0, 0, 0
	fd, errWithout := sys.MapCreate(k, &without)
	if errWithout != nil {
		return nil, refused(k, s, attr, err)
	}
	m := newMap(k, fd, s, opts.Env.CPUs)
	m.find("the kernel refused the types of key and value (" + err.Error() + "); the map was created without them")
	return m, nil
}

// mayBeBTF reports errors that types of key and value may be the reason of.
func mayBeBTF(err error) bool {
	switch sys.ErrnoOf(err) {
	case sys.EINVAL, sys.E2BIG, sys.ENOTSUPP, sys.EOPNOTSUPP:
		return true
	}
	return false
}
