package btf

import "github.com/lode-bpf/lode/elf"

// ParseELF reads .BTF and .BTF.ext of an object file. Without .BTF it fails
// with [ErrNoBTF]; without .BTF.ext, the Ext is nil. A kernel module that was
// built with a base of its own (.BTF.base) is read on that; see
// [Spec.Rebase]. The data of f is kept.
func ParseELF(f *elf.File) (*Spec, *Ext, error) {
	base := (*Spec)(nil)
	b, ok, err := sectionData(f, ".BTF.base")
	if ok && err == nil {
		base, err = Parse(b, nil)
	}
	if err != nil {
		return nil, nil, err
	}
	return ParseELFBase(f, base)
}

// ParseELFBase is ParseELF for a file whose BTF is split from a base that is
// known, such as a kernel module without a base of its own.
func ParseELFBase(f *elf.File, base *Spec) (*Spec, *Ext, error) {
	b, ok, err := sectionData(f, ".BTF")
	if !ok {
		return nil, nil, ErrNoBTF
	}
	if err != nil {
		return nil, nil, err
	}
	s, err := Parse(b, base)
	if err != nil {
		return nil, nil, err
	}
	b, ok, err = sectionData(f, ".BTF.ext")
	if err != nil || !ok {
		return s, nil, err
	}
	e, err := ParseExt(b, s)
	if err != nil {
		return nil, nil, err
	}
	return s, e, nil
}

// sectionData is the data of a section, if there is one of that name. It
// refuses what cannot hold BTF: a section without bytes in the file, or a
// compressed one.
func sectionData(f *elf.File, name string) (data []byte, ok bool, err error) {
	sec, ok := f.SectionByName(name)
	if !ok {
		return nil, false, nil
	}
	if sec.Type() == elf.SHT_NOBITS {
		return nil, true, &FormatError{Part: name, Index: -1, Offset: -1, Field: "sh_type", Value: uint64(sec.Type()), Kind: Unsupported, Detail: "SHT_NOBITS: no bytes in the file"}
	}
	if sec.Flags()&elf.SHF_COMPRESSED != 0 {
		return nil, true, &FormatError{Part: name, Index: -1, Offset: -1, Field: "sh_flags", Value: uint64(sec.Flags()), Kind: Unsupported, Detail: "SHF_COMPRESSED: compressed BTF is not read"}
	}
	return sec.Data(), true, nil
}
