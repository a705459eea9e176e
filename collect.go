package lode

import (
	"github.com/lode-bpf/lode/maps"
	"github.com/lode-bpf/lode/prog"
	"github.com/lode-bpf/lode/reloc"
	"github.com/lode-bpf/lode/sys"
)

// collectMaps adds the maps that the file defines.
func (o *Object) collectMaps(claimed []string) error {
	specs, findings, err := maps.Collect(o.File, o.BTF, claimed...)
	if err != nil {
		return err
	}
	for _, s := range specs {
		o.Maps = append(o.Maps, &Map{Spec: *s})
	}
	for _, f := range findings {
		o.find("maps", f.String())
	}
	return nil
}

// collectPrograms adds the programs and functions.
func (o *Object) collectPrograms(opts ParseOptions) error {
	programs, subprograms, findings, err := prog.CollectOptions(o.File, o.BTF, o.Ext, opts.Sections)
	if err != nil {
		return err
	}
	for _, s := range programs {
		o.Programs = append(o.Programs, &Program{Spec: *s})
	}
	o.Subprograms = subprograms
	for _, f := range findings {
		o.find("prog", f.String())
	}
	if o.License, err = prog.License(o.File); err != nil {
		return err
	}
	if o.KernelVersion, err = prog.KernelVersion(o.File); err != nil {
		return err
	}
	return nil
}

// collectExterns adds what the object expects of the kernel, and the map that
// holds kernel configuration.
func (o *Object) collectExterns() error {
	externs, layout, findings, err := reloc.CollectExterns(o.File, o.BTF)
	if err != nil {
		return err
	}
	o.Externs, o.Kconfig = externs, layout
	for _, f := range findings {
		o.find("reloc", f.Text)
	}
	if layout.Size > 0 {
		o.Maps = append(o.Maps, &Map{Spec: maps.Spec{
			Name: reloc.KconfigMap, Type: sys.MapTypeArray, KeySize: 4, ValueSize: layout.Size, MaxEntries: 1,
			Flags: sys.BPF_F_RDONLY_PROG | sys.BPF_F_MMAPABLE, Freeze: true, Internal: true, BTF: o.BTF, Value: layout.TypeID,
			DataSize: uint64(layout.Size),
		}})
	}
	return nil
}
