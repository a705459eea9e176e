package prog

import (
	"errors"
	"math"
	"strconv"

	"github.com/lode-bpf/lode/insn"
	"github.com/lode-bpf/lode/sys"
)

// LoadOptions adjusts Load. The zero value is what most loads want.
type LoadOptions struct {
	// LogLevel is sys.BPF_LOG_LEVEL1, LEVEL2 and STATS, for a log even if the
	// program loads; Log then gets it. With 0 there is a log only of a program
	// that is refused, in the *VerifierError.
	LogLevel uint32
	Log      func(log string)

	// LogSize is the largest log in bytes; 0 means DefaultLogSize. A log that
	// is larger loses its beginning (before Linux 6.4 its end).
	LogSize int

	// Lines and Explain say more about an instruction of a program that is
	// refused: where it comes from, and why the loader made it what it is. They
	// are called only then, and may be nil.
	Lines   func() []SourceLine
	Explain func(index int) string

	Token int // descriptor of a BPF token; 0 for none
}

// DefaultLogSize is how large a verifier log may become.
const DefaultLogSize = 64 << 20

// firstLogSize is the first buffer for a log. Logs of refused programs are
// short, as a rule.
const firstLogSize = 256 << 10

// Load gives a program to the kernel. The Program owns its descriptor; all
// descriptors in c stay the caller's.
//
// The error is a *SpecError if the definition lacks something, a *VerifierError
// if the kernel says in its log what it does not like, and a *LoadError
// otherwise. errors.Is finds the error number in the latter two.
func Load(k sys.Kernel, s *Spec, c Code, o LoadOptions) (*Program, error) {
	if err := check(s, &c); err != nil {
		return nil, err
	}
	l := loader{k: k, spec: s, code: &c, opts: &o}
	fd, err := l.load()
	if err != nil {
		return nil, err
	}
	return &Program{fd: fd, name: s.Name, typ: s.Type}, nil
}

//go:noinline
func (s *Spec) fail(text string) error {
	return &SpecError{Program: s.Name, Section: s.Section, Text: text}
}

// check finds what the kernel would answer with a bare EINVAL.
func check(s *Spec, c *Code) error {
	fail := s.fail
	switch {
	case s.Type == sys.ProgTypeUnspec:
		return fail("the section name does not say what type the program is of; set Spec.Type and, where it matters, AttachType, or give Collect a rule for such sections")
	case len(c.Insns) == 0:
		return fail("it has no instructions")
	case c.AttachProgFD != 0 && c.AttachBTFObjFD != 0:
		return fail("it attaches either to a program (AttachProgFD) or to a kernel module (AttachBTFObjFD), not to both")
	case s.Type == sys.ProgTypeStructOps && c.AttachBTFID == 0:
		return fail("no struct_ops variable refers to it, so that the kernel cannot know what it implements")
	case s.Type == sys.ProgTypeExt && (c.AttachProgFD == 0 || c.AttachBTFID == 0):
		return fail("it replaces a function of another program; set Spec.AttachProg and AttachTarget")
	case s.NeedsTarget && c.AttachBTFID == 0:
		return fail("it needs to know what it attaches to; set AttachTarget, see FindTarget")
	case (len(c.FuncInfo) > 0 || len(c.LineInfo) > 0) && c.BTFFD == 0:
		return fail("func_info and line_info need the object's BTF (BTFFD)")
	}
	return nil
}

// A SpecError says what the definition of a program lacks for a load.
type SpecError struct {
	Program, Section string
	Text             string
}

func (e *SpecError) Error() string {
	return "prog: program " + quote(e.Program) + " (section " + quote(e.Section) + "): " + e.Text
}

// A LoadError is a load that failed without a word of the verifier.
type LoadError struct {
	Program, Section string
	Type             sys.ProgType
	Err              error // a *sys.Error, joined with *sys.NotSupported if the kernel lacks what the program needs
}

func (e *LoadError) Error() string {
	return "prog: load program " + quote(e.Program) + " (section " + quote(e.Section) + ", " + e.Type.String() + "): " + e.Err.Error()
}

// Unwrap is the error of the system call.
func (e *LoadError) Unwrap() error { return e.Err }

// KernelName is the name under which the kernel keeps a program: the first 15
// bytes, with '_' for those that the kernel does not accept.
func KernelName(name string) string {
	b := []byte(name[:min(len(name), sys.BPF_OBJ_NAME_LEN-1)])
	for i, c := range b {
		if !('a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '_' || c == '.') {
			b[i] = '_'
		}
	}
	return string(b)
}

// A loader is the state of one Load.
type loader struct {
	k    sys.Kernel
	spec *Spec
	code *Code
	opts *LoadOptions
	raw  []byte // encoded instructions
}

// attr is the argument of BPF_PROG_LOAD, without a log.
func (l *loader) attr() *sys.ProgLoadAttr {
	s, c := l.spec, l.code
	if l.raw == nil {
		l.raw = insn.Append(make([]byte, 0, len(c.Insns)*insn.Size), c.Insns, nativeEndian)
	}
	a := &sys.ProgLoadAttr{
		ProgType: s.Type, InsnCount: uint32(len(c.Insns)), Insns: sys.BytesPtr(l.raw), License: sys.StringPtr(s.License),
		KernVersion: s.KernelVersion, ProgFlags: s.Flags, ProgName: sys.NewObjName(KernelName(s.Name)), ProgIfIndex: s.IfIndex,
		ExpectedAttachType: s.AttachType, AttachBTFID: c.AttachBTFID, AttachFD: int32(c.AttachProgFD),
		FDArray: sys.SlicePtr(c.FDArray),
	}
	if c.BindFDArray {
		a.FDArrayCount = uint32(len(c.FDArray))
	}
	if len(c.Signature) > 0 {
		a.Signature, a.SignatureSize, a.KeyringID = sys.BytesPtr(c.Signature), uint32(len(c.Signature)), c.KeyringID
	}
	if c.AttachBTFObjFD != 0 {
		a.AttachFD = int32(c.AttachBTFObjFD)
	}
	if c.BTFFD != 0 {
		a.ProgBTFFD = int32(c.BTFFD)
		a.FuncInfo, a.FuncInfoRecSize, a.FuncInfoCount = records(c.FuncInfo, c.FuncInfoRecSize, funcInfoSize)
		a.LineInfo, a.LineInfoRecSize, a.LineInfoCount = records(c.LineInfo, c.LineInfoRecSize, lineInfoSize)
	}
	if l.opts.Token != 0 {
		a.ProgTokenFD, a.ProgFlags = int32(l.opts.Token), a.ProgFlags|sys.BPF_F_TOKEN_FD
	}
	return a
}

// Sizes of struct bpf_func_info and struct bpf_line_info in bytes.
const (
	funcInfoSize = 8
	lineInfoSize = 16
)

func records(b []byte, size, std uint32) (sys.Pointer, uint32, uint32) {
	if len(b) == 0 {
		return sys.Pointer{}, 0, 0
	}
	if size == 0 {
		size = std
	}
	return sys.BytesPtr(b), size, uint32(len(b)) / size
}

// load makes the calls: one if all is well.
func (l *loader) load() (*sys.FD, error) {
	a := l.attr()
	if l.opts.LogLevel != 0 {
		return l.loadLogged(a, l.opts.LogLevel, nil)
	}
	fd, err := sys.ProgLoad(l.k, a)
	if err == nil {
		return fd, nil
	}
	if l.withoutAttachType(err) {
		a.ExpectedAttachType = 0
		if fd, err = sys.ProgLoad(l.k, a); err == nil {
			return fd, nil
		}
	}
	if !worthALog(err) {
		return nil, l.loadError(err)
	}
	return l.loadLogged(a, sys.BPF_LOG_LEVEL1, err)
}

// withoutAttachType says whether the kernel may have refused the program
// because it does not know expected attach types.
func (l *loader) withoutAttachType(err error) bool {
	if !l.spec.AttachTypeOptional || l.spec.AttachType == 0 || !errors.Is(err, sys.EINVAL) && !errors.Is(err, sys.E2BIG) {
		return false
	}
	var absent *sys.NotSupported
	return errors.As(sys.Probe(l.k, sys.FeatureExpAttachType), &absent)
}

// worthALog is false for errors that have nothing to do with the program.
func worthALog(err error) bool {
	switch sys.ErrnoOf(err) {
	case sys.EMFILE, sys.ENFILE, sys.ENOMEM, sys.ENOSYS, sys.EBADF, sys.EINTR, sys.EAGAIN, 0:
		return false
	}
	return true
}

// loadLogged loads with a log. A buffer that is too small is made larger: to
// the size that the kernel reports (Linux 6.4), or eight times as large, because
// the verifier does all its work again. plain is the error of a load without a log,
// nil if there was none.
func (l *loader) loadLogged(a *sys.ProgLoadAttr, level uint32, plain error) (*sys.FD, error) {
	limit := l.opts.LogSize
	if limit <= 0 {
		limit = DefaultLogSize
	}
	limit = min(limit, math.MaxUint32>>2) // what the kernel accepts
	for size := min(firstLogSize, limit); ; {
		buf := make([]byte, size)
		a.LogLevel, a.LogSize, a.LogBuf, a.LogTrueSize = level, uint32(size), sys.BytesPtr(buf), 0
		fd, err := sys.ProgLoad(l.k, a)
		full := errors.Is(err, sys.ENOSPC) && (a.LogTrueSize == 0 || int(a.LogTrueSize) > size)
		if full && size < limit {
			if size *= 8; a.LogTrueSize != 0 {
				size = int(a.LogTrueSize)
			}
			size = min(limit, size)
			continue
		}
		log := text(buf)
		if full {
			// A log that is too large fails any load; without it the truth comes out.
			if plain == nil {
				fd, plain = l.unlogged(a)
			}
			if err = plain; err == nil {
				log += "\n(cut: Load keeps " + strconv.Itoa(limit) + " bytes)"
			}
		}
		if err != nil {
			return nil, l.refused(a, err, log, full)
		}
		if l.opts.Log != nil {
			l.opts.Log(log)
		}
		return fd, nil
	}
}

// unlogged loads without a log.
func (l *loader) unlogged(a *sys.ProgLoadAttr) (*sys.FD, error) {
	b := *a
	b.LogLevel, b.LogSize, b.LogBuf = 0, 0, sys.Pointer{}
	return sys.ProgLoad(l.k, &b)
}

// text is the string in a buffer up to the first NUL.
func text(b []byte) string {
	for i, c := range b {
		if c == 0 {
			return string(b[:i])
		}
	}
	return string(b)
}

// refused is the error of a load, with the log if there is one.
func (l *loader) refused(a *sys.ProgLoadAttr, err error, log string, cut bool) error {
	if log == "" {
		return l.loadError(err)
	}
	e := &VerifierError{
		Program: l.spec.Name, Section: l.spec.Section, Type: l.spec.Type, Err: err, Log: log, Truncated: cut, Index: -1,
	}
	e.analyse(l.code.Insns, l.opts)
	if e.Index >= 0 && len(e.Registers) == 0 {
		e.Registers = l.statesOf(a, e.Index)
	}
	return e
}

// detailSize is the buffer for a log of level 2 that is read for its states.
const detailSize = 1 << 20

// statesOf gets the registers of the last instruction from a kernel that shows
// them at level 2 only (before Linux 5.17).
func (l *loader) statesOf(a *sys.ProgLoadAttr, index int) []Register {
	if index >= len(l.code.Insns) || len(involved(l.code.Insns[index])) == 0 {
		return nil
	}
	b, buf := *a, make([]byte, detailSize)
	b.LogLevel, b.LogSize, b.LogBuf = sys.BPF_LOG_LEVEL2, detailSize, sys.BytesPtr(buf)
	if fd, err := sys.ProgLoad(l.k, &b); err == nil {
		fd.Close()
		return nil
	}
	p := parseLog(text(buf))
	if p.index != index {
		return nil
	}
	return p.registers(l.code.Insns[index])
}
