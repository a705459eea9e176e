package prog

import (
	"errors"
	"time"

	"github.com/lode-bpf/lode/btf"
	"github.com/lode-bpf/lode/insn"
	"github.com/lode-bpf/lode/sys"
)

// Info is what the kernel tells about a program.
type Info struct {
	ID      uint32
	Type    sys.ProgType
	Name    string        // at most 15 bytes
	Tag     [8]byte       // hash of the instructions, without what refers to maps
	Loaded  time.Duration // when, counted from the start of the machine
	UID     uint32        // of who loaded it
	BTFID   uint32        // of the object's types; 0 for none
	IfIndex uint32        // network device that it is offloaded to; 0 for none
	GPL     bool          // the licence lets it call GPL-only helpers
	MapIDs  []uint32

	Xlated   int // bytes of instructions after the verifier; 0 if they are not shown to this process
	Jited    int // bytes of machine code; 0 if there is none or it is not shown
	Verified int // instructions that the verifier looked at; 0 before Linux 5.16

	// Counted while statistics are on; see EnableStats.
	RunTime         time.Duration
	RunCount        uint64
	RecursionMisses uint64 // runs that did not take place because the program was running already

	AttachBTFObjID uint32 // BTF object of what it attaches to
	AttachBTFID    uint32 // type in that
}

// ErrRestricted says that the kernel does not show something to this process:
// without CAP_BPF, or with sysctl kernel.kptr_restrict or net.core.bpf_jit_harden.
var ErrRestricted = errors.New("prog: the kernel does not show this to the process")

// usualMaps is for how many map ids there is room without asking twice.
const usualMaps = 32

// Info asks the kernel about the program.
func (p *Program) Info() (Info, error) {
	ids := make([]uint32, usualMaps)
	for {
		raw := sys.ProgInfo{NrMapIDs: uint32(len(ids)), MapIDs: sys.SlicePtr(ids)}
		if err := p.info(&raw); err != nil {
			return Info{}, err
		}
		if int(raw.NrMapIDs) > len(ids) {
			ids = make([]uint32, raw.NrMapIDs)
			continue
		}
		return Info{
			// gpl_compatible is a bit field: which bit it is depends on the byte order, and the others are 0.
			ID: raw.ID, Type: raw.Type, Name: raw.Name.String(), Tag: raw.Tag, Loaded: time.Duration(raw.LoadTime),
			UID: raw.CreatedByUID, BTFID: raw.BTFID, IfIndex: raw.IfIndex, GPL: raw.GPLCompatible != 0, MapIDs: ids[:raw.NrMapIDs:raw.NrMapIDs],
			Xlated: int(raw.XlatedProgLen), Jited: int(raw.JitedProgLen), Verified: int(raw.VerifiedInsns),
			RunTime: time.Duration(raw.RunTimeNS), RunCount: raw.RunCount, RecursionMisses: raw.RecursionMisses,
			AttachBTFObjID: raw.AttachBTFObjID, AttachBTFID: raw.AttachBTFID,
		}, nil
	}
}

func (p *Program) info(raw *sys.ProgInfo) error {
	return sys.ObjGetInfoByFD(p.fd.Kernel(), p.FD(), raw)
}

// ID is the program's number.
func (p *Program) ID() (uint32, error) {
	var raw sys.ProgInfo
	err := p.info(&raw)
	return raw.ID, err
}

// Stats are the run time and the number of runs since statistics were turned on
// first. It asks for nothing else, and allocates little.
func (p *Program) Stats() (runTime time.Duration, runs uint64, err error) {
	var raw sys.ProgInfo
	err = p.info(&raw)
	return time.Duration(raw.RunTimeNS), raw.RunCount, err
}

// EnableStats makes the kernel count runs of all programs until the descriptor
// is closed (Linux 5.8). That costs each run some nanoseconds.
func EnableStats(k sys.Kernel) (*sys.FD, error) { return sys.EnableStats(k, sys.BPF_STATS_RUN_TIME) }

// A Dump is a program as the kernel has it: after the verifier, which replaces
// helpers, map references and accesses to contexts.
type Dump struct {
	insn.Func                // Name, Insns and Lines of the whole program
	FuncInfo  []DumpFunction // where functions begin; nil without BTF
	BTF       *btf.Spec      // types and strings of the object; nil if it was loaded without
}

// A DumpFunction says which type begins at a slot.
type DumpFunction struct {
	Index  int
	TypeID btf.TypeID
}

// Dump reads the program's instructions and what is known about them.
func (p *Program) Dump() (*Dump, error) {
	var size sys.ProgInfo
	if err := p.info(&size); err != nil {
		return nil, err
	}
	if size.XlatedProgLen == 0 {
		return nil, ErrRestricted
	}
	code := make([]byte, size.XlatedProgLen)
	raw := sys.ProgInfo{XlatedProgLen: size.XlatedProgLen, XlatedProgInsns: sys.BytesPtr(code)}
	var lines, funcs []byte
	if size.NrLineInfo > 0 && size.LineInfoRecSize >= lineInfoSize {
		lines = make([]byte, size.NrLineInfo*size.LineInfoRecSize)
		raw.NrLineInfo, raw.LineInfoRecSize, raw.LineInfo = size.NrLineInfo, size.LineInfoRecSize, sys.BytesPtr(lines)
	}
	if size.NrFuncInfo > 0 && size.FuncInfoRecSize >= funcInfoSize {
		funcs = make([]byte, size.NrFuncInfo*size.FuncInfoRecSize)
		raw.NrFuncInfo, raw.FuncInfoRecSize, raw.FuncInfo = size.NrFuncInfo, size.FuncInfoRecSize, sys.BytesPtr(funcs)
	}
	if err := p.info(&raw); err != nil {
		return nil, err
	}
	if raw.XlatedProgInsns.IsNil() { // the kernel clears it for want of a privilege
		return nil, ErrRestricted
	}
	insns, err := insn.Decode(code, nativeEndian)
	if err != nil {
		return nil, err
	}
	d := &Dump{Func: insn.Func{Name: raw.Name.String(), Insns: insns}}
	d.Lines = decodeLines(lines, int(size.LineInfoRecSize))
	for ; len(funcs) > 0; funcs = funcs[size.FuncInfoRecSize:] {
		d.FuncInfo = append(d.FuncInfo, DumpFunction{int(nativeEndian.Uint32(funcs)), btf.TypeID(nativeEndian.Uint32(funcs[4:]))})
	}
	if size.BTFID != 0 {
		if d.BTF, err = loadedBTF(p.fd.Kernel(), size.BTFID); err != nil {
			return nil, err
		}
	}
	return d, nil
}

func decodeLines(b []byte, size int) []insn.Line {
	if len(b) == 0 {
		return nil
	}
	out := make([]insn.Line, 0, len(b)/size)
	for ; len(b) > 0; b = b[size:] {
		out = append(out, insn.Line{
			Index: int(nativeEndian.Uint32(b)), FileOff: nativeEndian.Uint32(b[4:]), LineOff: nativeEndian.Uint32(b[8:]), LineCol: nativeEndian.Uint32(b[12:]),
		})
	}
	return out
}

// String is the listing, with source lines and the names of functions, as far
// as the program was loaded with them.
func (d *Dump) String() string {
	l := insn.Listing{Name: d.callName}
	if d.BTF != nil {
		l.Source = func(x insn.Line) string {
			s, _ := d.BTF.String(x.LineOff)
			return s
		}
	}
	return string(l.Append(nil, &d.Func))
}

// callName names the function of the program that an instruction calls.
func (d *Dump) callName(index int, in insn.Instruction) string {
	if in.Op != insn.OpCall || in.Src() != insn.PseudoCall || d.BTF == nil {
		return ""
	}
	for _, f := range d.FuncInfo {
		if f.Index == index+1+int(in.Imm) {
			return d.BTF.Type(f.TypeID).Name()
		}
	}
	return ""
}

// Jited reads the program's machine code, all functions one after the other.
func (p *Program) Jited() ([]byte, error) {
	var size sys.ProgInfo
	if err := p.info(&size); err != nil {
		return nil, err
	}
	if size.JitedProgLen == 0 {
		return nil, ErrRestricted
	}
	b := make([]byte, size.JitedProgLen)
	raw := sys.ProgInfo{JitedProgLen: size.JitedProgLen, JitedProgInsns: sys.BytesPtr(b)}
	if err := p.info(&raw); err != nil {
		return nil, err
	}
	if raw.JitedProgInsns.IsNil() {
		return nil, ErrRestricted
	}
	return b, nil
}

// BTF reads the types of the object that the program was loaded from.
func (p *Program) BTF() (*btf.Spec, error) {
	var raw sys.ProgInfo
	if err := p.info(&raw); err != nil {
		return nil, err
	}
	if raw.BTFID == 0 {
		return nil, &noBTFError{p.String()}
	}
	return loadedBTF(p.fd.Kernel(), raw.BTFID)
}

type noBTFError struct{ program string }

func (e *noBTFError) Error() string { return "prog: " + e.program + " was loaded without BTF" }
func (e *noBTFError) Unwrap() error { return btf.ErrNoBTF }

// loadedBTF reads a BTF object by its id.
func loadedBTF(k sys.Kernel, id uint32) (*btf.Spec, error) {
	b, err := sys.BTFDataByID(k, id)
	if err != nil {
		return nil, err
	}
	return btf.Parse(b, nil)
}
