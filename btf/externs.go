package btf

import (
	"cmp"
	"sort"
)

// fixExterns rewrites the Datasecs that declare variables and functions of
// the kernel, which no kernel accepts as they are: it wants variables that
// have a place.
func (e *editor) fixExterns() error {
	for t := range e.s.Types() {
		if t.Kind() != KindDatasec {
			continue
		}
		var err error
		switch t.Name() {
		case secKsyms:
			err = e.fixKsyms(t)
		case secKconfig:
			err = e.fixKconfig(t)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// fixKsyms makes each declaration a global int. In place of a function stands
// a variable that is added for the purpose; the function itself becomes
// global, and its parameters get names, as the kernel demands of functions
// that are not static.
func (e *editor) fixKsyms(t Type) error {
	const intSize = 4
	intID, dummy := TypeID(0), TypeID(0)
	vars := e.vars(t)
	for i := range vars {
		v := e.s.Type(vars[i].Type)
		if v.ID() < e.s.first {
			return e.datasecError(t, Range, "a declaration that is not in the same BTF")
		}
		if intID == 0 {
			intID = e.intOfSize(intSize)
		}
		switch v.Kind() {
		case KindVar:
			e.set(v, 2, uint32(intID))
			e.set(v, 3, uint32(LinkageGlobal))
		case KindFunc:
			e.setInfo(v, KindFunc, int(LinkageGlobal))
			e.nameParams(e.s.Type(v.Elem()))
			if dummy == 0 {
				dummy = e.add(e.strs.add("dummy_ksym"), uint32(KindVar)<<24, uint32(intID), uint32(LinkageGlobal))
			}
			vars[i].Type = dummy
		default:
			return e.datasecError(t, Range, "a declaration that is neither a Var nor a Func")
		}
		vars[i].Offset, vars[i].Size = uint32(intSize*i), intSize
	}
	size := uint64(intSize * len(vars))
	e.set(t, 2, uint32(size))
	return e.setVars(t, vars, size)
}

// intOfSize is an integer that the BTF has, or one that is added.
func (e *editor) intOfSize(size uint32) TypeID {
	for t := range e.s.Types() {
		if t.Kind() == KindInt && t.Size() == size && t.IntBits() == 8*size && t.IntOffset() == 0 {
			return t.ID()
		}
	}
	return e.addInt("int", size)
}

// nameParams names the parameters that have none.
func (e *editor) nameParams(proto Type) {
	if proto.ID() < e.s.first {
		return
	}
	for i, p := range proto.Params() {
		if p.Name == "" && p.Type != 0 {
			e.set(proto, 3+2*i, e.strs.add("param"))
		}
	}
}

// fixKconfig gives the variables that a loader fills in from the kernel's
// configuration their places in the map that holds them: by alignment, the
// largest first, then by size and by name.
func (e *editor) fixKconfig(t Type) error {
	type place struct {
		VarSecinfo
		name  string
		align uint64
	}
	places := make([]place, 0, t.NumVars())
	al := aligner{s: e.s}
	for _, v := range t.Vars() {
		typ := e.s.Type(v.Type)
		if typ.Kind() != KindVar || typ.ID() < e.s.first {
			return e.datasecError(t, Range, "a declaration that is not a Var")
		}
		size, err := e.s.SizeOf(typ.Elem())
		if err != nil {
			return err
		}
		align, err := al.of(typ.Elem())
		if err != nil {
			return err
		}
		if size > 1<<24 {
			return e.datasecError(t, Limit, "a variable of more than 16 MiB")
		}
		v.Size = uint32(size)
		places = append(places, place{v, typ.Name(), align})
		e.set(typ, 3, uint32(LinkageGlobal))
	}
	sort.SliceStable(places, func(i, j int) bool {
		a, b := &places[i], &places[j]
		return cmp.Or(cmp.Compare(b.align, a.align), cmp.Compare(a.Size, b.Size), cmp.Compare(a.name, b.name)) < 0
	})
	vars := make([]VarSecinfo, 0, len(places))
	end := uint64(0)
	for _, p := range places {
		end = (end + p.align - 1) / p.align * p.align
		p.Offset = uint32(end)
		if end += uint64(p.Size); end > 1<<31 {
			return e.datasecError(t, Limit, "variables of more than 2 GiB")
		}
		vars = append(vars, p.VarSecinfo)
	}
	e.set(t, 2, uint32(end))
	return e.setVars(t, vars, end)
}
