package link_test

import (
	"errors"
	"fmt"
	"strings"

	"github.com/lode-bpf/lode/link"
	"github.com/lode-bpf/lode/sys"
)

// A recording stands in for the kernel, so that the examples run anywhere; the same
// calls work with sys.Live() and the descriptor of a loaded program.
func kernel(recording string) sys.Kernel {
	k, err := sys.NewReplay(strings.NewReader(recording))
	if err != nil {
		panic(err)
	}
	return k
}

func Example() {
	k := kernel(`BPF_RAW_TRACEPOINT_OPEN name="sched_switch" prog_fd=ext#1 = link#1
BPF_OBJ_PIN pathname="/sys/fs/bpf/switches" bpf_fd=link#1 = 0
close link#1 = 0
`)
	const prog = 7 // descriptor of a raw tracepoint program

	l, err := link.RawTracepoint(k, prog, "sched_switch", 0)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer l.Close() // the pin keeps the program attached

	fmt.Println(l, l.Pin("/sys/fs/bpf/switches"))
	// Output: raw tracepoint "sched_switch" <nil>
}

func ExampleTakenError() {
	k := kernel(`BPF_LINK_CREATE prog_fd=ext#1 target_fd=ext#2 attach_type=flow_dissector = EEXIST
BPF_PROG_QUERY target_fd=ext#2 attach_type=flow_dissector prog_cnt=64 = 0 attach_type=flow_dissector prog_cnt=1 prog_ids=[prog-id#1]
`)
	const prog, namespace = 7, 8

	_, err := link.NetNS(k, prog, namespace, sys.AttachFlowDissector)
	var taken *link.TakenError
	fmt.Println(errors.As(err, &taken), len(taken.Programs))
	// Output: true 1
}

func ExampleAuto() {
	_, err := link.Auto(kernel(""), 7, link.Target{Kind: "kprobe"}) // section "kprobe", no function behind it
	fmt.Println(err)
	// Output: link: attaching kprobe: the section name says what kind of program it is (kprobe), but not where it goes: attach it with a function of this package
}
