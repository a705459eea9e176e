package main

import (
	"fmt"
	"path"

	"github.com/lode-bpf/lode"
	"github.com/lode-bpf/lode/compat/iproute2"
	"github.com/lode-bpf/lode/conf"
	"github.com/lode-bpf/lode/elf"
	"github.com/lode-bpf/lode/kconfig"
	"github.com/lode-bpf/lode/sys"
)

// open reads the one object file of a command, as its flags say.
func (e *env) open() (*lode.Object, error) {
	if len(e.args) != 1 {
		return nil, usage("want one file, not %d", len(e.args))
	}
	o, err := openLegacy(e.args[0], e.opts.legacy)
	if err != nil {
		return nil, err
	}
	if len(e.opts.only) > 0 {
		return o, o.Only(e.opts.only...)
	}
	return o, nil
}

// openLegacy reads an object file with iproute2's map format allowed or not.
func openLegacy(path, legacy string) (*lode.Object, error) {
	switch legacy {
	case "auto":
		return lode.Open(path, lode.ParseOptions{Fallback: iproute2.Fallback})
	case "never":
		return lode.Open(path, lode.ParseOptions{})
	case "only":
		f, err := elf.Open(path)
		if err != nil {
			return nil, err
		}
		o, err := iproute2.Options{}.Parse(f.Data(), lode.ParseOptions{Name: lode.ObjectName(path)})
		if err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		o.Path = path
		return o, nil
	}
	return nil, usage("--legacy is auto, never or only, not %q", legacy)
}

// policy is the pinning policy that the flags and the system's configuration make.
func (e *env) policy() (lode.Policy, error) {
	config, err := conf.Load(conf.Options{Path: e.opts.config})
	if err != nil {
		return lode.Policy{}, err
	}
	if e.opts.pinRoot != "" && !path.IsAbs(e.opts.pinRoot) {
		return lode.Policy{}, usage("--pin-root %q is not an absolute path", e.opts.pinRoot)
	}
	return lode.Policy{Config: config, PinRoot: e.opts.pinRoot}, nil
}

// kernelEnv is what relocation can know of this kernel.
func kernelEnv() *lode.LiveEnv {
	env := lode.NewLiveEnv(sys.Live())
	env.ReadConfig = kconfig.Read
	return env
}
