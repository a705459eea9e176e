package prog

import (
	"encoding/binary"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/lode-bpf/lode/btf"
)

// Functions whose arguments or result the kernel's trampolines cannot pass on are left
// out, and so are names that the types do not have.
func TestTracedFunctions(t *testing.T) {
	b := btf.NewBuilder(nil)
	word := b.AddInt("long", 8, btf.IntSigned)
	pointer := b.AddPtr(0)
	pair := b.AddStruct("pair", 16, btf.Member{Name: "a", Type: word}, btf.Member{Name: "b", Type: word, BitOffset: 64})
	large := b.AddStruct("large", 24, btf.Member{Name: "a", Type: b.AddArray(word, word, 3)})
	add := func(name string, result btf.TypeID, args ...btf.TypeID) uint32 {
		var params []btf.Param
		for _, a := range args {
			params = append(params, btf.Param{Name: "p", Type: a})
		}
		return uint32(b.AddFunc(name, b.AddFuncProto(result, params...), btf.LinkageStatic))
	}
	many := make([]btf.TypeID, maxTracedArgs+1)
	for i := range many {
		many[i] = word
	}
	want := []uint32{add("plain", word, word, pointer), add("no_result", 0, pair), add("twelve", pointer, many[1:]...)}
	add("variadic", word, pointer, 0)
	add("thirteen", word, many...)
	add("large_argument", word, large)
	add("structure", pair, word)
	raw, err := b.Bytes(binary.LittleEndian)
	if err != nil {
		t.Fatal(err)
	}
	types, err := btf.Parse(raw, nil)
	if err != nil {
		t.Fatal(err)
	}
	names := []string{"twelve", "absent", "plain", "no_result", "variadic", "thirteen", "large_argument", "structure", "plain"}
	if diff := cmp.Diff(want, TracedFunctions(types, names)); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}
