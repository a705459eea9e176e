package prog

import (
	"iter"
	"strings"

	"github.com/lode-bpf/lode/sys"
)

// A Rule says what a section name means: the program's type and what goes with
// it. Rules of the caller's own are tried before the table's (see Options).
type Rule struct {
	Name string // section name without what follows a '/'

	// Args lets the rule match "Name/anything", too. Without it the section
	// has exactly this name.
	Args bool

	Type       sys.ProgType
	AttachType sys.AttachType // expected attach type
	Flags      uint32         // BPF_F_* of sys.ProgLoadAttr.ProgFlags

	AttachTypeNeeded   bool // these are as in Spec
	AttachTypeOptional bool
	NeedsTarget        bool
	USDT               bool
	ReturnProbe        bool
	AttachKind         AttachKind
}

// Match reports whether the rule is about a section of this name, and what
// stands behind the '/'.
func (r *Rule) Match(section string) (arg string, ok bool) {
	return matchSection(r.Name, r.Args, section)
}

func matchSection(name string, args bool, section string) (arg string, ok bool) {
	rest, ok := strings.CutPrefix(section, name)
	switch {
	case !ok:
		return "", false
	case rest == "":
		return "", true
	case args && rest[0] == '/':
		return rest[1:], true
	}
	return "", false
}

// Rules is the table of section names, in the order in which it is searched.
func Rules() iter.Seq[Rule] {
	return func(yield func(Rule) bool) {
		for i := range rules {
			if !yield(rules[i].rule()) {
				return
			}
		}
	}
}

// SectionRule finds the rule of the table for a section name, which may begin
// with '?'. Only exact rules are looked at; Classify knows more.
func SectionRule(name string) (Rule, bool) {
	r, _, ok := tableRule(strings.TrimPrefix(name, "?"))
	return r, ok
}

func tableRule(name string) (r Rule, arg string, ok bool) {
	for i := range rules {
		row := &rules[i]
		if arg, ok := matchSection(row.name, row.flags&fArgs != 0, name); ok {
			return row.rule(), arg, true
		}
	}
	return Rule{}, "", false
}

// Match is how a section name was understood.
type Match uint8

const (
	MatchNone    Match = iota // by nothing; the type stays open
	MatchCustom               // by a rule of the caller's
	MatchTable                // by a rule of the table
	MatchLegacy               // by a prefix that loaders accepted before libbpf 1.0, such as "xdp_"
	MatchDefault              // by the caller's default rule
)

var matches = [...]string{"none", "custom", "table", "legacy", "default"}

// String is the match in a word.
func (m Match) String() string {
	if int(m) < len(matches) {
		return matches[m]
	}
	return "match?"
}

// A Class is what a section name means.
type Class struct {
	Rule     Rule
	Arg      string // what stands behind the '/'
	AutoLoad bool   // false for a leading '?'
	Match    Match
}

// Classify finds out what a section name means: by the caller's rules, in
// order; by the table; as one of the legacy names; by the default rule. It is
// pure: there is no registry.
func Classify(section string, custom []Rule, def *Rule) Class {
	name := strings.TrimPrefix(section, "?")
	c := Class{AutoLoad: len(name) == len(section)}
	for i := range custom {
		if arg, ok := custom[i].Match(name); ok {
			c.Rule, c.Arg, c.Match = custom[i], arg, MatchCustom
			return c
		}
	}
	if r, arg, ok := tableRule(name); ok {
		c.Rule, c.Arg, c.Match = r, arg, MatchTable
		return c
	}
	if r, ok := legacyRule(name); ok {
		c.Rule, c.Match = r, MatchLegacy
		return c
	}
	if def != nil {
		c.Rule, c.Match = *def, MatchDefault
	}
	return c
}

// legacyPrefixes are the names that loaders matched as prefixes before libbpf
// 1.0 and that objects of that time still have. Longer ones come first.
var legacyPrefixes = [...]struct{ prefix, means string }{
	{"sk_skb/stream_parser", "sk_skb/stream_parser"},
	{"sk_skb/stream_verdict", "sk_skb/stream_verdict"},
	{"cgroup_skb/ingress", "cgroup_skb/ingress"},
	{"cgroup_skb/egress", "cgroup_skb/egress"},
	{"cgroup/skb", "cgroup/skb"},
	{"sk_reuseport", "sk_reuseport"},
	{"flow_dissector", "flow_dissector"},
	{"raw_tracepoint_", "raw_tracepoint"},
	{"tracepoint_", "tracepoint"},
	{"kretprobe_", "kretprobe"},
	{"kprobe_", "kprobe"},
	{"perf_event", "perf_event"},
	{"classifier", "classifier"},
	{"lwt_seg6local", "lwt_seg6local"},
	{"lwt_xmit", "lwt_xmit"},
	{"lwt_out", "lwt_out"},
	{"lwt_in", "lwt_in"},
	{"sk_lookup", "sk_lookup"},
	{"sk_msg", "sk_msg"},
	{"sk_skb", "sk_skb"},
	{"sockops", "sockops"},
	{"socket", "socket"},
	{"action", "action"},
	{"raw_tp_", "raw_tp"},
	{"xdp_devmap/", "xdp/devmap"},
	{"xdp_cpumap/", "xdp/cpumap"},
	{"xdp_", "xdp"},
	{"xdp-", "xdp"},
	{"xdp/", "xdp"},
	{"tc_", "tc"},
	{"tc-", "tc"},
	{"tc/", "tc"},
	{"tp_", "tp"},
}

// notLegacy are exact names of newer loaders that begin like a legacy one: a
// reader that does not have a rule for such a name must not guess.
var notLegacy = [...]string{"tp_btf"}

// legacyRule understands names such as "xdp_foo", "tc_bar" and "sk_skb1". What
// they attach to is not in the name, so nothing is attached by it.
func legacyRule(name string) (Rule, bool) {
	for _, n := range notLegacy {
		if strings.HasPrefix(name, n) {
			return Rule{}, false
		}
	}
	for _, l := range legacyPrefixes {
		if !strings.HasPrefix(name, l.prefix) {
			continue
		}
		r, _, ok := tableRule(l.means)
		r.AttachKind = AttachNone
		return r, ok
	}
	return Rule{}, false
}

// apply gives the rule's values to a program.
func (c *Class) apply(s *Spec) {
	r := &c.Rule
	s.Type, s.AttachType, s.Flags = r.Type, r.AttachType, r.Flags
	s.AttachTypeNeeded, s.AttachTypeOptional = r.AttachTypeNeeded, r.AttachTypeOptional
	s.NeedsTarget, s.USDT, s.ReturnProbe = r.NeedsTarget, r.USDT, r.ReturnProbe
	s.AttachKind, s.AttachTarget, s.AutoLoad = r.AttachKind, c.Arg, c.AutoLoad
}
