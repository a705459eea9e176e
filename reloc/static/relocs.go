package static

import (
	"math"
	"strconv"

	"github.com/lode-bpf/lode/elf"
	"github.com/lode-bpf/lode/insn"
)

// relocate moves relocation records to where their places went. A record that
// counts from a section's beginning has its addend in the bytes that it is
// about, which grows by as much as the section has moved.
func (l *linker) relocate() error {
	for _, in := range l.inputs {
		for rs := range in.File.Sections() {
			if rs.Type() != elf.SHT_REL && rs.Type() != elf.SHT_RELA {
				continue
			}
			target := rs.Target()
			if !target.Valid() || in.places[target.Index()].sec == 0 {
				continue
			}
			if rs.Type() == elf.SHT_RELA {
				return in.fail(ErrUnsupported, rs.Name(), "", "relocations with explicit addends", nil)
			}
			for i, r := range rs.Relocs() {
				if err := l.move(in, rs, target, i, r); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

func (l *linker) move(in *input, rs, target elf.Section, i int, r elf.Reloc) error {
	fail := func(detail string) error {
		return in.fail(ErrFormat, rs.Name(), in.File.Symbol(r.Symbol).Name(), "record "+strconv.Itoa(i)+": "+detail, nil)
	}
	sec, off, _ := in.at(target.Index(), r.Offset)
	o := l.secs[sec]
	if r.Offset >= target.Size() || o.Type == elf.SHT_NOBITS {
		return fail("it lies outside the section")
	}
	sym := in.File.Symbol(r.Symbol)
	if r.Symbol <= 0 || r.Symbol >= len(in.syms) || in.syms[r.Symbol] == 0 {
		return fail("it names a symbol that is not linked")
	}
	if sym.Type() == elf.STT_SECTION {
		by := in.places[sym.SectionIndex()].off
		width := map[uint32]uint64{elf.R_BPF_64_64: 16, elf.R_BPF_64_32: 8, elf.R_BPF_64_ABS64: 8, elf.R_BPF_64_ABS32: 4}[r.Type]
		if width == 0 {
			return fail("type " + strconv.FormatUint(uint64(r.Type), 10))
		}
		if width > target.Size()-r.Offset || !l.addTo(o.Data[off:off+width], r.Type, by) {
			return fail("its addend cannot grow by " + strconv.FormatUint(by, 10))
		}
	}
	l.out.AddReloc(o.num, elf.Reloc{Offset: off, Type: r.Type, Symbol: in.syms[r.Symbol]})
	return nil
}

// addTo adds to the addend that a record's place holds.
func (l *linker) addTo(b []byte, typ uint32, by uint64) bool {
	add32 := func(b []byte, by uint64) bool {
		v := int64(int32(l.order.Uint32(b))) + int64(by)
		l.order.PutUint32(b, uint32(v))
		return by <= math.MaxInt32 && v <= math.MaxInt32
	}
	switch typ {
	case elf.R_BPF_64_32:
		return by%insn.Size == 0 && b[0] == byte(insn.OpCall) && add32(b[4:], by/insn.Size)
	case elf.R_BPF_64_64:
		if b[0] == byte(insn.OpCall) {
			return by%insn.Size == 0 && add32(b[4:], by/insn.Size)
		}
		return b[0] == byte(insn.OpLdImm64) && add32(b[4:], by)
	case elf.R_BPF_64_ABS64:
		l.order.PutUint64(b, l.order.Uint64(b)+by)
		return true
	}
	return add32(b, by)
}
