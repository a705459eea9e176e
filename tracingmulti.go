package lode

import (
	"fmt"

	"github.com/lode-bpf/lode/btf"
	"github.com/lode-bpf/lode/link"
	"github.com/lode-bpf/lode/prog"
)

// tracedFunctions are the functions that a section name like fentry.multi/vfs_* means,
// by the ids of their types: of those that the kernel can trace, the ones that match.
func (c *Collection) tracedFunctions(h prog.Hook) ([]uint32, error) {
	types, err := c.typesOf(h.Module)
	if err != nil {
		return nil, err
	}
	names, err := link.KernelFunctions(c.kernel, h.Pattern)
	if err != nil {
		return nil, err
	}
	ids := prog.TracedFunctions(types, names)
	if len(ids) == 0 {
		return nil, fmt.Errorf("of the %d functions that match %q none has a prototype that can be traced", len(names), h.Pattern)
	}
	return ids, nil
}

// typesOf are the types of a kernel module, or of the kernel if the name is empty.
func (c *Collection) typesOf(module string) (*btf.Spec, error) {
	if module == "" {
		return c.live.Kernel()
	}
	modules, err := c.live.Modules()
	if err != nil {
		return nil, err
	}
	for _, m := range modules {
		if m.Name == module {
			return m.BTF, m.Err
		}
	}
	return nil, fmt.Errorf("%w of the kernel module %q; is it loaded?", btf.ErrNoBTF, module)
}
