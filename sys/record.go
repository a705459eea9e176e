package sys

import (
	"io"
	"slices"
	"strconv"
	"strings"
	"sync"
)

// A Recorder passes calls on to a kernel and writes one line for each:
//
//	BPF_MAP_CREATE map_type=hash key_size=4 value_size=8 max_entries=16 map_name="counts" = map#1
//	openat2 dir=cwd path="/sys/fs/bpf" flags=directory|path = file#1
//	BPF_OBJ_PIN pathname="counts" bpf_fd=map#1 file_flags=0x4000 path_fd=file#1 = 0
//	close map#1 = 0
//
// The text is deterministic: descriptors, ids and inodes are numbered in order of
// appearance; logs, times and addresses are left out; data of more than 128 bytes
// that goes into the kernel is a digest. Two recordings can be compared with
// diff, and [Replay] answers from one. The value of a struct_ops map is left out,
// too, because it holds descriptors in places that only its type tells.
//
// Calls are made one at a time.
type Recorder struct {
	k   Kernel
	mu  sync.Mutex
	t   *tape
	w   io.Writer
	err error
}

// NewRecorder records the calls that go through it to k.
func NewRecorder(k Kernel, w io.Writer) *Recorder { return &Recorder{k: k, t: newTape(), w: w} }

// Err is the first error of the writer; recording stops there, calls go on.
func (r *Recorder) Err() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.err
}

func (r *Recorder) line(request, response string) {
	if r.err == nil {
		_, r.err = io.WriteString(r.w, request+" = "+response+"\n")
	}
}

// failed is the response of a call that failed.
func failed(err error) string {
	if n := ErrnoOf(err); n != 0 {
		return ErrnoName(n)
	}
	return "error " + quote(err.Error())
}

// fdKind names the descriptor that a command returns.
func fdKind(cmd Cmd) string {
	switch cmd {
	case CmdMapCreate, CmdMapGetFDByID:
		return "map"
	case CmdProgLoad, CmdProgGetFDByID:
		return "prog"
	case CmdBTFLoad, CmdBTFGetFDByID:
		return "btf"
	case CmdEnableStats:
		return "stats"
	case CmdIterCreate:
		return "iter"
	case CmdTokenCreate:
		return "token"
	}
	return "link"
}

// BPF records and makes a command.
func (r *Recorder) BPF(cmd Cmd, attr Attr) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	request := r.t.request(cmd, attr)
	n, err := r.k.BPF(cmd, attr)
	switch {
	case err != nil:
		r.line(request, failed(err)+partial(cmd, attr))
	case cmd == CmdObjGet || cmd == CmdMapGetFDByID:
		kind, sh := describeFD(n)
		s := r.t.opened(kind, n)
		if kind == "map" {
			r.t.shapes[n] = sh
			s += " map_type=" + sh.typ.String() + " key_size=" + strconv.Itoa(sh.key) + " value_size=" + strconv.Itoa(sh.value)
		}
		r.line(request, s)
	case returnsFD(cmd):
		r.line(request, r.t.opened(fdKind(cmd), n))
		if a, ok := attr.(*MapCreateAttr); ok {
			r.t.created(n, a)
		}
	default:
		r.line(request, strconv.Itoa(n)+r.t.outputs(cmd, attr))
	}
	return n, err
}

// partial is what a batch command did before it failed.
func partial(cmd Cmd, attr Attr) string {
	if a, ok := attr.(*MapBatchAttr); ok {
		return " count=" + strconv.FormatUint(uint64(a.Count), 10)
	}
	return ""
}

func (r *Recorder) plain(request string, call func() error) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	err := call()
	if err != nil {
		r.line(request, failed(err))
	} else {
		r.line(request, "0")
	}
	return err
}

func (r *Recorder) answer(request func() string, call func() (string, error)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	q := request()
	s, err := call()
	if err != nil {
		s = failed(err)
	}
	r.line(q, s)
}

// locked builds the text of a request.
func (r *Recorder) locked(f func(*tape) string) string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return f(r.t)
}

// OpenAt records and makes the call.
func (r *Recorder) OpenAt(dir int, path string, how OpenHow) (fd int, err error) {
	r.answer(func() string { return r.t.openAt(dir, path, how) }, func() (string, error) {
		if fd, err = r.k.OpenAt(dir, path, how); err != nil {
			return "", err
		}
		return r.t.opened("file", fd), nil
	})
	return fd, err
}

// MkdirAt records and makes the call.
func (r *Recorder) MkdirAt(dir int, path string, mode uint32) error {
	return r.plain(r.locked(func(t *tape) string { return t.mkdirAt(dir, path, mode) }),
		func() error { return r.k.MkdirAt(dir, path, mode) })
}

// UnlinkAt records and makes the call.
func (r *Recorder) UnlinkAt(dir int, path string, flags int) error {
	return r.plain(r.locked(func(t *tape) string { return t.unlinkAt(dir, path, flags) }),
		func() error { return r.k.UnlinkAt(dir, path, flags) })
}

// SymlinkAt records and makes the call.
func (r *Recorder) SymlinkAt(target string, dir int, path string) error {
	return r.plain(r.locked(func(t *tape) string { return t.symlinkAt(target, dir, path) }),
		func() error { return r.k.SymlinkAt(target, dir, path) })
}

// RenameAt records and makes the call.
func (r *Recorder) RenameAt(oldDir int, oldPath string, newDir int, newPath string, flags uint) error {
	return r.plain(r.locked(func(t *tape) string { return t.renameAt(oldDir, oldPath, newDir, newPath, flags) }),
		func() error { return r.k.RenameAt(oldDir, oldPath, newDir, newPath, flags) })
}

// FstatAt records and makes the call.
func (r *Recorder) FstatAt(dir int, path string, flags int) (st Stat, err error) {
	r.answer(func() string { return r.t.fstatAt(dir, path, flags) }, func() (string, error) {
		if st, err = r.k.FstatAt(dir, path, flags); err != nil {
			return "", err
		}
		return r.t.stat(st), nil
	})
	return st, err
}

// Fstatfs records and makes the call.
func (r *Recorder) Fstatfs(fd int) (st Statfs, err error) {
	r.answer(func() string { return "fstatfs " + r.t.fd(fd) }, func() (string, error) {
		st, err = r.k.Fstatfs(fd)
		return "type=0x" + strconv.FormatUint(uint64(st.Type), 16) + " flags=" + strconv.FormatUint(st.Flags&ST_RDONLY, 10), err
	})
	return st, err
}

// ReadDir records and makes the call.
func (r *Recorder) ReadDir(fd int) (list []DirEntry, err error) {
	r.answer(func() string { return "readdir " + r.t.fd(fd) }, func() (string, error) {
		list, err = r.k.ReadDir(fd)
		return entries(list), err
	})
	return list, err
}

func entries(list []DirEntry) string {
	var names []string
	for _, e := range list {
		names = append(names, quote(e.Name)+":"+strconv.Itoa(int(e.Type)))
	}
	slices.Sort(names)
	return "[" + strings.Join(names, " ") + "]"
}

// Fchmod records and makes the call.
func (r *Recorder) Fchmod(fd int, mode uint32) error {
	return r.plain(r.locked(func(t *tape) string { return t.fchmod(fd, mode) }), func() error { return r.k.Fchmod(fd, mode) })
}

// Fchown records and makes the call.
func (r *Recorder) Fchown(fd, uid, gid int) error {
	return r.plain(r.locked(func(t *tape) string { return t.fchown(fd, uid, gid) }), func() error { return r.k.Fchown(fd, uid, gid) })
}

// Mount records and makes the call.
func (r *Recorder) Mount(source, target, fstype string, flags uintptr, data string) error {
	return r.plain(mountText(source, target, fstype, flags, data), func() error { return r.k.Mount(source, target, fstype, flags, data) })
}

// Unmount records and makes the call.
func (r *Recorder) Unmount(target string, flags int) error {
	return r.plain(unmountText(target, flags), func() error { return r.k.Unmount(target, flags) })
}

// Mmap records and makes the call.
func (r *Recorder) Mmap(fd int, offset int64, length, prot, flags int) (b []byte, err error) {
	r.answer(func() string { return r.t.mmap(fd, offset, length, prot, flags) }, func() (string, error) {
		b, err = r.k.Mmap(fd, offset, length, prot, flags)
		return "0", err
	})
	return b, err
}

// Munmap records and makes the call.
func (r *Recorder) Munmap(b []byte) error {
	return r.plain("munmap "+strconv.Itoa(len(b)), func() error { return r.k.Munmap(b) })
}

// RaiseMemlock records and makes the call.
func (r *Recorder) RaiseMemlock() error {
	return r.plain("raise_memlock", r.k.RaiseMemlock)
}

// Dup records and makes the call.
func (r *Recorder) Dup(fd int) (n int, err error) {
	r.answer(func() string { return "dup " + r.t.fd(fd) }, func() (string, error) {
		if n, err = r.k.Dup(fd); err != nil {
			return "", err
		}
		return r.t.duplicated(fd, n), nil
	})
	return n, err
}

// Close records and makes the call.
func (r *Recorder) Close(fd int) error {
	r.mu.Lock()
	request := "close " + r.t.fd(fd)
	r.t.closed(fd) // before the call: another goroutine may get the number right after it
	r.mu.Unlock()
	return r.plain(request, func() error { return r.k.Close(fd) })
}
