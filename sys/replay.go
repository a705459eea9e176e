package sys

import (
	"bufio"
	"io"
	"slices"
	"strconv"
	"strings"
	"sync"
)

// A Replay answers calls from what a [Recorder] wrote, on any system and without
// privilege. The calls must come in the recorded order with the recorded
// arguments; the first that does not is a *[ReplayError], and so is every call
// after it. Descriptors are numbers from 1000 on that exist nowhere else; memory
// that is mapped is fresh; what a recording leaves out (logs, times, addresses)
// stays as the caller had it. A recording is trusted as the kernel is: it says how
// large the values of a map are that the caller opened.
type Replay struct {
	mu    sync.Mutex
	t     *tape
	lines []string
	at    int // next line
	fds   int
	err   error
}

// A ReplayError says where a run leaves its recording.
type ReplayError struct {
	Line int    // of the recording, from 1
	Want string // the line; "" behind the end
	Got  string // the call that was made instead
}

func (e *ReplayError) Error() string {
	want := e.Want
	if want == "" {
		want = "the end"
	}
	return "sys: recording line " + strconv.Itoa(e.Line) + " is\n\t" + want + "\nbut the call is\n\t" + e.Got
}

// maxRecordingLine bounds one line of a recording.
const maxRecordingLine = 16 << 20

// NewReplay reads a recording. Empty lines and lines that begin with '#' are
// skipped.
func NewReplay(r io.Reader) (*Replay, error) {
	p := &Replay{t: newTape(), fds: 1000}
	sc := bufio.NewScanner(r)
	sc.Buffer(nil, maxRecordingLine)
	for sc.Scan() {
		p.lines = append(p.lines, sc.Text())
	}
	return p, sc.Err()
}

// Finish returns the error that stopped the replay, or one that says which call is
// still missing, or nil.
func (p *Replay) Finish() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.skip()
	if p.err == nil && p.at < len(p.lines) {
		return &ReplayError{Line: p.at + 1, Want: p.lines[p.at], Got: "no further call"}
	}
	return p.err
}

func (p *Replay) skip() {
	for p.at < len(p.lines) && (p.lines[p.at] == "" || p.lines[p.at][0] == '#') {
		p.at++
	}
}

// response is what the recording answers to a request.
func (p *Replay) response(request string) (string, error) {
	if p.err != nil {
		return "", p.err
	}
	p.skip()
	line := ""
	if p.at < len(p.lines) {
		line = p.lines[p.at]
	}
	p.at++
	rest, ok := strings.CutPrefix(line, request+" = ")
	if !ok {
		p.err = &ReplayError{Line: p.at, Want: line, Got: request}
		return "", p.err
	}
	return rest, nil
}

// malformed is the error of a line whose second half cannot be read.
func (p *Replay) malformed(got string) error {
	p.err = &ReplayError{Line: p.at, Want: p.lines[p.at-1], Got: "unreadable: " + got}
	return p.err
}

// result reads a response: its first word, and its fields. A recorded failure is
// an *Error of op.
func (p *Replay) result(op, request string) (string, []pair, error) {
	s, err := p.response(request)
	if err != nil {
		return "", nil, err
	}
	word, rest, _ := strings.Cut(s, " ")
	if e, ok := ParseErrno(word); ok {
		pairs, _ := splitFields(rest)
		return word, pairs, &Error{Op: op, Errno: e, Hint: "recorded"}
	}
	if word == "error" {
		return word, nil, &Error{Op: op, Errno: EIO, Hint: "recorded: " + rest}
	}
	if strings.Contains(word, "=") || strings.HasPrefix(word, "[") {
		word, rest = "0", s
	}
	pairs, ok := splitFields(rest)
	if !ok {
		return "", nil, p.malformed(rest)
	}
	return word, pairs, nil
}

type pair struct{ name, value string }

// splitFields reads "name=value name="quoted value" …".
func splitFields(s string) ([]pair, bool) {
	var out []pair
	for s != "" {
		name, rest, ok := strings.Cut(s, "=")
		if !ok {
			return out, strings.HasPrefix(s, "[")
		}
		value := rest
		if strings.HasPrefix(rest, `"`) {
			q, err := strconv.QuotedPrefix(rest)
			if err != nil {
				return nil, false
			}
			value, s = q, strings.TrimPrefix(rest[len(q):], " ")
		} else {
			value, s, _ = strings.Cut(rest, " ")
		}
		out = append(out, pair{name, value})
	}
	return out, true
}

// open gives the next number to a descriptor that the recording calls word.
func (p *Replay) open(word string) (int, error) {
	kind, _, ok := strings.Cut(word, "#")
	if !ok {
		return -1, p.malformed(word)
	}
	n := p.fds
	p.fds++
	if got := p.t.opened(kind, n); got != word {
		return -1, p.malformed("expected " + got)
	}
	return n, nil
}

// BPF answers a command.
func (p *Replay) BPF(cmd Cmd, attr Attr) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	word, pairs, err := p.result(cmdName(cmd), p.t.request(cmd, attr))
	if err != nil {
		if e, ok := err.(*Error); ok {
			e.Cmd, e.Subject = cmd, subject(attr)
			p.fill(cmd, attr, pairs)
		}
		return -1, err
	}
	if !returnsFD(cmd) {
		if !p.fill(cmd, attr, pairs) {
			return -1, p.malformed("fields of " + cmdName(cmd))
		}
		n, _ := strconv.Atoi(word)
		return n, nil
	}
	n, err := p.open(word)
	if err != nil {
		return -1, err
	}
	if a, ok := attr.(*MapCreateAttr); ok {
		p.t.created(n, a)
	} else if len(pairs) == 3 {
		p.t.shapes[n] = shapeFromText(pairs)
	}
	return n, nil
}

func shapeFromText(pairs []pair) (sh mapShape) {
	for _, f := range pairs {
		switch f.name {
		case "map_type":
			sh.typ, _ = ParseMapType(f.value)
		case "key_size":
			sh.key, _ = strconv.Atoi(f.value)
		case "value_size":
			sh.value, _ = strconv.Atoi(f.value)
		}
	}
	return sh
}

func (p *Replay) plain(op, request string) error {
	_, _, err := p.result(op, request)
	return err
}

// OpenAt answers the call.
func (p *Replay) OpenAt(dir int, path string, how OpenHow) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	word, _, err := p.result("openat2", p.t.openAt(dir, path, how))
	if err != nil {
		return -1, err
	}
	return p.open(word)
}

// MkdirAt answers the call.
func (p *Replay) MkdirAt(dir int, path string, mode uint32) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.plain("mkdirat", p.t.mkdirAt(dir, path, mode))
}

// UnlinkAt answers the call.
func (p *Replay) UnlinkAt(dir int, path string, flags int) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.plain("unlinkat", p.t.unlinkAt(dir, path, flags))
}

// SymlinkAt answers the call.
func (p *Replay) SymlinkAt(target string, dir int, path string) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.plain("symlinkat", p.t.symlinkAt(target, dir, path))
}

// RenameAt answers the call.
func (p *Replay) RenameAt(oldDir int, oldPath string, newDir int, newPath string, flags uint) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.plain("renameat2", p.t.renameAt(oldDir, oldPath, newDir, newPath, flags))
}

// FstatAt answers the call.
func (p *Replay) FstatAt(dir int, path string, flags int) (Stat, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	_, pairs, err := p.result("fstatat", p.t.fstatAt(dir, path, flags))
	if err != nil {
		return Stat{}, err
	}
	var st Stat
	for _, f := range pairs {
		n, _ := strconv.ParseUint(f.value, 0, 64)
		switch f.name {
		case "mode":
			st.Mode = uint32(n)
		case "uid":
			st.UID = uint32(n)
		case "gid":
			st.GID = uint32(n)
		case "dev":
			st.Dev = p.t.number("dev", f.value)
		case "ino":
			st.Ino = p.t.number("ino of "+strconv.FormatUint(st.Dev, 10), f.value)
		case "size":
			st.Size = int64(n)
		}
	}
	return st, nil
}

// Fstatfs answers the call.
func (p *Replay) Fstatfs(fd int) (Statfs, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	_, pairs, err := p.result("fstatfs", "fstatfs "+p.t.fd(fd))
	if err != nil || len(pairs) < 2 {
		return Statfs{}, err
	}
	typ, _ := strconv.ParseUint(pairs[0].value, 0, 32)
	flags, _ := strconv.ParseUint(pairs[1].value, 0, 64)
	return Statfs{Type: uint32(typ), Flags: flags}, nil
}

// ReadDir answers the call.
func (p *Replay) ReadDir(fd int) ([]DirEntry, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	s, err := p.response("readdir " + p.t.fd(fd))
	if err != nil {
		return nil, err
	}
	if e, ok := ParseErrno(s); ok {
		return nil, &Error{Op: "getdents64", Errno: e, Hint: "recorded"}
	}
	var out []DirEntry
	s = strings.TrimSuffix(strings.TrimPrefix(s, "["), "]")
	for s != "" {
		q, err := strconv.QuotedPrefix(s)
		if err != nil {
			return nil, p.malformed(s)
		}
		name, _ := strconv.Unquote(q)
		typ, rest, _ := strings.Cut(strings.TrimPrefix(s[len(q):], ":"), " ")
		n, _ := strconv.ParseUint(typ, 10, 8)
		out = append(out, DirEntry{Name: name, Type: uint8(n)})
		s = rest
	}
	return slices.Clip(out), nil
}

// Fchmod answers the call.
func (p *Replay) Fchmod(fd int, mode uint32) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.plain("fchmod", p.t.fchmod(fd, mode))
}

// Fchown answers the call.
func (p *Replay) Fchown(fd, uid, gid int) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.plain("fchown", p.t.fchown(fd, uid, gid))
}

// Mount answers the call.
func (p *Replay) Mount(source, target, fstype string, flags uintptr, data string) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.plain("mount", mountText(source, target, fstype, flags, data))
}

// Unmount answers the call.
func (p *Replay) Unmount(target string, flags int) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.plain("umount2", unmountText(target, flags))
}

// Mmap answers the call with fresh memory.
func (p *Replay) Mmap(fd int, offset int64, length, prot, flags int) ([]byte, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if err := p.plain("mmap", p.t.mmap(fd, offset, length, prot, flags)); err != nil {
		return nil, err
	}
	return make([]byte, length), nil
}

// Munmap answers the call.
func (p *Replay) Munmap(b []byte) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.plain("munmap", "munmap "+strconv.Itoa(len(b)))
}

// RaiseMemlock answers the call.
func (p *Replay) RaiseMemlock() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.plain("prlimit", "raise_memlock")
}

// Dup answers the call.
func (p *Replay) Dup(fd int) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	_, _, err := p.result("fcntl(F_DUPFD_CLOEXEC)", "dup "+p.t.fd(fd))
	if err != nil {
		return -1, err
	}
	n := p.fds
	p.fds++
	p.t.duplicated(fd, n)
	return n, nil
}

// Close answers the call.
func (p *Replay) Close(fd int) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	request := "close " + p.t.fd(fd)
	p.t.closed(fd)
	return p.plain("close", request)
}
