package prog

import (
	"encoding/binary"
	"errors"
	"iter"
	"strconv"

	"github.com/lode-bpf/lode/sys"
)

var nativeEndian = binary.NativeEndian

// A Program is a program in the kernel and a descriptor of it, which it owns:
// Close releases that. The program itself lives as long as anything refers to
// it: a descriptor, a pin, a link, an attachment.
type Program struct {
	fd   *sys.FD
	name string
	typ  sys.ProgType
}

// FD is the descriptor's number; -1 after Close. It stays the program's.
func (p *Program) FD() int { return p.fd.Int() }

// Name is the name of the definition, or the kernel's name of a program that
// was not loaded here.
func (p *Program) Name() string { return p.name }

// Type is the program's type.
func (p *Program) Type() sys.ProgType { return p.typ }

// String is the name and type.
func (p *Program) String() string {
	return "program " + quote(p.name) + " (" + p.typ.String() + ")"
}

// Close releases the descriptor. It may be called more than once.
func (p *Program) Close() error {
	if p == nil {
		return nil
	}
	return p.fd.Close()
}

// Clone is another handle to the same program, with a descriptor of its own.
func (p *Program) Clone() (*Program, error) {
	fd, err := p.fd.Dup()
	if err != nil {
		return nil, err
	}
	return &Program{fd: fd, name: p.name, typ: p.typ}, nil
}

// BindMap makes the program hold a map that its code does not refer to, so that
// whoever looks at the program finds it (Linux 5.10).
func (p *Program) BindMap(mapFD int) error { return sys.ProgBindMap(p.fd.Kernel(), p.FD(), mapFD) }

// ReadStream reads what the program wrote to a stream of its own, by
// sys.BPF_STREAM_STDOUT or STDERR (Linux 6.18): helper-like functions such as
// bpf_stream_printk write to the one, the kernel's reports of faults go to the
// other. What has been read is gone; 0 bytes mean that there is nothing.
func (p *Program) ReadStream(stream uint32, buf []byte) (int, error) {
	return sys.ProgStreamRead(p.fd.Kernel(), p.FD(), stream, buf)
}

// Pin gives the program a path in bpffs, which keeps it alive.
func (p *Program) Pin(path string) error {
	return sys.ObjPin(p.fd.Kernel(), &sys.ObjAttr{Pathname: sys.StringPtr(path), BPFFD: p.fd.Num()})
}

// FromFD makes a Program of a descriptor, which it takes ownership of; if that
// fails the descriptor is closed.
func FromFD(k sys.Kernel, fd *sys.FD) (*Program, error) { return adopt(k, fd) }

// A NotProgramError says that a descriptor is one of something else.
type NotProgramError struct{ FD int }

func (e *NotProgramError) Error() string {
	return "prog: descriptor " + strconv.Itoa(e.FD) + " is not one of a program"
}

// FromID opens the program with an id; an error that matches sys.ENOENT says
// that there is none.
func FromID(k sys.Kernel, id uint32) (*Program, error) {
	fd, err := sys.GetFDByID(k, sys.ObjProg, id, 0)
	if err != nil {
		return nil, err
	}
	return adopt(k, fd)
}

// FromPin opens the program that is pinned at a path in bpffs.
func FromPin(k sys.Kernel, path string) (*Program, error) {
	fd, err := sys.ObjGet(k, &sys.ObjAttr{Pathname: sys.StringPtr(path)})
	if err != nil {
		return nil, err
	}
	return adopt(k, fd)
}

// adopt makes a Program of a descriptor that is closed if it is not one.
func adopt(k sys.Kernel, fd *sys.FD) (*Program, error) {
	n := fd.Int()
	var info sys.ProgInfo
	err := sys.ObjGetInfoByFD(k, n, &info)
	if err == nil && info.NrProgTags == 0 && info.VerifiedInsns == 0 {
		// The kernel describes a map or link with the same call; these two
		// fields stand where the description of nothing else reaches.
		err = &NotProgramError{FD: n}
	}
	if err != nil {
		return nil, errors.Join(err, fd.Close())
	}
	return &Program{fd: fd, name: info.Name.String(), typ: info.Type}, nil
}

// All opens the programs of the system, one after the other, in the order of
// their ids. Each is closed when the loop goes on: Clone those that are to
// stay. An error is yielded once, as the last pair.
func All(k sys.Kernel) iter.Seq2[*Program, error] {
	return func(yield func(*Program, error) bool) {
		for id, err := range sys.IDs(k, sys.ObjProg) {
			if err != nil {
				yield(nil, err)
				return
			}
			p, err := FromID(k, id)
			if sys.ErrnoOf(err) == sys.ENOENT {
				continue // it went in between
			}
			more := yield(p, err)
			p.Close()
			if !more || err != nil {
				return
			}
		}
	}
}
