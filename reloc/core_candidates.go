package reloc

import (
	"fmt"
	"strconv"

	"github.com/lode-bpf/lode/btf"
)

// candidates finds the target types of a local root type: those of the same
// essential name and kind, in vmlinux or, if it has none, in the modules.
func (e *engine) candidates(d *Decision) (*candidates, error) {
	i, ok := e.cands[d.Local.ID()]
	if !ok {
		i = int32(len(e.candList))
		e.cands[d.Local.ID()] = i
		e.candList = append(e.candList, candidates{})
		start := len(e.slab)
		c := &e.candList[i]
		c.err = e.find(d.Local)
		c.list = e.slab[start:len(e.slab):len(e.slab)]
		c.left = len(c.list)
	}
	return &e.candList[i], e.candList[i].err
}

// find appends the candidates for a local type to the slab.
func (e *engine) find(local btf.Type) error {
	if !e.asked {
		e.asked = true
		e.kernel, e.kernelErr = e.target()
	}
	if e.kernelErr != nil {
		return e.kernelErr
	}
	start := len(e.slab)
	name := btf.EssentialName(local.Name())
	if err := e.add(start, e.kernel, "", name, local.Kind()); err != nil || len(e.slab) > start || e.in.Target != nil {
		return err
	}
	e.askModules()
	for _, m := range e.modules {
		if m.BTF == nil {
			continue
		}
		if err := e.add(start, m.BTF, m.Name, name, local.Kind()); err != nil {
			return err
		}
	}
	return nil
}

// askModules lists the modules, once, and those that cannot be read.
func (e *engine) askModules() {
	if e.modAsked {
		return
	}
	e.modAsked = true
	var err error
	if e.modules, err = e.in.Env.Modules(); err != nil {
		e.findings = append(e.findings, Finding{Text: "CO-RE: the kernel's modules cannot be listed: " + err.Error()})
	}
	for _, m := range e.modules {
		if m.BTF == nil {
			e.findings = append(e.findings, Finding{Text: fmt.Sprintf("CO-RE: the BTF of module %q cannot be read: %v", m.Name, m.Err)})
		}
	}
}

// target is the BTF that candidates come from first.
func (e *engine) target() (*btf.Spec, error) {
	switch {
	case e.in.Target != nil:
		return e.in.Target, nil
	case e.in.Env == nil:
		return nil, specError(ErrNoEnv, "nothing is known of the kernel; give an environment or a target BTF")
	}
	s, err := e.in.Env.Kernel()
	if err == nil && s == nil {
		err = specError(ErrNoEnv, "the environment has no kernel BTF")
	}
	return s, err
}

// add adds the types of a Spec, but not of its base unless it is vmlinux's own.
func (e *engine) add(start int, s *btf.Spec, module, name string, kind btf.Kind) error {
	for t := range s.Candidates(name) {
		if module != "" && t.ID() < s.FirstID() {
			break
		}
		if err := e.m.spend(1); err != nil {
			return err
		}
		if !sameKind(t.Kind(), kind) {
			continue
		}
		if len(e.slab)-start == e.lim.Candidates {
			return specError(ErrLimit, "limit Candidates of "+strconv.Itoa(e.lim.Candidates)+" exceeded by types of the name "+quote(name))
		}
		e.slab = append(e.slab, candidate{spec: s, typ: t, module: module})
	}
	return nil
}
