package gen

import (
	"github.com/lode-bpf/lode/btf"
)

// A mapShape is a map definition that every kernel takes. Sizes are in bytes;
// 0 leaves the attribute out.
type mapShape struct {
	typ, key, value, entries, flags uint32
}

// Map types of the kernel (enum bpf_map_type).
var mapShapes = []mapShape{
	{typ: 1, key: 4, value: 8, entries: 1024},           // hash
	{typ: 1, key: 16, value: 64, entries: 16, flags: 1}, // hash, not preallocated
	{typ: 2, key: 4, value: 4, entries: 1},              // array
	{typ: 3, key: 4, value: 4, entries: 8},              // program array
	{typ: 4, key: 4, value: 4, entries: 64},             // perf event array
	{typ: 5, key: 8, value: 8, entries: 128},            // per-CPU hash
	{typ: 6, key: 4, value: 16, entries: 2},             // per-CPU array
	{typ: 7, key: 4, value: 1016, entries: 32},          // stack traces
	{typ: 9, key: 4, value: 8, entries: 4096},           // LRU hash
	{typ: 11, key: 8, value: 4, entries: 256, flags: 1}, // longest prefix
	{typ: 22, value: 4, entries: 10},                    // queue
	{typ: 27, entries: 1 << 12},                         // ring buffer
	{typ: 30, value: 8, entries: 1000},                  // bloom filter
}

// maps adds the definitions of n maps: structures that nobody reads at run
// time, whose member types say it all.
func (t *types) maps(n int) (vars []variable, size uint32) {
	var infos []btf.VarSecinfo
	for range n {
		s := pick(t.g, mapShapes)
		var members []btf.Member
		attr := func(name string, value uint32) {
			if value != 0 {
				// A number is the length of an array that is pointed to.
				p := t.b.AddPtr(t.b.AddArray(t.int.id, t.u32.id, value))
				members = append(members, btf.Member{Name: name, Type: p, BitOffset: 64 * uint32(len(members))})
			}
		}
		attr("type", s.typ)
		attr("max_entries", s.entries)
		if s.key == 4 && t.g.once(2) {
			members = append(members, btf.Member{Name: "key", Type: t.b.AddPtr(t.u32.id), BitOffset: 64 * uint32(len(members))})
		} else {
			attr("key_size", s.key)
		}
		attr("value_size", s.value)
		attr("map_flags", s.flags)
		if t.g.once(4) {
			attr("pinning", 1)
		}
		v := variable{t.g.name("map"), size, 8 * uint32(len(members))}
		id := t.b.AddVar(v.name, t.b.AddStruct("", v.size, members...), btf.LinkageGlobal)
		infos = append(infos, btf.VarSecinfo{Type: id, Offset: v.offset, Size: v.size})
		vars = append(vars, v)
		size += v.size
	}
	t.b.AddDatasec(".maps", size, infos...)
	return vars, size
}
