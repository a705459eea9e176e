package lode

import (
	"errors"
	"fmt"
	"slices"

	"github.com/lode-bpf/lode/link"
	bpfmaps "github.com/lode-bpf/lode/maps"
	"github.com/lode-bpf/lode/reloc"
	"github.com/lode-bpf/lode/sys"
)

// structOps lists the object's struct_ops variables for relocation.
func (o *Object) structOps() []reloc.StructOps {
	var out []reloc.StructOps
	for _, m := range o.Maps {
		if m.Type != sys.MapTypeStructOps || m.Disabled || m.Use != nil {
			continue
		}
		s := reloc.StructOps{Map: m.Name, TypeID: m.Value, Data: m.Data}
		for _, slot := range m.Slots {
			if g := o.Program(slot.Program); g != nil && g.AutoLoad { // else the member stays empty
				s.Members = append(s.Members, reloc.MemberRef{Offset: slot.Index, Program: slot.Program})
			}
		}
		out = append(out, s)
	}
	return out
}

// wantStructOps turns on the optional programs ("?struct_ops/…") that a variable
// refers to: whether they are loaded is the variable's matter.
func (o *Object) wantStructOps() {
	for _, m := range o.Maps {
		if m.Type != sys.MapTypeStructOps {
			continue
		}
		for _, s := range m.Slots {
			if p := o.Program(s.Program); p != nil {
				p.AutoLoad = true
			}
		}
	}
}

// idleStructOps turns off the programs that only variables refer to that are not
// created: nothing could call them.
func (o *Object) idleStructOps() {
	used := map[string]bool{}
	for _, m := range o.Maps {
		if m.Type != sys.MapTypeStructOps {
			continue
		}
		for _, s := range m.Slots {
			used[s.Program] = used[s.Program] || !m.Disabled
		}
	}
	for _, p := range o.Programs {
		if use, member := used[p.Name]; member && !use && p.AutoLoad {
			p.AutoLoad = false
			o.find("reloc", fmt.Sprintf("program %q is not loaded: the struct_ops variables that have it are not created", p.Name))
		}
	}
}

// structOpsBinding is how the struct_ops map of that name is laid out.
func (o *Object) structOpsBinding(mapName string) *reloc.StructOpsBinding {
	if o.Relocation == nil {
		return nil
	}
	for i := range o.Relocation.StructOps {
		if o.Relocation.StructOps[i].Map == mapName {
			return &o.Relocation.StructOps[i]
		}
	}
	return nil
}

// structOpsFault is why the kernel has no place for a struct_ops variable, if so.
func (o *Object) structOpsFault() error {
	if o.Relocation == nil {
		return nil
	}
	for _, b := range o.Relocation.StructOps {
		if b.Err != nil {
			return b.Err
		}
	}
	return nil
}

// memberOf finds the struct_ops member that a program implements.
func (o *Object) memberOf(program string) (*reloc.StructOpsBinding, int, bool) {
	if o.Relocation == nil {
		return nil, 0, false
	}
	for i := range o.Relocation.StructOps {
		b := &o.Relocation.StructOps[i]
		for _, m := range b.Members {
			if m.Program == program {
				return b, m.Member, true
			}
		}
	}
	return nil, 0, false
}

// createStructOps makes a struct_ops map: its value is of a type of the kernel.
func (c *Collection) createStructOps(p *Plan, m *Map, opts bpfmaps.CreateOptions) (*bpfmaps.Map, error) {
	b := p.object.structOpsBinding(m.Name)
	if b == nil {
		return nil, errors.New("a struct_ops map needs the kernel's layout; relocate the object before creating its maps")
	}
	if b.Err != nil {
		return nil, b.Err
	}
	opts.KernelValue, opts.ValueSize = b.ValueType, b.ValueSize
	if b.Module != "" {
		module, err := moduleBTF(c.kernel, b.Module)
		if err != nil {
			return nil, err
		}
		defer module.fd.Close()
		opts.KernelBTFFD = module.fd.Int()
	}
	return bpfmaps.Create(c.kernel, &m.Spec, opts)
}

// register writes the value of a struct_ops map, with its programs' descriptors:
// the kernel checks it and begins to use it. A map for a link (BPF_F_LINK) is used
// as long as the link; any other until its element is deleted, whoever closes it.
func (c *Collection) register(p *Plan, s *Step, u *undoLog) error {
	m := c.Maps[s.Map]
	if !c.fresh[s.Map] || m == nil {
		return nil
	}
	b := p.object.structOpsBinding(s.Map)
	value := slices.Clone(b.Value)
	for _, member := range b.Members {
		if g := c.Programs[member.Program]; g != nil { // else turned off: the member stays empty
			nativeOrder.PutUint64(value[member.Offset:], uint64(g.FD()))
		}
	}
	key := make([]byte, 4)
	if err := m.Update(key, value, sys.BPF_ANY); err != nil {
		return err
	}
	if m.Flags()&sys.BPF_F_LINK == 0 {
		u.add(func() error { return m.Delete(key) })
		c.did(s, "registered", 0)
		return nil
	}
	l, err := link.StructOps(c.kernel, m.FD())
	if err != nil {
		return err
	}
	c.keepLink(s.Map, l, u)
	c.did(s, "attached", 0)
	return nil
}
