package elf

import "slices"

// objectRules checks what only a BPF object promises (LLVM's "BPF relocation
// types", Documentation/bpf/libbpf/program_types.rst).
func (p *parser) objectRules() error {
	if !p.object {
		return nil
	}
	if err := p.namedSections(); err != nil {
		return err
	}
	p.repeatedNames()
	p.repeatedTargets()
	return p.functions()
}

// namedSections checks sections whose name gives them a meaning.
func (p *parser) namedSections() error {
	for i := 1; i < p.nsec; i++ {
		s := Section{p.File, i}
		name := uint64(p.u32(s.at()))
		license := p.isNamed(p.names, name, "license")
		if !license && !p.isNamed(p.names, name, ".BTF") && !p.isNamed(p.names, name, ".BTF.ext") {
			continue
		}
		if !s.hasBytes() {
			return p.sectionError(i, 4, "sh_type", uint64(s.Type()), Range, "a section of this name has contents; SHT_PROGBITS is expected")
		}
		if license {
			if err := p.license(s); err != nil {
				return err
			}
		}
	}
	return nil
}

// license looks at the license, which is a short text with a final NUL.
func (p *parser) license(s Section) error {
	b := s.Data()
	if len(b) > p.lim.License {
		return p.sectionError(s.i, p.lay.shSize, "sh_size", s.Size(), Limit, "the license is longer than Limits.License, "+dec(p.lim.License)+" bytes")
	}
	n := slices.Index(b, 0)
	if n < 0 {
		n = len(b)
		p.find(s.i, -1, int(s.at())+p.lay.shSize, "sh_size", s.Size(), "the license has no final NUL")
	}
	for i, c := range b[:n] {
		if c < ' ' || c > '~' {
			p.findAt(s.i, -1, s.Offset()+uint64(i), "license", uint64(c), "the license is not plain text")
			break
		}
	}
	return nil
}

// repeatedNames reports sections that have the name of an earlier one. Names
// are compared through a hash, so that the work is proportional to their length.
func (p *parser) repeatedNames() {
	keys := p.keys(p.nsec)
	for i := 1; i < p.nsec; i++ {
		if name := (Section{p.File, i}).Name(); name != "" {
			keys = append(keys, key{hash(name), int32(i)})
		}
	}
	p.repeated(keys, "another section of this name; the first counts", func(a, b Section) bool { return a.Name() == b.Name() })
}

// repeatedTargets reports relocation sections for a section that has one.
func (p *parser) repeatedTargets() {
	keys := p.keys(p.nsec)
	for i := 1; i < p.nsec; i++ {
		if t := (Section{p.File, i}).Target(); t.Valid() {
			keys = append(keys, key{uint64(t.i), int32(i)})
		}
	}
	p.repeated(keys, "another relocation section for the same section", func(a, b Section) bool { return a.Info() == b.Info() })
}

// repeated reports every section of equal key to an earlier one.
func (p *parser) repeated(keys []key, detail string, equal func(a, b Section) bool) {
	slices.SortFunc(keys, compareKeys)
	first := 0
	for i := 1; i < len(keys); i++ {
		if keys[i].by != keys[first].by {
			first = i
			continue
		}
		s := Section{p.File, int(keys[i].i)}
		if equal(s, Section{p.File, int(keys[first].i)}) {
			p.find(s.i, -1, int(s.at()), "sh_name", uint64(p.u32(s.at())), detail)
		}
	}
}

// hash is FNV-1a, 64 bits.
func hash(s string) uint64 {
	h := uint64(14695981039346656037)
	for i := range len(s) {
		h = (h ^ uint64(s[i])) * 1099511628211
	}
	return h
}

// functions checks the functions of an object: each starts at an instruction,
// none shares instructions with another, and they are not too many.
func (p *parser) functions() error {
	keys := p.keys(p.syms.n)
	programs := 0
	for i := 1; i < p.syms.n; i++ {
		s := Symbol{p.File, &p.syms, i}
		in := s.Section()
		if s.Type() != STT_FUNC || in.Flags()&SHF_EXECINSTR == 0 {
			continue
		}
		if v := s.Value(); v%8 != 0 {
			return p.recordError(p.syms.section, i, s.at()+uint64(p.lay.stValue), "st_value", v, Range, "a function starts at an instruction, a multiple of 8")
		}
		if s.Bind() != STB_LOCAL && !p.isNamed(p.names, uint64(p.u32(in.at())), ".text") {
			if programs++; programs > p.lim.Programs {
				return p.recordError(p.syms.section, i, s.at(), "st_info", uint64(programs), Limit, "more programs than Limits.Programs, "+dec(p.lim.Programs))
			}
		}
		if s.Size() != 0 {
			keys = append(keys, key{uint64(in.i)<<47 | s.Value(), int32(i)}) // st_value ≤ file size < 2^47
		}
	}
	if !slices.IsSortedFunc(keys, compareKeys) {
		slices.SortFunc(keys, compareKeys)
	}
	for i := 1; i < len(keys); i++ {
		last := Symbol{p.File, &p.syms, int(keys[i-1].i)}
		s := Symbol{p.File, &p.syms, int(keys[i].i)}
		if last.SectionIndex() == s.SectionIndex() && s.Value()-last.Value() < last.Size() {
			return p.recordError(p.syms.section, s.i, s.at()+uint64(p.lay.stValue), "st_value", s.Value(), Overlap,
				"the function starts within function "+quote(last.Name())+", symbol "+dec(last.i))
		}
	}
	return nil
}
