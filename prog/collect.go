package prog

import (
	"cmp"
	"math"
	"slices"
	"sort"
	"strconv"

	"github.com/lode-bpf/lode/btf"
	"github.com/lode-bpf/lode/elf"
	"github.com/lode-bpf/lode/insn"
)

// Options adjusts what CollectOptions makes of a file.
type Options struct {
	// Rules say what section names mean, before the table is asked; Default,
	// if not nil, is the rule for names that nothing else knows.
	Rules   []Rule
	Default *Rule

	Limits Limits // zero fields mean DefaultLimits
}

// Limits bounds what a file may define. An error that comes of one names it.
type Limits struct {
	Programs int // entry programs in an object
	Insns    int // slots in a function (BPF_COMPLEXITY_LIMIT_INSNS)
	License  int // bytes in the section "license"; the kernel copies 128
}

// DefaultLimits are the limits that a zero field stands for.
func DefaultLimits() Limits { return Limits{Programs: 4096, Insns: 1_000_000, License: 128} }

func (l Limits) orDefault() Limits {
	d := DefaultLimits()
	return Limits{Programs: cmp.Or(l.Programs, d.Programs), Insns: cmp.Or(l.Insns, d.Insns), License: cmp.Or(l.License, d.License)}
}

// Collect finds the functions of an object file: progs are the entry programs,
// subs what they can call: functions in ".text" and local functions anywhere.
// Both are in the order of section and offset. b and e may be nil.
//
// Relocation, line, function and CO-RE records are handed to the functions
// that they are about. A record that contradicts the code it points at is an
// error; one that is about no function, as a weak function that lost leaves
// behind, is a finding. Every record is either in a Func or in a Finding.
//
// No system call is made. Time and memory are proportional to the file: all
// that is read from it, sections that overlap counted each time, may not be
// larger than the file.
func Collect(f *elf.File, b *btf.Spec, e *btf.Ext) (progs []*Spec, subs []*insn.Func, findings []Finding, err error) {
	return CollectOptions(f, b, e, Options{})
}

// CollectOptions is Collect with rules and limits of the caller's.
func CollectOptions(f *elf.File, b *btf.Spec, e *btf.Ext, o Options) (progs []*Spec, subs []*insn.Func, findings []Finding, err error) {
	o.Limits = o.Limits.orDefault()
	c := &collector{file: f, btf: b, ext: e, opts: o, room: uint64(f.Size())}
	for _, step := range []func() error{c.sections, c.functions, c.references, c.debugInfo, c.programs} {
		if err := step(); err != nil {
			return nil, nil, c.findings, err
		}
	}
	return c.progs, c.subs, c.findings, nil
}

// collector is the state of one Collect.
type collector struct {
	file *elf.File
	btf  *btf.Spec
	ext  *btf.Ext
	opts Options
	room uint64 // bytes that may still be read

	code     []*codeSection
	byIndex  map[int]*codeSection
	findings []Finding
	progs    []*Spec
	subs     []*insn.Func
}

// A codeSection is a section that holds functions.
type codeSection struct {
	elf.Section
	name  string
	insns []insn.Instruction // of the whole section
	funcs []insn.Func        // by Offset; they do not overlap
	last  int                // where find looks first
}

//go:noinline
func (c *collector) find(f Finding) { c.findings = append(c.findings, f) }

// charge takes n bytes of the file from what may be read.
func (c *collector) charge(n uint64, s elf.Section) error {
	if n > c.room {
		return &FormatError{Section: s.Name(), Offset: -1, Record: -1, Kind: elf.Limit, Detail: "sections overlap so much that their contents exceed the file, " + strconv.Itoa(c.file.Size()) + " bytes"}
	}
	c.room -= n
	return nil
}

// sections lists the sections with code.
func (c *collector) sections() error {
	n := 0
	for s := range c.file.Sections() {
		if isCode(s) {
			n++
		}
	}
	all := make([]codeSection, 0, n) // a section header has 64 bytes each
	c.code = make([]*codeSection, 0, n)
	c.byIndex = make(map[int]*codeSection, n)
	for s := range c.file.Sections() {
		if !isCode(s) {
			continue
		}
		all = append(all, codeSection{Section: s, name: s.Name()})
		x := &all[len(all)-1]
		c.code = append(c.code, x)
		c.byIndex[s.Index()] = x
	}
	return nil
}

// isCode reports whether functions may stand in a section.
func isCode(s elf.Section) bool {
	return s.Type() == elf.SHT_PROGBITS && s.Flags()&elf.SHF_EXECINSTR != 0 && s.Size() != 0
}

// functions cuts the code into functions, as the symbols say.
func (c *collector) functions() error {
	symbols, err := c.functionSymbols()
	if err != nil {
		return err
	}
	all := make([]insn.Func, len(symbols)) // a symbol has 24 bytes each
	for len(symbols) > 0 {
		sec := c.byIndex[c.file.Symbol(int(symbols[0])).SectionIndex()]
		n := 1
		for n < len(symbols) && c.file.Symbol(int(symbols[n])).SectionIndex() == sec.Index() {
			n++
		}
		if err := c.decode(sec); err != nil {
			return err
		}
		sec.funcs, all = all[:0:n], all[n:]
		for _, i := range symbols[:n] {
			if err := sec.add(c.file.Symbol(int(i))); err != nil {
				return err
			}
		}
		symbols = symbols[n:]
	}
	c.unowned()
	return nil
}

// functionSymbols lists the symbols of functions in the order of their places,
// each checked on its own.
func (c *collector) functionSymbols() ([]int32, error) {
	n := 0
	for s := range c.file.Symbols() {
		if s.Type() == elf.STT_FUNC {
			n++
		}
	}
	out := make([]int32, 0, n)
	for s := range c.file.Symbols() {
		if s.Type() != elf.STT_FUNC || !s.Section().Valid() {
			continue
		}
		sec := c.byIndex[s.SectionIndex()]
		if sec == nil {
			c.find(Finding{Kind: FindingSymbol, Section: s.Section().Name(), Record: s.Index(), Count: 1, Text: "function " + quote(s.Name()) + " stands in a section without code"})
			continue
		}
		if err := c.checkFunction(sec, s); err != nil {
			return nil, err
		}
		out = append(out, int32(s.Index()))
	}
	sort.SliceStable(out, func(i, j int) bool { // they are in the order of their numbers
		a, b := c.file.Symbol(int(out[i])), c.file.Symbol(int(out[j]))
		return cmp.Or(cmp.Compare(a.SectionIndex(), b.SectionIndex()), cmp.Compare(a.Value(), b.Value())) < 0
	})
	return out, nil
}

// checkFunction checks the place of a function.
func (c *collector) checkFunction(sec *codeSection, s elf.Symbol) error {
	value, size, room := s.Value(), s.Size(), uint64(len(sec.Data()))
	kind, detail := elf.Range, ""
	switch {
	case value > room || size > room-value:
		detail = "it reaches past the end of the section, " + strconv.FormatUint(room, 10) + " bytes"
	case value%insn.Size != 0:
		detail = "it starts at " + strconv.FormatUint(value, 10) + ", not a multiple of 8"
	case size == 0 || size%insn.Size != 0:
		detail = "its size is " + strconv.FormatUint(size, 10) + "; a multiple of 8 above 0 is expected"
	case size/insn.Size > uint64(c.opts.Limits.Insns):
		kind, detail = elf.Limit, "it has "+strconv.FormatUint(size/insn.Size, 10)+" instructions; Limits.Insns is "+strconv.Itoa(c.opts.Limits.Insns)
	default:
		return nil
	}
	e := &FormatError{Section: sec.name, Function: s.Name(), Offset: -1, Record: -1, Kind: kind, Detail: detail}
	if value <= math.MaxInt64 {
		e.Offset = int64(value)
	}
	return e
}

// decode reads the instructions of a section once for all its functions.
func (c *collector) decode(sec *codeSection) error {
	b := sec.Data()
	if err := c.charge(uint64(len(b)), sec.Section); err != nil {
		return err
	}
	if n := len(b) % insn.Size; n != 0 {
		return &FormatError{Section: sec.name, Offset: int64(len(b) - n), Record: -1, Kind: elf.Truncated, Detail: "the section has " + strconv.Itoa(len(b)) + " bytes; a multiple of 8 is expected"}
	}
	insns, err := insn.Decode(b, c.file.ByteOrder())
	sec.insns = insns
	return err
}

// add makes a function of a symbol and checks its wide loads. Symbols come in
// order of their values.
func (sec *codeSection) add(s elf.Symbol) error {
	start, end := int(s.Value()/insn.Size), int((s.Value()+s.Size())/insn.Size)
	if n := len(sec.funcs); n > 0 {
		if last := &sec.funcs[n-1]; start < last.Offset+len(last.Insns) {
			return &FormatError{Section: sec.name, Function: s.Name(), Offset: int64(s.Value()), Record: -1, Kind: elf.Overlap, Detail: "it starts within function " + quote(last.Name)}
		}
	}
	code := sec.insns[start:end:end]
	for i := 0; i < len(code); i++ {
		if !code[i].Op.IsWide() {
			continue
		}
		i++
		if i < len(code) && code[i].Op == 0 {
			continue
		}
		e := &FormatError{Section: sec.name, Function: s.Name(), Offset: int64(start+i-1) * insn.Size, Record: -1, Kind: elf.Truncated, Detail: "the second half of a wide load is missing"}
		if i < len(code) {
			e.Kind, e.Detail = elf.Range, "the second half of a wide load has opcode 0x"+strconv.FormatUint(uint64(code[i].Op), 16)+", 0 is expected"
		}
		return e
	}
	sec.funcs = append(sec.funcs, insn.Func{
		Name: s.Name(), Section: sec.name, SectionIndex: sec.Index(), Offset: start,
		Bind: uint8(s.Bind()), Visibility: uint8(s.Visibility()), Insns: code,
	})
	return nil
}

// unowned reports code that belongs to no function.
func (c *collector) unowned() {
	for _, sec := range c.code {
		n := int(sec.Size() / insn.Size)
		for i := range sec.funcs {
			n -= len(sec.funcs[i].Insns)
		}
		if n > 0 {
			c.find(Finding{Kind: FindingCode, Section: sec.name, Record: -1, Count: n, Text: strconv.Itoa(n) + " instructions belong to no function"})
		}
	}
}

// function is the function that holds a slot of the section, nil if none does.
func (sec *codeSection) function(slot int) *insn.Func {
	if sec.last < len(sec.funcs) {
		if f := &sec.funcs[sec.last]; slot >= f.Offset && slot < f.Offset+len(f.Insns) {
			return f
		}
	}
	i := sort.Search(len(sec.funcs), func(i int) bool { return sec.funcs[i].Offset > slot }) - 1
	if i < 0 || slot >= sec.funcs[i].Offset+len(sec.funcs[i].Insns) {
		return nil
	}
	sec.last = i
	return &sec.funcs[i]
}

// second reports whether a slot within f is the second half of a wide load.
func (sec *codeSection) second(f *insn.Func, slot int) bool {
	return slot > f.Offset && sec.insns[slot-1].Op.IsWide()
}

// programs tells entry programs from functions that are only called.
func (c *collector) programs() error {
	license, err := license(c.file, c.opts.Limits.License)
	if err != nil {
		return err
	}
	version, err := KernelVersion(c.file)
	if err != nil {
		return err
	}
	entries, subs := 0, 0
	for _, sec := range c.code {
		for i := range sec.funcs {
			if sec.entry(i) {
				entries++
			} else {
				subs++
			}
		}
	}
	c.progs = make([]*Spec, 0, min(entries, c.opts.Limits.Programs))
	c.subs = make([]*insn.Func, 0, subs)
	specs := make([]Spec, cap(c.progs))
	for _, sec := range c.code {
		class := Classify(sec.name, c.opts.Rules, c.opts.Default)
		before := len(c.progs)
		for i := range sec.funcs {
			f := &sec.funcs[i]
			if !sec.entry(i) {
				c.subs = append(c.subs, f)
				continue
			}
			if len(c.progs) == c.opts.Limits.Programs {
				return &FormatError{Section: sec.name, Function: f.Name, Offset: -1, Record: -1, Kind: elf.Limit, Detail: "more programs than Limits.Programs, " + strconv.Itoa(c.opts.Limits.Programs)}
			}
			p := &specs[len(c.progs)]
			*p = Spec{Name: f.Name, Func: f, Section: sec.name, License: license, KernelVersion: version}
			class.apply(p)
			c.progs = append(c.progs, p)
		}
		if len(c.progs) > before {
			c.sectionFindings(sec, &class, c.progs[before])
		}
	}
	return nil
}

// entry reports whether function i is an entry program rather than one that is
// only called.
func (sec *codeSection) entry(i int) bool {
	return sec.name != ".text" && sec.funcs[i].Bind != uint8(elf.STB_LOCAL)
}

// sectionFindings reports what is odd in a section's name.
func (c *collector) sectionFindings(sec *codeSection, class *Class, p *Spec) {
	f := Finding{Kind: FindingSection, Section: sec.name, Record: -1, Count: 1}
	if class.Match == MatchLegacy {
		f.Text = "a name of old; taken for " + quote(class.Rule.Name) + ", without attaching by name"
		c.find(f)
	}
	if _, err := p.Hook(); err != nil {
		f.Text = err.Error()
		c.find(f)
	}
}

// License is the text of the section "license", empty if there is none.
func License(f *elf.File) (string, error) { return license(f, DefaultLimits().License) }

func license(f *elf.File, limit int) (string, error) {
	s, ok := f.SectionByName("license")
	if !ok {
		return "", nil
	}
	b := s.Data()
	if len(b) > limit {
		return "", &FormatError{Section: "license", Offset: -1, Record: -1, Kind: elf.Limit, Detail: strconv.Itoa(len(b)) + " bytes; Limits.License is " + strconv.Itoa(limit)}
	}
	if i := slices.Index(b, 0); i >= 0 {
		b = b[:i]
	}
	return string(b), nil
}

// KernelVersion is the number in the section "version", which kernels before
// 5.0 want to see for kprobes; 0 if there is none.
func KernelVersion(f *elf.File) (uint32, error) {
	s, ok := f.SectionByName("version")
	if !ok {
		return 0, nil
	}
	b := s.Data()
	if len(b) != 4 {
		return 0, &FormatError{Section: "version", Offset: -1, Record: -1, Kind: elf.Range, Detail: strconv.Itoa(len(b)) + " bytes; 4 are expected"}
	}
	return f.ByteOrder().Uint32(b), nil
}
