package link

import (
	"strconv"

	"github.com/lode-bpf/lode/sys"
)

// Tracing attaches a program that was loaded with its target in the kernel: fentry,
// fexit, fmod_ret, tp_btf, fsession and LSM. cookie is what bpf_get_attach_cookie
// returns to it (not 0: Linux 5.19). Kernels without such links use the raw tracepoint
// command; kernels before 5.13 attach a program once in its life: ENOENT afterwards.
func Tracing(k sys.Kernel, prog int, a sys.AttachType, cookie uint64) (*Link, error) {
	fd, err := sys.LinkCreate(k, &sys.LinkCreateTracingAttr{ProgFD: int32(prog), AttachType: a, Cookie: cookie})
	if sys.ErrnoOf(err) == sys.EINVAL && cookie == 0 {
		fd, err = sys.RawTracepointOpen(k, &sys.RawTracepointOpenAttr{ProgFD: int32(prog)})
	}
	if err != nil {
		err = explainCookie(k, cookie, sys.FeatureBPFCookie, "tracing programs", "5.19", explain(k, sys.AttachTypeFeature(a), err, nil))
	}
	return attached(k, prog, a.String(), &Link{fd: fd}, err, sys.ProgTypeTracing, sys.ProgTypeLSM)
}

// TracingMultiOptions are the functions of a fentry.multi, fexit.multi or
// fsession.multi program, by the ids of their types in the kernel's BTF.
type TracingMultiOptions struct {
	IDs     []uint32
	Cookies []uint64 // one for each, or none
}

// TracingMulti attaches a program to many functions (Linux 7.2).
func TracingMulti(k sys.Kernel, prog int, a sys.AttachType, o TracingMultiOptions) (*Link, error) {
	l, err := attach(k, a, &sys.LinkCreateTracingMultiAttr{ProgFD: int32(prog), AttachType: a,
		IDs: sys.SlicePtr(o.IDs), Cookies: sys.SlicePtr(o.Cookies), Count: uint32(len(o.IDs))}, nil)
	return attached(k, prog, a.String()+" on "+strconv.Itoa(len(o.IDs))+" functions", l, err, sys.ProgTypeTracing)
}

// Freplace puts an ext program in the place of a function of another program. With
// target -1 it is the function that the program was loaded for; otherwise the one
// with BTF id btfID in the program target (Linux 5.10), which must have the same type.
func Freplace(k sys.Kernel, prog, target int, btfID uint32) (*Link, error) {
	attr := &sys.LinkCreateAttr{ProgFD: int32(prog)}
	if target >= 0 {
		attr.Target, attr.TargetBTFID = int32(target), btfID
	}
	fd, err := sys.LinkCreate(k, attr)
	if err != nil {
		err = explain(k, sys.ProgTypeFeature(sys.ProgTypeExt), err, nil)
	}
	return attached(k, prog, "freplace", &Link{fd: fd}, err, sys.ProgTypeExt)
}

// getAttachCookie is the helper bpf_get_attach_cookie.
const getAttachCookie sys.Helper = 174

// RawTracepoint attaches a program to a raw tracepoint by name. cookie needs Linux
// 6.10 unless it is 0.
func RawTracepoint(k sys.Kernel, prog int, name string, cookie uint64) (*Link, error) {
	fd, err := sys.RawTracepointOpen(k, &sys.RawTracepointOpenAttr{Name: sys.StringPtr(name), ProgFD: int32(prog), Cookie: cookie})
	err = explainCookie(k, cookie, sys.HelperFeature(sys.ProgTypeRawTracepoint, getAttachCookie), "raw tracepoints", "6.10", err)
	return attached(k, prog, "raw tracepoint "+strconv.Quote(name), &Link{fd: fd}, err, sys.ProgTypeRawTracepoint, sys.ProgTypeRawTracepointWritable)
}

// Netfilter hooks (include/uapi/linux/netfilter.h).
const (
	NFProtoIPv4   = 2
	NFProtoIPv6   = 10
	NFPreRouting  = 0
	NFLocalIn     = 1
	NFForward     = 2
	NFLocalOut    = 3
	NFPostRouting = 4
)

// NetfilterOptions say where in netfilter a program goes.
type NetfilterOptions struct {
	Protocol uint32 // NFProtoIPv4 or NFProtoIPv6
	Hook     uint32 // NFPreRouting …
	Priority int32  // smaller is earlier; must be free
	Defrag   bool   // the program sees whole datagrams
}

// Netfilter attaches a netfilter program in the current network namespace (Linux 6.4).
func Netfilter(k sys.Kernel, prog int, o NetfilterOptions) (*Link, error) {
	attr := &sys.LinkCreateNetfilterAttr{ProgFD: int32(prog), AttachType: sys.AttachNetfilter, PF: o.Protocol, HookNum: o.Hook, Priority: o.Priority}
	if o.Defrag {
		attr.NetfilterFlags = sys.BPF_F_NETFILTER_IP_DEFRAG
	}
	l, err := attach(k, sys.AttachNetfilter, attr, nil)
	return attached(k, prog, "netfilter hook "+strconv.FormatUint(uint64(o.Hook), 10), l, err, sys.ProgTypeNetfilter)
}

// StructOps registers a struct_ops map that was created with BPF_F_LINK and filled
// (Linux 6.4). Update takes another map, not a program.
func StructOps(k sys.Kernel, mapFD int) (*Link, error) {
	l, err := attach(k, sys.AttachStructOps, &sys.LinkCreateMapAttr{MapFD: int32(mapFD), AttachType: sys.AttachStructOps}, nil)
	return attached(k, -1, "struct_ops", l, err)
}
