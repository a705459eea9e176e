package sys

import (
	"errors"
	"iter"
)

// An ObjKind is a kind of kernel object that has ids.
type ObjKind uint8

// The kinds, each with its own numbering.
const (
	ObjMap ObjKind = iota
	ObjProg
	ObjBTF
	ObjLink
)

var idCmds = [...]struct {
	name      string
	next, get Cmd
}{
	ObjMap:  {"map", CmdMapGetNextID, CmdMapGetFDByID},
	ObjProg: {"program", CmdProgGetNextID, CmdProgGetFDByID},
	ObjBTF:  {"btf", CmdBTFGetNextID, CmdBTFGetFDByID},
	ObjLink: {"link", CmdLinkGetNextID, CmdLinkGetFDByID},
}

// String is "map", "program", "btf" or "link".
func (o ObjKind) String() string {
	if int(o) < len(idCmds) {
		return idCmds[o].name
	}
	return "object"
}

// GetNextID is the smallest id above id (BPF_*_GET_NEXT_ID); ENOENT if there is none.
func GetNextID(k Kernel, kind ObjKind, id uint32) (uint32, error) {
	a := &GetIDAttr{ID: id}
	if err := call(k, idCmds[kind].next, a); err != nil {
		return 0, err
	}
	return a.NextID, nil
}

// GetFDByID opens the object with an id (BPF_*_GET_FD_BY_ID); ENOENT if it is gone.
// flags are BPF_F_RDONLY or BPF_F_WRONLY for maps, else 0.
func GetFDByID(k Kernel, kind ObjKind, id uint32, flags uint32) (*FD, error) {
	return callFD(k, idCmds[kind].get, &GetIDAttr{ID: id, OpenFlags: flags})
}

// IDs lists the ids of all objects of a kind, ascending. An error other than the
// end of the list is yielded once, as the last pair.
func IDs(k Kernel, kind ObjKind) iter.Seq2[uint32, error] {
	return func(yield func(uint32, error) bool) {
		id := uint32(0)
		for {
			next, err := GetNextID(k, kind, id)
			if errors.Is(err, ENOENT) {
				return
			}
			if err != nil {
				yield(0, err)
				return
			}
			if !yield(next, nil) {
				return
			}
			id = next
		}
	}
}

// An Info is one of the *Info structs, which ObjGetInfoByFD fills.
type Info interface {
	Attr
	info()
}

// ObjGetInfoByFD fills info with what the kernel tells about a map, program, BTF
// object, link or token (BPF_OBJ_GET_INFO_BY_FD). Pointers and counts in info
// are read first; clear them between calls. Fields that the kernel does not know
// keep their values.
func ObjGetInfoByFD(k Kernel, fd int, info Info) error {
	p, l := info.raw()
	a := &infoCall{info: info}
	a.BPFFD, a.InfoLen, a.Info = int32(fd), uint32(l.size), UnsafePtr(p)
	return call(k, CmdObjGetInfoByFD, a)
}

// infoCall is an ObjInfoAttr that remembers the type of its buffer.
type infoCall struct {
	ObjInfoAttr
	info Info
}
