package prog_test

import (
	"bytes"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/lode-bpf/lode/internal/ktest"
	"github.com/lode-bpf/lode/prog"
	"github.com/lode-bpf/lode/sys"
)

// The whole table, as text.
func TestRules(t *testing.T) {
	var b bytes.Buffer
	n := 0
	for r := range prog.Rules() {
		n++
		name := r.Name
		if r.Args {
			name += "+"
		}
		flags := ""
		for _, f := range []struct {
			on   bool
			name string
		}{
			{r.AttachTypeNeeded, " needed"}, {r.AttachTypeOptional, " optional"}, {r.Flags&sys.BPF_F_SLEEPABLE != 0, " sleepable"},
			{r.Flags&sys.BPF_F_XDP_HAS_FRAGS != 0, " frags"}, {r.USDT, " usdt"}, {r.NeedsTarget, " target"}, {r.ReturnProbe, " return"},
		} {
			if f.on {
				flags += f.name
			}
		}
		fmt.Fprintf(&b, "%-24s type %-2d %-24v attach %-2d kind %v%s\n", name, uint32(r.Type), r.Type, uint32(r.AttachType), r.AttachKind, flags)
	}
	if n < 116 {
		t.Errorf("%d rules", n)
	}
	golden(t, "rules.table", b.Bytes())
}

// Every rule is found by its own name, with and without an argument, and no
// earlier rule hides it.
func TestRulesReachable(t *testing.T) {
	for want := range prog.Rules() {
		got, ok := prog.SectionRule(want.Name)
		if d := cmp.Diff(want, got); !ok || d != "" {
			t.Errorf("%q (-want +got):\n%s", want.Name, d)
		}
		c := prog.Classify("?"+want.Name+"/x", nil, nil)
		if want.Args && (c.Rule.Name != want.Name || c.Arg != "x" || c.AutoLoad || c.Match != prog.MatchTable) {
			t.Errorf("%q with an argument: %+v", want.Name, c)
		}
		if !want.Args && c.Match == prog.MatchTable {
			t.Errorf("%q takes no argument, but %+v", want.Name, c)
		}
	}
}

func TestClassify(t *testing.T) {
	custom := []prog.Rule{
		{Name: "mine", Args: true, Type: sys.ProgTypeXDP, AttachKind: prog.AttachIter},
		{Name: "tc", Type: sys.ProgTypeSchedAct},
	}
	def := &prog.Rule{Type: sys.ProgTypeSocketFilter}
	for _, c := range []struct {
		section string
		match   prog.Match
		typ     sys.ProgType
		arg     string
		load    bool
	}{
		{"xdp", prog.MatchTable, sys.ProgTypeXDP, "", true},
		{"?xdp", prog.MatchTable, sys.ProgTypeXDP, "", false},
		{"xdp/devmap", prog.MatchTable, sys.ProgTypeXDP, "", true},
		{"xdp.frags/cpumap", prog.MatchTable, sys.ProgTypeXDP, "", true},
		{"tc", prog.MatchCustom, sys.ProgTypeSchedAct, "", true},
		{"mine", prog.MatchCustom, sys.ProgTypeXDP, "", true},
		{"mine/arg/more", prog.MatchCustom, sys.ProgTypeXDP, "arg/more", true},
		{"mines", prog.MatchDefault, sys.ProgTypeSocketFilter, "", true},
		{"kprobe/do_nanosleep+0x10", prog.MatchTable, sys.ProgTypeKprobe, "do_nanosleep+0x10", true},
		{"kprobe/", prog.MatchTable, sys.ProgTypeKprobe, "", true},
		{"tp/sched/sched_switch", prog.MatchTable, sys.ProgTypeTracepoint, "sched/sched_switch", true},
		{"uprobe//bin/sh:main", prog.MatchTable, sys.ProgTypeKprobe, "/bin/sh:main", true},
		{"xdp_foo", prog.MatchLegacy, sys.ProgTypeXDP, "", true},
		{"xdp_devmap/map_prog", prog.MatchLegacy, sys.ProgTypeXDP, "", true},
		{"tc_foo", prog.MatchLegacy, sys.ProgTypeSchedCls, "", true},
		{"sk_skb1", prog.MatchLegacy, sys.ProgTypeSKSKB, "", true},
		{"sk_skb/stream_parser1", prog.MatchLegacy, sys.ProgTypeSKSKB, "", true},
		{"classifier/in", prog.MatchLegacy, sys.ProgTypeSchedCls, "", true},
		{"kprobe_foo", prog.MatchLegacy, sys.ProgTypeKprobe, "", true},
		{"xdpfoo", prog.MatchDefault, sys.ProgTypeSocketFilter, "", true},
		{"tp_btf2/x", prog.MatchDefault, sys.ProgTypeSocketFilter, "", true},
		{"1/0", prog.MatchDefault, sys.ProgTypeSocketFilter, "", true},
		{"prog", prog.MatchDefault, sys.ProgTypeSocketFilter, "", true},
		{"", prog.MatchDefault, sys.ProgTypeSocketFilter, "", true},
	} {
		got := prog.Classify(c.section, custom, def)
		if got.Match != c.match || got.Rule.Type != c.typ || got.Arg != c.arg || got.AutoLoad != c.load {
			t.Errorf("%q: %v %v %q load %v, want %v %v %q load %v", c.section, got.Match, got.Rule.Type, got.Arg, got.AutoLoad, c.match, c.typ, c.arg, c.load)
		}
	}
	if c := prog.Classify("xdp_devmap/map_prog", nil, nil); c.Rule.AttachType != sys.AttachXDPDevMap {
		t.Errorf("xdp_devmap/: %+v", c)
	}
	if c := prog.Classify("1/0", nil, nil); c.Match != prog.MatchNone || c.Rule.Type != sys.ProgTypeUnspec {
		t.Errorf("without a default: %+v", c)
	}
}

func TestHook(t *testing.T) {
	for _, c := range []struct {
		section string
		want    prog.Hook
		err     string
	}{
		{section: "kprobe"},
		{section: "kprobe/do_nanosleep", want: prog.Hook{Function: "do_nanosleep"}},
		{section: "kprobe/a.b$c+0x1f", want: prog.Hook{Function: "a.b$c", Offset: 31}},
		{section: "kprobe/f+017", want: prog.Hook{Function: "f", Offset: 15}},
		{section: "kprobe/f+", err: `prog: attach target "f+": want FUNCTION or FUNCTION+OFFSET (kprobe)`},
		{section: "kprobe/f+-1", err: `prog: attach target "f+-1": want FUNCTION or FUNCTION+OFFSET (kprobe)`},
		{section: "kprobe/f g", err: `prog: attach target "f g": want FUNCTION or FUNCTION+OFFSET (kprobe)`},
		{section: "kprobe/f+1_0", err: `prog: attach target "f+1_0": want FUNCTION or FUNCTION+OFFSET (kprobe)`},
		{section: "kretprobe/f", want: prog.Hook{Function: "f"}},
		{section: "kretprobe/f+8", err: `prog: attach target "f+8": a return probe takes no offset`},
		{section: "ksyscall/openat", want: prog.Hook{Name: "openat"}},
		{section: "kprobe.multi/tcp_*?", want: prog.Hook{Pattern: "tcp_*?"}},
		{section: "kprobe.multi/tcp[", err: `prog: attach target "tcp[": want a pattern of functions (letters, digits, _ . * ?) (kprobe-multi)`},
		{section: "uprobe//bin/sh:main", want: prog.Hook{Path: "/bin/sh", Function: "main"}},
		{section: "uprobe/libc.so.6:malloc+4", want: prog.Hook{Path: "libc.so.6", Function: "malloc", Offset: 4}},
		{section: "uprobe//a/b:c:0x40", want: prog.Hook{Path: "/a/b:c", Offset: 64}},
		{section: "uprobe/a.zip!/lib.so:f", want: prog.Hook{Path: "a.zip!/lib.so", Function: "f"}},
		{section: "uprobe/main", err: `prog: attach target "main": want PATH:FUNCTION, PATH:FUNCTION+OFFSET or PATH:0xOFFSET (uprobe)`},
		{section: "uprobe.multi//bin/sh:m*", want: prog.Hook{Path: "/bin/sh", Pattern: "m*"}},
		{section: "usdt//usr/lib/libc.so.6:libc:setjmp", want: prog.Hook{Path: "/usr/lib/libc.so.6", Provider: "libc", Name: "setjmp"}},
		{section: "usdt/libc:setjmp", err: `prog: attach target "libc:setjmp": want PATH:PROVIDER:NAME (usdt)`},
		{section: "tp/sched/sched_switch", want: prog.Hook{Category: "sched", Name: "sched_switch"}},
		{section: "tracepoint/sched", err: `prog: attach target "sched": want CATEGORY/NAME (tracepoint)`},
		{section: "tp/../../x", err: `prog: attach target "../../x": want CATEGORY/NAME (tracepoint)`},
		{section: "raw_tp.w/nbd_send_request", want: prog.Hook{Name: "nbd_send_request"}},
		{section: "fentry/nf_conntrack:nf_ct_free", want: prog.Hook{Module: "nf_conntrack", Function: "nf_ct_free"}},
		{section: "fexit.s/do_unlinkat", want: prog.Hook{Function: "do_unlinkat"}},
		{section: "fentry.multi/tcp_*", want: prog.Hook{Pattern: "tcp_*"}},
		{section: "tp_btf/sys_enter", want: prog.Hook{Function: "sys_enter"}},
		{section: "lsm.s/file_open", want: prog.Hook{Name: "file_open"}},
		{section: "iter/bpf_map", want: prog.Hook{Name: "bpf_map"}},
		{section: "freplace/scale", want: prog.Hook{Function: "scale"}},
	} {
		class := prog.Classify(c.section, nil, nil)
		s := prog.Spec{AttachKind: class.Rule.AttachKind, AttachTarget: class.Arg, ReturnProbe: class.Rule.ReturnProbe}
		got, err := s.Hook()
		text := ""
		if err != nil {
			text = err.Error()
		}
		if text != c.err || got != c.want {
			t.Errorf("%q: %+v, %q; want %+v, %q", c.section, got, text, c.want, c.err)
		}
	}
}

// Every section of the object that has them all is understood, but for those
// that are not meant to be.
func TestSectionsObject(t *testing.T) {
	seen := map[string]bool{}
	for _, p := range collect(t, ktest.Object(t, "sections")).progs {
		c := prog.Classify(p.Section, nil, nil)
		seen[c.Rule.Name] = true
		if c.Match == prog.MatchNone {
			t.Logf("section %q leaves the type open", p.Section)
		}
	}
	for r := range prog.Rules() {
		if !seen[r.Name] {
			t.Errorf("no program of the object has a section %q", r.Name)
		}
	}
}

func BenchmarkClassify(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		prog.Classify("netfilter", nil, nil)
	}
}
