package lode

import (
	"os"
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
	feature := func(f sys.Feature, name, since, who string) {
		if newer(since, oldest) {
			b.need(Need{Kind: "feature", Name: name, Since: since, For: who, feature: f})
		}
	}
	capability := func(name, who string) { b.need(Need{Kind: "capability", Name: name, For: who}) }
	if len(b.Steps) > 0 {
		capability("CAP_BPF", b.Steps[0].subject())
	}
	for _, m := range b.order {
		feature(sys.MapTypeFeature(m.Type), "map type "+m.Type.String(), m.Type.Since(), "map "+strconv.Quote(m.Name))
	}
	for _, p := range b.object.Programs {
		if !p.AutoLoad {
			continue
		}
		who := "program " + strconv.Quote(p.Name)
		if slices.Contains(netAdmin, p.Type) {
			capability("CAP_NET_ADMIN", who)
		}
		if slices.Contains(perfmon, p.Type) {
			capability("CAP_PERFMON", who)
		}
		feature(sys.ProgTypeFeature(p.Type), "program type "+p.Type.String(), p.Type.Since(), who)
		if p.AttachType != 0 {
			feature(sys.AttachTypeFeature(p.AttachType), "attach type "+p.AttachType.String(), p.AttachType.Since(), who)
		}
		if p.Code != nil && len(p.Code.JumpTables) > 0 {
			feature(sys.MapTypeFeature(sys.MapTypeInsnArray), "map type "+sys.MapTypeInsnArray.String(), sys.MapTypeInsnArray.Since(), who)
		}
		if p.NeedsTarget {
			b.need(Need{Kind: "feature", Name: kernelTypes, Since: "5.2", For: who})
		}
	}
}

// need adds a need that is not yet listed.
func (b *planner) need(n Need) {
	if slices.ContainsFunc(b.Needs, func(m Need) bool { return m.Kind == n.Kind && m.Name == n.Name }) {
		return
	}
	n.Here = "unknown"
	b.Needs = append(b.Needs, n)
}

// kernelTypes is the need of programs that attach to something that has a type.
const kernelTypes = "the kernel's BTF"

// capabilityBits are the places in CapEff of /proc/self/status
// (linux/capability.h). CAP_SYS_ADMIN has the powers of the others.
var capabilityBits = [...]struct {
	name string
	bit  uint
}{{"CAP_NET_ADMIN", 12}, {"CAP_PERFMON", 38}, {"CAP_BPF", 39}}

const capSysAdmin = 21

// observe says whether this process and this kernel have what is needed.
func (n *Need) observe(here *LiveEnv, effective uint64) error {
	has := false
	switch {
	case n.Kind == "capability":
		for _, c := range capabilityBits {
			has = has || c.name == n.Name && effective&(1<<c.bit|1<<capSysAdmin) != 0
		}
	case n.Name == kernelTypes:
		_, err := here.Kernel()
		has = err == nil
	default:
		var err error
		if has, err = here.features.Has(n.feature); err != nil {
			return err
		}
	}
	n.Here = "no"
	if has {
		n.Here = "yes"
	}
	return nil
}

// effectiveCapabilities reads CapEff of this process.
func effectiveCapabilities() (uint64, error) {
	b, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0, err
	}
	_, rest, _ := strings.Cut(string(b), "CapEff:")
	line, _, _ := strings.Cut(rest, "\n")
	return strconv.ParseUint(strings.TrimSpace(line), 16, 64)
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
