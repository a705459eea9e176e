package main

import (
	"fmt"
	"os"
	"path"

	"github.com/lode-bpf/lode"
	"github.com/lode-bpf/lode/compat/iproute2"
	"github.com/lode-bpf/lode/conf"
	"github.com/lode-bpf/lode/elf"
	"github.com/lode-bpf/lode/kconfig"
	"github.com/lode-bpf/lode/link"
	"github.com/lode-bpf/lode/reloc"
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
	return o, e.edit(o)
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

// relocationEnv is the kernel that --env names: a recorded one or, if it is
// "live" or not given, the running one.
func (e *env) relocationEnv() (reloc.Env, error) {
	if e.opts.env == "" || e.opts.env == "live" {
		return kernelEnv(), nil
	}
	return readEnv(e.opts.env)
}

// readEnv reads a recorded kernel.
func readEnv(file string) (*reloc.Recorded, error) {
	b, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	r, err := reloc.ReadRecorded(b)
	if err != nil {
		return nil, fmt.Errorf("%s is not a recorded kernel, as lode env record writes it: %w", file, err)
	}
	return r, nil
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
	policy := lode.Policy{Config: config, PinRoot: e.opts.pinRoot}
	if e.opts.attach {
		policy.Attach = link.Auto
	}
	return policy, nil
}

// kernelEnv is what relocation can know of this kernel.
func kernelEnv() *lode.LiveEnv {
	env := lode.NewLiveEnv(sys.Live())
	env.ReadConfig = kconfig.Read
	return env
}
