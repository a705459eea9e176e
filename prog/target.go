package prog

import (
	"strings"

	"github.com/lode-bpf/lode/btf"
	"github.com/lode-bpf/lode/sys"
)

// A ModuleBTF is a kernel module and its types.
type ModuleBTF struct {
	Name string
	BTF  *btf.Spec
}

// FindTarget finds the type that the program attaches to by AttachTarget: in
// AttachProg if that is set; else in the module that AttachTarget names; else in
// the kernel, and in the modules after that. modules is called only if they are
// needed; it may be nil. A program that needs no target has the zero Target.
//
// The error is a *TargetError if there is no such type.
func FindTarget(s *Spec, kernel *btf.Spec, modules func() ([]ModuleBTF, error)) (Target, error) {
	if !s.NeedsTarget && s.AttachProg == nil {
		return Target{}, nil
	}
	e := &TargetError{Program: s.Name, Section: s.Section}
	if s.AttachTarget == "" {
		return Target{}, e
	}
	prefix, kind := targetKind(s)
	module, name := "", s.AttachTarget
	if m, n, ok := strings.Cut(name, ":"); ok {
		module, name = m, n
	}
	e.Module, e.Name, e.Kind = module, prefix+name, kind
	if s.AttachProg != nil {
		b, err := s.AttachProg.BTF()
		if err != nil {
			return Target{}, err
		}
		e.In = s.AttachProg.String()
		return e.find("", b)
	}
	if s.Type == sys.ProgTypeExt {
		e.In = "a program (Spec.AttachProg is not set)"
		return Target{}, e
	}
	return e.inKernel(kernel, modules)
}

// inKernel looks in the kernel and its modules.
func (e *TargetError) inKernel(kernel *btf.Spec, modules func() ([]ModuleBTF, error)) (Target, error) {
	if (e.Module == "" || e.Module == "vmlinux") && kernel != nil {
		e.In = "vmlinux"
		if t, err := e.find("", kernel); err == nil || e.Module != "" {
			return t, err
		}
	}
	e.In = "module " + quote(e.Module)
	if e.Module == "" {
		e.In = "the kernel and its modules"
	}
	if modules == nil {
		return Target{}, e
	}
	list, err := modules()
	if err != nil {
		return Target{}, err
	}
	for _, m := range list {
		if m.BTF == nil || e.Module != "" && m.Name != e.Module {
			continue
		}
		if t, err := e.find(m.Name, m.BTF); err == nil {
			return t, nil
		}
	}
	return Target{}, e
}

// find looks in one BTF, of a module only among its own types.
func (e *TargetError) find(module string, b *btf.Spec) (Target, error) {
	for t := range b.Named(e.Name) {
		if t.Kind() == e.Kind && (module == "" || t.ID() >= b.FirstID()) {
			return Target{Module: module, TypeID: t.ID()}, nil
		}
	}
	return Target{}, e
}

// targetKind says what a target is called in the kernel's types.
func targetKind(s *Spec) (prefix string, kind btf.Kind) {
	if s.AttachProg != nil {
		return "", btf.KindFunc
	}
	switch s.AttachType {
	case sys.AttachTraceRawTP:
		return "btf_trace_", btf.KindTypedef
	case sys.AttachLSMMac, sys.AttachLSMCgroup:
		return "bpf_lsm_", btf.KindFunc
	case sys.AttachTraceIter:
		return "bpf_iter_", btf.KindFunc
	}
	return "", btf.KindFunc
}

// A TargetError says that what a program attaches to does not exist.
type TargetError struct {
	Program, Section string
	Module           string   // as the definition names it, empty for any
	Name             string   // of the type; empty if the definition names no target
	Kind             btf.Kind // of the type
	In               string   // where it was looked for
}

func (e *TargetError) Error() string {
	s := "prog: program " + quote(e.Program) + " (section " + quote(e.Section) + "): "
	if e.Name == "" {
		return s + "the section name does not say what it attaches to; set AttachTarget"
	}
	return s + "no " + strings.ToLower(e.Kind.String()) + " " + quote(e.Name) + " in the types of " + e.In
}

// Is matches btf.ErrNotFound.
func (e *TargetError) Is(target error) bool { return target == btf.ErrNotFound }
