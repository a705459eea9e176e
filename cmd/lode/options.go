package main

import (
	"flag"
	"strings"
	"time"
)

// options are the flags of all commands; each command registers those it has.
type options struct {
	json    bool
	pinRoot string
	config  string
	only    list
	legacy  string
	noPin   bool
	env     string
	now     bool
	dryRun  bool
	attach  bool
	set     many
	resize  many
	typ     string

	style   string
	btf     many
	base    string
	details bool
	holders bool
	diff    bool
	data    string
	context string
	repeat  int
	format  string
	output  string
	fixups  bool
	compare bool
	limit   time.Duration
}

// A list is a flag that may be given more than once, or with commas.
type list []string

func (l *list) String() string { return strings.Join(*l, ",") }
func (l *list) Set(s string) error {
	*l = append(*l, strings.Split(s, ",")...)
	return nil
}

// A many is a flag that may be given more than once; commas are part of it.
type many []string

func (m *many) String() string { return strings.Join(*m, " ") }
func (m *many) Set(s string) error {
	*m = append(*m, s)
	return nil
}

func commonFlags(f *flag.FlagSet, e *env) {
	f.BoolVar(&e.opts.json, "json", false, "print JSON")
}

func legacyFlag(f *flag.FlagSet, e *env) {
	f.StringVar(&e.opts.legacy, "legacy", "auto", "map formats of iproute2 and ir-keytable: auto, never or only")
}

func envFlag(f *flag.FlagSet, e *env, absent string) {
	f.StringVar(&e.opts.env, "env", "", "relocate for the kernel recorded in this `file` (see lode env record), or \"live\" for this one; "+absent)
}

// editFlags change the object before it is relocated.
func editFlags(f *flag.FlagSet, e *env) {
	f.Var(&e.opts.only, "only", "load only these `programs`")
	f.Var(&e.opts.set, "set", "initial value of a global variable: `VARIABLE=VALUE`; may be repeated")
	f.Var(&e.opts.resize, "map", "change a map definition: `NAME.max_entries=N`; may be repeated")
	typeFlag(f, e)
	legacyFlag(f, e)
}

func typeFlag(f *flag.FlagSet, e *env) {
	f.StringVar(&e.opts.typ, "type", "", "program `type` of programs whose section names none, such as xdp")
}

func policyFlags(f *flag.FlagSet, e *env) {
	commonFlags(f, e)
	f.StringVar(&e.opts.pinRoot, "pin-root", "", "pin everything below this `directory` of a bpffs; it is made if missing")
	f.StringVar(&e.opts.config, "config", "", "pinning configuration `file` instead of the system's")
	editFlags(f, e)
	f.BoolVar(&e.opts.attach, "attach", false, "attach programs to what their section names say, and register struct_ops maps")
}

func planFlags(f *flag.FlagSet, e *env) {
	policyFlags(f, e)
	envFlag(f, e, "without it, for this kernel")
	f.BoolVar(&e.opts.now, "now", false, "look what is pinned now at the plan's paths")
}

func loadFlags(f *flag.FlagSet, e *env) {
	policyFlags(f, e)
	f.BoolVar(&e.opts.noPin, "no-pin-programs", false, "do not pin programs and links; they end with this command unless something else holds them")
	f.BoolVar(&e.opts.dryRun, "dry-run", false, "change nothing; print the plan with what is pinned now")
}
