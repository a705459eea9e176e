package pin

import (
	"errors"
	"io/fs"
	"strconv"

	"github.com/lode-bpf/lode/sys"
)

// ErrExists matches the error of Pin for a name that is taken.
var ErrExists = fs.ErrExist

// Errors that a *PathError may wrap.
var (
	// ErrForeign: users other than root and the one of this process can change
	// what is pinned in a directory.
	ErrForeign = errors.New("other users could change what is pinned there")
	// ErrRaced: something was changed by somebody else at the same time.
	ErrRaced = errors.New("somebody else changed it at the same time")
)

// A PathError is what failed to be done to a path in bpffs. It unwraps to the
// error of the system call or of this package.
type PathError struct {
	Op   string // "open", "make directory", "pin", "get", "replace", "remove", "list", "mount"
	Path string
	Err  error
	Hint string // what to do about it, if that is known
}

// Error names the operation and the path.
func (e *PathError) Error() string {
	s := "pin: " + e.Op + " " + strconv.Quote(e.Path) + ": " + e.Err.Error()
	if e.Hint != "" {
		s += ": " + e.Hint
	}
	return s
}

// Unwrap is the cause.
func (e *PathError) Unwrap() error { return e.Err }

// A NotBPFFSError is a directory for pins that is not in a bpffs.
type NotBPFFSError struct {
	Path string
	At   string // the part of Path that exists
	Type uint32 // magic number of the file system there; 0 if Path does not exist
}

// sysfsMagic is the Type of sysfs, on which /sys/fs/bpf is where no bpffs is
// mounted (statfs(2)).
const sysfsMagic = 0x62656572

// Error says what is there and how to get a bpffs there.
func (e *NotBPFFSError) Error() string {
	s := "pin: " + strconv.Quote(e.Path)
	if e.Type == 0 {
		return s + " does not exist, and " + strconv.Quote(e.At) + " is not in a bpffs, in which it could be made; mount one: mount -t bpf bpf DIR"
	}
	s += " is not in a bpffs but in a file system of type 0x" + strconv.FormatUint(uint64(e.Type), 16) + "; mount one: mount -t bpf bpf DIR"
	if e.Type == sysfsMagic {
		s += " (where /sys was mounted anew, as by ip netns exec, the bpffs on /sys/fs/bpf is hidden)"
	}
	return s
}

// Is matches fs.ErrNotExist if nothing is there.
func (e *NotBPFFSError) Is(target error) bool { return e.Type == 0 && target == fs.ErrNotExist }

// A LinkError is a symbolic link, or another file system, in a path: it is not
// followed, because whoever can change it decides where that leads.
type LinkError struct {
	Path    string
	Element string // the element that is the link; "" if that is not known
	Err     error  // of the system call; may be nil
}

// Error names the path and the element.
func (e *LinkError) Error() string {
	s := "pin: " + strconv.Quote(e.Path) + ": "
	if e.Element != "" {
		s += strconv.Quote(e.Element) + " "
	} else {
		s += "an element "
	}
	return s + "is a symbolic link or leads to another file system, which is not followed; give the path that it leads to"
}

// Unwrap is the error of the system call.
func (e *LinkError) Unwrap() error { return e.Err }

// A KindError says that something else stands where an object of a kind is
// wanted.
type KindError struct {
	Path string
	Want string // "map", "program", "link"
	Have Entry
}

// Error names both.
func (e *KindError) Error() string {
	return "pin: " + strconv.Quote(e.Path) + " is a " + e.Have.String() + "; a " + e.Want + " is wanted there"
}

// A Finding is something odd that does not keep a directory from being used.
type Finding struct {
	Path string
	Text string
}

// String is the path and the text.
func (f Finding) String() string { return strconv.Quote(f.Path) + ": " + f.Text }

// isErrno says whether err is one of the numbers.
func isErrno(err error, numbers ...sys.Errno) bool {
	have := sys.ErrnoOf(err)
	for _, n := range numbers {
		if have == n {
			return err != nil
		}
	}
	return false
}
