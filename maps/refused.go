package maps

import (
	"errors"
	"fmt"

	"github.com/lode-bpf/lode/sys"
)

// refused is the error of a map that the kernel does not make: that it has no
// maps of this type or does not know a flag, if that is so, or else what is
// probably wrong.
func refused(k sys.Kernel, s *Spec, attr *sys.MapCreateAttr, err error) *OpError {
	e := &OpError{Op: "create", Map: s.Name, Err: err}
	if !errors.Is(err, sys.EINVAL) && !errors.Is(err, sys.E2BIG) {
		return e
	}
	var lacks *sys.NotSupported
	switch {
	case errors.As(sys.Probe(k, sys.MapTypeFeature(s.Type)), &lacks),
		attr.MapTokenFD != 0 && errors.As(sys.Probe(k, sys.FeatureToken), &lacks):
		e.Err = lacks
		return e
	}
	if lacks := unknownFlag(k, attr, err); lacks != nil {
		e.Err = lacks
		return e
	}
	e.Hint = createHint(s)
	if e.Hint == "" && attr.ValueTypeBTFObjFD != 0 {
		e.Hint = "structures of kernel modules need Linux 6.9"
	}
	return e
}

// newFlags are the flags that not all kernels know (5.10 is the oldest), each for
// maps of one type.
var newFlags = [...]struct {
	flag        uint32
	typ         sys.MapType
	name, since string
}{
	{sys.BPF_F_LINK, sys.MapTypeStructOps, "BPF_F_LINK", "6.4"},
	{sys.BPF_F_SEGV_ON_FAULT, sys.MapTypeArena, "BPF_F_SEGV_ON_FAULT", "6.9"},
	{sys.BPF_F_NO_USER_CONV, sys.MapTypeArena, "BPF_F_NO_USER_CONV", "6.9"},
	{sys.BPF_F_RB_OVERWRITE, sys.MapTypeRingBuf, "BPF_F_RB_OVERWRITE", "6.19"},
}

// unknownFlag finds a flag that the kernel does not know: one without which it
// makes the map, or gets as far as refusing it for another reason.
func unknownFlag(k sys.Kernel, attr *sys.MapCreateAttr, err error) *sys.NotSupported {
	for _, n := range newFlags {
		if attr.MapFlags&n.flag == 0 || n.typ != attr.MapType {
			continue
		}
		without := *attr
		without.MapFlags &^= n.flag
		fd, other := sys.MapCreate(k, &without)
		fd.Close()
		if sys.ErrnoOf(other) != sys.ErrnoOf(err) {
			return &sys.NotSupported{Feature: "the flag " + n.name, Since: n.since, Err: err}
		}
	}
	return nil
}

// createHint says what is probably wrong with a definition that the kernel
// refused; its answer is the same for many reasons.
func createHint(s *Spec) string {
	for _, n := range newFlags {
		if s.Flags&n.flag != 0 && n.typ != s.Type {
			return fmt.Sprintf("the flag %s is for maps of type %v", n.name, n.typ)
		}
	}
	switch {
	case s.Type == sys.MapTypeRingBuf || s.Type == sys.MapTypeUserRingBuf || s.Type == sys.MapTypeArena:
		if s.KeySize != 0 || s.ValueSize != 0 {
			return fmt.Sprintf("a map of type %v has no key size and no value size", s.Type)
		}
	case s.Type == sys.MapTypeQueue || s.Type == sys.MapTypeStack || s.Type == sys.MapTypeBloomFilter:
		if s.KeySize != 0 {
			return fmt.Sprintf("a map of type %v has no key size", s.Type)
		}
	case isStorage(s.Type):
		switch {
		case s.MaxEntries != 0:
			return fmt.Sprintf("a map of type %v has no max_entries", s.Type)
		case s.Flags&sys.BPF_F_NO_PREALLOC == 0:
			return fmt.Sprintf("a map of type %v needs the flag BPF_F_NO_PREALLOC", s.Type)
		case s.Key == 0 || s.Value == 0:
			return fmt.Sprintf("a map of type %v needs BTF types of key and value", s.Type)
		}
		return ""
	case s.Type == sys.MapTypeLPMTrie && s.Flags&sys.BPF_F_NO_PREALLOC == 0:
		return "a map of type lpm_trie needs the flag BPF_F_NO_PREALLOC"
	case s.KeySize == 0:
		return "the definition has no key size"
	case s.Type == sys.MapTypeStackTrace && s.ValueSize == 0:
		return "the definition has no value size, which is 8 bytes for each level of the stack"
	}
	if s.MaxEntries == 0 {
		return "the definition has no max_entries"
	}
	return ""
}

// isStorage reports the types that keep a value with a kernel object.
func isStorage(t sys.MapType) bool {
	switch t {
	case sys.MapTypeSKStorage, sys.MapTypeInodeStorage, sys.MapTypeTaskStorage, sys.MapTypeCgrpStorage:
		return true
	}
	return false
}
