package prog

import (
	"slices"
	"sort"
	"strconv"

	"github.com/lode-bpf/lode/btf"
	"github.com/lode-bpf/lode/elf"
	"github.com/lode-bpf/lode/insn"
)

// references hands the relocation records to the functions.
func (c *collector) references() error {
	refs := map[*codeSection][]insn.Ref{}
	for rs := range c.file.Sections() {
		sec := c.byIndex[rs.Target().Index()]
		n := rs.NumRelocs()
		if sec == nil || n == 0 {
			continue
		}
		if err := c.charge(rs.Size(), rs); err != nil {
			return err
		}
		out, err := c.referencesOf(rs, sec, slices.Grow(refs[sec], n)) // a record of 16 bytes each
		if err != nil {
			return err
		}
		refs[sec] = out
	}
	for _, sec := range c.code {
		r := refs[sec]
		sortByIndex(r, refIndex)
		for i := 1; i < len(r); i++ {
			if r[i].Index == r[i-1].Index {
				return c.refError(sec, &r[i], elf.Overlap, "another record is about the same instruction")
			}
		}
		share(sec, r, refIndex, func(f *insn.Func, part []insn.Ref) { f.Refs = part })
	}
	return nil
}

// referencesOf reads one relocation section. Index counts from the start of the
// code section.
func (c *collector) referencesOf(rs elf.Section, sec *codeSection, out []insn.Ref) ([]insn.Ref, error) {
	outside := tally{c: c, f: Finding{Kind: FindingReloc, Section: rs.Name(), Text: "records for code that belongs to no function"}}
	none := tally{c: c, f: Finding{Kind: FindingReloc, Section: rs.Name(), Text: "records of type R_BPF_NONE, which do nothing"}}
	for i, r := range rs.Relocs() {
		ref := insn.Ref{Index: int(min(r.Offset/insn.Size, uint64(len(sec.Data())/insn.Size))), Type: r.Type, Addend: r.Addend, RelSection: rs.Index(), Record: i}
		if r.Offset >= uint64(len(sec.Data())) || r.Offset%insn.Size != 0 {
			return nil, c.refError(sec, &ref, elf.Range, "r_offset "+strconv.FormatUint(r.Offset, 10)+" is not the start of an instruction")
		}
		f := sec.function(ref.Index)
		if f == nil {
			outside.add(i)
			continue
		}
		if r.Type == elf.R_BPF_NONE {
			none.add(i)
			continue
		}
		sym := rs.RelocSymbol(r)
		if kind, detail := sec.unfit(f, &ref, sym); kind != 0 {
			return nil, c.refError(sec, &ref, kind, detail)
		}
		ref.Symbol = insn.Symbol{
			Index: sym.Index(), Name: sym.Name(), Section: sym.SectionIndex(), SectionName: sym.Section().Name(),
			Value: sym.Value(), Size: sym.Size(), Bind: uint8(sym.Bind()), Type: uint8(sym.Type()), Visibility: uint8(sym.Visibility()),
		}
		out = append(out, ref)
	}
	outside.report()
	none.report()
	return out, nil
}

// unfit says why a record cannot be about its instruction.
func (sec *codeSection) unfit(f *insn.Func, r *insn.Ref, sym elf.Symbol) (elf.Kind, string) {
	op := sec.insns[r.Index].Op
	switch {
	case sec.second(f, r.Index):
		return elf.Range, "r_offset is the second half of a wide load"
	case op != insn.OpCall && !op.IsWide():
		return elf.Range, "the instruction (opcode 0x" + strconv.FormatUint(uint64(op), 16) + ") refers to nothing"
	case r.Type != elf.R_BPF_64_64 && r.Type != elf.R_BPF_64_32:
		return elf.Unsupported, "relocation type " + strconv.FormatUint(uint64(r.Type), 10) + " has no meaning in code"
	case op.IsWide() != (r.Type == elf.R_BPF_64_64):
		return elf.Range, "relocation type " + strconv.FormatUint(uint64(r.Type), 10) + " does not fit the instruction (opcode 0x" + strconv.FormatUint(uint64(op), 16) + ")"
	case r.Addend != 0:
		return elf.Unsupported, "explicit addend " + strconv.FormatInt(r.Addend, 10) + "; the addend is expected in the instruction"
	case !sym.Valid():
		return elf.Range, "the record names no symbol"
	case sym.Reserved():
		return elf.Range, "symbol " + quote(sym.Name()) + " is neither in a section nor undefined"
	}
	return 0, ""
}

// refError is an error about a relocation record.
func (c *collector) refError(sec *codeSection, r *insn.Ref, kind elf.Kind, detail string) error {
	e := &FormatError{Section: sec.name, RelSection: c.file.Section(r.RelSection).Name(), Record: r.Record, Offset: int64(r.Index) * insn.Size, Kind: kind, Detail: detail}
	if f := sec.function(r.Index); f != nil {
		e.Function = f.Name
	}
	return e
}

// debugInfo hands the records of .BTF.ext to the functions.
func (c *collector) debugInfo() error {
	if c.ext == nil {
		return nil
	}
	if s, ok := c.file.SectionByName(".BTF.ext"); ok {
		if err := c.charge(uint64(len(c.ext.Bytes())), s); err != nil {
			return err
		}
	}
	byName := map[string]*codeSection{}
	for _, sec := range c.code {
		if byName[sec.name] == nil {
			byName[sec.name] = sec
		}
	}
	empty := &codeSection{}
	for _, name := range c.ext.Sections() {
		sec := byName[name]
		if sec == nil {
			sec = empty
		}
		c.funcInfo(name, sec)
		c.lineInfo(name, sec)
		if err := c.coreInfo(name, sec); err != nil {
			return err
		}
	}
	return nil
}

// funcInfo gives each function its type.
func (c *collector) funcInfo(name string, sec *codeSection) {
	outside := tally{c: c, f: Finding{Kind: FindingFuncInfo, Section: name, Text: "func_info records that are not about the start of a function"}}
	wrong := tally{c: c, f: Finding{Kind: FindingFuncInfo, Section: name, Text: "func_info records whose type is not a FUNC"}}
	again := tally{c: c, f: Finding{Kind: FindingFuncInfo, Section: name, Text: "func_info records for a function that has one"}}
	for n, r := range c.ext.Funcs(name) {
		f := sec.function(int(r.Off / insn.Size))
		switch {
		case f == nil || r.Off%insn.Size != 0 || int(r.Off/insn.Size) != f.Offset:
			outside.add(n)
		case c.btf == nil || c.btf.Type(r.Type).Kind() != btf.KindFunc:
			wrong.add(n)
		case f.TypeID != 0:
			again.add(n)
		default:
			f.TypeID = uint32(r.Type)
		}
	}
	outside.report()
	wrong.report()
	again.report()
}

// lineInfo gives each function its source lines.
func (c *collector) lineInfo(name string, sec *codeSection) {
	outside := tally{c: c, f: Finding{Kind: FindingLineInfo, Section: name, Text: "line_info records that are about no instruction of a function"}}
	again := tally{c: c, f: Finding{Kind: FindingLineInfo, Section: name, Text: "line_info records for an instruction that has one"}}
	n, first := 0, 0
	for i := range c.ext.Lines(name) {
		if n == 0 {
			first = i
		}
		n++
	}
	lines := make([]insn.Line, 0, n) // a record of 16 bytes each
	for n, r := range c.ext.Lines(name) {
		slot := int(r.Off / insn.Size)
		f := sec.function(slot)
		if f == nil || r.Off%insn.Size != 0 || sec.second(f, slot) {
			outside.add(n)
			continue
		}
		if k := len(lines); k > 0 && lines[k-1].Index == slot {
			again.add(n)
			continue
		}
		lines = append(lines, insn.Line{Index: slot, FileOff: r.FileOff, LineOff: r.LineOff, LineCol: r.LineCol})
	}
	outside.report()
	if !sortByIndex(lines, lineIndex) {
		c.find(Finding{Kind: FindingOrder, Section: name, Record: -1, Count: 1, Text: "line_info records are not in the order of the instructions"})
		kept := lines[:0]
		for _, l := range lines {
			if k := len(kept); k > 0 && kept[k-1].Index == l.Index {
				again.add(first)
				continue
			}
			kept = append(kept, l)
		}
		lines = kept
	}
	again.report()
	share(sec, lines, lineIndex, func(f *insn.Func, part []insn.Line) { f.Lines = part })
}

// coreInfo gives each function its CO-RE records. They change code: one that
// points beside an instruction is an error.
func (c *collector) coreInfo(name string, sec *codeSection) error {
	outside := tally{c: c, f: Finding{Kind: FindingCORE, Section: name, Text: "core_relo records for code that belongs to no function"}}
	n := 0
	for range c.ext.CORE(name) {
		n++
	}
	out := make([]insn.CORE, 0, n) // a record of 16 bytes each
	for n, r := range c.ext.CORE(name) {
		slot := int(r.Off / insn.Size)
		f := sec.function(slot)
		if f == nil && r.Off%insn.Size == 0 {
			outside.add(n)
			continue
		}
		if r.Off%insn.Size != 0 || sec.second(f, slot) {
			return &FormatError{Section: name, RelSection: ".BTF.ext core_relo", Record: n, Offset: int64(r.Off), Kind: elf.Range, Detail: "insn_off is not the start of an instruction"}
		}
		out = append(out, insn.CORE{Index: slot, TypeID: uint32(r.Type), AccessOff: r.AccessOff, Kind: uint32(r.Kind), Record: n})
	}
	outside.report()
	sortByIndex(out, coreIndex)
	share(sec, out, coreIndex, func(f *insn.Func, part []insn.CORE) { f.CORE = part })
	return nil
}

// sortByIndex sorts records by instruction, keeping the order of the file
// among those of one instruction, and reports whether they were sorted before.
func sortByIndex[T any](recs []T, index func(*T) *int) bool {
	sorted := true
	for i := 1; i < len(recs) && sorted; i++ {
		sorted = *index(&recs[i-1]) <= *index(&recs[i])
	}
	if !sorted {
		sort.SliceStable(recs, func(i, j int) bool { return *index(&recs[i]) < *index(&recs[j]) })
	}
	return sorted
}

// share cuts sorted records into the parts of the functions and makes their
// indexes count from the function's start.
func share[T any](sec *codeSection, recs []T, index func(*T) *int, set func(*insn.Func, []T)) {
	for i := range sec.funcs {
		f := &sec.funcs[i]
		n := 0
		for ; n < len(recs) && *index(&recs[n]) < f.Offset+len(f.Insns); n++ {
			*index(&recs[n]) -= f.Offset
		}
		if n > 0 {
			set(f, recs[:n:n])
			recs = recs[n:]
		}
	}
}

func refIndex(r *insn.Ref) *int   { return &r.Index }
func lineIndex(l *insn.Line) *int { return &l.Index }
func coreIndex(r *insn.CORE) *int { return &r.Index }
