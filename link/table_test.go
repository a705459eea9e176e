package link

import (
	"flag"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/lode-bpf/lode/internal/ktest"
	"github.com/lode-bpf/lode/sys"
)

var update = flag.Bool("update", false, "rewrite docs/attach-types.md")

// An attachRow is a way to attach programs and the test that attaches one and sees
// what it does.
type attachRow struct {
	what     string
	function string
	hook     sys.AttachType // noHook: not one of these
	since    string         // the kernel that brought it, where the hook does not say
	test     string         // empty: none, for the reason in note
	note     string
}

const noHook = ^sys.AttachType(0)

// attachRows is docs/attach-types.md but for the hooks of cgroups.
var attachRows = []attachRow{
	{"XDP", "XDP", sys.AttachXDP, "5.9", "TestKernelXDP", ""},
	{"XDP by netlink", "XDPNetlink", noHook, "4.8", "TestKernelXDPNetlink", ""},
	{"classic tc", "TC", noHook, "4.5", "TestKernelTC", ""},
	{"tcx ingress", "TCX", sys.AttachTCXIngress, "", "TestKernelTCX", ""},
	{"tcx egress", "TCX", sys.AttachTCXEgress, "", "TestKernelTCXEgress", ""},
	{"netkit primary", "Netkit", sys.AttachNetkitPrimary, "", "TestKernelNetkit/netkit_primary", ""},
	{"netkit peer", "Netkit", sys.AttachNetkitPeer, "", "TestKernelNetkit/netkit_peer", ""},
	{"netfilter", "Netfilter", sys.AttachNetfilter, "", "TestKernelNetfilter", ""},
	{"sk_lookup", "NetNS", sys.AttachSKLookup, "", "TestKernelSKLookupSteers", ""},
	{"flow dissector", "NetNS", sys.AttachFlowDissector, "", "TestKernelFlowDissector", ""},
	{"sk_msg", "SockMap", sys.AttachSKMsgVerdict, "", "TestKernelSockMap", ""},
	{"sk_skb verdict", "SockMap", sys.AttachSKSKBVerdict, "", "TestKernelSKSKBVerdict/sk_skb_verdict", ""},
	{"sk_skb stream verdict", "SockMap", sys.AttachSKSKBStreamVerdict, "", "TestKernelSKSKBVerdict/sk_skb_stream_verdict", ""},
	{"sk_skb stream parser", "SockMap", sys.AttachSKSKBStreamParser, "", "TestKernelSKSKBVerdict/sk_skb_stream_verdict", ""},
	{"sk_reuseport", "SKReuseport", sys.AttachSKReuseportSelect, "4.19", "TestKernelSKReuseportSelects", ""},
	{"sk_reuseport, migrating", "SKReuseport", sys.AttachSKReuseportSelectOrMigrate, "", "TestKernelSKReuseportMigrates", ""},
	{"socket filter", "SocketFilter", noHook, "3.19", "TestKernelSocketFilter", ""},
	{"cgroup without a link", "CgroupAttach", noHook, "4.10", "TestKernelCgroupAttach", ""},
	{"order on a cgroup", "Cgroup", noHook, "6.17", "TestKernelCgroupOrder", ""},
	{"LSM of a cgroup", "Cgroup", sys.AttachLSMCgroup, "", "TestKernelLSMCgroup", ""},
	{"LSM", "Tracing", sys.AttachLSMMac, "", "TestKernelLSM", ""},
	{"tracepoint", "Tracepoint", noHook, "4.7", "TestKernelTracepoint", ""},
	{"raw tracepoint", "RawTracepoint", noHook, "4.17", "TestKernelRawTracepoint", ""},
	{"raw tracepoint with types", "Tracing", sys.AttachTraceRawTP, "", "TestKernelTPBTF", ""},
	{"perf event", "PerfEvent", sys.AttachPerfEvent, "4.9", "TestKernelPerfEvent", "without a link before 5.15"},
	{"kprobe, kretprobe, ksyscall", "Kprobe", noHook, "4.1", "TestKernelKprobe", "by perf event and by tracefs"},
	{"kprobe.multi", "KprobeMulti", sys.AttachTraceKprobeMulti, "", "TestKernelKprobeMulti", ""},
	{"kprobe.session", "KprobeMulti", sys.AttachTraceKprobeSession, "", "TestKernelKprobeMulti", ""},
	{"uprobe, uretprobe", "Uprobe", noHook, "4.3", "TestKernelUprobeReturns", ""},
	{"uprobe.multi", "UprobeMulti", sys.AttachTraceUprobeMulti, "", "TestKernelUprobe", ""},
	{"uprobe.session", "UprobeMulti", sys.AttachTraceUprobeSession, "", "TestKernelUprobeSession", ""},
	{"USDT", "Attach", noHook, "4.3", "TestKernelUSDT", "of USDTSpecs"},
	{"fentry", "Tracing", sys.AttachTraceFentry, "", "TestKernelTracing/trace_fentry", ""},
	{"fexit", "Tracing", sys.AttachTraceFexit, "", "TestKernelTracing/trace_fexit", ""},
	{"fsession", "Tracing", sys.AttachTraceFsession, "", "TestKernelTracing/trace_fsession", ""},
	{"fmod_ret", "Tracing", sys.AttachModifyReturn, "", "TestKernelModifyReturn", ""},
	{"fentry.multi", "TracingMulti", sys.AttachTraceFentryMulti, "", "TestKernelTracingMulti", ""},
	{"fexit.multi", "TracingMulti", sys.AttachTraceFexitMulti, "", "TestKernelTracingMultiOthers/trace_fexit_multi", ""},
	{"fsession.multi", "TracingMulti", sys.AttachTraceFsessionMulti, "", "TestKernelTracingMultiOthers/trace_fsession_multi", ""},
	{"freplace", "Freplace", noHook, "5.6", "TestKernelFreplace", ""},
	{"iterator", "Iter", sys.AttachTraceIter, "", "TestKernelIter", ""},
	{"struct_ops", "StructOps", sys.AttachStructOps, "6.4", "TestKernelStructOps", "a map with BPF_F_LINK; others are registered by writing to them"},
	{"lirc_mode2", "LIRC", sys.AttachLIRCMode2, "", "", "Debian configures no kernel with it (CONFIG_BPF_LIRC_MODE2)"},
	{"XDP in a device map", "", sys.AttachXDPDevMap, "", "", "attached by writing to the map"},
	{"XDP in a CPU map", "", sys.AttachXDPCPUMap, "", "", "attached by writing to the map"},
}

// allRows adds a row for each hook of cgroups.
func allRows() []attachRow {
	rows := slices.Clone(attachRows)
	for a := range sys.AttachTypes() {
		name := a.String()
		if strings.HasPrefix(name, "cgroup_") {
			rows = append(rows, attachRow{what: strings.ReplaceAll(name, "_", " "), function: "Cgroup", hook: a, test: "TestKernelCgroupHooks/" + name})
		}
	}
	return rows
}

func (r attachRow) version() string {
	if r.since == "" && r.hook != noHook {
		return r.hook.Since()
	}
	return r.since
}

// cell says what is known of a kernel.
func (r attachRow) cell(kernel, verdict string) string {
	switch {
	case ktest.Before(kernel, r.version()):
		return "–"
	case r.test == "":
		return ""
	case verdict == "PASS":
		return "tested"
	case verdict == "SKIP":
		return "not there"
	}
	return "FAILS"
}

const attachIntro = `# Ways to attach, kernels, tests

Each way to attach a program, the function of package [link](../link) that does it, the Linux that brought it, and whether its test passes on the
kernels of the test matrix. A test attaches for real and observes the effect: a packet counted or dropped, a call refused, a function traced.

"–" is a kernel from before the hook, "not there" one whose configuration or architecture leaves it out. An empty cell is something that the
note explains. Kernels are for x86-64 where no architecture stands behind their number.

This page is made by ` + "`go test ./link -run TestAttachTable -update`" + ` from the files in link/testdata/kernels, and those by

    go run ./internal/vmtest -kernels 6.1 -v ./link | sed -n 's/^ *--- \([A-Z]*\): \([^ ]*\) (.*/\1 \2/p' >link/testdata/kernels/6.1.txt

or with -arch s390x into 6.1-s390x.txt.

`

func render(rows []attachRow, results *ktest.Results) string {
	kernels := results.Kernels
	var b strings.Builder
	b.WriteString(attachIntro)
	b.WriteString("| attachment | function | since | " + strings.Join(kernels, " | ") + " | note |\n")
	b.WriteString("| --- | --- | --- |" + strings.Repeat(" --- |", len(kernels)) + " --- |\n")
	for _, r := range rows {
		b.WriteString("| " + r.what + " | " + r.function + " | " + r.version() + " |")
		for _, k := range kernels {
			b.WriteString(" " + r.cell(k, results.Verdict(k, r.test)) + " |")
		}
		b.WriteString(" " + r.note + " |\n")
	}
	return strings.ReplaceAll(b.String(), "  |", " |")
}

// The page of attach types is up to date, names every hook that package sys knows, and
// each test that it speaks of passed.
func TestAttachTable(t *testing.T) {
	rows := allRows()
	for a := range sys.AttachTypes() {
		if !slices.ContainsFunc(rows, func(r attachRow) bool { return r.hook == a }) {
			t.Errorf("%s has no row", a)
		}
	}
	got := render(rows, ktest.ReadResults(t, "testdata/kernels"))
	if strings.Contains(got, "FAILS") {
		t.Error("a test failed or was not run")
	}
	const page = "../docs/attach-types.md"
	if *update {
		if err := os.WriteFile(page, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s differs; go test ./link -run TestAttachTable -update rewrites it (-want +got):\n%s", page, diff)
	}
}
