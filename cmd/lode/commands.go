package main

// commands is every command there is, in the order of the listing.
var commands = []command{
	{name: "inspect", args: "FILE...", brief: "Show what object files say: sections, programs, maps, externs, types", run: inspect, flags: commonFlags,
		help: "examples:\n  lode inspect counter.bpf.o\n  lode inspect --json *.o\n\nNeeds no privileges and runs on any system."},
	{name: "disasm", args: "FILE [PROGRAM]", brief: "Show the instructions of an object, with source lines and relocations", run: disasm, flags: disasmFlags,
		help: "examples:\n  lode disasm counter.bpf.o count\n  lode disasm --env live counter.bpf.o          # as this kernel would get it\n  lode disasm --env debian-6.1.env --style llvm counter.bpf.o\n\nNeeds no privileges."},
	{name: "plan", args: "FILE", brief: "Show what loading an object would do, step by step, and why", run: plan, flags: planFlags,
		help: "examples:\n  lode plan counter.bpf.o\n  lode plan --pin-root /sys/fs/bpf/app --json counter.bpf.o\n  lode plan --env debian-6.1.env counter.bpf.o\n  lode plan --now counter.bpf.o\n\nNeeds no privileges; what only a kernel can tell is \"unknown\", unless --now looks."},
	{name: "load", args: "FILE", brief: "Load an object, pin what it asks for, and print what exists now", run: load, flags: loadFlags,
		help: "examples:\n  lode load counter.bpf.o\n  lode load --pin-root /sys/fs/bpf/app --only count counter.bpf.o\n  lode load --set verbose=1 --map packets.max_entries=4096 counter.bpf.o\n  lode load --attach probes.bpf.o\n  lode load --dry-run counter.bpf.o\n\nPrograms are pinned too, in the directory OBJECT-programs, so that they live on;\nlinks that --attach makes, in OBJECT-links.\nA value of --set is a number, true, false, the name of an enumerator, the text of\na character array, or the bytes of anything as hex:0011."},
	{name: "replace", args: "FILE", brief: "Load an object as load does, but replace pinned maps that do not match", run: replace, flags: loadFlags,
		help: "example:\n  lode replace --pin-root /sys/fs/bpf/app counter.bpf.o\n\nA map that matches its definition is kept, with what is in it. One that does not\nswaps places with a new one in one step; programs are replaced in the same way."},
	{name: "verify", args: "FILE...", brief: "Show what the kernel's verifier says of objects and of each program alone", run: verify, flags: verifyFlags,
		help: "examples:\n  lode verify *.bpf.o\n  lode verify --json *.bpf.o > before.json\n  lode verify --compare before.json after.json\n\nEach object is opened, loaded as a whole, and then each program of it alone, with\nthe maps of all; nothing stays in the kernel. Times are of the whole step. Exit\nstatus 1 says that something did not pass, or that two results differ. The errno\nof a fault that no system call has reported is EINVAL."},
	{name: "unload", args: "PIN-DIR", brief: "Remove what is pinned in a directory, and the directory", run: unload,
		help: "example:\n  lode unload /sys/fs/bpf/app"},
	{name: "map dump", args: "PIN", brief: "Print the entries of a pinned map", run: mapDump, flags: commonFlags,
		help: "example:\n  lode map dump /sys/fs/bpf/packets"},
}
