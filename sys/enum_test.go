package sys

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestEnumText(t *testing.T) {
	check := func(got string, back uint32, ok bool, want string, n uint32) {
		t.Helper()
		if got != want || !ok || back != n {
			t.Errorf("%d is %q (want %q) and comes back as %d, %t", n, got, want, back, ok)
		}
	}
	for _, tt := range []struct {
		v    MapType
		want string
	}{{MapTypeHash, "hash"}, {MapTypeRingBuf, "ringbuf"}, {MapTypeCgroupStorage, "cgroup_storage"}, {MapTypeRHash, "rhash"}, {999, "maptype(999)"}} {
		v, ok := ParseMapType(tt.v.String())
		check(tt.v.String(), uint32(v), ok, tt.want, uint32(tt.v))
	}
	p, ok := ParseProgType(ProgTypeXDP.String())
	check(ProgTypeXDP.String(), uint32(p), ok, "xdp", 6)
	a, ok := ParseAttachType(AttachTCXEgress.String())
	check(AttachTCXEgress.String(), uint32(a), ok, "tcx_egress", 47)
	a, ok = ParseAttachType(AttachCgroupInetIngress.String())
	check(AttachCgroupInetIngress.String(), uint32(a), ok, "cgroup_inet_ingress", 0)
	l, ok := ParseLinkType(LinkTypeKprobeMulti.String())
	check(LinkTypeKprobeMulti.String(), uint32(l), ok, "kprobe_multi", 8)
	c, ok := ParseCmd(CmdProgAssocStructOps.String())
	check(CmdProgAssocStructOps.String(), uint32(c), ok, "prog_assoc_struct_ops", 38)
	h, ok := ParseHelper("bpf_map_lookup_elem")
	check(h.String(), uint32(h), ok, "map_lookup_elem", 1)

	for _, s := range []string{"", "hash ", "maptype(", "maptype()", "maptype(x)", "maptype(-1)", "maptype(4294967296)"} {
		if v, ok := ParseMapType(s); ok {
			t.Errorf("ParseMapType(%q) is %v", s, v)
		}
	}
}

func TestEnumTablesAreComplete(t *testing.T) {
	for _, rows := range [][]enumRow{cmds[:], mapTypes[1:], progTypes[1:], attachTypes[:], linkTypes[1:]} {
		for i, r := range rows {
			if r.name == "" || r.since == "" {
				t.Errorf("row %d of the table that begins with %q is empty", i, rows[0].name)
			}
		}
	}
	for h := Helper(1); int(h) < NumHelpers; h++ {
		if h.Since() == "" || h.String() == "" {
			t.Errorf("helper %d has no name or version", h)
		}
	}
	got := slices.Collect(LinkTypes())
	if len(got) != len(linkTypes)-1 || got[0] != LinkTypeRawTracepoint {
		t.Errorf("LinkTypes: %v", got)
	}
	var first []AttachType
	for a := range AttachTypes() {
		if first = append(first, a); len(first) == 2 {
			break
		}
	}
	if diff := cmp.Diff([]AttachType{AttachCgroupInetIngress, AttachCgroupInetEgress}, first); diff != "" {
		t.Errorf("AttachTypes (-want +got):\n%s", diff)
	}
}

func TestErrnoText(t *testing.T) {
	for _, r := range errnoNames {
		e, want := r.n, r.name
		if got := ErrnoName(e); got != want {
			t.Errorf("ErrnoName(%d) = %q", e, got)
		}
		if back, ok := ParseErrno(want); !ok || back != e {
			t.Errorf("ParseErrno(%q) = %v, %t", want, back, ok)
		}
	}
	if back, ok := ParseErrno(ErrnoName(131)); !ok || back != 131 {
		t.Errorf("a number without name: %v, %t", back, ok)
	}
	for _, s := range []string{"", "0", "map#1", "errno()", "errno(x)", "ENOPE"} {
		if e, ok := ParseErrno(s); ok {
			t.Errorf("ParseErrno(%q) = %v", s, e)
		}
	}
}
