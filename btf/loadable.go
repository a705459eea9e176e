package btf

import (
	"sort"
	"strconv"

	"github.com/lode-bpf/lode/elf"
)

// LoadableOptions say what BTF has to become for a kernel to accept it.
type LoadableOptions struct {
	// ELF is the object file that the BTF is from. Its sections and symbols
	// give the sizes and offsets that compilers leave at 0. If nil, those stay.
	ELF *elf.File
	// Missing is what the kernel lacks. Types it does not know are replaced.
	Missing Features
}

// Loadable makes the BTF of an object file into what BPF_BTF_LOAD accepts:
//
//   - Datasecs get the size of their ELF section, variables the offset of their
//     ELF symbol, and are sorted by it;
//   - hidden variables and functions become static, and parameters of functions
//     that have no name get one;
//   - .ksyms and .kconfig, which declare what exists elsewhere, become sections
//     of ordinary variables;
//   - enumerations that are only declared, to which clang gives no size, get one;
//   - what the kernel lacks is replaced by something of the same length.
//
// Ids and string offsets stay valid, so .BTF.ext keeps its meaning; types may
// be added at the end. The Spec does not change.
func (s *Spec) Loadable(opts LoadableOptions) ([]byte, error) {
	e := newEditor(s)
	if opts.ELF != nil {
		if err := e.fixFromELF(opts.ELF); err != nil {
			return nil, err
		}
	}
	if err := e.fixExterns(); err != nil {
		return nil, err
	}
	b, err := e.bytes(len(s.layout) > 0)
	if err != nil || opts.Missing == 0 {
		return b, err
	}
	return sanitize(b, s.base, opts.Missing)
}

// Names of the Datasecs that have no ELF section.
const (
	secKsyms   = ".ksyms"
	secKconfig = ".kconfig"
)

// fixFromELF sets what only the ELF file knows.
func (e *editor) fixFromELF(f *elf.File) error {
	vars, hidden := symbolIndex(f)
	for t := range e.s.Types() {
		switch t.Kind() {
		case KindFunc:
			if t.Linkage() == LinkageGlobal && hidden[t.Name()] {
				e.setInfo(t, KindFunc, int(LinkageStatic))
			}
			e.nameParams(e.s.Type(t.Elem())) // those of a naked function have no names
		case KindEnum:
			e.set(t, 2, t.Size())
		case KindDatasec:
			if n := t.Name(); n == secKsyms || n == secKconfig {
				continue
			}
			if err := e.fixDatasec(t, f, vars); err != nil {
				return err
			}
		}
	}
	return nil
}

// symbolIndex finds the global and weak variables of a file by name, and the
// names of its hidden functions.
func symbolIndex(f *elf.File) (vars map[string]elf.Symbol, hidden map[string]bool) {
	vars, hidden = make(map[string]elf.Symbol), make(map[string]bool)
	for sym := range f.Symbols() {
		if sym.Bind() != elf.STB_GLOBAL && sym.Bind() != elf.STB_WEAK {
			continue
		}
		switch sym.Type() {
		case elf.STT_OBJECT:
			vars[sym.Name()] = sym
		case elf.STT_FUNC:
			if isHidden(sym) {
				hidden[sym.Name()] = true
			}
		}
	}
	return vars, hidden
}

func isHidden(sym elf.Symbol) bool {
	return sym.Visibility() == elf.STV_HIDDEN || sym.Visibility() == elf.STV_INTERNAL
}

// fixDatasec sets the size of a Datasec and the places of its variables. A
// Datasec that a linker has filled in already has a size; then only the
// visibility of its variables is looked at.
func (e *editor) fixDatasec(t Type, f *elf.File, syms map[string]elf.Symbol) error {
	size := uint64(t.Size())
	fill := size == 0
	if fill {
		sec, ok := f.SectionByName(t.Name())
		if !ok {
			return e.datasecError(t, Name, "the file has no section "+strconv.Quote(t.Name()))
		}
		if size = sec.Size(); size != uint64(uint32(size)) {
			return e.datasecError(t, Limit, "a Datasec has at most 4 GiB")
		}
		e.set(t, 2, uint32(size))
	}
	vars := e.vars(t)
	for i := range vars {
		v := e.s.Type(vars[i].Type)
		if v.Kind() != KindVar || v.ID() < e.s.first {
			return e.datasecError(t, Range, "type "+strconv.Itoa(int(vars[i].Type))+" in it is not a Var")
		}
		switch v.Linkage() {
		case LinkageStatic:
			continue // the compiler knows where its own are
		case LinkageExtern:
			return e.datasecError(t, Unsupported, "variable "+strconv.Quote(v.Name())+" is that of another object, with which this one has to be linked")
		}
		sym, ok := syms[v.Name()]
		if !ok {
			return e.datasecError(t, Name, "the file has no symbol for variable "+strconv.Quote(v.Name()))
		}
		if fill {
			if sym.Section().Name() != t.Name() || sym.Value() > size {
				return e.datasecError(t, Range, "the symbol of variable "+strconv.Quote(v.Name())+" is not in that section")
			}
			vars[i].Offset = uint32(sym.Value())
		}
		if isHidden(sym) {
			e.set(v, 3, uint32(LinkageStatic))
		}
	}
	return e.setVars(t, vars, size)
}

// vars are the variables of a Datasec as they are now.
func (e *editor) vars(t Type) []VarSecinfo {
	vars := make([]VarSecinfo, t.NumVars())
	for i := range vars {
		w := 3 + 3*i
		vars[i] = VarSecinfo{Type: TypeID(e.word(t, w)), Offset: e.word(t, w+1), Size: e.word(t, w+2)}
	}
	return vars
}

// setVars writes the variables of a Datasec, by offset. They must lie inside
// the section and apart from one another.
func (e *editor) setVars(t Type, vars []VarSecinfo, size uint64) error {
	sort.SliceStable(vars, func(i, j int) bool { return vars[i].Offset < vars[j].Offset })
	end := uint64(0)
	for i, v := range vars {
		name := strconv.Quote(e.s.Type(v.Type).Name())
		if uint64(v.Offset) < end {
			return e.datasecError(t, Overlap, "variable "+name+" overlaps the one before it")
		}
		if end = uint64(v.Offset) + uint64(v.Size); end > size {
			return e.datasecError(t, Range, "variable "+name+" ends after the section")
		}
		w := 3 + 3*i
		e.set(t, w, uint32(v.Type))
		e.set(t, w+1, v.Offset)
		e.set(t, w+2, v.Size)
	}
	return nil
}

func (e *editor) datasecError(t Type, k ErrorKind, detail string) error {
	return &FormatError{Part: "types", Index: int(t.ID()), Offset: e.s.typAt + int64(t.off), Field: "DATASEC vlen", Value: uint64(t.Vlen()),
		Kind: k, Detail: strconv.Quote(t.Name()) + ": " + detail}
}
