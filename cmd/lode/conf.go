package main

import (
	"flag"
	"fmt"

	"github.com/lode-bpf/lode/conf"
)

func confFlags(f *flag.FlagSet, e *env) {
	commonFlags(f, e)
	f.StringVar(&e.opts.config, "config", "", "this `file` instead of the system's")
}

// confShow prints the merged configuration, each value with its origin.
func confShow(e *env) error {
	if len(e.args) > 0 {
		return usage("want no arguments")
	}
	c, err := conf.Load(conf.Options{Path: e.opts.config})
	if err != nil {
		return err
	}
	if e.opts.json {
		return e.printJSON(c)
	}
	_, err = e.out.Write(c.Format())
	return err
}

// confCheck reads one file as a load would.
func confCheck(e *env) error {
	if len(e.args) != 1 {
		return usage("want one file, not %d", len(e.args))
	}
	c, err := conf.Load(conf.Options{Path: e.args[0]})
	if err != nil {
		return err
	}
	for _, f := range c.Findings {
		if _, err := fmt.Fprintln(e.out, f); err != nil {
			return err
		}
	}
	_, err = fmt.Fprintf(e.out, "%s: no errors\n", quote(e.args[0]))
	return err
}
