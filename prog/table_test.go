package prog_test

import (
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/lode-bpf/lode/internal/ktest"
	"github.com/lode-bpf/lode/sys"
)

// A typeRow is a program type, the test that loads such a program, and the tests
// that see what one does: test runs here, effects of attached programs in package link.
type typeRow struct {
	typ   sys.ProgType
	load  string // of TestKernelTypes, or the name of another test
	runs  string // here
	links string // in package link
	sees  string
}

const runs = "/run"

// typeRows is docs/program-types.md.
var typeRows = []typeRow{
	{sys.ProgTypeSocketFilter, "socket", runs, "TestKernelSocketFilter", "the result of a test run, which packets a socket gets"},
	{sys.ProgTypeKprobe, "kprobe:do_nanosleep", "", "TestKernelKprobe", "calls of a kernel function"},
	{sys.ProgTypeSchedCls, "tc", runs, "TestKernelTC", "the result of a test run, which packets arrive"},
	{sys.ProgTypeSchedAct, "action", runs, "", "the result of a test run"},
	{sys.ProgTypeTracepoint, "tp:sched:sched_switch", "", "TestKernelTracepoint", "hits of a tracepoint"},
	{sys.ProgTypeXDP, "xdp", runs, "TestKernelXDP", "the result of a test run, which packets arrive"},
	{sys.ProgTypePerfEvent, "perf_event", "", "TestKernelPerfEvent", "hits of an event"},
	{sys.ProgTypeCgroupSKB, "cgroup_skb:ingress", runs, "TestKernelCgroupHooks/cgroup_inet_ingress", "the result of a test run, which packets arrive"},
	{sys.ProgTypeCgroupSock, "cgroup:sock_create", "", "TestKernelCgroupHooks/cgroup_inet_sock_create", "which sockets are made"},
	{sys.ProgTypeLWTIn, "lwt_in", runs, "", "the result of a test run"},
	{sys.ProgTypeLWTOut, "lwt_out", runs, "", "the result of a test run"},
	{sys.ProgTypeLWTXmit, "lwt_xmit", runs, "", "the result of a test run"},
	{sys.ProgTypeSockOps, "sockops", "", "TestKernelCgroupHooks/cgroup_sock_ops", "events of a connection"},
	{sys.ProgTypeSKSKB, "sk_skb:stream_verdict", "", "TestKernelSKSKBVerdict/sk_skb_stream_verdict", "what a socket receives"},
	{sys.ProgTypeCgroupDevice, "cgroup:dev", "", "TestKernelCgroupHooks/cgroup_device", "which devices can be opened"},
	{sys.ProgTypeSKMsg, "sk_msg", "", "TestKernelSockMap", "messages of a socket"},
	{sys.ProgTypeRawTracepoint, "raw_tp:sys_enter", runs, "TestKernelRawTracepoint", "the result of a test run, hits of a tracepoint"},
	{sys.ProgTypeCgroupSockAddr, "cgroup:bind4", "", "TestKernelCgroupHooks/cgroup_inet4_bind", "which addresses can be bound"},
	{sys.ProgTypeLWTSeg6Local, "lwt_seg6local", runs, "", "the result of a test run, which later kernels have not for this type"},
	{sys.ProgTypeLIRCMode2, "lirc_mode2", "", "", "no kernel of the tests is configured with it"},
	{sys.ProgTypeSKReuseport, "sk_reuseport", "", "TestKernelSKReuseportSelects", "which socket gets a packet"},
	{sys.ProgTypeFlowDissector, "flow_dissector", runs, "TestKernelNetNS", "the result of a test run"},
	{sys.ProgTypeCgroupSysctl, "cgroup:sysctl", "", "TestKernelCgroupHooks/cgroup_sysctl", "which sysctls can be read"},
	{sys.ProgTypeRawTracepointWritable, "raw_tp.w:nbd_send_request", "TestKernelWritableTracepoint", "", "what the kernel makes of a changed argument"},
	{sys.ProgTypeCgroupSockOpt, "cgroup:getsockopt", "", "TestKernelCgroupHooks/cgroup_getsockopt", "what a socket option is"},
	{sys.ProgTypeTracing, "fentry:bpf_fentry_test1", "", "TestKernelTracing/trace_fentry", "calls of a kernel function"},
	{sys.ProgTypeStructOps, "TestKernelStructOps", "TestKernelStructOpsRegistered", "", "a congestion control that sockets can choose"},
	{sys.ProgTypeExt, "", "", "TestKernelFreplace", "the result of the program whose function it replaces"},
	{sys.ProgTypeLSM, "lsm:file_open", "", "TestKernelLSM", "which files can be opened"},
	{sys.ProgTypeSKLookup, "sk_lookup", runs, "TestKernelSKLookupSteers", "the result of a test run, which socket gets a packet"},
	{sys.ProgTypeSyscall, "syscall", runs, "", "the result of a test run"},
	{sys.ProgTypeNetfilter, "netfilter", runs, "TestKernelNetfilter", "the result of a test run, which packets arrive"},
}

const typesIntro = `# Program types, kernels, tests

Each type of program, the Linux that brought it, and whether its tests pass on the kernels of the test matrix. One loads such a program and
asks the kernel what it has; others, here or in package [link](../link), see what one does.

"–" is a kernel from before the type, "not there" one whose configuration leaves it out, and "loaded" one on which nothing runs a program of
that type. [How programs attach](attach-types.md) is a table of its own.

This page is made by ` + "`go test ./prog -run TestTypesTable -update`" + ` from the files in prog/testdata/kernels and link/testdata/kernels, and those by

    go run ./internal/vmtest -kernels 6.1 -v ./prog | sed -n 's/^ *--- \([A-Z]*\): \([^ ]*\) (.*/\1 \2/p' >prog/testdata/kernels/6.1.txt

`

// cell says what is known of a kernel.
func (r typeRow) cell(kernel string, here, link *ktest.Results) string {
	load := r.load
	if load != "" && !strings.HasPrefix(load, "TestKernel") {
		load = "TestKernelTypes/" + load
	}
	run := r.runs
	if run == runs {
		run = load + runs
	}
	verdicts := [...]string{here.Verdict(kernel, load), here.Verdict(kernel, run), link.Verdict(kernel, r.links)}
	switch {
	case ktest.Before(kernel, r.typ.Since()):
		return "–"
	case slices.Contains(verdicts[:], "FAIL"):
		return "FAILS"
	case verdicts[1] == "PASS" || verdicts[2] == "PASS":
		return "tested"
	case verdicts[0] == "PASS":
		return "loaded"
	case slices.Contains(verdicts[:], "SKIP"):
		return "not there"
	}
	return "FAILS" // was not run
}

func typesPage(here, link *ktest.Results) string {
	var b strings.Builder
	b.WriteString(typesIntro)
	b.WriteString("| type | since | " + strings.Join(here.Kernels, " | ") + " | the tests see |\n")
	b.WriteString("| --- | --- |" + strings.Repeat(" --- |", len(here.Kernels)) + " --- |\n")
	for _, r := range typeRows {
		b.WriteString("| " + r.typ.String() + " | " + r.typ.Since() + " |")
		for _, kernel := range here.Kernels {
			b.WriteString(" " + r.cell(kernel, here, link) + " |")
		}
		b.WriteString(" " + r.sees + " |\n")
	}
	return b.String()
}

// The page of program types is up to date, has every type that package sys knows, and
// each test that it speaks of passed.
func TestTypesTable(t *testing.T) {
	for typ := range sys.ProgTypes() {
		if !slices.ContainsFunc(typeRows, func(r typeRow) bool { return r.typ == typ }) {
			t.Errorf("%v has no row", typ)
		}
	}
	const page = "../docs/program-types.md"
	got := typesPage(ktest.ReadResults(t, "testdata/kernels"), ktest.ReadResults(t, "../link/testdata/kernels"))
	if strings.Contains(got, "FAILS") {
		t.Error("a test failed or was not run")
	}
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
		t.Errorf("%s differs; go test ./prog -run TestTypesTable -update rewrites it (-want +got):\n%s", page, diff)
	}
}
