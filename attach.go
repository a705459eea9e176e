package lode

import (
	"context"
	"errors"
	"fmt"

	"github.com/lode-bpf/lode/link"
	"github.com/lode-bpf/lode/prog"
	"github.com/lode-bpf/lode/sys"
)

// Attach does the plan's steps that attach: struct_ops maps are registered, and
// programs attached to what their section names say. A plan has such steps if
// its policy asks for them.
//
// Before: the programs are loaded. After: they run. On failure what was
// attached here is detached.
func (c *Collection) Attach(ctx context.Context, p *Plan) error {
	return c.phase(ctx, p, c.attachStep)
}

func (c *Collection) attachStep(p *Plan, s *Step, u *undoLog) error {
	switch s.Op {
	case OpRegister:
		return c.register(p, s, u)
	case OpAttach:
		return c.attach(p, p.object.Program(s.Program), s, u)
	case OpPinLink:
		return c.pinLink(p, s, u)
	}
	return nil
}

// pinLink makes an attachment outlive the process.
func (c *Collection) pinLink(p *Plan, s *Step, u *undoLog) error {
	l := c.Links[s.Map+s.Program]
	switch {
	case l == nil:
		return errors.New("it has not been attached")
	case l.FD() < 0:
		return fmt.Errorf("%s was attached without a BPF link, which is all that can be pinned: this kernel has none for it; load without Policy.Persist and keep the process", l)
	}
	return c.pinNewest(p, s, l.FD(), sys.ObjLink, u)
}

// attach attaches one program to what its section name says.
func (c *Collection) attach(plan *Plan, p *Program, s *Step, u *undoLog) error {
	loaded := c.Programs[s.Program]
	if loaded == nil {
		return errors.New("it has not been loaded")
	}
	hook, err := p.Hook()
	if err != nil {
		return err
	}
	t := link.Target{
		Kind: p.AttachKind.String(), AttachType: p.AttachType, Return: p.ReturnProbe,
		Function: hook.Function, Pattern: hook.Pattern, Offset: hook.Offset, Path: hook.Path,
		Category: hook.Category, Provider: hook.Provider, Name: hook.Name,
	}
	switch {
	case p.USDT:
		t.Specs, err = c.usdtSpecs()
	case p.AttachKind == prog.AttachTracingMulti && hook.Pattern != "":
		t.IDs, err = c.tracedFunctions(hook)
	}
	if err != nil {
		return err
	}
	l, err := plan.policy.Attach(c.kernel, loaded.FD(), t)
	if err != nil {
		return err
	}
	c.keepLink(s.Program, l, u)
	c.did(s, "attached", 0)
	return nil
}

// Names of the maps through which usdt.bpf.h tells programs of their arguments.
const (
	usdtSpecsMap = "__bpf_usdt_specs"
	usdtIPsMap   = "__bpf_usdt_ip_to_spec_id"
)

// usdtSpecs are the USDT maps of the object, shared by its programs.
func (c *Collection) usdtSpecs() (*link.USDTSpecs, error) {
	if c.usdt != nil {
		return c.usdt, nil
	}
	specs, ips := c.Maps[usdtSpecsMap], c.Maps[usdtIPsMap]
	if specs == nil || ips == nil {
		return nil, fmt.Errorf("USDT programs need the maps %q and %q of usdt.bpf.h", usdtSpecsMap, usdtIPsMap)
	}
	var err error
	c.usdt, err = link.NewUSDTSpecs(c.kernel, specs.FD(), ips.FD())
	return c.usdt, err
}

// keepLink makes a link part of the collection.
func (c *Collection) keepLink(name string, l *link.Link, u *undoLog) {
	c.Links[name] = l
	u.add(func() error {
		delete(c.Links, name)
		return l.Close()
	})
}
