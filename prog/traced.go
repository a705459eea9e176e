package prog

import (
	"slices"

	"github.com/lode-bpf/lode/btf"
)

// Limits of what the kernel's trampolines can pass on (kernel/bpf/btf.c,
// btf_distill_func_proto).
const (
	maxTracedArgs = 12
	maxTracedArg  = 16 // bytes
)

// TracedFunctions are the ids of the functions called names that fentry.multi,
// fexit.multi and fsession.multi programs can be attached to, in ascending order: of
// those that types has itself (not its base), the ones with a prototype that the
// kernel can trace. Names that are not there are left out.
func TracedFunctions(types *btf.Spec, names []string) []uint32 {
	first := btf.TypeID(1)
	if base := types.Base(); base != nil {
		first = btf.TypeID(base.NumTypes())
	}
	var out []uint32
	for _, name := range names {
		t, ok := types.Find(name, btf.KindFunc)
		if ok && t.ID() >= first && traceable(types, types.Type(t.Elem())) {
			out = append(out, uint32(t.ID()))
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// traceable says whether the kernel can trace functions of a prototype: at most 12
// arguments, none of them variable or larger than 16 bytes, and no structure as the
// result.
func traceable(types *btf.Spec, proto btf.Type) bool {
	if proto.Kind() != btf.KindFuncProto || proto.Vlen() > maxTracedArgs {
		return false
	}
	if proto.Elem() != 0 {
		if t, err := types.Resolve(proto.Elem()); err != nil || t.Kind() == btf.KindStruct || t.Kind() == btf.KindUnion {
			return false
		}
	}
	for _, p := range proto.Params() {
		size, err := types.SizeOf(p.Type)
		if p.Type == 0 || err != nil || size == 0 || size > maxTracedArg {
			return false
		}
	}
	return true
}
