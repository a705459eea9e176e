package sys

import (
	"strings"
	"testing"

	"github.com/lode-bpf/lode/btf"
	"github.com/lode-bpf/lode/internal/helpers"
)

// checkEnums compares the tables with the enums of a kernel, which may know fewer
// values or more.
func checkEnums(t *testing.T, spec *btf.Spec) {
	t.Helper()
	names := func(rows []enumRow) func(uint64) string {
		return func(n uint64) string {
			if n < uint64(len(rows)) {
				return rows[n].name
			}
			return ""
		}
	}
	for _, e := range []struct {
		enum, prefix string
		name         func(uint64) string
	}{
		{"bpf_cmd", "BPF_", names(cmds[:])},
		{"bpf_map_type", "BPF_MAP_TYPE_", names(mapTypes[:])},
		{"bpf_prog_type", "BPF_PROG_TYPE_", names(progTypes[:])},
		{"bpf_attach_type", "BPF_", names(attachTypes[:])},
		{"bpf_link_type", "BPF_LINK_TYPE_", names(linkTypes[:])},
		{"bpf_func_id", "BPF_FUNC_", func(n uint64) string {
			if n < uint64(NumHelpers) {
				return helpers.Table[n].Name
			}
			return ""
		}},
	} {
		typ, ok := spec.Find(e.enum, btf.KindEnum)
		if !ok {
			t.Errorf("the BTF has no enum %s", e.enum)
			continue
		}
		for _, v := range typ.Enumerators() {
			want, ok := strings.CutPrefix(v.Name, e.prefix)
			if !ok || v.Name == "BPF_PROG_RUN" || v.Name == "BPF_COMMON_ATTRS" || strings.HasPrefix(v.Name, "__") {
				continue // limits and second names
			}
			want = strings.TrimSuffix(strings.ToLower(want), "_deprecated")
			switch got := e.name(v.Value); got {
			case want:
			case "":
				t.Logf("this kernel is newer: %s = %d", v.Name, v.Value)
			default:
				t.Errorf("%s is %d in the kernel, but here that is %q", v.Name, v.Value, got)
			}
		}
	}
}
