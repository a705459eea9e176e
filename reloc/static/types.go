package static

import (
	"cmp"
	"slices"

	"github.com/lode-bpf/lode/btf"
	"github.com/lode-bpf/lode/elf"
)

// mergeTypes writes .BTF and .BTF.ext.
func (l *linker) mergeTypes() error {
	some := false
	for _, in := range l.inputs {
		some = some || in.btf != nil
	}
	if !some {
		return nil
	}
	l.numberTypes()
	merged, err := l.mergedTypes()
	if err != nil {
		return err
	}
	s, err := btf.Parse(merged, nil)
	if err != nil {
		return &Error{Kind: ErrFormat, Section: ".BTF", Detail: "the merged types are malformed", Err: err}
	}
	raw, ids, err := s.Dedup()
	if err != nil {
		return &Error{Kind: ErrUnsupported, Section: ".BTF", Detail: "equal types cannot be joined", Err: err}
	}
	if s, err = btf.Parse(raw, nil); err != nil {
		return &Error{Kind: ErrFormat, Section: ".BTF", Detail: "the joined types are malformed", Err: err}
	}
	for _, in := range l.inputs {
		for i, id := range in.ids {
			if id != 0 {
				in.ids[i] = ids[id-1]
			}
		}
	}
	b := btf.NewBuilder(nil)
	for t := range s.Types() {
		b.AddType(t, nil)
	}
	ext := l.mergedExt(b)
	if raw, err = b.Bytes(l.order); err != nil {
		return &Error{Kind: ErrUnsupported, Section: ".BTF", Detail: "the types cannot be written", Err: err}
	}
	l.out.AddSection(elf.SectionDef{Name: ".BTF", Type: elf.SHT_PROGBITS, Addralign: 4, Data: raw})
	if ext != nil {
		l.out.AddSection(elf.SectionDef{Name: ".BTF.ext", Type: elf.SHT_PROGBITS, Addralign: 4, Data: ext})
	}
	return nil
}

// numberTypes gives every type of every input its id in the merged types. The
// functions and variables of a shared symbol are one: that of the input that
// defines it. Datasecs are made anew.
func (l *linker) numberTypes() {
	next := btf.TypeID(1)
	for _, in := range l.inputs {
		if in.btf == nil {
			continue
		}
		in.ids = make([]btf.TypeID, in.btf.NumTypes())
		for t := range in.btf.Types() {
			if t.Kind() == btf.KindDatasec || l.owner(in, t) != t {
				continue
			}
			in.ids[t.ID()] = next
			next++
		}
	}
	for _, in := range l.inputs {
		for i := range in.ids {
			t := in.btf.Type(btf.TypeID(i))
			if o := l.owner(in, t); o != t {
				in.ids[i] = l.globals[t.Name()].in.ids[o.ID()]
			}
		}
	}
}

// owner is the function or variable that stands for one of a shared symbol, the
// type itself if it stands for itself.
func (l *linker) owner(in *input, t btf.Type) btf.Type {
	if t.Kind() != btf.KindFunc && t.Kind() != btf.KindVar || t.Linkage() == btf.LinkageStatic {
		return t
	}
	g := l.globals[t.Name()]
	if g == nil {
		return t
	}
	d, ok := g.in.vars[t.Name()]
	if !ok || d.t.Kind() != t.Kind() {
		return t
	}
	return d.t
}

// mergedTypes writes the types of all inputs, with the Datasecs behind them.
func (l *linker) mergedTypes() ([]byte, error) {
	b := btf.NewBuilder(nil)
	for _, in := range l.inputs {
		if in.btf == nil {
			continue
		}
		remap := func(id btf.TypeID) btf.TypeID { return in.ids[id] }
		for t := range in.btf.Types() {
			if t.Kind() != btf.KindDatasec && l.owner(in, t) == t {
				b.AddType(t, remap)
			}
		}
	}
	var secs []*datasec
	byName := map[string]*datasec{}
	for _, in := range l.inputs {
		if in.btf == nil {
			continue
		}
		for t := range in.btf.Types() {
			if t.Kind() != btf.KindDatasec {
				continue
			}
			d := byName[t.Name()]
			if d == nil {
				d = &datasec{name: t.Name(), has: map[btf.TypeID]bool{}}
				byName[t.Name()] = d
				secs = append(secs, d)
			}
			if err := l.addVars(d, in, t); err != nil {
				return nil, err
			}
		}
	}
	for _, d := range secs {
		if len(d.vars) == 0 {
			continue
		}
		slices.SortStableFunc(d.vars, func(a, b btf.VarSecinfo) int { return cmp.Compare(a.Offset, b.Offset) })
		size := uint64(0)
		if i, ok := l.byName[d.name]; ok {
			size = l.secs[i].Size
		}
		b.AddDatasec(d.name, uint32(size), d.vars...)
	}
	raw, err := b.Bytes(l.order)
	if err != nil {
		return nil, &Error{Kind: ErrUnsupported, Section: ".BTF", Detail: "the merged types cannot be written", Err: err}
	}
	return raw, nil
}

// A datasec is the list of variables of a section of the output.
type datasec struct {
	name string
	vars []btf.VarSecinfo
	has  map[btf.TypeID]bool
}

// addVars adds the variables that one input has in a section.
func (l *linker) addVars(d *datasec, in *input, t btf.Type) error {
	sec, ok := in.secs[t.Name()]
	if ok && once[t.Name()] && in.places[sec.Index()].sec == 0 {
		return nil
	}
	for _, v := range t.Vars() {
		typ := in.btf.Type(v.Type)
		if l.owner(in, typ) != typ || d.has[in.ids[v.Type]] {
			continue
		}
		d.has[in.ids[v.Type]] = true
		out := btf.VarSecinfo{Type: in.ids[v.Type], Size: v.Size}
		off := uint64(v.Offset)
		switch s, global := in.shared[sharedKey{sec.Index(), typ.Name()}]; {
		case typ.Linkage() == btf.LinkageExtern && !global:
			off = 0
		case global:
			off = s.Value()
			fallthrough
		default:
			_, at, placed := in.at(sec.Index(), off)
			if !placed {
				d.vars = append(d.vars, out)
				continue
			}
			if off > sec.Size() || uint64(v.Size) > sec.Size()-off {
				return in.fail(ErrFormat, t.Name(), typ.Name(), "its BTF lets it lie outside the section", nil)
			}
			off = at
		}
		out.Offset = uint32(off)
		d.vars = append(d.vars, out)
	}
	return nil
}
