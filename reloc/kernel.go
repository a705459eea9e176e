package reloc

import (
	"fmt"
	"strconv"

	"github.com/lode-bpf/lode/btf"
	"github.com/lode-bpf/lode/insn"
)

// A resolution is what an extern came to.
type resolution struct {
	missing bool   // weak, and not there
	addr    uint64 // ExternKsym
	id      btf.TypeID
	module  string // whose BTF has id; empty for vmlinux

	// Why it could not be resolved.
	kind         error
	detail, hint string
	cause        error
}

// extern binds a reference to something of the kernel.
func (b *binder) extern(q *pending, i int, call bool) error {
	e := &b.in.Externs[i]
	if call && e.Kind != ExternKfunc {
		return b.fail(q, ErrMismatch, "call of a variable", "")
	}
	if e.Kind == ExternKconfig {
		return b.kconfigRef(q, i, e)
	}
	r := b.resolve(i)
	if r.kind != nil {
		err := b.refError(q.fn, q.i, q.rec, r.kind, e.Name, r.detail, r.hint)
		err.Err = r.cause
		return err
	}
	if call {
		return b.kfuncCall(q, i, r)
	}
	off, err := b.offset(q)
	if err != nil {
		return err
	}
	switch {
	case e.Kind == ExternKsym && r.missing:
		b.constant(q, ChangeKsym, 0)
	case e.Kind == ExternKsym:
		b.constant(q, ChangeKsym, r.addr+off)
	case off != 0:
		return b.fail(q, ErrUnsupported, "reference to byte "+strconv.FormatUint(off, 10)+" of a kernel variable", "take the variable's address and add to it in the program")
	case r.missing:
		b.constant(q, ChangeKsym, 0)
	default:
		to := b.p.Insns[q.at]
		to.Regs, to.Imm = to.Regs.WithSrc(insn.PseudoBTFID), int32(r.id)
		b.write(q, ChangeKsym, to, 0)
		b.moduleRef(q, r.module, false)
	}
	return nil
}

func (b *binder) moduleRef(q *pending, module string, call bool) {
	if module != "" {
		b.p.BTFRefs = append(b.p.BTFRefs, BTFRef{Index: q.at, Module: module, Call: call})
	}
}

func (b *binder) kfuncCall(q *pending, i int, r *resolution) error {
	if b.p.Insns[q.at].Imm != -1 {
		return b.fail(q, ErrFormat, "call of something behind the beginning of a kernel function", "")
	}
	if r.missing {
		b.write(q, ChangePoison, insn.Instruction{Op: insn.OpCall, Imm: PoisonKfunc + int32(i)}, 0)
		return nil
	}
	to := b.p.Insns[q.at]
	to.Regs, to.Off, to.Imm = to.Regs.WithSrc(insn.PseudoKfuncCall), 0, int32(r.id)
	b.write(q, ChangeKfunc, to, 0)
	b.moduleRef(q, r.module, true)
	return nil
}

// Immediates of the calls that stand for something that is missing. The kernel
// rejects such a call if it can be reached, naming the number, and removes it
// otherwise. They are the ones that libbpf uses.
const (
	PoisonCORE  = 195896080  // CO-RE relocation without a target (0xbad2310)
	PoisonMap   = 2001000000 // plus the number of a map that was not created
	PoisonKfunc = 2002000000 // plus the number of an Extern
)

// resolve looks an extern up in the environment, once.
func (b *binder) resolve(i int) *resolution {
	if b.resolved[i] == nil {
		e := &b.in.Externs[i]
		r := &resolution{}
		b.resolved[i] = r
		switch {
		case b.in.Env == nil && (e.Kind == ExternKsym || b.in.Target == nil):
			r.kind, r.hint = ErrNoEnv, "give an environment: the running kernel or a recorded one"
		case e.Kind == ExternKsym:
			b.ksym(e, r)
		default:
			b.typed(e, r)
		}
		if e.Weak && r.kind == ErrUnresolved {
			*r = resolution{missing: true}
		}
	}
	return b.resolved[i]
}

// ksym finds the address of a kernel symbol.
func (b *binder) ksym(e *Extern, r *resolution) {
	addrs, err := b.in.Env.Symbol(e.Name)
	switch {
	case err != nil:
		r.kind, r.detail, r.cause = ErrNoEnv, "cannot read the kernel's symbols", err
		r.hint = "load as root, with kernel.kptr_restrict at most 1"
	case len(addrs) == 0:
		r.kind, r.detail = ErrUnresolved, "the kernel has no such symbol"
		r.hint = "declare it __weak and compare its address with 0"
	case len(addrs) > 1:
		r.kind, r.detail = ErrAmbiguous, fmt.Sprintf("the kernel has %d symbols of that name, the first at %#x and %#x", len(addrs), addrs[0], addrs[1])
		r.hint = "declare it with its type, so that it is found in the kernel's BTF"
	default:
		r.addr = addrs[0]
	}
}

// typed finds a variable or function in the BTF of vmlinux or of a module.
func (b *binder) typed(e *Extern, r *resolution) {
	name, kind, what := e.Name, btf.KindVar, "variable"
	if e.Kind == ExternKfunc {
		name, kind, what = btf.EssentialName(e.Name), btf.KindFunc, "function"
	}
	kernel, err := b.kernelBTF()
	if err != nil {
		r.kind, r.detail, r.cause = ErrNoEnv, "cannot read the kernel's BTF", err
		return
	}
	if t, ok := ownNamed(kernel, name, kind); ok {
		b.compatible(e, r, kernel, t, "")
		return
	}
	modules, err := b.modules()
	if err != nil {
		r.kind, r.detail, r.cause = ErrNoEnv, "cannot list the kernel's modules", err
		return
	}
	broken := 0
	for _, m := range modules {
		if m.BTF == nil {
			broken++
			continue
		}
		if t, ok := ownNamed(m.BTF, name, kind); ok {
			b.compatible(e, r, m.BTF, t, m.Name)
			return
		}
	}
	r.kind = ErrUnresolved
	r.detail = fmt.Sprintf("no kernel %s %q in the BTF of vmlinux or of its %d modules", what, name, len(modules))
	if broken > 0 {
		r.detail += fmt.Sprintf(" (%d of them unreadable)", broken)
	}
	r.hint = "declare it __weak and test for it with bpf_ksym_exists, or load the module that has it"
}

// kernelBTF is the kernel's BTF or, without an environment, the target that was
// given in its place.
func (b *binder) kernelBTF() (*btf.Spec, error) {
	if b.in.Env == nil {
		return b.in.Target, nil
	}
	return b.in.Env.Kernel()
}

func (b *binder) modules() ([]Module, error) {
	if b.in.Env == nil {
		return nil, nil
	}
	return b.in.Env.Modules()
}

// ownNamed finds a type by name that is not the base's.
func ownNamed(s *btf.Spec, name string, kind btf.Kind) (btf.Type, bool) {
	for t := range s.Named(name) {
		if t.ID() < s.FirstID() {
			break
		}
		if t.Kind() == kind {
			return t, true
		}
	}
	return btf.Type{}, false
}

// compatible accepts a variable or function of the kernel if its type is
// compatible with what the object declares.
func (b *binder) compatible(e *Extern, r *resolution, s *btf.Spec, t btf.Type, module string) {
	local := b.in.BTF.Type(e.TypeID)
	if !(local.Kind() == btf.KindVar || local.Kind() == btf.KindFunc) {
		r.kind, r.detail = ErrFormat, "the extern has no type"
		return
	}
	m := matcher{local: b.in.BTF, steps: int64(b.lim.CORESteps)}
	ok, err := m.typesCompat(behind(b.in.BTF, local.Elem()), s, behind(s, t.Elem()))
	if err == nil && ok {
		r.id, r.module = t.ID(), module
		return
	}
	if e.Weak && e.Kind == ExternKfunc {
		r.kind = ErrUnresolved
		return
	}
	r.kind, r.cause = ErrMismatch, err
	r.detail = fmt.Sprintf("the kernel declares it with another type (type %d of %s)", t.Elem(), orVmlinux(module))
	r.hint = "declare it as the kernel does"
}

func orVmlinux(module string) string {
	if module == "" {
		return "vmlinux"
	}
	return quote(module)
}

// behind is the type behind typedefs and qualifiers, or the one given if there
// is no telling.
func behind(s *btf.Spec, id btf.TypeID) btf.TypeID {
	if t, err := s.Resolve(id); err == nil {
		return t.ID()
	}
	return id
}
