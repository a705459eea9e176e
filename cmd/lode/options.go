package main

import (
	"flag"
	"strings"
)

// options are the flags of all commands; each command registers those it has.
type options struct {
	json    bool
	pinRoot string
	config  string
	only    list
	legacy  string
	noPin   bool
}

// A list is a flag that may be given more than once, or with commas.
type list []string

func (l *list) String() string { return strings.Join(*l, ",") }
func (l *list) Set(s string) error {
	*l = append(*l, strings.Split(s, ",")...)
	return nil
}

func commonFlags(f *flag.FlagSet, e *env) {
	f.BoolVar(&e.opts.json, "json", false, "print JSON")
}

func planFlags(f *flag.FlagSet, e *env) {
	commonFlags(f, e)
	f.StringVar(&e.opts.pinRoot, "pin-root", "", "pin everything below this `directory` of a bpffs; it is made if missing")
	f.StringVar(&e.opts.config, "config", "", "pinning configuration `file` instead of the system's")
	f.Var(&e.opts.only, "only", "load only these `programs`")
	f.StringVar(&e.opts.legacy, "legacy", "auto", "iproute2's legacy map format: auto, never or only")
}

func loadFlags(f *flag.FlagSet, e *env) {
	planFlags(f, e)
	f.BoolVar(&e.opts.noPin, "no-pin-programs", false, "do not pin programs; they end with this command unless something else holds them")
}
