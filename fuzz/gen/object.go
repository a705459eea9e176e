package gen

import (
	"encoding/binary"
	"slices"

	"github.com/lode-bpf/lode/btf"
	"github.com/lode-bpf/lode/elf"
	"github.com/lode-bpf/lode/insn"
)

// A function is one function of an object in the making.
type function struct {
	name    string
	section int // index in object.code
	offset  int // in the section, in bytes
	code
	insns []insn.Instruction
	typ   btf.TypeID // of the Func
}

// A codeSection holds functions, one after the other.
type codeSection struct {
	name  string
	funcs []int // index in object.funcs
	elf   int   // number in the file
}

// A dataSection holds variables or map definitions.
type dataSection struct {
	name   string
	typ    elf.SectionType
	flags  elf.SectionFlags
	vars   []variable
	size   uint32
	elf    int
	symbol int // of the first variable
}

// An object is a BPF object in the making.
type object struct {
	g     *Gen
	p     Profile
	t     *types
	b     elf.Builder
	code  []codeSection
	funcs []function
	data  []dataSection // the first is .maps
	core  []coreStruct

	firstFunc int // symbol number of funcs[0]
}

// programSections are names that loaders take for entry programs.
var programSections = []string{
	"xdp", "tc", "socket", "kprobe/schedule", "kretprobe/schedule", "tracepoint/sched/sched_switch", "raw_tp/sched_switch",
	"cgroup_skb/egress", "cgroup/connect4", "sk_msg", "sockops", "perf_event", "lwt_in", "flow_dissector", "action", "classifier",
}

// bpf is a BPF object: programs that call functions of .text, maps, variables
// of every section, types, lines.
func (g *Gen) bpf(p Profile) []byte {
	o := &object{g: g, p: p, t: newTypes(g)}
	o.b = elf.Builder{ByteOrder: p.ByteOrder, Type: elf.ET_REL, Machine: elf.EM_BPF}
	o.t.some(5 + g.n(20))
	if !p.NoCORE && !p.NoBTF {
		o.coreStructs(1 + g.n(3))
	}
	o.plan()
	for i := range o.funcs {
		o.write(i)
	}
	o.addSections()
	o.addSymbols()
	o.addRelocs()
	return must(o.b.Bytes())
}

// plan decides which functions, maps and variables there are.
func (o *object) plan() {
	maps := dataSection{name: ".maps", typ: elf.SHT_PROGBITS, flags: elf.SHF_ALLOC | elf.SHF_WRITE}
	if o.p.Maps > 0 {
		maps.vars, maps.size = o.t.maps(o.p.Maps)
	}
	o.data = []dataSection{maps}
	for _, d := range []dataSection{
		{name: ".rodata", typ: elf.SHT_PROGBITS, flags: elf.SHF_ALLOC},
		{name: ".data", typ: elf.SHT_PROGBITS, flags: elf.SHF_ALLOC | elf.SHF_WRITE},
		{name: ".bss", typ: elf.SHT_NOBITS, flags: elf.SHF_ALLOC | elf.SHF_WRITE},
	} {
		if !o.p.NoBTF && o.g.once(2) {
			d.vars, d.size = o.t.datasec(d.name, 1+o.g.n(4))
			o.data = append(o.data, d)
		}
	}
	o.code = []codeSection{{name: ".text"}}
	for range o.g.n(4) {
		o.addFunction(0, "helper")
	}
	names := slices.Clone(programSections)
	for range o.p.Programs {
		at := o.g.n(len(names))
		name := names[at]
		if len(names) > 1 {
			names = slices.Delete(names, at, at+1)
		}
		section := slices.IndexFunc(o.code, func(c codeSection) bool { return c.name == name })
		if section < 0 {
			section = len(o.code)
			o.code = append(o.code, codeSection{name: name})
		}
		o.addFunction(section, "prog")
	}
}

func (o *object) addFunction(section int, prefix string) {
	f := function{name: o.g.name(prefix), section: section}
	f.typ = o.t.b.AddFunc(f.name, o.t.proto, btf.LinkageGlobal)
	o.code[section].funcs = append(o.code[section].funcs, len(o.funcs))
	o.funcs = append(o.funcs, f)
}

// write makes the instructions of a function: some of any kind, with
// references in between.
func (o *object) write(i int) {
	f, g := &o.funcs[i], o.g
	c := &f.code
	for range 1 + g.n(5) {
		g.fill(c, 1+g.n(max(o.p.Size/3, 1)))
		switch g.n(4) {
		case 0:
			if n := o.p.Maps; n > 0 {
				c.refs = append(c.refs, ref{c.load(uint8(g.n(10)), 0), toMap, g.n(n)})
			}
		case 1:
			if len(o.data) > 1 {
				d := 1 + g.n(len(o.data)-1)
				v := g.n(len(o.data[d].vars))
				c.refs = append(c.refs, ref{c.load(uint8(g.n(10)), 0), toVariable, d<<16 | v})
			}
		case 2:
			// A function calls only those after it, so that nothing recurs; a
			// program may call all of them.
			n := len(o.code[0].funcs)
			first := 0
			if f.section == 0 {
				first = i + 1
			}
			if first < n {
				call := insn.Instruction{Op: insn.OpCall, Regs: insn.Regs(0, insn.PseudoCall), Imm: -1}
				c.refs = append(c.refs, ref{c.add(call), toFunction, first + g.n(n-first)})
			}
		case 3:
			if len(o.core) > 0 {
				o.coreAccess(c)
			}
		}
	}
	f.insns = c.finish(g)
	for _, before := range o.code[f.section].funcs {
		if before == i {
			break
		}
		f.offset += insn.Size * len(o.funcs[before].insns)
	}
}

// load appends a wide load of a number.
func (c *code) load(dst uint8, v int64) int {
	return c.add(insn.Instruction{Op: insn.OpLdImm64, Regs: insn.Regs(dst, 0), Imm: int32(v)}, insn.Instruction{Imm: int32(v >> 32)})
}

// addSections adds all sections but the tables that the Builder makes.
func (o *object) addSections() {
	for i := range o.code {
		c := &o.code[i]
		if len(c.funcs) == 0 {
			continue
		}
		var b []byte
		for _, n := range c.funcs {
			b = insn.Append(b, o.funcs[n].insns, o.p.ByteOrder)
		}
		c.elf = o.b.AddSection(elf.SectionDef{Name: c.name, Type: elf.SHT_PROGBITS, Flags: elf.SHF_ALLOC | elf.SHF_EXECINSTR, Addralign: 8, Data: b})
	}
	for i := range o.data {
		d := &o.data[i]
		if d.size == 0 {
			continue
		}
		def := elf.SectionDef{Name: d.name, Type: d.typ, Flags: d.flags, Addralign: 8}
		switch {
		case d.typ == elf.SHT_NOBITS:
			def.Size = uint64(d.size)
		case i == 0:
			def.Data = make([]byte, d.size) // map definitions are types; their bytes are zero
		default:
			def.Data = o.g.bytes(int(d.size))
		}
		d.elf = o.b.AddSection(def)
	}
	license := append([]byte(pick(o.g, []string{"GPL", "Dual MIT/GPL", "Dual BSD/GPL", "MIT"})), 0)
	o.b.AddSection(elf.SectionDef{Name: "license", Type: elf.SHT_PROGBITS, Flags: elf.SHF_ALLOC | elf.SHF_WRITE, Addralign: 1, Data: license})
	if o.p.NoBTF {
		return
	}
	ext := o.ext()
	o.b.AddSection(elf.SectionDef{Name: ".BTF", Type: elf.SHT_PROGBITS, Addralign: 4, Data: must(o.t.b.Bytes(o.p.ByteOrder))})
	o.b.AddSection(elf.SectionDef{Name: ".BTF.ext", Type: elf.SHT_PROGBITS, Addralign: 4, Data: ext})
}

func (o *object) addSymbols() {
	for _, c := range o.code {
		if c.elf != 0 {
			o.b.AddSymbol(elf.SymbolDef{Bind: elf.STB_LOCAL, Type: elf.STT_SECTION, Section: c.elf})
		}
	}
	for i := range o.data {
		d := &o.data[i]
		for n, v := range d.vars {
			at := o.b.AddSymbol(elf.SymbolDef{
				Name: v.name, Bind: elf.STB_GLOBAL, Type: elf.STT_OBJECT, Section: d.elf, Value: uint64(v.offset), Size: uint64(v.size),
			})
			if n == 0 {
				d.symbol = at
			}
		}
	}
	for i, f := range o.funcs {
		at := o.b.AddSymbol(elf.SymbolDef{
			Name: f.name, Bind: elf.STB_GLOBAL, Type: elf.STT_FUNC, Section: o.code[f.section].elf, Value: uint64(f.offset),
			Size: uint64(insn.Size * len(f.insns)),
		})
		if i == 0 {
			o.firstFunc = at
		}
	}
}

func (o *object) addRelocs() {
	for _, c := range o.code {
		for _, n := range c.funcs {
			f := o.funcs[n]
			for _, r := range f.refs {
				rel := elf.Reloc{Offset: uint64(f.offset + insn.Size*r.at), Type: elf.R_BPF_64_64}
				switch r.target {
				case toMap:
					rel.Symbol = o.data[0].symbol + r.index
				case toVariable:
					rel.Symbol = o.data[r.index>>16].symbol + r.index&0xffff
				case toFunction:
					rel.Symbol, rel.Type = o.firstFunc+r.index, elf.R_BPF_64_32
				}
				o.b.AddReloc(c.elf, rel)
			}
		}
	}
}

// words appends numbers of 32 bits.
func words(b []byte, order binary.ByteOrder, list ...uint32) []byte {
	for _, v := range list {
		b = append(b, 0, 0, 0, 0)
		order.PutUint32(b[len(b)-4:], v)
	}
	return b
}
