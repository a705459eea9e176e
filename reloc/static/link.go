package static

import (
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/lode-bpf/lode/btf"
	"github.com/lode-bpf/lode/elf"
)

// An Input is one object to be linked.
type Input struct {
	Name string // for messages
	File *elf.File
}

// A Result is the linked object.
type Result struct {
	Object   []byte
	Findings []string // what was left out, and why
}

// maxOutput bounds the size of the linked object. Sections of one input may lie
// over one another, so its size says nothing.
const maxOutput = 64 << 20

// maxSections bounds the number of its sections.
const maxSections = 4096

// Link links objects, in the order given: of two weak definitions the first is
// taken. The inputs must be of one byte order. They are not changed, and the
// result shares no memory with them.
func Link(inputs []Input) (*Result, error) {
	l := &linker{byName: map[string]int{}, globals: map[string]*global{}}
	for _, in := range inputs {
		if err := l.add(in); err != nil {
			return nil, err
		}
	}
	if len(l.inputs) == 0 {
		return nil, &Error{Kind: ErrFormat, Detail: "nothing to link"}
	}
	for _, step := range []func() error{l.placeSections, l.resolveSymbols, l.matchTypes, l.writeSections, l.writeSymbols, l.relocate, l.mergeTypes} {
		if err := step(); err != nil {
			return nil, err
		}
	}
	b, err := l.out.Bytes()
	if err != nil {
		return nil, &Error{Kind: ErrUnsupported, Detail: "the linked object cannot be written", Err: err}
	}
	return &Result{Object: b, Findings: l.findings}, nil
}

type linker struct {
	inputs   []*input
	order    binary.ByteOrder
	secs     []*section
	byName   map[string]int // of secs
	globals  map[string]*global
	names    []string // of globals, in the order of their appearance
	total    uint64   // bytes of all sections
	out      elf.Builder
	findings []string
}

// An input is an object that is being linked.
type input struct {
	Input
	index  int
	btf    *btf.Spec
	ext    *btf.Ext
	places []place                  // of its sections
	secs   map[string]elf.Section   // those that are kept, by name
	shared map[sharedKey]elf.Symbol // its symbols that others may use
	syms   []int                    // numbers of its symbols in the output, 0: left out
	vars   map[string]decl          // what its BTF says of symbols that others may use
	ids    []btf.TypeID             // its types in the output
	lost   []span                   // code and data that gave way to another definition
}

// A sharedKey is the section and name of a symbol.
type sharedKey struct {
	sec  int
	name string
}

// A place says where an input's section went.
type place struct {
	sec int // number in linker.secs plus 1; 0: left out
	off uint64
}

// A span is a part of an input's section.
type span struct {
	sec        int
	start, end uint64
}

// A section of the output.
type section struct {
	elf.SectionDef
	first *input // that has it
	num   int    // in the output
	sym   int    // its section symbol
}

func (in *input) fail(kind error, section, symbol, detail string, cause error) error {
	return &Error{Input: in.Name, Section: section, Symbol: symbol, Kind: kind, Detail: detail, Err: cause}
}

// add accepts an object for linking.
func (l *linker) add(src Input) error {
	in := &input{Input: src, index: len(l.inputs)}
	f := src.File
	if f.Type() != elf.ET_REL || f.Class() != elf.ELFCLASS64 || f.Machine() != elf.EM_BPF && f.Machine() != elf.EM_NONE {
		return in.fail(ErrUnsupported, "", "", "not a relocatable BPF object of 64 bits", nil)
	}
	if l.order == nil {
		l.order = f.ByteOrder()
		l.out = elf.Builder{ByteOrder: l.order, Type: elf.ET_REL, Machine: elf.EM_BPF}
	}
	if f.ByteOrder() != l.order {
		return &Error{Input: in.Name, Other: l.inputs[0].Name, Kind: ErrMismatch, Detail: "the byte orders differ"}
	}
	var err error
	if in.btf, in.ext, err = btf.ParseELF(f); err != nil && !errors.Is(err, btf.ErrNoBTF) {
		return in.fail(ErrFormat, ".BTF", "", "types cannot be read", err)
	}
	l.inputs = append(l.inputs, in)
	return nil
}

func (l *linker) find(in *input, format string, args ...any) {
	l.findings = append(l.findings, fmt.Sprintf("%q: ", in.Name)+fmt.Sprintf(format, args...))
}
