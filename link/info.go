package link

import (
	"bytes"
	"iter"

	"github.com/lode-bpf/lode/sys"
)

// An Info is what the kernel tells about a BPF link.
type Info struct {
	Type   sys.LinkType
	ID     uint32
	ProgID uint32 // 0 for a struct_ops map

	AttachType sys.AttachType // of types that have several hooks, else 0
	IfIndex    uint32         // of network devices; 0 if the device is gone
	Name       string         // tracepoint, iterator, function or file

	// Details has everything else: a pointer to the *LinkInfo struct of sys that
	// belongs to Type, nil for types that have none.
	Details sys.Info
}

// Info asks the kernel. A Link without a BPF link has none: EBADF.
func (l *Link) Info() (Info, error) {
	info, err := infoOf(l.k, l.FD())
	return info, wrap("asking about", l.what, err)
}

func infoOf(k sys.Kernel, fd int) (Info, error) {
	var head sys.LinkInfo
	if err := sys.ObjGetInfoByFD(k, fd, &head); err != nil {
		return Info{}, err
	}
	out := Info{Type: head.Type, ID: head.ID, ProgID: head.ProgID}
	name := make([]byte, 512)
	details := detailsOf(k, fd, head.Type, name)
	if details == nil {
		return out, nil
	}
	if err := sys.ObjGetInfoByFD(k, fd, details); err != nil {
		return Info{}, err
	}
	out.Details = details
	text, _, _ := bytes.Cut(name, []byte{0})
	out.Name = string(text)
	switch d := details.(type) {
	case *sys.TracingLinkInfo:
		out.AttachType = d.AttachType
	case *sys.CgroupLinkInfo:
		out.AttachType = d.AttachType
	case *sys.NetnsLinkInfo:
		out.AttachType = d.AttachType
	case *sys.SockMapLinkInfo:
		out.AttachType = d.AttachType
	case *sys.XDPLinkInfo:
		out.AttachType, out.IfIndex = sys.AttachXDP, d.IfIndex
	case *sys.TCXLinkInfo:
		out.AttachType, out.IfIndex = d.AttachType, d.IfIndex
	case *sys.NetkitLinkInfo:
		out.AttachType, out.IfIndex = d.AttachType, d.IfIndex
	}
	return out, nil
}

// detailsOf is an empty struct for a type of link, with room for a name.
func detailsOf(k sys.Kernel, fd int, t sys.LinkType, name []byte) sys.Info {
	buf, size := sys.BytesPtr(name), uint32(len(name))
	switch t {
	case sys.LinkTypeRawTracepoint:
		return &sys.RawTracepointLinkInfo{TPName: buf, TPNameLen: size}
	case sys.LinkTypeTracing:
		return &sys.TracingLinkInfo{}
	case sys.LinkTypeCgroup:
		return &sys.CgroupLinkInfo{}
	case sys.LinkTypeIter:
		return &sys.IterLinkInfo{TargetName: buf, TargetNameLen: size}
	case sys.LinkTypeNetNS:
		return &sys.NetnsLinkInfo{}
	case sys.LinkTypeXDP:
		return &sys.XDPLinkInfo{}
	case sys.LinkTypePerfEvent:
		return perfDetails(k, fd, buf, size)
	case sys.LinkTypeKprobeMulti:
		return &sys.KprobeMultiLinkInfo{}
	case sys.LinkTypeStructOps:
		return &sys.StructOpsLinkInfo{}
	case sys.LinkTypeNetfilter:
		return &sys.NetfilterLinkInfo{}
	case sys.LinkTypeTCX:
		return &sys.TCXLinkInfo{}
	case sys.LinkTypeUprobeMulti:
		return &sys.UprobeMultiLinkInfo{Path: buf, PathSize: size}
	case sys.LinkTypeNetkit:
		return &sys.NetkitLinkInfo{}
	case sys.LinkTypeSockMap:
		return &sys.SockMapLinkInfo{}
	}
	return nil
}

// perfDetails asks what kind of event it is first.
func perfDetails(k sys.Kernel, fd int, buf sys.Pointer, size uint32) sys.Info {
	var e sys.PerfEventLinkInfo
	if sys.ObjGetInfoByFD(k, fd, &e) != nil {
		return nil
	}
	switch e.PerfEventType {
	case sys.BPF_PERF_EVENT_UPROBE, sys.BPF_PERF_EVENT_URETPROBE:
		return &sys.PerfUprobeLinkInfo{FileName: buf, NameLen: size}
	case sys.BPF_PERF_EVENT_KPROBE, sys.BPF_PERF_EVENT_KRETPROBE:
		return &sys.PerfKprobeLinkInfo{FuncName: buf, NameLen: size}
	case sys.BPF_PERF_EVENT_TRACEPOINT:
		return &sys.PerfTracepointLinkInfo{TPName: buf, NameLen: size}
	}
	return &sys.PerfEventLinkInfo{}
}

// All lists every BPF link of the system. Links that vanish meanwhile are left out.
func All(k sys.Kernel) iter.Seq2[Info, error] {
	return func(yield func(Info, error) bool) {
		for id, err := range sys.IDs(k, sys.ObjLink) {
			var info Info
			if err == nil {
				var fd *sys.FD
				if fd, err = sys.GetFDByID(k, sys.ObjLink, id, 0); sys.ErrnoOf(err) == sys.ENOENT {
					continue
				}
				if err == nil {
					info, err = infoOf(k, fd.Int())
					fd.Close()
				}
			}
			if !yield(info, err) {
				return
			}
		}
	}
}
