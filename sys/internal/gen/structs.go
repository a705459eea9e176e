package gen

// Parts are the generated files of package sys.
var Parts = []Part{
	{File: "attr_table.go", Structs: attrs},
	{File: "info_table.go", Structs: infos},
}

var relative = map[string]string{"target_fd": "Target", "relative_fd": "Relative"}

// attrs are the arguments of the commands (union bpf_attr).
var attrs = []Struct{
	{Go: "MapCreateAttr", Doc: "is the argument of BPF_MAP_CREATE.", Type: "bpf_attr", Member: "map_type"},
	{Go: "MapElemAttr", Doc: "is the argument of BPF_MAP_LOOKUP_ELEM, BPF_MAP_UPDATE_ELEM, BPF_MAP_DELETE_ELEM,\n" +
		"BPF_MAP_GET_NEXT_KEY (Value is the buffer of the next key), BPF_MAP_LOOKUP_AND_DELETE_ELEM and BPF_MAP_FREEZE.",
		Type: "bpf_attr", Member: "map_fd"},
	{Go: "MapBatchAttr", Doc: "is the argument of BPF_MAP_LOOKUP_BATCH, BPF_MAP_LOOKUP_AND_DELETE_BATCH,\n" +
		"BPF_MAP_UPDATE_BATCH and BPF_MAP_DELETE_BATCH. Count is the number of elements, in and out.",
		Type: "bpf_attr", Member: "batch", Out: []string{"count"}},
	{Go: "ProgLoadAttr", Doc: "is the argument of BPF_PROG_LOAD.", Type: "bpf_attr", Member: "prog_type",
		Rename: map[string]string{"attach_prog_fd": "AttachFD"}, Out: []string{"log_true_size"}},
	{Go: "ObjAttr", Doc: "is the argument of BPF_OBJ_PIN and BPF_OBJ_GET. Pathname is relative to PathFD if\n" +
		"FileFlags has BPF_F_PATH_FD.", Type: "bpf_attr", Member: "pathname"},
	{Go: "ProgAttachAttr", Doc: "is the argument of BPF_PROG_ATTACH and BPF_PROG_DETACH. Target is a descriptor or,\n" +
		"for hooks of a network device, an interface index; Relative is a descriptor or, with BPF_F_ID, an id.",
		Type: "bpf_attr", Member: "target_fd", Rename: relative},
	{Go: "ProgTestRunAttr", Doc: "is the argument of BPF_PROG_TEST_RUN.", Type: "bpf_attr", Member: "test",
		Kind: map[string]Kind{
			"data_in": ptrIn("data_size_in", 1), "data_out": ptrOut("data_size_out", 1),
			"ctx_in": ptrIn("ctx_size_in", 1), "ctx_out": ptrOut("ctx_size_out", 1)},
		Out: []string{"retval", "data_size_out", "ctx_size_out", "duration"}},
	{Go: "GetIDAttr", Doc: "is the argument of the BPF_*_GET_NEXT_ID commands, which look for the first id above ID, and\n" +
		"of the BPF_*_GET_FD_BY_ID commands, which open the object ID.",
		Type: "bpf_attr", Member: "start_id", Rename: map[string]string{"start_id": "ID", "fd_by_id_token_fd": "TokenFD"},
		Kind: map[string]Kind{"start_id": kind("kindID"), "next_id": kind("kindID")}, Out: []string{"next_id"}},
	{Go: "ObjInfoAttr", Doc: "is the argument of BPF_OBJ_GET_INFO_BY_FD. See [ObjGetInfoByFD] for a typed form.",
		Type: "bpf_attr", Member: "info", Kind: map[string]Kind{"info": kind("kindOpaque"), "info_len": kind("kindVolatile")},
		Out: []string{"info_len"}},
	{Go: "ProgQueryAttr", Doc: "is the argument of BPF_PROG_QUERY. Target is as in ProgAttachAttr; Count is the capacity\n" +
		"of the arrays on input and the number of programs on output.",
		Type: "bpf_attr", Member: "query", Rename: map[string]string{"target_fd": "Target", "prog_cnt": "Count"},
		Out: []string{"attach_flags", "prog_cnt", "revision"}},
	{Go: "RawTracepointOpenAttr", Doc: "is the argument of BPF_RAW_TRACEPOINT_OPEN. Name is nil for programs that were loaded\nwith their target.",
		Type: "bpf_attr", Member: "raw_tracepoint", Kind: map[string]Kind{"name": kind("kindString")}},
	{Go: "BTFLoadAttr", Doc: "is the argument of BPF_BTF_LOAD.", Type: "bpf_attr", Member: "btf",
		Rename: strip("btf_"), Out: []string{"btf_log_true_size"}},
	{Go: "TaskFDQueryAttr", Doc: "is the argument of BPF_TASK_FD_QUERY. FD is a descriptor of the process PID.",
		Type: "bpf_attr", Member: "task_fd_query",
		Kind: map[string]Kind{"fd": kind("kindUint"), "buf": kind("kindOpaque"), "buf_len": kind("kindVolatile"), "probe_addr": kind("kindVolatile")},
		Out:  []string{"buf_len", "prog_id", "fd_type", "probe_offset", "probe_addr"}},
	link("LinkCreateAttr", "is the argument of BPF_LINK_CREATE for attach types that need nothing else. Target is a\n"+
		"descriptor, or an interface index for XDP.", "target_btf_id", nil),
	link("LinkCreateMapAttr", "is the argument of BPF_LINK_CREATE for a struct_ops map.", "map_fd", nil),
	link("LinkCreateIterAttr", "is the argument of BPF_LINK_CREATE for iterators.", "iter_info",
		map[string]Kind{"iter_info": ptrIn("iter_info_len", 1)}),
	link("LinkCreatePerfEventAttr", "is the argument of BPF_LINK_CREATE for kprobes, uprobes, tracepoints and perf events; Target is\n"+
		"the descriptor of the event.", "perf_event", nil),
	link("LinkCreateKprobeMultiAttr", "is the argument of BPF_LINK_CREATE for kprobe.multi and kprobe.session: either Syms or Addrs.", "kprobe_multi",
		map[string]Kind{"syms": kind("kindOpaque"), "addrs": ptrVolatile("cnt", 8), "cookies": ptrIn("cnt", 8)}),
	link("LinkCreateTracingAttr", "is the argument of BPF_LINK_CREATE for fentry, fexit, fmod_ret, tp_btf, LSM and extension programs.", "tracing", nil),
	link("LinkCreateNetfilterAttr", "is the argument of BPF_LINK_CREATE for netfilter hooks.", "netfilter", nil),
	mprog("LinkCreateTCXAttr", "tcx"), mprog("LinkCreateNetkitAttr", "netkit"), mprog("LinkCreateCgroupAttr", "cgroup"),
	link("LinkCreateUprobeMultiAttr", "is the argument of BPF_LINK_CREATE for uprobe.multi and uprobe.session.", "uprobe_multi",
		map[string]Kind{"path": kind("kindString"), "offsets": ptrIn("cnt", 8), "ref_ctr_offsets": ptrIn("cnt", 8), "cookies": ptrIn("cnt", 8)}),
	link("LinkCreateTracingMultiAttr", "is the argument of BPF_LINK_CREATE for fentry.multi, fexit.multi and fsession.multi.", "tracing_multi",
		map[string]Kind{"ids": ptrIn("cnt", 4), "cookies": ptrIn("cnt", 8)}),
	{Go: "LinkUpdateAttr", Doc: "is the argument of BPF_LINK_UPDATE. NewFD and OldFD are programs, or maps for a struct_ops link.",
		Type: "bpf_attr", Member: "link_update", Rename: map[string]string{"new_prog_fd": "NewFD", "old_prog_fd": "OldFD"}},
	{Go: "LinkDetachAttr", Doc: "is the argument of BPF_LINK_DETACH.", Type: "bpf_attr", Member: "link_detach"},
	{Go: "EnableStatsAttr", Doc: "is the argument of BPF_ENABLE_STATS.", Type: "bpf_attr", Member: "enable_stats"},
	{Go: "IterCreateAttr", Doc: "is the argument of BPF_ITER_CREATE.", Type: "bpf_attr", Member: "iter_create"},
	{Go: "ProgBindMapAttr", Doc: "is the argument of BPF_PROG_BIND_MAP.", Type: "bpf_attr", Member: "prog_bind_map"},
	{Go: "TokenCreateAttr", Doc: "is the argument of BPF_TOKEN_CREATE.", Type: "bpf_attr", Member: "token_create"},
	{Go: "ProgStreamReadAttr", Doc: "is the argument of BPF_PROG_STREAM_READ_BY_FD.", Type: "bpf_attr", Member: "prog_stream_read"},
	{Go: "ProgAssocStructOpsAttr", Doc: "is the argument of BPF_PROG_ASSOC_STRUCT_OPS.", Type: "bpf_attr", Member: "prog_assoc_struct_ops"},
	{Go: "CommonAttr", Doc: "is the second argument that any command takes together with BPF_COMMON_ATTRS (see [WithCommon]).",
		Type: "bpf_common_attr", Out: []string{"log_true_size"}},
}

func mprog(name, member string) Struct {
	s := link(name, "is the argument of BPF_LINK_CREATE for "+member+" hooks, which order several programs: Relative is a\n"+
		"descriptor or, with BPF_F_ID, an id.", member, nil)
	s.Rename = relative
	return s
}

func strip(prefix string) map[string]string {
	out := map[string]string{}
	for _, n := range []string{"btf_log_buf", "btf_size", "btf_log_size", "btf_log_level", "btf_log_true_size", "btf_flags", "btf_token_fd"} {
		out[n] = camel(n[len(prefix):])
	}
	return out
}

// infos are the structs that BPF_OBJ_GET_INFO_BY_FD fills.
var infos = []Struct{
	{Go: "MapInfo", Doc: "is what the kernel tells about a map.", Type: "bpf_map_info", Full: true, Out: []string{"*"},
		Kind: map[string]Kind{"type": kind("kindMapType"), "id": kind("kindMapID"), "btf_vmlinux_id": kind("kindBTFID"),
			"netns_dev": kind("kindVolatile"), "netns_ino": kind("kindVolatile"), "hash": ptrOut("hash_size", 1)}},
	{Go: "ProgInfo", Doc: "is what the kernel tells about a program. The pointers and their counts ask for arrays; with a nil\n" +
		"pointer and a count of 0 the kernel reports the count. GPLCompatible is a bit field: not 0 means yes, whichever bit it is.", Type: "bpf_prog_info", Full: true, Out: []string{"*"},
		Kind: progInfoKinds, Rename: map[string]string{"gpl_compatible": "GPLCompatible"}},
	{Go: "BTFInfo", Doc: "is what the kernel tells about a BTF object.", Type: "bpf_btf_info", Full: true, Out: []string{"*"},
		Kind: map[string]Kind{"id": kind("kindBTFID"), "btf": ptrOut("btf_size", 1), "name": ptrOut("name_len", 1)}},
	{Go: "TokenInfo", Doc: "is what the kernel tells about a BPF token: bit masks of what it allows.", Type: "bpf_token_info", Out: []string{"*"}},
	info("LinkInfo", "is what the kernel tells about any link. The other *LinkInfo structs begin with the same three fields.", nil),
	info("RawTracepointLinkInfo", "is LinkInfo of a raw tracepoint.", map[string]Kind{"tp_name": ptrOut("tp_name_len", 1)}, "raw_tracepoint"),
	info("TracingLinkInfo", "is LinkInfo of fentry, fexit, fmod_ret, tp_btf, LSM and extension programs.", nil, "tracing"),
	info("CgroupLinkInfo", "is LinkInfo of a cgroup attach.", map[string]Kind{"cgroup_id": kind("kindVolatile")}, "cgroup"),
	info("IterLinkInfo", "is LinkInfo of an iterator. MapID belongs to map iterators.",
		map[string]Kind{"target_name": ptrOut("target_name_len", 1)}, "iter", "map"),
	info("IterCgroupLinkInfo", "is LinkInfo of a cgroup iterator.",
		map[string]Kind{"target_name": ptrOut("target_name_len", 1), "cgroup_id": kind("kindVolatile")}, "iter", "map", "cgroup"),
	info("IterTaskLinkInfo", "is LinkInfo of a task iterator.",
		map[string]Kind{"target_name": ptrOut("target_name_len", 1), "tid": kind("kindVolatile"), "pid": kind("kindVolatile")}, "iter", "map", "task"),
	info("NetnsLinkInfo", "is LinkInfo of a network namespace attach.", map[string]Kind{"netns_ino": kind("kindVolatile")}, "netns"),
	info("XDPLinkInfo", "is LinkInfo of XDP.", nil, "xdp"),
	info("StructOpsLinkInfo", "is LinkInfo of struct_ops.", nil, "struct_ops"),
	info("NetfilterLinkInfo", "is LinkInfo of netfilter.", nil, "netfilter"),
	info("KprobeMultiLinkInfo", "is LinkInfo of kprobe.multi.",
		map[string]Kind{"addrs": ptrVolatile("count", 8), "cookies": ptrOut("count", 8), "missed": kind("kindVolatile")}, "kprobe_multi"),
	info("UprobeMultiLinkInfo", "is LinkInfo of uprobe.multi.",
		map[string]Kind{"path": ptrOut("path_size", 1), "offsets": ptrOut("count", 8), "ref_ctr_offsets": ptrOut("count", 8), "cookies": ptrOut("count", 8)}, "uprobe_multi"),
	perf("PerfUprobeLinkInfo", "is LinkInfo of a perf event that is a uprobe.", "uprobe"),
	perf("PerfKprobeLinkInfo", "is LinkInfo of a perf event that is a kprobe.", "kprobe"),
	perf("PerfTracepointLinkInfo", "is LinkInfo of a perf event that is a tracepoint.", "tracepoint"),
	perf("PerfEventLinkInfo", "is LinkInfo of any other perf event; EventType is the type of the event.", "event"),
	info("TCXLinkInfo", "is LinkInfo of tcx.", nil, "tcx"),
	info("NetkitLinkInfo", "is LinkInfo of netkit.", nil, "netkit"),
	info("SockMapLinkInfo", "is LinkInfo of a sockmap attach.", nil, "sockmap"),
	info("TracingMultiLinkInfo", "is LinkInfo of fentry.multi, fexit.multi and fsession.multi.",
		map[string]Kind{"ids": ptrOut("count", 4), "addrs": ptrVolatile("count", 8), "cookies": ptrOut("count", 8), "btf_obj_id": kind("kindBTFID")}, "tracing_multi"),
}

func perf(name, doc, choose string) Struct {
	return info(name, doc, map[string]Kind{
		"file_name": ptrOut("name_len", 1), "func_name": ptrOut("name_len", 1), "tp_name": ptrOut("name_len", 1),
		"addr": kind("kindVolatile"), "missed": kind("kindVolatile")}, "perf_event", choose)
}

var progInfoKinds = map[string]Kind{
	"type": kind("kindProgType"), "id": kind("kindProgID"), "attach_btf_obj_id": kind("kindBTFID"),
	"jited_prog_len": kind("kindVolatile"), "jited_prog_insns": ptrVolatile("jited_prog_len", 1),
	"xlated_prog_insns": ptrVolatile("xlated_prog_len", 1), "map_ids": ptrOutIDs("MapIDs", "nr_map_ids"),
	"load_time": kind("kindVolatile"), "created_by_uid": kind("kindVolatile"),
	"netns_dev": kind("kindVolatile"), "netns_ino": kind("kindVolatile"),
	"nr_jited_ksyms": kind("kindVolatile"), "nr_jited_func_lens": kind("kindVolatile"),
	"jited_ksyms": ptrVolatile("nr_jited_ksyms", 8), "jited_func_lens": ptrVolatile("nr_jited_func_lens", 4),
	"func_info": ptrOut("nr_func_info", 8), "line_info": ptrOut("nr_line_info", 16),
	"jited_line_info": ptrVolatile("nr_jited_line_info", 8), "nr_jited_line_info": kind("kindVolatile"),
	"prog_tags":   ptrOut("nr_prog_tags", 8),
	"run_time_ns": kind("kindVolatile"), "run_cnt": kind("kindVolatile"), "recursion_misses": kind("kindVolatile"), "verified_insns": kind("kindVolatile"),
}
