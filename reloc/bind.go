package reloc

import (
	"math"
	"slices"
	"sort"
	"strconv"

	"github.com/lode-bpf/lode/insn"
)

// Bind resolves the references that Link left: to maps and data, and to what
// the object expects of the kernel. A reference that cannot be resolved is
// added to the program's Err; the other references and programs go on. Kconfig
// is the value of the map KconfigMap.
func Bind(in *Input, programs []*Program) (kconfig []byte, findings []Finding) {
	return newIndex(in).bind(programs)
}

func (x *index) bind(programs []*Program) ([]byte, []Finding) {
	b := newBinder(x)
	for _, p := range programs {
		b.program(p)
	}
	b.findUnused()
	return b.kconfig, b.findings
}

type binder struct {
	*index
	maps     []MapSymbol // by section and offset
	named    map[string]string
	externs  map[string]int
	resolved []*resolution // of each extern, once it was needed
	kconfig  []byte
	kerrs    map[int]error // kconfig externs without a value
	kused    map[int]bool  // those that a program refers to
	findings []Finding
	jumps    int // entries of jump tables so far

	p *Program
}

func newBinder(x *index) *binder {
	b := &binder{index: x, maps: slices.Clone(x.in.Maps), named: map[string]string{}, externs: make(map[string]int, len(x.in.Externs))}
	sort.SliceStable(b.maps, func(i, j int) bool {
		a, c := &b.maps[i], &b.maps[j]
		return a.Section < c.Section || a.Section == c.Section && a.Offset < c.Offset
	})
	for _, m := range x.in.Maps {
		if _, ok := b.named[m.Name]; m.Name != "" && !ok {
			b.named[m.Name] = m.Map
		}
	}
	for i := range x.in.Externs {
		if _, ok := b.externs[x.in.Externs[i].Name]; !ok {
			b.externs[x.in.Externs[i].Name] = i
		}
	}
	b.resolved = make([]*resolution, len(x.in.Externs))
	b.fillKconfig()
	return b
}

// A pending is a reference that is being bound.
type pending struct {
	*insn.Ref
	at  int // in the program
	fn  *fn // that has it
	i   int // slot in fn
	rec int
}

// program binds the references of one program.
func (b *binder) program(p *Program) {
	b.p = p
	placed, left := 0, 0
	for r := range p.Refs {
		ref := &p.Refs[r]
		for placed+1 < len(p.Funcs) && p.Funcs[placed+1].Index <= ref.Index {
			placed, left = placed+1, 0
		}
		e, ok := b.byFn[p.Funcs[placed].Func]
		if !ok {
			p.fail(&RefError{Func: p.Funcs[placed].Func.Name, Index: ref.Index, Symbol: ref.Symbol.Name, Record: -1, Kind: ErrFormat, Detail: "the function is not one of the input's"})
			continue
		}
		q := pending{Ref: ref, at: ref.Index, fn: b.scan(e), i: ref.Index - p.Funcs[placed].Index, rec: -1}
		// Link left the records in their order; some may have been taken out.
		for n := left; n < len(q.fn.left); n++ {
			if o := &q.fn.Refs[q.fn.left[n]]; o.Index == q.i && o.RelSection == ref.RelSection && o.Record == ref.Record {
				q.rec, left = q.fn.rec+int(q.fn.left[n]), n+1
				break
			}
		}
		if err := b.ref(&q); err != nil {
			p.fail(err)
		}
	}
	p.Refs = nil
	p.sortChanges()
}

//go:noinline
func (b *binder) fail(q *pending, kind error, detail, hint string) error {
	return b.refError(q.fn, q.i, q.rec, kind, q.Symbol.Name, detail, hint)
}

// ref binds one reference.
func (b *binder) ref(q *pending) error {
	if q.at >= len(b.p.Insns) || b.p.Insns[q.at].Op.IsWide() && q.at+1 >= len(b.p.Insns) {
		return b.fail(q, ErrRange, "the reference lies outside the program", "")
	}
	ins := b.p.Insns[q.at]
	if detail := b.unfit(ins, q.Ref); detail != "" {
		return b.fail(q, ErrFormat, detail, "")
	}
	if q.Symbol.Section == 0 {
		return b.undefined(q)
	}
	if ins.Op == insn.OpCall {
		return b.fail(q, ErrUnresolved, "call of something that is not a function", "")
	}
	off, err := b.offset(q)
	if err != nil {
		return err
	}
	if j := b.in.JumpTables.Index; j != 0 && q.Symbol.Section == j {
		return b.jumpTable(q, off)
	}
	m, ok := b.mapAt(q.Symbol.Section, off)
	switch {
	case ok && m.Data:
		return b.data(q, m, off)
	case ok && off == m.Offset:
		b.refMap(q, m.Map)
		return nil
	case ok:
		return b.fail(q, ErrFormat, "reference to byte "+strconv.FormatUint(off-m.Offset, 10)+" of the definition of map "+quote(m.Map), "")
	}
	return b.fail(q, ErrUnresolved, b.nothingAt(q, off), "a map definition of a format of its own is added with the place of its symbol (lode.ParseOptions.Claim)")
}

// offset is the place in its section that a reference means: the symbol's value
// plus the addend in the instruction, which is 32 bits, sign-extended.
func (b *binder) offset(q *pending) (uint64, error) {
	lo, hi := b.p.Insns[q.at].Imm, b.p.Insns[q.at+1].Imm
	if hi != 0 && hi != lo>>31 {
		return 0, b.fail(q, ErrRange, "the addend takes more than 32 bits", "")
	}
	off, ok := addend(q.Symbol.Value, int64(lo))
	if !ok {
		return 0, b.fail(q, ErrRange, "symbol value "+strconv.FormatUint(q.Symbol.Value, 10)+" and addend "+strconv.Itoa(int(lo))+" lie outside the section", "")
	}
	return uint64(off), nil
}

func (b *binder) nothingAt(q *pending, off uint64) string {
	where := quote(q.Symbol.SectionName) + "+" + strconv.FormatUint(off, 10)
	if q.Symbol.SectionName == "" {
		where = "section index " + strconv.Itoa(q.Symbol.Section)
	}
	return "reference to " + where + ", where there is neither map nor data"
}

// mapAt finds the map whose symbol covers a place. One past the end belongs to
// data that end there: C allows such a pointer.
func (b *binder) mapAt(section int, off uint64) (*MapSymbol, bool) {
	i := sort.Search(len(b.maps), func(i int) bool { // the first that begins behind it
		m := &b.maps[i]
		return m.Section > section || m.Section == section && m.Offset > off
	})
	if i == 0 {
		return nil, false
	}
	m := &b.maps[i-1]
	in := m.Section == section && section != 0 && (off-m.Offset < m.Size || m.Data && off-m.Offset == m.Size || off == m.Offset)
	return m, in
}

// write replaces the instruction at a reference, and the immediate of its
// second slot if it has one.
func (b *binder) write(q *pending, kind ChangeKind, to insn.Instruction, hi int32) {
	p := b.p
	p.Changes = append(p.Changes, Change{Index: q.at, Kind: kind, From: p.Insns[q.at], To: to, Record: q.rec})
	if p.Insns[q.at].Op.IsWide() {
		second := p.Insns[q.at+1]
		second.Imm = hi
		if second != p.Insns[q.at+1] {
			p.Changes = append(p.Changes, Change{Index: q.at + 1, Kind: kind, From: p.Insns[q.at+1], To: second, Record: q.rec})
		}
		p.Insns[q.at+1] = second
	}
	p.Insns[q.at] = to
}

func (b *binder) refMap(q *pending, name string) {
	to := b.p.Insns[q.at]
	to.Regs, to.Imm = to.Regs.WithSrc(insn.PseudoMapFD), 0
	b.write(q, ChangeMap, to, 0)
	b.p.Maps = append(b.p.Maps, MapRef{Index: q.at, Map: name})
}

// value makes a wide load the address of a byte of a map's value.
func (b *binder) value(q *pending, kind ChangeKind, name string, off uint64) error {
	if off > math.MaxUint32 {
		return b.fail(q, ErrRange, "byte "+strconv.FormatUint(off, 10)+" of map "+quote(name)+" takes more than 32 bits to name", "")
	}
	to := b.p.Insns[q.at]
	to.Regs, to.Imm = to.Regs.WithSrc(insn.PseudoMapValue), 0
	b.write(q, kind, to, int32(uint32(off)))
	b.p.Maps = append(b.p.Maps, MapRef{Index: q.at, Map: name, Value: true, Offset: uint32(off)})
	return nil
}

func (b *binder) data(q *pending, m *MapSymbol, off uint64) error {
	return b.value(q, ChangeData, m.Map, uint64(m.Base)+off-m.Offset)
}

// constant makes a wide load that of a number.
func (b *binder) constant(q *pending, kind ChangeKind, v uint64) {
	to := b.p.Insns[q.at]
	to.Regs, to.Imm = to.Regs.WithSrc(0), int32(uint32(v))
	b.write(q, kind, to, int32(uint32(v>>32)))
}

// undefined binds a reference to a symbol that the object does not define.
func (b *binder) undefined(q *pending) error {
	call := b.p.Insns[q.at].Op == insn.OpCall
	if i, ok := b.externs[q.Symbol.Name]; ok {
		return b.extern(q, i, call)
	}
	if name, ok := b.named[q.Symbol.Name]; ok {
		if call {
			return b.fail(q, ErrMismatch, "call of a map", "")
		}
		if _, err := b.offset(q); err != nil || b.p.Insns[q.at].Imm != 0 {
			return b.fail(q, ErrFormat, "reference into the definition of map "+quote(name), "")
		}
		b.refMap(q, name)
		return nil
	}
	if q.Symbol.Bind == stbWeak && !call {
		b.constant(q, ChangeMap, 0)
		return nil
	}
	hint := "link the object that defines it, or declare it extern in .ksyms or .kconfig"
	if b.in.BTF == nil {
		hint = "compile with -g: what an object expects of the kernel is known by its BTF"
	}
	return b.fail(q, ErrUnresolved, "the symbol is not defined in the object", hint)
}
