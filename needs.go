package lode

import (
	"slices"
	"strconv"
	"strings"

	"github.com/lode-bpf/lode/sys"
)

// Program types whose loading takes a capability beside CAP_BPF
// (kernel/bpf/syscall.c: is_net_admin_prog_type, is_perfmon_prog_type).
var netAdmin = []sys.ProgType{
	sys.ProgTypeSchedCls, sys.ProgTypeSchedAct, sys.ProgTypeXDP, sys.ProgTypeLWTIn, sys.ProgTypeLWTOut, sys.ProgTypeLWTXmit,
	sys.ProgTypeLWTSeg6Local, sys.ProgTypeSKSKB, sys.ProgTypeSKMsg, sys.ProgTypeFlowDissector, sys.ProgTypeCgroupDevice,
	sys.ProgTypeCgroupSock, sys.ProgTypeCgroupSockAddr, sys.ProgTypeCgroupSockOpt, sys.ProgTypeCgroupSysctl,
	sys.ProgTypeSockOps, sys.ProgTypeExt, sys.ProgTypeNetfilter,
}

var perfmon = []sys.ProgType{
	sys.ProgTypeKprobe, sys.ProgTypeTracepoint, sys.ProgTypePerfEvent, sys.ProgTypeRawTracepoint,
	sys.ProgTypeRawTracepointWritable, sys.ProgTypeTracing, sys.ProgTypeLSM, sys.ProgTypeStructOps, sys.ProgTypeExt,
}

// needs lists capabilities and kernel features, each once, for the first thing
// that needs it. Features that every kernel since 5.10 has are left out.
func (b *planner) needs() {
	feature := func(name, since, who string) {
		if newer(since, oldest) {
			b.need("feature", name, since, who)
		}
	}
	if len(b.Steps) > 0 {
		b.need("capability", "CAP_BPF", "", b.Steps[0].subject())
	}
	for _, m := range b.order {
		feature("map type "+m.Type.String(), m.Type.Since(), "map "+strconv.Quote(m.Name))
	}
	for _, p := range b.object.Programs {
		if !p.AutoLoad {
			continue
		}
		who := "program " + strconv.Quote(p.Name)
		if slices.Contains(netAdmin, p.Type) {
			b.need("capability", "CAP_NET_ADMIN", "", who)
		}
		if slices.Contains(perfmon, p.Type) {
			b.need("capability", "CAP_PERFMON", "", who)
		}
		feature("program type "+p.Type.String(), p.Type.Since(), who)
		if p.AttachType != 0 {
			feature("attach type "+p.AttachType.String(), p.AttachType.Since(), who)
		}
		if p.NeedsTarget {
			b.need("feature", "the kernel's BTF", "5.2", who)
		}
	}
}

// need adds a need that is not yet listed.
func (b *planner) need(kind, name, since, who string) {
	if !slices.ContainsFunc(b.Needs, func(n Need) bool { return n.Kind == kind && n.Name == name }) {
		b.Needs = append(b.Needs, Need{Kind: kind, Name: name, Since: since, For: who, Here: "unknown"})
	}
}

// oldest is the oldest kernel that lode is made for.
const oldest = "5.10"

// newer reports whether version a ("6.1") comes after b. An empty one does not.
func newer(a, b string) bool {
	if a == "" {
		return false
	}
	x, y := strings.Split(a, "."), strings.Split(b, ".")
	for i := range min(len(x), len(y)) {
		m, _ := strconv.Atoi(x[i])
		n, _ := strconv.Atoi(y[i])
		if m != n {
			return m > n
		}
	}
	return len(x) > len(y)
}
