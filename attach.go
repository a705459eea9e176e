package lode

import (
	"context"
	"errors"
	"fmt"

	"github.com/lode-bpf/lode/link"
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

func (c *Collection) attachStep(p *Plan, s Step, u *undoLog) error {
	switch s.Op {
	case OpRegister:
		return c.register(p, s, u)
	case OpAttach:
		return c.attach(p.object.Program(s.Program), s, u)
	}
	return nil
}

// attach attaches one program to what its section name says.
func (c *Collection) attach(p *Program, s Step, u *undoLog) error {
	loaded := c.Programs[s.Program]
	if loaded == nil {
		return errors.New("it has not been loaded")
	}
	hook, err := p.Hook()
	if err != nil {
		return err
	}
	t := link.Target{
		Kind: p.AttachKind.String(), AttachType: c.attachType(p), Return: p.ReturnProbe,
		Function: hook.Function, Pattern: hook.Pattern, Offset: hook.Offset, Path: hook.Path,
		Category: hook.Category, Provider: hook.Provider, Name: hook.Name,
	}
	if p.USDT {
		if t.Specs, err = c.usdtSpecs(); err != nil {
			return err
		}
	}
	l, err := link.Auto(c.kernel, loaded.FD(), t)
	if err != nil {
		return err
	}
	c.keepLink(s.Program, l, u)
	c.did(s, "attached", 0)
	return nil
}

// attachType is the attach type that a program is loaded and attached with: USDT
// programs go through uprobe-multi links where the kernel has them.
func (c *Collection) attachType(p *Program) sys.AttachType {
	if !p.USDT || p.AttachType != 0 {
		return p.AttachType
	}
	if multi, err := featuresOf(c.kernel).Has(sys.FeatureUprobeMultiLink); err != nil || !multi {
		return 0
	}
	return sys.AttachTraceUprobeMulti
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
