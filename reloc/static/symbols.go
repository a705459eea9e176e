package static

import (
	"cmp"
	"slices"
	"strconv"

	"github.com/lode-bpf/lode/elf"
)

// A global is a symbol that inputs share.
type global struct {
	in   *input     // that defines it; that first needs it if none does
	sym  elf.Symbol // there
	def  bool
	weak bool // the definition, or every use
	vis  elf.SymVis
	num  int // in the output
}

// visRank orders visibilities from the least to the most restricted.
var visRank = map[elf.SymVis]int{elf.STV_DEFAULT: 0, elf.STV_PROTECTED: 1, elf.STV_HIDDEN: 2, elf.STV_INTERNAL: 3}

// resolveSymbols decides which definition of each global symbol counts.
func (l *linker) resolveSymbols() error {
	for _, in := range l.inputs {
		in.declare()
		in.shared = map[sharedKey]elf.Symbol{}
		for s := range in.File.Symbols() {
			if s.Index() == 0 || isLocal(s) {
				continue
			}
			in.shared[sharedKey{s.SectionIndex(), s.Name()}] = s
			if err := l.resolve(in, s); err != nil {
				return err
			}
		}
	}
	for _, in := range l.inputs {
		in.mergeLost()
	}
	return nil
}

// left reports whether a symbol stands in a section that is left out.
func (in *input) left(s elf.Symbol) bool {
	_, _, ok := in.at(s.SectionIndex(), 0)
	return s.SectionIndex() != elf.SHN_UNDEF && !ok
}

func (l *linker) resolve(in *input, s elf.Symbol) error {
	name := s.Name()
	switch {
	case s.Bind() != elf.STB_GLOBAL && s.Bind() != elf.STB_WEAK:
		return in.fail(ErrUnsupported, "", name, "binding "+s.Bind().String(), nil)
	case s.Reserved():
		return in.fail(ErrUnsupported, "", name, "a symbol without a section (section index "+strconv.Itoa(s.SectionIndex())+")", nil)
	case name == "":
		return in.fail(ErrFormat, "", "", "global symbol "+strconv.Itoa(s.Index())+" has no name", nil)
	case in.left(s):
		return nil
	}
	def, weak := s.SectionIndex() != elf.SHN_UNDEF, s.Bind() == elf.STB_WEAK
	if def && (s.Value() > s.Section().Size() || s.Size() > s.Section().Size()-s.Value()) {
		return in.fail(ErrFormat, s.Section().Name(), name, "it lies outside its section", nil)
	}
	g := l.globals[name]
	if g == nil {
		l.globals[name] = &global{in: in, sym: s, def: def, weak: weak, vis: s.Visibility()}
		l.names = append(l.names, name)
		return nil
	}
	if visRank[s.Visibility()] > visRank[g.vis] {
		g.vis = s.Visibility()
	}
	switch {
	case def && g.def && g.sym.Type() != s.Type():
		return &Error{Input: in.Name, Other: g.in.Name, Symbol: name, Kind: ErrMismatch, Detail: "it is a " + s.Type().String() + " here, a " + g.sym.Type().String() + " elsewhere"}
	case def && g.def && !weak && !g.weak:
		return &Error{Input: in.Name, Other: g.in.Name, Symbol: name, Kind: ErrDuplicate, Detail: "it is defined twice; make one definition __weak, static or extern"}
	case !def && !g.def:
		g.weak = g.weak && weak
	case def && g.def && g.weak && !weak:
		g.in.lose(g.sym)
		g.in, g.sym, g.weak = in, s, false
	case def && g.def:
		in.lose(s)
	case def:
		g.in, g.sym, g.def, g.weak = in, s, true, weak
	}
	return nil
}

// lose notes a definition that another took the place of.
func (in *input) lose(s elf.Symbol) {
	in.lost = append(in.lost, span{s.SectionIndex(), s.Value(), s.Value() + s.Size()})
}

// mergeLost sorts the lost spans and joins those that meet.
func (in *input) mergeLost() {
	slices.SortFunc(in.lost, func(a, b span) int { return cmp.Or(cmp.Compare(a.sec, b.sec), cmp.Compare(a.start, b.start)) })
	out := in.lost[:0]
	for _, s := range in.lost {
		if n := len(out); n > 0 && out[n-1].sec == s.sec && s.start <= out[n-1].end {
			out[n-1].end = max(out[n-1].end, s.end)
			continue
		}
		out = append(out, s)
	}
	in.lost = out
}

// isLost reports whether a place in a section belongs to a definition that gave
// way.
func (in *input) isLost(section int, off uint64) bool {
	i, _ := slices.BinarySearchFunc(in.lost, span{section, off, 0}, func(s, want span) int {
		if c := cmp.Compare(s.sec, want.sec); c != 0 {
			return c
		}
		if s.start <= want.start {
			return -1
		}
		return 1
	})
	return i > 0 && in.lost[i-1].sec == section && off < in.lost[i-1].end
}

// writeSymbols writes the symbols: local ones first, as the format wants.
func (l *linker) writeSymbols() error {
	for _, in := range l.inputs {
		in.syms = make([]int, in.File.NumSymbols())
		for s := range in.File.Symbols() {
			if s.Index() == 0 || !isLocal(s) || s.Type() == elf.STT_FILE {
				continue
			}
			sec, value, ok := in.at(s.SectionIndex(), s.Value())
			switch {
			case !ok || s.Reserved():
			case s.Type() == elf.STT_SECTION:
				in.syms[s.Index()] = l.secs[sec].sym
			default:
				in.syms[s.Index()] = l.out.AddSymbol(elf.SymbolDef{Name: s.Name(), Type: s.Type(), Other: s.Other(), Section: l.secs[sec].num, Value: value, Size: s.Size()})
			}
		}
	}
	for _, name := range l.names {
		g := l.globals[name]
		def := elf.SymbolDef{Name: name, Bind: elf.STB_GLOBAL, Type: g.sym.Type(), Other: uint8(g.vis), Size: g.sym.Size()}
		if g.weak {
			def.Bind = elf.STB_WEAK
		}
		if g.def {
			sec, value, _ := g.in.at(g.sym.SectionIndex(), g.sym.Value())
			def.Section, def.Value = l.secs[sec].num, value
		}
		g.num = l.out.AddSymbol(def)
	}
	for _, in := range l.inputs {
		for s := range in.File.Symbols() {
			if g := l.globals[s.Name()]; g != nil && !isLocal(s) && !in.left(s) {
				in.syms[s.Index()] = g.num
			}
		}
	}
	return nil
}
