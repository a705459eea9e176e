package link

import (
	"strconv"

	"github.com/lode-bpf/lode/sys"
)

// Tracing attaches a program that was loaded with its target in the kernel: fentry,
// fexit, fmod_ret, tp_btf, fsession and LSM. cookie is what bpf_get_attach_cookie
// returns to it (not 0: Linux 5.18). Kernels before 5.5's links use the raw
// tracepoint command, as they did then.
func Tracing(k sys.Kernel, prog int, a sys.AttachType, cookie uint64) (*Link, error) {
	what := a.String()
	fd, err := sys.LinkCreate(k, &sys.LinkCreateTracingAttr{ProgFD: int32(prog), AttachType: a, Cookie: cookie})
	if sys.ErrnoOf(err) == sys.EINVAL && cookie == 0 {
		fd, err = sys.RawTracepointOpen(k, &sys.RawTracepointOpenAttr{ProgFD: int32(prog)})
	}
	if err != nil {
		return checked(k, prog, sys.ProgTypeTracing, sys.ProgTypeLSM)(nil, wrap("attaching", what, explain(k, sys.AttachTypeFeature(a), err, nil)))
	}
	return &Link{k: k, fd: fd, what: what}, nil
}

// TracingMultiOptions are the functions of a fentry.multi, fexit.multi or
// fsession.multi program, by the ids of their types in the kernel's BTF.
type TracingMultiOptions struct {
	IDs     []uint32
	Cookies []uint64 // one for each, or none
}

// TracingMulti attaches a program to many functions (Linux 7.2).
func TracingMulti(k sys.Kernel, prog int, a sys.AttachType, o TracingMultiOptions) (*Link, error) {
	return checked(k, prog, sys.ProgTypeTracing)(attach(k, a.String()+" on "+strconv.Itoa(len(o.IDs))+" functions", a, &sys.LinkCreateTracingMultiAttr{ProgFD: int32(prog), AttachType: a,
		IDs: sys.SlicePtr(o.IDs), Cookies: sys.SlicePtr(o.Cookies), Count: uint32(len(o.IDs))}, nil))
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
		return checked(k, prog, sys.ProgTypeExt)(nil, wrap("attaching", "freplace", explain(k, sys.ProgTypeFeature(sys.ProgTypeExt), err, nil)))
	}
	return &Link{k: k, fd: fd, what: "freplace"}, nil
}

// RawTracepoint attaches a program to a raw tracepoint by name. cookie needs Linux
// 6.10 unless it is 0.
func RawTracepoint(k sys.Kernel, prog int, name string, cookie uint64) (*Link, error) {
	what := "raw tracepoint " + strconv.Quote(name)
	fd, err := sys.RawTracepointOpen(k, &sys.RawTracepointOpenAttr{Name: sys.StringPtr(name), ProgFD: int32(prog), Cookie: cookie})
	if err != nil {
		return checked(k, prog, sys.ProgTypeRawTracepoint, sys.ProgTypeRawTracepointWritable)(nil, wrap("attaching", what, err))
	}
	return &Link{k: k, fd: fd, what: what}, nil
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
	return checked(k, prog, sys.ProgTypeNetfilter)(attach(k, "netfilter hook "+strconv.FormatUint(uint64(o.Hook), 10), sys.AttachNetfilter, attr, nil))
}

// StructOps registers a struct_ops map that was created with BPF_F_LINK and filled
// (Linux 6.4). Update takes another map, not a program.
func StructOps(k sys.Kernel, mapFD int) (*Link, error) {
	return attach(k, "struct_ops", sys.AttachStructOps, &sys.LinkCreateMapAttr{MapFD: int32(mapFD), AttachType: sys.AttachStructOps}, nil)
}
