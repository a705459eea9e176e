package lode

import (
	"context"
	"errors"
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
	}
	return nil
}
