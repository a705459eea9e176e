package main

import (
	"errors"
	"fmt"
	"os"
	"path"
	"slices"

	"github.com/lode-bpf/lode"
	"github.com/lode-bpf/lode/compat/iproute2"
	"github.com/lode-bpf/lode/compat/irkeytable"
	"github.com/lode-bpf/lode/conf"
	"github.com/lode-bpf/lode/elf"
	"github.com/lode-bpf/lode/kconfig"
	"github.com/lode-bpf/lode/link"
	"github.com/lode-bpf/lode/maps"
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

// checkChoices finds a wrong flag before the first file is opened.
func (e *env) checkChoices() error {
	if _, ok := sys.ParseProgType(e.opts.typ); !ok && e.opts.typ != "" {
		return usage("--type: there is no program type %q", e.opts.typ)
	}
	if !slices.Contains([]string{"auto", "never", "only"}, e.opts.legacy) {
		return usage("--legacy is auto, never or only, not %q", e.opts.legacy)
	}
	return nil
}

// openLegacy reads an object file with the map formats of compat allowed or not.
func openLegacy(path, legacy string) (*lode.Object, error) {
	switch legacy {
	case "auto":
		return lode.Open(path, lode.ParseOptions{Fallback: fallback})
	case "never":
		return lode.Open(path, lode.ParseOptions{})
	case "only":
		f, err := elf.Open(path)
		if err != nil {
			return nil, err
		}
		parse := iproute2.Options{}.Parse
		if _, ok := f.SectionByName(irkeytable.Section); ok {
			parse = irkeytable.Parse
		}
		o, err := parse(f.Data(), lode.ParseOptions{Name: lode.ObjectName(path)})
		if err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		o.Path = path
		return o, nil
	}
	return nil, usage("--legacy is auto, never or only, not %q", legacy)
}

// fallback reads map definitions of the formats that compat has, by the section
// that the standard parser did not understand.
func fallback(b []byte, opts lode.ParseOptions, cause error) (*lode.Object, error) {
	var unknown *maps.NotUnderstoodError
	if errors.As(cause, &unknown) && unknown.Section == irkeytable.Section {
		return irkeytable.Fallback(b, opts, cause)
	}
	return iproute2.Fallback(b, opts, cause)
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
