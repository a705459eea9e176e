package main

import (
	"cmp"
	"fmt"
	"strings"
)

// commands is every command there is, in the order of the listing.
var commands = []command{
	{name: "inspect", args: "FILE...", brief: "Show what object files say: sections, programs, maps, variables, externs", run: inspect, flags: commonFlags,
		help: "examples:\n  lode inspect counter.bpf.o\n  lode inspect --json *.o\n\nNeeds no privileges and runs on any system."},
	{name: "disasm", args: "FILE [PROGRAM]", brief: "Show the instructions of an object, with source lines and relocations", run: disasm, flags: disasmFlags,
		help: "examples:\n  lode disasm counter.bpf.o count\n  lode disasm --env live counter.bpf.o          # as this kernel would get it\n  lode disasm --env debian-6.1.env --style llvm counter.bpf.o\n\nNeeds no privileges."},
	{name: "plan", args: "FILE", brief: "Show what loading an object would do, step by step, and why", run: plan, flags: planFlags,
		help: "examples:\n  lode plan counter.bpf.o\n  lode plan --pin-root /sys/fs/bpf/app --json counter.bpf.o\n  lode plan --env debian-6.1.env counter.bpf.o\n  lode plan --now counter.bpf.o\n\nNeeds no privileges; what only a kernel can tell is \"unknown\", unless --now looks."},
	{name: "load", args: "FILE", brief: "Load an object, pin what it asks for, and print what exists now", run: load, flags: loadFlags,
		help: "examples:\n  lode load counter.bpf.o\n  lode load --pin-root /sys/fs/bpf/app --only count counter.bpf.o\n  lode load --set verbose=1 --map packets.max_entries=4096 counter.bpf.o\n  lode load --attach probes.bpf.o\n  lode load --dry-run counter.bpf.o\n\nPrograms are pinned too, in the directory OBJECT-programs, so that they live on;\nlinks that --attach makes, in OBJECT-links; program arrays, which the kernel would\nempty, in OBJECT-tail-calls.\nA value of --set is a number, true, false, the name of an enumerator, the text of\na character array, or the bytes of anything as hex:0011."},
	{name: "replace", args: "FILE", brief: "Load an object as load does, but replace pinned maps that do not match", run: replace, flags: loadFlags,
		help: "example:\n  lode replace --pin-root /sys/fs/bpf/app counter.bpf.o\n\nA map that matches its definition is kept, with what is in it. One that does not\nswaps places with a new one in one step; programs are replaced in the same way."},
	{name: "verify", args: "FILE...", brief: "Show what the kernel's verifier says of objects and of each program alone", run: verify, flags: verifyFlags,
		help: "examples:\n  lode verify *.bpf.o\n  lode verify --json *.bpf.o > before.json\n  lode verify --compare before.json after.json\n\nEach object is opened, loaded as a whole, and then each program of it alone, with\nthe maps of all; nothing stays in the kernel. Times are of the whole step. Exit\nstatus 1 says that something did not pass, or that two results differ. The errno\nof a fault that no system call has reported is EINVAL.\n\nPrograms in sections that begin with ? are no part of the whole and are loaded alone\nonly; of a struct_ops variable, one program at a time; a freplace program needs the\nprogram that it extends and does not load. A program that is still being verified\nwhen --limit is over is stopped, with errno ETIMEDOUT."},
	{name: "core", args: "FILE...", brief: "Show what the CO-RE relocations of objects come to on kernels", run: core, flags: coreFlags,
		help: "examples:\n  lode core *.bpf.o\n  lode core --btf 5.10.btf --btf 6.1.btf --details counter.bpf.o\n  lode core --btf /var/lib/kernels *.bpf.o\n\nok: as in the object; changed: adapted; guarded: the kernel lacks it and the code\nthat needs it is not reached; missing: it may be reached; ambiguous: the kernel\nhas several that differ; invalid: a contradiction. The worst counts, with how many."},
	{name: "env record", args: "OUT [FILE...]", brief: "Record what relocation needs to know of this kernel", run: envRecord, flags: envRecordFlags,
		help: "examples:\n  lode env record debian-6.1.env\n  lode env record debian-6.1.env probes.bpf.o   # with the addresses of symbols that it asks for\n\nUse it with --env of plan and disasm, and with --btf of core."},
	{name: "env show", args: "FILE", brief: "Show what a recorded kernel knows", run: envShow, flags: commonFlags,
		help: "example:\n  lode env show debian-6.1.env"},
	{name: "btf dump", args: "FILE|vmlinux|MODULE|ID", brief: "Print types as C, Go, raw text or JSON", run: btfDump, flags: btfDumpFlags,
		help: "examples:\n  lode btf dump vmlinux > vmlinux.h\n  lode btf dump --format go --type task_struct vmlinux\n  lode btf dump --format raw counter.bpf.o"},
	{name: "btf find", args: "NAME", brief: "Find types by name in the kernel, its modules, or files", run: btfFind, flags: btfFindFlags,
		help: "examples:\n  lode btf find task_struct\n  lode btf find --in counter.bpf.o count"},
	{name: "btf min", args: "FILE|vmlinux|MODULE|ID OBJECT...", brief: "Write the least of a kernel's types that objects need for CO-RE", run: btfMin, flags: btfMinFlags,
		help: "example:\n  lode btf min -o small.btf vmlinux probes.bpf.o"},
	{name: "unload", args: "PIN-DIR...", brief: "Remove what is pinned in directories, and the directories", run: unload,
		help: "example:\n  lode unload /sys/fs/bpf/app"},
	{name: "pins", args: "[DIR...]", brief: "Show what is pinned, as a tree", run: pins, flags: pinsFlags,
		help: "examples:\n  lode pins\n  lode pins --holders /sys/fs/bpf/app\n\nWithout arguments, in every bpffs that is mounted."},
	{name: "map list", brief: "List the maps of the system", run: mapList, flags: commonFlags,
		help: "example:\n  lode map list --json"},
	{name: "map show", args: "PIN|ID", brief: "Show what the kernel knows of a map", run: mapShow, flags: commonFlags,
		help: "example:\n  lode map show /sys/fs/bpf/packets"},
	{name: "map dump", args: "PIN|ID", brief: "Print the entries of a map", run: mapDump, flags: commonFlags,
		help: "example:\n  lode map dump /sys/fs/bpf/packets"},
	{name: "map update", args: "PIN|ID KEY VALUE", brief: "Set the value of a key", run: mapUpdate,
		help: "examples:\n  lode map update /sys/fs/bpf/limits 7 1000\n  lode map update /sys/fs/bpf/names text:eth0 hex:0a000001\n  lode map update /sys/fs/bpf/stages 0 /sys/fs/bpf/counter-programs/count_ipv4\n\nKeys and values are numbers, hex:0011…, or text:…; in a map of programs or maps the\nvalue is the pin or id of one. A per-CPU map gets the value for every CPU."},
	{name: "map delete", args: "PIN|ID KEY", brief: "Remove a key", run: mapDelete,
		help: "example:\n  lode map delete /sys/fs/bpf/limits 7"},
	{name: "prog list", brief: "List the programs of the system", run: progList, flags: commonFlags,
		help: "example:\n  lode prog list"},
	{name: "prog show", args: "PIN|ID", brief: "Show what the kernel knows of a program", run: progShow, flags: commonFlags,
		help: "example:\n  lode prog show /sys/fs/bpf/counter-programs/count"},
	{name: "prog dump", args: "PIN|ID", brief: "Print the instructions that the kernel runs", run: progDump, flags: commonFlags,
		help: "example:\n  lode prog dump /sys/fs/bpf/counter-programs/count"},
	{name: "prog run", args: "PIN|ID", brief: "Run a program on a packet or context, without attaching it", run: progRun, flags: progRunFlags,
		help: "examples:\n  lode prog run --data packet.bin /sys/fs/bpf/counter-programs/count\n  lode prog run --data hex:ffffffffffff0000000000000800 --repeat 1000000 17"},
	{name: "prog attach", args: "PIN|ID HOOK [TARGET]", brief: "Attach a program that is loaded", run: progAttach, flags: progAttachFlags,
		help: "examples:\n  lode prog attach --pin /sys/fs/bpf/eth0 /sys/fs/bpf/counter-programs/count xdp eth0\n  lode prog attach 17 tcx_ingress eth0\n  lode prog attach 17 cgroup_inet_egress /sys/fs/cgroup/app\n\n" + hookHelp()},
	{name: "link list", brief: "List the links of the system", run: linkList, flags: commonFlags,
		help: "example:\n  lode link list"},
	{name: "link show", args: "PIN|ID", brief: "Show what the kernel knows of a link", run: linkShow, flags: commonFlags,
		help: "example:\n  lode link show /sys/fs/bpf/probes-links/walk"},
	{name: "link update", args: "PIN|ID PROGRAM", brief: "Put another program in the place of an attached one, without a gap", run: linkUpdate,
		help: "example:\n  lode link update /sys/fs/bpf/eth0 /sys/fs/bpf/counter-programs/count\n\nPROGRAM is the pin or the id of a program of the same type."},
	{name: "link detach", args: "PIN|ID", brief: "End an attachment, whoever holds the link", run: linkDetach,
		help: "example:\n  lode link detach 12"},
	{name: "features", args: "[OLD NEW]", brief: "Show what this kernel offers, or how two kernels differ", run: features, flags: featuresFlags,
		help: "examples:\n  lode features > 6.1.features\n  lode features --diff 5.10.features 6.1.features"},
	{name: "conf show", brief: "Show the pinning configuration, and where each value comes from", run: confShow, flags: confFlags,
		help: "example:\n  lode conf show"},
	{name: "conf check", args: "FILE", brief: "Check a pinning configuration file", run: confCheck,
		help: "example:\n  lode conf check /etc/libbpf/pinning.conf"},
	{name: "completion", args: "bash|zsh|fish", brief: "Print a script that makes a shell complete commands and flags", run: completion,
		help: "examples:\n  lode completion bash > /etc/bash_completion.d/lode\n  lode completion fish > ~/.config/fish/completions/lode.fish"},
}

// hookHelp is the table of what prog attach can attach to.
func hookHelp() string {
	var b strings.Builder
	b.WriteString("hooks and their targets:\n")
	for _, h := range hooks {
		fmt.Fprintf(&b, "  %-16s %s\n", h.name, cmp.Or(h.target, "none: what the program was loaded for (fentry, fexit, lsm, tp_btf)"))
	}
	b.WriteString("\nThe names are those of the kernel's attach types; * stands for the rest of one, as\nin cgroup_inet_ingress. A MAP is the pin or id of a sockmap, a NAMESPACE a file\nsuch as /proc/self/ns/net.")
	return b.String()
}
