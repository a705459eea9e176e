package lode

import (
	"context"
	"errors"

	"github.com/lode-bpf/lode/conf"
	"github.com/lode-bpf/lode/pin"
	"github.com/lode-bpf/lode/reloc"
	"github.com/lode-bpf/lode/sys"
)

// LoadOptions adjusts Load. The zero value does what an object asks for.
type LoadOptions struct {
	ParseOptions
	Policy

	// Edit, if not nil, may change the object before it is relocated.
	Edit func(*Object) error

	Kernel sys.Kernel // nil for the running kernel; see sys.WithFeatures and sys.WithToken
	Env    reloc.Env  // nil for the running kernel's
}

// tries is how often Load starts anew when another loader is faster to pin.
const tries = 16

// Load loads an object file in one call: with the system's pinning
// configuration, reusing what is pinned, filling maps of maps and program
// arrays, pinning what asks for it. Everything it does is a step that a program
// can call by itself; read this function as the list of them.
//
// The Collection holds what was created, reused and pinned; close it when the
// descriptors are not needed any more. After an error nothing is left that was
// not there before.
func Load(ctx context.Context, path string, opts LoadOptions) (*Collection, error) {
	object, err := Open(path, opts.ParseOptions)
	if err != nil {
		return nil, err
	}
	return object.Load(ctx, opts)
}

// Load is the rest of the function Load, from an object on. The object is not
// changed, but for what opts.Edit does.
func (o *Object) Load(ctx context.Context, opts LoadOptions) (*Collection, error) {
	if opts.Config == nil {
		config, err := conf.Load(conf.Options{})
		if err != nil {
			return nil, err
		}
		opts.Config = config
	}
	if opts.Kernel == nil {
		opts.Kernel = sys.Live()
	}
	opts.Kernel = sys.WithFeatures(opts.Kernel, sys.FeaturesOf(opts.Kernel)) // whatever needs to know asks once
	if opts.Env == nil {
		opts.Env = NewLiveEnv(opts.Kernel)
	}
	if opts.BPFFS == "" {
		// Without any bpffs the plan has the usual path: an object that pins
		// nothing needs none, and any other fails there with the reason.
		opts.BPFFS, _ = pin.DiscoverAt(opts.Kernel, opts.Config.BPFFS.V, opts.Config.Mount.V)
	}
	if opts.Edit != nil {
		if err := opts.Edit(o); err != nil {
			return nil, err
		}
	}
	relocated, err := o.Relocate(opts.Env)
	if err != nil {
		return nil, err
	}
	plan, err := relocated.Plan(opts.Policy)
	if err != nil {
		return nil, err
	}
	for try := 1; ; try++ {
		c, err := execute(ctx, opts, plan)
		if err == nil || !errors.Is(err, ErrPinRace) || try == tries {
			return c, err
		}
	}
}

// execute carries out a plan; a failed step takes back all before it.
func execute(ctx context.Context, opts LoadOptions, plan *Plan) (*Collection, error) {
	c, err := CreateMaps(ctx, opts.Kernel, plan)
	if err != nil {
		return nil, err
	}
	for _, step := range []func(context.Context, *Plan) error{c.LoadPrograms, c.PinAll, c.Attach} {
		if err := step(ctx, plan); err != nil {
			return nil, errors.Join(err, c.Undo())
		}
	}
	return c, nil
}
