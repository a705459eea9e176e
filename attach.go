package lode

import (
	"context"
	"errors"

	"github.com/lode-bpf/lode/link"
)

// Attach does the plan's steps that attach: struct_ops maps are registered, and
// programs attached to what their section names say. A plan has such steps if
// its policy asks for them.
//
// Before: the programs are loaded. After: they run. On failure what was
// attached here is detached.
func (c *Collection) Attach(ctx context.Context, p *Plan) error {
	var u undoLog
	before := len(c.Done)
	for _, s := range p.Steps {
		err := ctx.Err()
		if err == nil {
			err = c.attachStep(p, s, &u)
		}
		if err != nil {
			c.Done = c.Done[:before]
			return errors.Join(wrap(err, s.doing()), u.run())
		}
	}
	c.steps = append(c.steps, u)
	return nil
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
	l, err := link.Auto(c.kernel, loaded.FD(), link.Target{
		Kind: p.AttachKind.String(), AttachType: p.AttachType, Return: p.ReturnProbe,
		Function: hook.Function, Pattern: hook.Pattern, Offset: hook.Offset, Path: hook.Path, Category: hook.Category, Name: hook.Name,
	})
	if err != nil {
		return err
	}
	c.keepLink(s.Program, l, u)
	c.did(s, "attached", 0)
	return nil
}

// keepLink makes a link part of the collection.
func (c *Collection) keepLink(name string, l *link.Link, u *undoLog) {
	c.Links[name] = l
	u.add(func() error {
		delete(c.Links, name)
		return l.Close()
	})
}
