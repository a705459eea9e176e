package lode

import (
	"errors"
	"fmt"
	"iter"

	"github.com/lode-bpf/lode/btf"
	"github.com/lode-bpf/lode/reloc"
	"github.com/lode-bpf/lode/sys"
)

// A kernelBTF is the BTF object of the kernel, which is named vmlinux, or of one
// of its modules. Linux has them since 5.11.
type kernelBTF struct {
	name string
	fd   *sys.FD // whoever gets it closes it
}

// kernelBTFs walks these objects by their ids.
func kernelBTFs(k sys.Kernel) iter.Seq2[kernelBTF, error] {
	return func(yield func(kernelBTF, error) bool) {
		for id, err := range sys.IDs(k, sys.ObjBTF) {
			if err != nil {
				yield(kernelBTF{}, err)
				return
			}
			fd, err := sys.GetFDByID(k, sys.ObjBTF, id, 0)
			if sys.ErrnoOf(err) == sys.ENOENT { // unloaded in between
				continue
			}
			if err != nil {
				yield(kernelBTF{}, err)
				return
			}
			name := make([]byte, 64)
			info := sys.BTFInfo{Name: sys.BytesPtr(name), NameLen: uint32(len(name))}
			if err := sys.ObjGetInfoByFD(k, fd.Int(), &info); err != nil {
				yield(kernelBTF{}, errors.Join(err, fd.Close()))
				return
			}
			if info.KernelBTF == 0 { // somebody's program or map
				fd.Close()
				continue
			}
			if !yield(kernelBTF{cString(name), fd}, nil) {
				return
			}
		}
	}
}

// read fetches the types and closes the descriptor.
func (b kernelBTF) read(k sys.Kernel, base *btf.Spec) (*btf.Spec, error) {
	defer b.fd.Close()
	raw, err := sys.BTFData(k, b.fd.Int())
	if err != nil {
		return nil, err
	}
	return btf.Parse(raw, base)
}

// moduleBTF opens the BTF object of a kernel module, or of vmlinux.
func moduleBTF(k sys.Kernel, name string) (kernelBTF, error) {
	for b, err := range kernelBTFs(k) {
		if err != nil || b.name == name {
			return b, err
		}
		b.fd.Close()
	}
	return kernelBTF{}, fmt.Errorf("%w of %q in the kernel; a module may have been unloaded", btf.ErrNoBTF, name)
}

// kernelByID is the kernel's BTF where /sys/kernel/btf does not show it.
func kernelByID(k sys.Kernel) (*btf.Spec, error) {
	b, err := moduleBTF(k, "vmlinux")
	if err != nil {
		return nil, err
	}
	return b.read(k, nil)
}

// modulesByID is the BTF of the modules where /sys/kernel/btf does not show it.
func modulesByID(k sys.Kernel, base *btf.Spec) (out []reloc.Module, err error) {
	for b, err := range kernelBTFs(k) {
		if err != nil {
			return nil, err
		}
		if b.name == "vmlinux" {
			b.fd.Close()
			continue
		}
		s, err := b.read(k, base)
		out = append(out, reloc.Module{Name: b.name, BTF: s, Err: err})
	}
	return out, nil
}
