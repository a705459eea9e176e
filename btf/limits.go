package btf

// Limits bound what hostile input can cost. An error names the limit that it
// met. The format itself ends at the values of Max (include/uapi/linux/btf.h),
// so larger limits than those have no effect. A field that is 0 means the
// default.
type Limits struct {
	Size  int // bytes of input
	Types int // types, those of the base included (BTF_MAX_TYPE)
	Name  int // bytes of one name, without its final NUL
}

// DefaultLimits are the limits of Parse: 64 MiB, 0xfffff types, names of
// 1,024 bytes (the kernel's own symbols end at 512).
func DefaultLimits() Limits {
	return Limits{Size: 64 << 20, Types: maxTypes, Name: 1024}
}

func (l Limits) filled() Limits {
	d := DefaultLimits()
	if l.Size == 0 {
		l.Size = d.Size
	}
	if l.Types == 0 {
		l.Types = d.Types
	}
	if l.Name == 0 {
		l.Name = d.Name
	}
	return l
}

const (
	// maxTypes is BTF_MAX_TYPE: ids fit in 20 bits, which the name index uses.
	maxTypes = 0xfffff
	// maxChain bounds a chain of typedefs and qualifiers in Resolve.
	maxChain = 64
	// maxDepth bounds how deep types can contain one another by value, as
	// libbpf and the kernel do.
	maxDepth = 32
)
