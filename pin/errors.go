package pin

import (
	"fmt"
	"io/fs"
)

// A NotBPFFSError is a pin directory that is not in a bpffs.
type NotBPFFSError struct {
	Path string
	Type uint32 // magic number of the file system that is there; 0 if nothing is
}

// Error says how to get a bpffs there.
func (e *NotBPFFSError) Error() string {
	if e.Type == 0 {
		return fmt.Sprintf("pin: %q does not exist, and what is above it is not in a bpffs; mount one: mount -t bpf bpf DIR", e.Path)
	}
	s := fmt.Sprintf("pin: %q is not in a bpffs but in a file system of type %#x; mount one there: mount -t bpf bpf DIR", e.Path, e.Type)
	if e.Type == sysfsMagic {
		s += " (a bpffs that was mounted on /sys/fs/bpf is hidden where /sys was mounted anew, as ip netns exec does)"
	}
	return s
}

// Is matches fs.ErrNotExist if nothing is there.
func (e *NotBPFFSError) Is(target error) bool { return e.Type == 0 && target == fs.ErrNotExist }

// A LinkError is a symbolic link in a pin path, which is not followed: it could
// lead out of the bpffs, and whoever can write the directory can change it.
type LinkError struct {
	Path    string
	Element string
	Err     error
}

func (e *LinkError) Error() string {
	return fmt.Sprintf("pin: %q: %q is a symbolic link or leads to another file system; pin paths do not go through such", e.Path, e.Element)
}

func (e *LinkError) Unwrap() error { return e.Err }

// A KindError is a pin of another kind of object than was wanted.
type KindError struct {
	Path string
	Want string // "map", "program", "link"
	Have Entry
}

func (e *KindError) Error() string {
	return fmt.Sprintf("pin: %q is a %s, want a %s", e.Path, e.Have, e.Want)
}

// A PathError is what failed to be done to a pin.
type PathError struct {
	Op   string // "open", "pin", "get", "replace", "remove", "make directory"
	Path string
	Err  error
}

func (e *PathError) Error() string { return fmt.Sprintf("pin: %s %q: %v", e.Op, e.Path, e.Err) }
func (e *PathError) Unwrap() error { return e.Err }
