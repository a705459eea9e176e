package lode

import "context"

// Attach does the plan's steps that attach programs. A plan has them if its
// policy asks for it.
func (c *Collection) Attach(ctx context.Context, p *Plan) error { return nil }
