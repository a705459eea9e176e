package lode

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	bpfmaps "github.com/lode-bpf/lode/maps"
	"github.com/lode-bpf/lode/prog"
	"github.com/lode-bpf/lode/sys"
)

// LoadPrograms does the plan's steps about programs: descriptors of maps are
// written into the instructions, the kernel verifies the programs, and new
// program arrays and struct_ops maps are filled with them.
//
// Before: the plan's object has been relocated, and c has a map for every map
// that its programs use; c need not come from the same plan, so that maps can
// be created before relocation and replaced in between. After: every program
// that the plan loads has a descriptor in c. On failure the programs that were
// loaded are closed again and c is as it was.
func (c *Collection) LoadPrograms(ctx context.Context, p *Plan) error {
	if p.object.Relocation == nil && len(p.object.Programs) > 0 {
		return fmt.Errorf("load programs of %q: the object has not been relocated; plan from what Relocate returns", p.Object)
	}
	l := programLoader{Collection: c, plan: p}
	defer l.close()
	return c.phase(ctx, p, func(_ *Plan, s *Step, u *undoLog) error { return l.step(s, u) })
}

// A programLoader is what one LoadPrograms needs.
type programLoader struct {
	*Collection
	plan    *Plan
	modules map[string]*sys.FD // BTF of modules that instructions refer to
	tables  []*bpfmaps.Map     // instruction arrays of the programs so far
}

func (l *programLoader) close() {
	for _, m := range l.tables {
		m.Close()
	}
	for _, fd := range l.modules {
		fd.Close()
	}
}

func (l *programLoader) step(s *Step, u *undoLog) error {
	switch s.Op {
	case OpLoadProgram:
		return l.load(l.plan.object.Program(s.Program), s, u)
	case OpSetTailCall:
		if !l.fresh[s.Map] {
			return nil
		}
		l.did(s, "set", 0)
		return l.Maps[s.Map].SetSlot(s.Key, l.Programs[s.Target].FD())
	}
	return nil
}

// load gives one program to the kernel.
func (l *programLoader) load(p *Program, s *Step, u *undoLog) error {
	if p.Code == nil {
		return fmt.Errorf("program %q was not part of the relocation; relocate with AutoLoad on", p.Name)
	}
	if p.Code.Err != nil {
		return p.Code.Err
	}
	code, err := l.code(p)
	if err != nil {
		return err
	}
	spec := p.Spec
	if _, member, ok := l.plan.object.memberOf(p.Name); ok {
		spec.AttachType = sys.AttachType(member)
	}
	loaded, err := prog.Load(l.kernel, &spec, code, prog.LoadOptions{
		Explain: l.plan.explain(p),
		Lines:   func() []prog.SourceLine { return prog.SourceLines(p.Code.Lines, l.plan.object.BTF) },
	})
	if err != nil {
		return err
	}
	l.Programs[p.Name] = loaded
	u.add(func() error { delete(l.Programs, p.Name); return loaded.Close() })
	info, err := loaded.Info()
	if err != nil {
		return err
	}
	l.did(s, "loaded", info.ID)
	return l.bindData(p, loaded)
}

// bindData ties the read-only data of the object to the program, so that
// whoever looks at the program finds it. Kernels before 5.10 cannot; nothing
// depends on it.
func (l *programLoader) bindData(p *Program, loaded *prog.Program) error {
	for _, m := range l.plan.object.Maps {
		if m.Internal && m.Freeze && l.Maps[m.Name] != nil && !slices.Contains(p.mapsUsed(), m.Name) {
			if err := loaded.BindMap(l.Maps[m.Name].FD()); err != nil {
				return nil
			}
		}
	}
	return nil
}

// code is the program with descriptors in its instructions.
func (l *programLoader) code(p *Program) (prog.Code, error) {
	c := prog.Code{Insns: slices.Clone(p.Code.Insns), BTFFD: l.btfFD()}
	tables, err := l.jumpTables(p)
	if err != nil {
		return c, err
	}
	for _, r := range p.Code.Maps {
		m := cmp.Or(tables[r.Map], l.Maps[r.Map])
		if m == nil {
			return c, &MissingMapError{Program: p.Name, Map: r.Map, Index: r.Index}
		}
		c.Insns[r.Index].Imm = int32(m.FD())
	}
	if err := l.moduleRefs(p, &c); err != nil {
		return c, err
	}
	if c.BTFFD != 0 && p.Code.FuncInfo != nil {
		for _, f := range p.Code.FuncInfo {
			c.FuncInfo = prog.AppendFuncInfo(c.FuncInfo, f.Index, f.TypeID)
		}
		c.LineInfo = prog.AppendLineInfo(nil, p.Code.Lines)
	}
	return c, l.target(p, &c)
}

// moduleRefs writes the descriptors of modules' BTF.
func (l *programLoader) moduleRefs(p *Program, c *prog.Code) error {
	place := map[string]int{}
	for _, r := range p.Code.BTFRefs {
		fd, err := l.module(r.Module)
		if err != nil {
			return err
		}
		if !r.Call {
			c.Insns[r.Index+1].Imm = int32(fd.Int())
			continue
		}
		if place[r.Module] == 0 {
			if len(c.FDArray) == 0 {
				c.FDArray = append(c.FDArray, 0) // index 0 means vmlinux
			}
			place[r.Module] = len(c.FDArray)
			c.FDArray = append(c.FDArray, int32(fd.Int()))
		}
		c.Insns[r.Index].Off = int16(place[r.Module])
	}
	return nil
}

// module opens the BTF of a module by its name.
func (l *programLoader) module(name string) (*sys.FD, error) {
	if fd := l.modules[name]; fd != nil {
		return fd, nil
	}
	b, err := moduleBTF(l.kernel, name)
	if err != nil {
		return nil, err
	}
	if l.modules == nil {
		l.modules = map[string]*sys.FD{}
	}
	l.modules[name] = b.fd
	return b.fd, nil
}

func cString(b []byte) string {
	if i := slices.Index(b, 0); i >= 0 {
		b = b[:i]
	}
	return string(b)
}

// target finds what the program attaches to in the kernel's types.
func (l *programLoader) target(p *Program, c *prog.Code) error {
	if b, _, ok := l.plan.object.memberOf(p.Name); ok {
		c.AttachBTFID = uint32(b.Type)
		if b.Module == "" {
			return nil
		}
		fd, err := l.module(b.Module)
		if err != nil {
			return err
		}
		c.AttachBTFObjFD = fd.Int()
		return nil
	}
	if p.AttachProg != nil {
		c.AttachProgFD = p.AttachProg.FD()
	}
	if hook, err := p.Hook(); p.AttachKind == prog.AttachTracingMulti && err == nil && hook.Module != "" {
		fd, err := l.module(hook.Module)
		if err != nil {
			return err
		}
		c.AttachBTFObjFD = fd.Int()
	}
	if !p.NeedsTarget {
		return nil
	}
	t, err := l.findTarget(p)
	if err != nil {
		return err
	}
	c.AttachBTFID = uint32(t.TypeID)
	if t.Module != "" {
		fd, err := l.module(t.Module)
		if err != nil {
			return err
		}
		c.AttachBTFObjFD = fd.Int()
	}
	return nil
}

// A MissingMapError says that a program uses a map that was not created.
type MissingMapError struct {
	Program, Map string
	Index        int
}

func (e *MissingMapError) Error() string {
	return fmt.Sprintf("program %q, instruction %d: the map %q was not created; create it, give one with UseMap, or turn the program off", e.Program, e.Index, e.Map)
}
