package main

// commands is every command there is, in the order of the listing.
var commands = []command{
	{name: "inspect", args: "FILE...", brief: "Show what object files say: sections, programs, maps, externs, types", run: inspect, flags: commonFlags,
		help: "examples:\n  lode inspect counter.bpf.o\n  lode inspect --json *.o\n\nNeeds no privileges and runs on any system."},
	{name: "plan", args: "FILE", brief: "Show what loading an object would do, step by step, and why", run: plan, flags: planFlags,
		help: "examples:\n  lode plan counter.bpf.o\n  lode plan --pin-root /sys/fs/bpf/app --json counter.bpf.o\n\nNeeds no privileges; what only a kernel can tell is \"unknown\"."},
	{name: "load", args: "FILE", brief: "Load an object, pin what it asks for, and print what exists now", run: load, flags: loadFlags,
		help: "examples:\n  lode load counter.bpf.o\n  lode load --pin-root /sys/fs/bpf/app --only count counter.bpf.o\n\nPrograms are pinned too, in the directory OBJECT-programs, so that they live on."},
	{name: "unload", args: "PIN-DIR", brief: "Remove what is pinned in a directory, and the directory", run: unload,
		help: "example:\n  lode unload /sys/fs/bpf/app"},
	{name: "map dump", args: "PIN", brief: "Print the entries of a pinned map", run: mapDump, flags: commonFlags,
		help: "example:\n  lode map dump /sys/fs/bpf/packets"},
}
