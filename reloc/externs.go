package reloc

import (
	"cmp"
	"fmt"
	"sort"

	"github.com/lode-bpf/lode/btf"
	"github.com/lode-bpf/lode/elf"
)

// Names of the sections that BTF gives to externs. The ELF file has no such
// sections: the symbols are undefined.
const (
	secKconfig = ".kconfig"
	secKsyms   = ".ksyms"
	secMaps    = ".maps"
)

// CollectExterns lists what an object expects of the kernel, in the order of
// its symbol table, and lays out its kconfig variables. An undefined symbol that
// is no extern is a finding; a program that refers to it will not link.
func CollectExterns(f *elf.File, b *btf.Spec) ([]Extern, Layout, []Finding, error) {
	if b == nil {
		return nil, Layout{}, nil, nil
	}
	declared, layout := declaredExterns(b)
	var externs []Extern
	var findings []Finding
	seen := map[string]bool{}
	for s := range f.Symbols() {
		name := s.Name()
		if s.SectionIndex() != elf.SHN_UNDEF || name == "" || s.Bind() == elf.STB_LOCAL || seen[name] {
			continue
		}
		seen[name] = true
		d, ok := declared[name]
		if !ok || d.section == secMaps {
			if !ok {
				findings = append(findings, Finding{Text: fmt.Sprintf("undefined symbol %q is in none of the sections .ksyms, .kconfig and .maps", name)})
			}
			continue
		}
		e := Extern{Name: name, Weak: s.Bind() == elf.STB_WEAK, Symbol: s.Index(), TypeID: d.id}
		if d.section == secKconfig {
			e.kconfigType(b)
		} else {
			e.Kind = ksymKind(b, d.id)
		}
		externs = append(externs, e)
	}
	layout.Size = layKconfig(externs, b)
	return externs, layout, findings, nil
}

// A declaration is where BTF declares an extern.
type declaration struct {
	section string
	id      btf.TypeID
}

// declaredExterns finds the externs that BTF declares, by name.
func declaredExterns(b *btf.Spec) (map[string]declaration, Layout) {
	m := map[string]declaration{}
	var layout Layout
	for _, section := range []string{secKconfig, secKsyms, secMaps} {
		for sec := range b.Named(section) {
			if sec.Kind() != btf.KindDatasec {
				continue
			}
			if section == secKconfig && layout.TypeID == 0 {
				layout.TypeID = sec.ID()
			}
			for _, v := range sec.Vars() {
				t := b.Type(v.Type)
				if (t.Kind() != btf.KindVar && t.Kind() != btf.KindFunc) || t.Linkage() != btf.LinkageExtern {
					continue
				}
				if _, ok := m[t.Name()]; !ok {
					m[t.Name()] = declaration{section, t.ID()}
				}
			}
		}
	}
	return m, layout
}

// ksymKind tells functions, variables with a type and mere addresses apart.
func ksymKind(b *btf.Spec, id btf.TypeID) ExternKind {
	t := b.Type(id)
	if t.Kind() == btf.KindFunc {
		return ExternKfunc
	}
	if v, err := b.Resolve(t.Elem()); err == nil && v.Kind() == btf.KindVoid {
		return ExternKsym
	}
	return ExternTypedVar
}

// kconfigType says what kind of value a kconfig variable takes.
func (e *Extern) kconfigType(b *btf.Spec) {
	e.Kind = ExternKconfig
	v := b.Type(e.TypeID)
	t, err := b.Resolve(v.Elem())
	size, err2 := b.SizeOf(v.Elem())
	if v.Kind() != btf.KindVar || err != nil || err2 != nil || size > maxKconfig {
		return
	}
	e.Size = uint32(size)
	if t.Kind() == btf.KindArray {
		elem, err := b.Resolve(t.Elem())
		if k, _ := kconfigScalar(elem); err == nil && k == KconfigChar && t.Nelems() > 0 {
			e.Kconfig = KconfigChars
		}
		return
	}
	e.Kconfig, e.Signed = kconfigScalar(t)
}

func kconfigScalar(t btf.Type) (k KconfigKind, signed bool) {
	size := t.Size()
	switch t.Kind() {
	case btf.KindInt:
		switch {
		case t.Encoding()&btf.IntBool != 0 && size == 1:
			return KconfigBool, false
		case t.Encoding()&btf.IntBool != 0:
			return KconfigNone, false
		case size == 1:
			return KconfigChar, t.Signed()
		case size == 2 || size == 4 || size == 8:
			return KconfigInt, t.Signed()
		}
	case btf.KindEnum, btf.KindEnum64:
		if t.Name() == "libbpf_tristate" && (size == 4 || t.Kind() == btf.KindEnum64) {
			return KconfigTristate, false
		}
	}
	return KconfigNone, false
}

// layKconfig places the kconfig variables: the larger the alignment the
// earlier, then the smaller the size, then by name. It returns the size of all.
func layKconfig(externs []Extern, b *btf.Spec) uint32 {
	type variable struct {
		*Extern
		align uint64
	}
	var vars []variable
	for i := range externs {
		e := &externs[i]
		if e.Kind != ExternKconfig || e.Kconfig == KconfigNone {
			continue
		}
		align, err := b.AlignOf(b.Type(e.TypeID).Elem())
		if err != nil || align == 0 || align > 8 {
			e.Kconfig = KconfigNone
			continue
		}
		vars = append(vars, variable{e, align})
	}
	sort.SliceStable(vars, func(i, j int) bool {
		a, c := &vars[i], &vars[j]
		return cmp.Or(cmp.Compare(c.align, a.align), cmp.Compare(a.Size, c.Size), cmp.Compare(a.Name, c.Name)) < 0
	})
	off := uint64(0)
	for _, v := range vars {
		off = (off + v.align - 1) &^ (v.align - 1)
		if off+uint64(v.Size) > maxKconfig {
			v.Kconfig = KconfigNone
			continue
		}
		v.Offset = uint32(off)
		off += uint64(v.Size)
	}
	return uint32(off)
}
