package main

import (
	"fmt"

	"github.com/lode-bpf/lode"
	"github.com/lode-bpf/lode/sys"
)

// plan prints what load would do.
func plan(e *env) error {
	policy, err := e.policy()
	if err != nil {
		return err
	}
	return e.printPlan(policy, e.opts.now)
}

// printPlan prints the plan of the command's object; with observe, it says what
// is pinned now.
func (e *env) printPlan(policy lode.Policy, observe bool) error {
	o, err := e.open()
	if err != nil {
		return err
	}
	env, err := e.relocationEnv()
	if err != nil {
		return err
	}
	r, err := o.Relocate(env)
	if err != nil {
		return err
	}
	p, err := r.Plan(policy)
	if err != nil {
		return err
	}
	if observe {
		if err := p.Observe(sys.Live()); err != nil {
			return err
		}
	}
	if e.opts.json {
		return e.printJSON(p)
	}
	_, err = fmt.Fprint(e.out, p)
	return err
}
