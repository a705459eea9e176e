package sys

// Flags of bpf(2) under the names of include/uapi/linux/bpf.h. Which command a
// flag belongs to is in the comment of its group: numbers repeat.

// Flags of MapElemAttr.Flags and MapBatchAttr.ElemFlags.
const (
	BPF_ANY        = 0
	BPF_NOEXIST    = 1
	BPF_EXIST      = 2
	BPF_F_LOCK     = 4
	BPF_F_CPU      = 8  // per-CPU maps: only the processor in the upper 32 bits
	BPF_F_ALL_CPUS = 16 // per-CPU maps: the one given value for all processors
)

// Flags of MapCreateAttr.MapFlags; some are also flags of ObjAttr.FileFlags
// (BPF_F_RDONLY, BPF_F_WRONLY, BPF_F_PATH_FD), of GetIDAttr.OpenFlags
// (BPF_F_RDONLY, BPF_F_WRONLY, BPF_F_TOKEN_FD) and of ProgLoadAttr.ProgFlags and
// BTFLoadAttr.Flags (BPF_F_TOKEN_FD).
const (
	BPF_F_NO_PREALLOC      = 1 << 0
	BPF_F_NO_COMMON_LRU    = 1 << 1
	BPF_F_NUMA_NODE        = 1 << 2
	BPF_F_RDONLY           = 1 << 3
	BPF_F_WRONLY           = 1 << 4
	BPF_F_STACK_BUILD_ID   = 1 << 5
	BPF_F_ZERO_SEED        = 1 << 6
	BPF_F_RDONLY_PROG      = 1 << 7
	BPF_F_WRONLY_PROG      = 1 << 8
	BPF_F_CLONE            = 1 << 9
	BPF_F_MMAPABLE         = 1 << 10
	BPF_F_PRESERVE_ELEMS   = 1 << 11
	BPF_F_INNER_MAP        = 1 << 12
	BPF_F_LINK             = 1 << 13
	BPF_F_PATH_FD          = 1 << 14
	BPF_F_VTYPE_BTF_OBJ_FD = 1 << 15
	BPF_F_TOKEN_FD         = 1 << 16
	BPF_F_SEGV_ON_FAULT    = 1 << 17
	BPF_F_NO_USER_CONV     = 1 << 18
	BPF_F_RB_OVERWRITE     = 1 << 19
)

// Flags of ProgLoadAttr.ProgFlags.
const (
	BPF_F_STRICT_ALIGNMENT    = 1 << 0
	BPF_F_ANY_ALIGNMENT       = 1 << 1
	BPF_F_TEST_RND_HI32       = 1 << 2
	BPF_F_TEST_STATE_FREQ     = 1 << 3
	BPF_F_SLEEPABLE           = 1 << 4
	BPF_F_XDP_HAS_FRAGS       = 1 << 5
	BPF_F_XDP_DEV_BOUND_ONLY  = 1 << 6
	BPF_F_TEST_REG_INVARIANTS = 1 << 7
)

// Levels of ProgLoadAttr.LogLevel and BTFLoadAttr.LogLevel.
const (
	BPF_LOG_LEVEL1 = 1 // what the verifier visits
	BPF_LOG_LEVEL2 = 2 // and every state on the way
	BPF_LOG_STATS  = 4 // summary
	BPF_LOG_FIXED  = 8 // keep the beginning, not the end, if the buffer is too small (6.4)
)

// Flags of ProgAttachAttr.AttachFlags and of LinkCreate*Attr.Flags.
const (
	BPF_F_ALLOW_OVERRIDE = 1 << 0
	BPF_F_ALLOW_MULTI    = 1 << 1
	BPF_F_REPLACE        = 1 << 2
	BPF_F_BEFORE         = 1 << 3
	BPF_F_AFTER          = 1 << 4
	BPF_F_ID             = 1 << 5
	BPF_F_PREORDER       = 1 << 6
)

// Flags that belong to one command or one attach type.
const (
	BPF_F_QUERY_EFFECTIVE = 1 << 0 // ProgQueryAttr

	BPF_F_TEST_RUN_ON_CPU            = 1 << 0 // ProgTestRunAttr
	BPF_F_TEST_XDP_LIVE_FRAMES       = 1 << 1 // ProgTestRunAttr
	BPF_F_TEST_SKB_CHECKSUM_COMPLETE = 1 << 2 // ProgTestRunAttr

	BPF_F_KPROBE_MULTI_RETURN  = 1 << 0 // LinkCreateKprobeMultiAttr
	BPF_F_UPROBE_MULTI_RETURN  = 1 << 0 // LinkCreateUprobeMultiAttr
	BPF_F_UPROBE_MULTI_PATH_FD = 1 << 1 // LinkCreateUprobeMultiAttr
	BPF_F_NETFILTER_IP_DEFRAG  = 1 << 0 // LinkCreateNetfilterAttr

	BPF_STATS_RUN_TIME = 0 // EnableStatsAttr.Type

	BPF_STREAM_STDOUT = 1 // ProgStreamReadAttr.StreamID
	BPF_STREAM_STDERR = 2
)

// Values of TaskFDQueryAttr.FDType.
const (
	BPF_FD_TYPE_RAW_TRACEPOINT = iota
	BPF_FD_TYPE_TRACEPOINT
	BPF_FD_TYPE_KPROBE
	BPF_FD_TYPE_KRETPROBE
	BPF_FD_TYPE_UPROBE
	BPF_FD_TYPE_URETPROBE
)

// Values of PerfEventType in the information about perf event links.
const (
	BPF_PERF_EVENT_UNSPEC = iota
	BPF_PERF_EVENT_UPROBE
	BPF_PERF_EVENT_URETPROBE
	BPF_PERF_EVENT_KPROBE
	BPF_PERF_EVENT_KRETPROBE
	BPF_PERF_EVENT_TRACEPOINT
	BPF_PERF_EVENT_EVENT
)

// CmdCommonAttrs is a bit of the command word: bpf(2) has a second argument
// (BPF_COMMON_ATTRS). See [WithCommon].
const CmdCommonAttrs Cmd = 1 << 16

// BPF_FS_MAGIC is the Type that Fstatfs reports for bpffs.
const BPF_FS_MAGIC = 0xcafe4a11

// BPF_OBJ_NAME_LEN is the size of names of maps and programs, with the final NUL.
const BPF_OBJ_NAME_LEN = 16
