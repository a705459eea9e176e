package link

import (
	"errors"
	"runtime"
	"strconv"
	"strings"
	"sync"

	"github.com/lode-bpf/lode/sys"
)

// A USDTSpecs are the maps through which the programs of one object learn where the
// arguments of USDT probes are: "__bpf_usdt_specs" and "__bpf_usdt_ip_to_spec_id" of
// libbpf's usdt.bpf.h. It gives out the elements of the first, so all programs of
// the object are attached through one USDTSpecs.
type USDTSpecs struct {
	k          sys.Kernel
	specs, ips int // descriptors; the caller keeps owning them
	max        uint32

	mu   sync.Mutex
	next uint32
	free []uint32
}

// NewUSDTSpecs takes the descriptors of the two maps, which must stay open as long
// as programs are attached.
func NewUSDTSpecs(k sys.Kernel, specs, ips int) (*USDTSpecs, error) {
	var info sys.MapInfo
	if err := sys.ObjGetInfoByFD(k, specs, &info); err != nil {
		return nil, wrap("preparing", "USDT", err)
	}
	if info.ValueSize != usdtSpecSize || info.KeySize != 4 {
		return nil, wrap("preparing", "USDT", &SpecSizeError{info.ValueSize})
	}
	return &USDTSpecs{k: k, specs: specs, ips: ips, max: info.MaxEntries}, nil
}

// A SpecSizeError says that the map of specs does not have the form of usdt.bpf.h.
type SpecSizeError struct{ ValueSize uint32 }

func (e *SpecSizeError) Error() string {
	return "the map of specs has values of " + strconv.FormatUint(uint64(e.ValueSize), 10) + " bytes, want " + strconv.Itoa(usdtSpecSize)
}

// USDTOptions say which probe a program goes to.
type USDTOptions struct {
	Path, Provider, Name string
	PID                  int    // process to trace; 0: all
	Cookie               uint64 // what bpf_usdt_cookie returns

	// Multi attaches to all places of the probe with one link; the program was
	// loaded for AttachTraceUprobeMulti then (FeatureUprobeMultiLink).
	Multi bool
}

func (o USDTOptions) what() string {
	return "usdt " + strconv.Quote(o.Path+":"+o.Provider+":"+o.Name)
}

// Attach attaches a program to all places of a probe.
func (s *USDTSpecs) Attach(prog int, o USDTOptions) (*Link, error) {
	l, err := s.attach(prog, o)
	return l, wrap("attaching", o.what(), err)
}

func (s *USDTSpecs) attach(prog int, o USDTOptions) (*Link, error) {
	x, err := openExecutable(o.Path)
	if err != nil {
		return nil, err
	}
	defer x.f.Close()
	all, err := x.probes()
	if err != nil {
		return nil, err
	}
	a := &usdtAttach{s: s, o: o, ids: map[string]uint32{}, l: &Link{k: s.k, what: o.what()}}
	for _, p := range all {
		if p.Provider == o.Provider && p.Name == o.Name {
			a.probes = append(a.probes, p)
		}
	}
	if len(a.probes) == 0 {
		return nil, &SymbolError{Path: o.Path, Symbol: o.Provider + ":" + o.Name, Reason: "no such USDT probe"}
	}
	a.o.Path, _ = splitMember(o.Path) // offsets of probes are in the file on disk
	a.l.undo = a.undo
	if err = a.makeSpecs(); err == nil {
		if o.Multi {
			err = a.attachMulti(prog)
		} else {
			err = a.attachEach(prog, x)
		}
	}
	if err != nil {
		return nil, errors.Join(err, a.undo())
	}
	return a.l, nil
}

// A usdtAttach is one program on one probe.
type usdtAttach struct {
	s      *USDTSpecs
	o      USDTOptions
	probes []USDTProbe
	ids    map[string]uint32 // elements of the map of specs, by the text of the arguments
	ips    []uint64          // keys of the other map
	links  []*Link
	l      *Link
}

func (a *usdtAttach) makeSpecs() error {
	for _, p := range a.probes {
		if _, ok := a.ids[p.Args]; ok {
			continue
		}
		args, err := parseUSDTArgs(runtime.GOARCH, p.Args)
		if err != nil {
			return err
		}
		id, err := a.s.take()
		if err != nil {
			return err
		}
		a.ids[p.Args] = id
		if err := sys.MapUpdateElem(a.s.k, &sys.MapElemAttr{MapFD: int32(a.s.specs), Key: sys.SlicePtr([]uint32{id}),
			Value: sys.BytesPtr(usdtSpec(args, a.o.Cookie))}); err != nil {
			return err
		}
	}
	return nil
}

// take gives out an element of the map of specs.
func (s *USDTSpecs) take() (uint32, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if n := len(s.free); n > 0 {
		id := s.free[n-1]
		s.free = s.free[:n-1]
		return id, nil
	}
	if s.next == s.max {
		return 0, &sys.Error{Op: "usdt", Errno: sys.E2BIG, Hint: "the map of specs is full: define BPF_USDT_MAX_SPEC_CNT larger when compiling the program"}
	}
	s.next++
	return s.next - 1, nil
}

func (a *usdtAttach) attachMulti(prog int) error {
	o := UprobeMultiOptions{Path: a.o.Path, PID: a.o.PID}
	semaphores := false
	for _, p := range a.probes {
		o.Offsets = append(o.Offsets, p.Offset)
		o.RefCounters = append(o.RefCounters, p.Semaphore)
		o.Cookies = append(o.Cookies, uint64(a.ids[p.Args]))
		semaphores = semaphores || p.Semaphore != 0
	}
	if !semaphores {
		o.RefCounters = nil
	}
	l, err := UprobeMulti(a.s.k, prog, o)
	if err == nil {
		a.links = append(a.links, l)
	}
	return err
}

// attachEach makes a uprobe for each place. Kernels without cookies (before 5.15) find
// the spec by the address of the instruction, which is known beforehand of
// executables that are not moved, and of one process.
func (a *usdtAttach) attachEach(prog int, x *executable) error {
	err := sys.Probe(a.s.k, sys.FeatureBPFCookie)
	var absent *sys.NotSupported
	cookies := err == nil
	if !cookies && !errors.As(err, &absent) {
		return err // a guess could give the program the arguments of another probe
	}
	for _, p := range a.probes {
		o := UprobeOptions{Path: a.o.Path, Offset: p.Offset, RefCounter: p.Semaphore, PID: a.o.PID}
		if cookies {
			o.Cookie = uint64(a.ids[p.Args])
		} else if err := a.byAddress(x, p); err != nil {
			return err
		}
		l, err := Uprobe(a.s.k, prog, o)
		if err != nil {
			return err
		}
		a.links = append(a.links, l)
	}
	return nil
}

func (a *usdtAttach) byAddress(x *executable, p USDTProbe) error {
	addr, ok := p.addr, x.fixed
	if !ok && a.o.PID != 0 {
		addr, ok = a.addressIn(p.Offset)
	}
	if !ok {
		return &sys.NotSupported{Feature: sys.FeatureBPFCookie.String() + ", without which a USDT probe of a library or position-independent program is traced in one process only",
			Since: sys.FeatureBPFCookie.Since()}
	}
	err := sys.MapUpdateElem(a.s.k, &sys.MapElemAttr{MapFD: int32(a.s.ips), Key: sys.SlicePtr([]uint64{addr}), Value: sys.SlicePtr([]uint32{a.ids[p.Args]})})
	if err == nil {
		a.ips = append(a.ips, addr)
	}
	return err
}

// addressIn is where a process has an offset of the file in memory.
func (a *usdtAttach) addressIn(offset uint64) (uint64, bool) {
	f := &sys.ReadFile{Path: "/proc/" + strconv.Itoa(a.o.PID) + "/maps"}
	if _, err := a.s.k.Call(f); err != nil {
		return 0, false
	}
	for line := range strings.Lines(string(f.Data)) {
		w := strings.Fields(line)
		if len(w) < 6 || w[5] != a.o.Path || !strings.Contains(w[1], "x") {
			continue
		}
		from, to, _ := strings.Cut(w[0], "-")
		lo, errLo := strconv.ParseUint(from, 16, 64)
		hi, errHi := strconv.ParseUint(to, 16, 64)
		off, errOff := strconv.ParseUint(w[2], 16, 64)
		if errors.Join(errLo, errHi, errOff) == nil && offset >= off && offset-off < hi-lo {
			return lo + offset - off, true
		}
	}
	return 0, false
}

// undo detaches first: the specs are free when no program reads them any more.
func (a *usdtAttach) undo() error {
	var err error
	for _, l := range a.links {
		err = errors.Join(err, l.Close())
	}
	for _, ip := range a.ips {
		err = errors.Join(err, sys.MapDeleteElem(a.s.k, &sys.MapElemAttr{MapFD: int32(a.s.ips), Key: sys.SlicePtr([]uint64{ip})}))
	}
	a.s.mu.Lock()
	defer a.s.mu.Unlock()
	for _, id := range a.ids {
		a.s.free = append(a.s.free, id)
	}
	a.ids = nil
	return err
}
