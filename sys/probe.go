package sys

import (
	"errors"
	"runtime"
	"strings"
)

// Probe asks a kernel for a feature by making a call that needs it. nil means
// that the feature is there; a *[NotSupported] that it is not; any other error that
// the question could not be asked, usually because the process lacks a
// capability. Everything that a probe creates is closed again, and nothing is
// attached.
//
// Answers of the live kernel are remembered for the life of the process; for any
// other Kernel see [WithFeatures].
func Probe(k Kernel, f Feature) error { return FeaturesOf(k).Probe(f) }

// probe asks without remembering.
func probe(k Kernel, f Feature) error {
	var err error
	switch f.kind() {
	case featureProgType:
		err = probeProgType(k, ProgType(f.low()))
	case featureMapType:
		err = probeMapType(k, MapType(f.low()))
	case featureAttach:
		err = probeAttachType(k, AttachType(f.low()))
	case featureHelper:
		err = probeHelper(k, f.progType(), Helper(f.low()))
	default:
		err = probePlain(k, f)
	}
	return verdict(f, err)
}

// verdict tells an answer from a question that could not be asked.
func verdict(f Feature, err error) error {
	if err == nil {
		return nil
	}
	switch ErrnoOf(err) {
	case EPERM, ENOMEM, EMFILE, ENFILE, EAGAIN, EINTR, EIO, ENOBUFS:
		return err
	case 0:
		var absent *NotSupported
		if errors.As(err, &absent) {
			return err
		}
		if !errors.Is(err, errAbsent) {
			return err
		}
		err = nil
	case ENOSYS:
		if !onLinux {
			return err
		}
	}
	return &NotSupported{Feature: f.String(), Since: f.Since(), Err: err}
}

// errAbsent is the answer of a probe that has no error number to show.
var errAbsent = errors.New("sys: absent")

// done closes what a probe created and passes its error on.
func done(fd *FD, err error) error {
	fd.Close()
	return err
}

// A trial is a program that a probe loads.
type trial struct {
	typ    ProgType
	attach AttachType
	flags  uint32
	btfID  uint32 // attach_btf_id
	code   code
	log    []byte
}

func (t *trial) attr() *ProgLoadAttr {
	a := &ProgLoadAttr{ProgType: t.typ, ExpectedAttachType: t.attach, ProgFlags: t.flags, AttachBTFID: t.btfID,
		Insns: BytesPtr(t.code), InsnCount: uint32(len(t.code) / 8), License: StringPtr("GPL")}
	if t.log != nil {
		a.LogLevel, a.LogBuf, a.LogSize = BPF_LOG_LEVEL1, BytesPtr(t.log), uint32(len(t.log))
	}
	return a
}

func (t *trial) load(k Kernel) (*FD, error) { return ProgLoad(k, t.attr()) }

func (t *trial) try(k Kernel) error { return done(t.load(k)) }

// logText is what the verifier wrote.
func (t *trial) logText() string {
	s, _, _ := strings.Cut(string(t.log), "\x00")
	return s
}

func socketFilter(c code) *trial { return &trial{typ: ProgTypeSocketFilter, code: c} }

func newArray(k Kernel, flags uint32) (*FD, error) {
	return MapCreate(k, &MapCreateAttr{MapType: MapTypeArray, KeySize: 4, ValueSize: 32, MaxEntries: 1, MapFlags: flags})
}

func probeProgName(k Kernel) error {
	a := socketFilter(ret(0)).attr()
	a.ProgName = NewObjName("lode_probe")
	return done(ProgLoad(k, a))
}

func probeGlobalData(k Kernel) error {
	m, err := newArray(k, 0)
	if err != nil {
		return err
	}
	defer m.Close()
	return socketFilter(code(nil).mapValue(1, m.Int(), 16).op(opStoreDW, 1, 0, 0, 42).mov(0, 0).exit()).try(k)
}

func loadBTF(k Kernel, b *btfBlob) (*FD, error) {
	data := b.bytes()
	return BTFLoad(k, &BTFLoadAttr{BTF: BytesPtr(data), Size: uint32(len(data))})
}

func probeArrayMmap(k Kernel) error { return done(newArray(k, BPF_F_MMAPABLE)) }

func probeExpAttachType(k Kernel) error {
	return (&trial{typ: ProgTypeCgroupSock, attach: AttachCgroupInetSockCreate, code: ret(1)}).try(k)
}

func probeProgBindMap(k Kernel) error {
	m, err := newArray(k, 0)
	if err != nil {
		return err
	}
	defer m.Close()
	p, err := socketFilter(ret(0)).load(k)
	if err != nil {
		return err
	}
	defer p.Close()
	return ProgBindMap(k, p.Int(), m.Int())
}

// probeModuleBTF asks for the name of a BTF object: kernels that have modules' BTF
// have names, others refuse a non-zero field that they do not know.
func probeModuleBTF(k Kernel) error {
	b, err := loadBTF(k, btfInt())
	if err != nil {
		return err
	}
	defer b.Close()
	name := make([]byte, 16)
	return ObjGetInfoByFD(k, b.Int(), &BTFInfo{Name: BytesPtr(name), NameLen: uint32(len(name))})
}

// probePerfLink asks for a link on a descriptor that is none: EBADF means that the
// kernel got as far as looking.
func probePerfLink(k Kernel) error {
	return wantErrno(linkTrial(k, &trial{typ: ProgTypeTracepoint, code: ret(0)}, func(prog int32) LinkAttr {
		return &LinkCreateAttr{ProgFD: prog, Target: -1, AttachType: AttachPerfEvent}
	}), EBADF)
}

func probeUprobeMulti(k Kernel) error {
	offset := []uint64{1}
	return wantErrno(linkTrial(k, &trial{typ: ProgTypeKprobe, attach: AttachTraceUprobeMulti, code: ret(0)}, func(prog int32) LinkAttr {
		return &LinkCreateUprobeMultiAttr{ProgFD: prog, AttachType: AttachTraceUprobeMulti,
			Path: StringPtr("/"), Offsets: SlicePtr(offset), Count: 1}
	}), EBADF)
}

func linkTrial(k Kernel, t *trial, attr func(prog int32) LinkAttr) error {
	p, err := t.load(k)
	if err != nil {
		return err
	}
	defer p.Close()
	return done(LinkCreate(k, attr(p.Num())))
}

// wantErrno turns the failure that only kernels with the feature report into success.
func wantErrno(err error, want ...Errno) error {
	for _, n := range want {
		if n != 0 && ErrnoOf(err) == n {
			return nil
		}
	}
	return err
}

// probeArgCtxTag calls a global function whose argument is a plain pointer with
// the tag arg:ctx, and in it a helper that needs a context.
func probeArgCtxTag(k Kernel) error {
	const getFuncIP = 173
	b, err := loadBTF(k, &argCtxBTF)
	if err != nil {
		return err
	}
	defer b.Close()
	a := (&trial{typ: ProgTypeKprobe, code: code(nil).op(opCall, 0, opLocal, 0, 1).exit().call(getFuncIP).exit()}).attr()
	funcs := []uint32{0, 4, 2, 5}
	a.ProgBTFFD, a.FuncInfo, a.FuncInfoCount, a.FuncInfoRecSize = b.Num(), SlicePtr(funcs), 2, 8
	return done(ProgLoad(k, a))
}

// probeFullRangeOff uses an offset that no map has: kernels without the feature
// refuse it for its size before they look at the map.
func probeFullRangeOff(k Kernel) error {
	m, err := newArray(k, 0)
	if err != nil {
		return err
	}
	defer m.Close()
	t := socketFilter(code(nil).mapValue(1, m.Int(), 1<<30).mov(0, 0).exit())
	t.log = make([]byte, 1024)
	err = t.try(k)
	if err != nil && t.logText() != "" && !strings.Contains(t.logText(), "direct value offset of") {
		return nil
	}
	return err
}

func probeCommonAttrs(k Kernel) error {
	return done(callFD(k, CmdMapCreate, &WithCommon{
		Attr:   &MapCreateAttr{MapType: MapTypeArray, KeySize: 4, ValueSize: 4, MaxEntries: 1},
		Common: &CommonAttr{},
	}))
}

func probeLargeInsns(k Kernel) error {
	const more = 4097
	c := make(code, 0, 8*(more+1))
	for range more {
		c = c.mov(0, 0)
	}
	return socketFilter(c.exit()).try(k)
}

// probeMapBatch reads an array with a batch.
func probeMapBatch(k Kernel) error {
	m, err := newArray(k, 0)
	if err != nil {
		return err
	}
	defer m.Close()
	var next, key uint32
	value := make([]byte, 32)
	return MapLookupBatch(k, &MapBatchAttr{MapFD: m.Num(), Count: 1, OutBatch: SlicePtr([]uint32{next}),
		Keys: SlicePtr([]uint32{key}), Values: BytesPtr(value)})
}

// probePathFD opens a pin relative to a descriptor that is none: kernels without
// the flag refuse it before they look.
func probePathFD(k Kernel) error {
	return wantErrno(done(ObjGet(k, &ObjAttr{Pathname: StringPtr("lode_probe"), FileFlags: BPF_F_PATH_FD, PathFD: -1})), EBADF)
}

// probeToken asks for a token of a descriptor that is none.
func probeToken(k Kernel) error { return wantErrno(done(TokenCreate(k, -1)), EBADF) }

// probePerCPUFlags sets the value of all processors at once.
func probePerCPUFlags(k Kernel) error {
	m, err := MapCreate(k, &MapCreateAttr{MapType: MapTypePerCPUArray, KeySize: 4, ValueSize: 8, MaxEntries: 1})
	if err != nil {
		return err
	}
	defer m.Close()
	key, value := []uint32{0}, []uint64{0}
	return MapUpdateElem(k, &MapElemAttr{MapFD: m.Num(), Key: SlicePtr(key), Value: SlicePtr(value), Flags: BPF_F_ALL_CPUS})
}

func probeUprobeSyscall(Kernel) error {
	if runtime.GOARCH != "amd64" {
		return errAbsent
	}
	return uprobeSyscall()
}
