package btf

import "github.com/lode-bpf/lode/elf"

// ParseELF reads .BTF and .BTF.ext of an object file. Without .BTF it fails
// with [ErrNoBTF]; without .BTF.ext, the Ext is nil. The data of f is kept.
func ParseELF(f *elf.File) (*Spec, *Ext, error) {
	sec, ok := f.SectionByName(".BTF")
	if !ok {
		return nil, nil, ErrNoBTF
	}
	b, err := sectionData(sec)
	if err != nil {
		return nil, nil, err
	}
	s, err := Parse(b, nil)
	if err != nil {
		return nil, nil, err
	}
	sec, ok = f.SectionByName(".BTF.ext")
	if !ok {
		return s, nil, nil
	}
	if b, err = sectionData(sec); err != nil {
		return nil, nil, err
	}
	e, err := ParseExt(b, s)
	if err != nil {
		return nil, nil, err
	}
	return s, e, nil
}

// sectionData refuses what cannot hold BTF: a section without bytes in the
// file, or a compressed one.
func sectionData(sec elf.Section) ([]byte, error) {
	if sec.Type() == elf.SHT_NOBITS {
		return nil, &FormatError{Part: sec.Name(), Index: -1, Offset: -1, Field: "sh_type", Value: uint64(sec.Type()), Kind: Unsupported, Detail: "SHT_NOBITS: no bytes in the file"}
	}
	if sec.Flags()&elf.SHF_COMPRESSED != 0 {
		return nil, &FormatError{Part: sec.Name(), Index: -1, Offset: -1, Field: "sh_flags", Value: uint64(sec.Flags()), Kind: Unsupported, Detail: "SHF_COMPRESSED: compressed BTF is not read"}
	}
	return sec.Data(), nil
}
