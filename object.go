package lode

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/lode-bpf/lode/btf"
	"github.com/lode-bpf/lode/elf"
	"github.com/lode-bpf/lode/insn"
	"github.com/lode-bpf/lode/maps"
	"github.com/lode-bpf/lode/prog"
	"github.com/lode-bpf/lode/reloc"
)

// An Object is everything that an object file says, as plain data: look at it,
// change it, add to it and take from it as you like until it is loaded. It
// holds no descriptor and nothing in it refers to a kernel.
//
// Fields may be edited directly. File, BTF and Ext are views over the bytes of
// the file, immutable and shared by all copies.
type Object struct {
	Name string // prefix of the kernel's names of internal maps; the file's base name up to the first dot
	Path string // where it was read from; for messages only
	File *elf.File
	BTF  *btf.Spec // nil if the file has none
	Ext  *btf.Ext  // nil if the file has none

	License       string
	KernelVersion uint32 // from the section "version", 0 if there is none

	Maps        []*Map
	Programs    []*Program
	Subprograms []*insn.Func   // functions that are called, not loaded on their own
	Externs     []reloc.Extern // what the object expects of the kernel
	Kconfig     reloc.Layout   // where each kconfig variable stands in the map ".kconfig"

	// Hash is the SHA-1 of the file in hexadecimal, where a layout of pin
	// directories needs it (compat/iproute2); else empty.
	Hash string

	// Findings lists what is odd in the file but harmless.
	Findings []Finding

	// Relocation is what Relocate did; nil before.
	Relocation *Relocation
}

// A Map is a map definition and what the loader is to do about it.
type Map struct {
	maps.Spec

	// Pin says where the map is pinned; the zero value leaves it to the
	// definition's Pinning value and the policy.
	Pin Pin

	// Use replaces the definition by a map that exists: it is neither
	// created nor filled nor pinned, and the caller keeps owning it.
	Use *maps.Map

	// UsePin is a path in bpffs: the map pinned there is used instead of a
	// new one and must exist and match the definition.
	UsePin string

	// Refill writes the initial slots (of a map of maps or a program array)
	// into a map that is reused from its pin, too. Without it the contents
	// of a reused map are never touched. Refilled slots are written after
	// everything else has succeeded and are restored if a later step fails.
	Refill bool

	// Legacy marks a definition in iproute2's format: its pin value is read
	// by that loader's rules (1: directory of the object, 2: globals).
	Legacy bool
}

// A Program is a program definition and what the loader is to do about it.
// AutoLoad in the definition says whether it is loaded at all.
type Program struct {
	prog.Spec

	// Pin says where the program is pinned; the zero value means not, unless
	// the policy pins programs.
	Pin Pin

	// Code is the relocated program, nil before Relocate. It may be edited.
	Code *reloc.Program
}

// A Pin says where something is pinned.
type Pin struct {
	Mode PinMode
	Path string // for PinPath: absolute, in a bpffs
}

// PinMode is the choice in a Pin.
type PinMode uint8

const (
	PinDefault PinMode = iota // as the definition and the policy say
	PinNever                  // nowhere
	PinByName                 // under its name, in the directory of the policy
	PinPath                   // at exactly this path
)

// A Finding is something odd but harmless, with the stage that found it.
type Finding struct {
	Stage string // "elf", "btf", "maps", "prog", "reloc"
	Text  string
}

func (f Finding) String() string { return f.Stage + ": " + f.Text }

// ParseOptions adjusts Parse.
type ParseOptions struct {
	// Name is the object's name; Parse needs one, Open takes the file's.
	Name string

	// Claim lists sections whose meaning the caller knows and the loader
	// does not (iproute2's "maps", say). The loader leaves them alone;
	// Claimed lists their symbols, and a Map added with the place of such a
	// symbol (SectionIndex, Offset, Size) gets the references to it.
	Claim []string

	// Fallback parses files whose map definitions the standard parser does
	// not understand (iproute2.Fallback of compat/iproute2); cause is the
	// standard parser's error. It is called for a *maps.NotUnderstoodError
	// and for nothing else; nil returns that error. Only Open uses it.
	Fallback func(b []byte, opts ParseOptions, cause error) (*Object, error)

	// Sections gives section names a meaning beside the standard table.
	Sections prog.Options
}

// Open reads and parses an object file, by the standard parser or, where that
// does not understand the map definitions, by the fallback. It needs no
// privileges and makes no system call but reading the file.
func Open(path string, opts ParseOptions) (*Object, error) {
	f, err := elf.Open(path)
	if err != nil {
		return nil, wrap(err, "open object")
	}
	if opts.Name == "" {
		opts.Name = ObjectName(path)
	}
	o, err := fromELF(f, opts)
	var unknown *maps.NotUnderstoodError
	if errors.As(err, &unknown) && opts.Fallback != nil {
		o, err = opts.Fallback(f.Data(), opts, err)
	}
	if err != nil {
		return nil, wrap(err, path)
	}
	o.Path = path
	return o, nil
}

// ObjectName is the name that Open gives to the object in a file: the file's base
// name up to its first dot.
func ObjectName(path string) string {
	name, _, _ := strings.Cut(filepath.Base(path), ".")
	if name == "" {
		return "object"
	}
	return name
}

// Parse takes an object file apart. It keeps b, which must not change. The
// file may be of either byte order, and hostile: the result is an Object or an
// error, in bounded time and memory.
//
// A map definition that is not understood is a *maps.NotUnderstoodError, and
// nothing else is: another parser may then be tried (see Load).
func Parse(b []byte, opts ParseOptions) (*Object, error) {
	f, err := elf.Parse(b)
	if err != nil {
		return nil, err
	}
	return fromELF(f, opts)
}

// fromELF is Parse for a file whose sections and symbols are known.
func fromELF(f *elf.File, opts ParseOptions) (*Object, error) {
	if f.Type() != elf.ET_REL || (f.Machine() != elf.EM_BPF && f.Machine() != elf.EM_NONE) || f.Class() != elf.ELFCLASS64 {
		return nil, &NotBPFError{Class: f.Class(), Type: f.Type(), Machine: f.Machine()}
	}
	o := &Object{Name: opts.Name, File: f}
	var err error
	for _, x := range f.Findings() {
		o.find("elf", x.String())
	}
	o.BTF, o.Ext, err = btf.ParseELF(f)
	if err != nil && !isNoBTF(err) {
		return nil, err
	}
	if err := o.collectMaps(opts.Claim); err != nil {
		return nil, err
	}
	if err := o.collectPrograms(opts); err != nil {
		return nil, err
	}
	o.wantStructOps()
	return o, o.collectExterns()
}

//go:noinline
func (o *Object) find(stage, text string) {
	o.Findings = append(o.Findings, Finding{Stage: stage, Text: text})
}

// Clone is a copy that can be edited without touching o. The views over the
// file are shared.
func (o *Object) Clone() *Object {
	c := *o
	c.Maps = make([]*Map, len(o.Maps))
	for i, m := range o.Maps {
		c.Maps[i] = m.Clone()
	}
	c.Programs = make([]*Program, len(o.Programs))
	for i, p := range o.Programs {
		c.Programs[i] = p.Clone()
	}
	c.Subprograms = make([]*insn.Func, len(o.Subprograms))
	for i, f := range o.Subprograms {
		c.Subprograms[i] = f.Clone()
	}
	c.Externs = append([]reloc.Extern(nil), o.Externs...)
	c.Findings = append([]Finding(nil), o.Findings...)
	return &c
}

// Clone is a deep copy, but for the map in Use.
func (m *Map) Clone() *Map {
	c := *m
	c.Spec = *m.Spec.Clone()
	return &c
}

// Clone is a deep copy.
func (p *Program) Clone() *Program {
	c := *p
	c.Spec = *p.Spec.Clone()
	if p.Code != nil {
		c.Code = p.Code.Clone()
	}
	return &c
}

// Map returns the map definition of that name, nil if there is none.
func (o *Object) Map(name string) *Map {
	for _, m := range o.Maps {
		if m.Name == name {
			return m
		}
	}
	return nil
}

// Program returns the program of that name, nil if there is none.
func (o *Object) Program(name string) *Program {
	for _, p := range o.Programs {
		if p.Name == name {
			return p
		}
	}
	return nil
}

// A NotBPFError reports an ELF file that is not a BPF object.
type NotBPFError struct {
	Class   elf.Class
	Type    elf.Type
	Machine elf.Machine
}

func (e *NotBPFError) Error() string {
	return fmt.Sprintf("not a BPF object: %v %v for machine %v, want a relocatable 64-bit file for BPF; compile with clang -target bpf -c", e.Class, e.Type, e.Machine)
}
