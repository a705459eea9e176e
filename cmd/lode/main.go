// Command lode inspects, plans and loads BPF objects.
//
// Run it without arguments for the list of commands, and "lode help COMMAND" for
// one of them. It exits with 0 on success, 1 when something failed and 2 when
// it was called wrongly.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"
)

// A command is one word of the command line.
type command struct {
	name  string // "load", "map dump"
	args  string // what follows the flags
	brief string
	help  string // examples
	run   func(*env) error
	flags func(*flag.FlagSet, *env)
}

// An env is what a command works with.
type env struct {
	ctx    context.Context
	out    io.Writer
	errOut io.Writer
	args   []string
	opts   options
	all    []command // all commands

	width      int  // of the terminal that out is; 0 elsewhere
	colour     bool // out is a terminal that shows it
	progresses bool // errOut is a terminal
}

// usageError is a wrong call: exit status 2.
type usageError struct{ text string }

func (e *usageError) Error() string { return e.text }

func usage(format string, args ...any) error { return &usageError{fmt.Sprintf(format, args...)} }

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

// run is main with everything passed in.
func run(ctx context.Context, args []string, out, errOut io.Writer) int {
	if len(args) > 1 && args[0] == "help" {
		args = append(slices.Clone(args[1:]), "-h")
	}
	c, rest := lookup(args)
	if c == nil {
		if len(args) > 0 && args[0] != "help" && args[0] != "-h" && args[0] != "--help" {
			fmt.Fprintf(errOut, "lode: no command %q\n\n", strings.Join(args[:min(2, len(args))], " "))
			printCommands(errOut, args[0])
			return 2
		}
		printCommands(out, "")
		return 0
	}
	e := &env{ctx: ctx, out: out, errOut: errOut, all: commands}
	e.width, e.colour = terminal(out)
	_, e.progresses = terminal(errOut)
	if os.Getenv("NO_COLOR") != "" || os.Getenv("TERM") == "dumb" {
		e.colour = false
	}
	f := flag.NewFlagSet("lode "+c.name, flag.ContinueOnError)
	f.SetOutput(io.Discard)
	if c.flags != nil {
		c.flags(f, e)
	}
	positional, err := parseFlags(f, rest)
	if errors.Is(err, flag.ErrHelp) {
		printHelp(out, c, f)
		return 0
	}
	if err == nil {
		e.args = positional
		err = c.run(e)
	} else {
		err = usage("%v", err)
	}
	return report(err, c, errOut)
}

// parseFlags lets flags stand before and behind the arguments.
func parseFlags(f *flag.FlagSet, args []string) ([]string, error) {
	var positional []string
	for {
		if err := f.Parse(args); err != nil {
			return nil, err
		}
		args = f.Args()
		if len(args) == 0 {
			return positional, nil
		}
		positional = append(positional, args[0])
		args = args[1:]
	}
}

// report prints an error and returns the exit status.
func report(err error, c *command, errOut io.Writer) int {
	var wrong *usageError
	switch {
	case err == nil || errors.Is(err, syscall.EPIPE):
		return 0
	case errors.As(err, &wrong):
		fmt.Fprintf(errOut, "lode %s: %v\nusage: %s\n", c.name, err, strings.Join(c.words(c.flags != nil), " "))
		return 2
	}
	fmt.Fprintf(errOut, "lode: %v\n", err)
	if hint := hintFor(err); hint != "" {
		fmt.Fprintf(errOut, "%s\n", hint)
	}
	return 1
}

// lookup finds the command that the arguments begin with; the longer name wins.
func lookup(args []string) (*command, []string) {
	for n := min(2, len(args)); n > 0; n-- {
		name := args[0]
		if n == 2 {
			name += " " + args[1]
		}
		for i := range commands {
			if commands[i].name == name {
				return &commands[i], args[n:]
			}
		}
	}
	return nil, nil
}

// printCommands lists all commands or, if there are any, those of a group, such
// as "map".
func printCommands(w io.Writer, group string) {
	in := func(c command) bool { return strings.HasPrefix(c.name, group+" ") }
	if !slices.ContainsFunc(commands, in) {
		in = func(command) bool { return true }
	}
	fmt.Fprint(w, "lode inspects, plans and loads BPF objects.\n\nusage: lode COMMAND [flags] [arguments]\n\n")
	for _, c := range commands {
		if in(c) {
			fmt.Fprintf(w, "  %-12s %s\n", c.name, c.brief)
		}
	}
	fmt.Fprint(w, "\n\"lode help COMMAND\" explains a command.\n")
}

// words is how a command is called.
func (c *command) words(flags bool) []string {
	out := []string{"lode", c.name}
	if flags {
		out = append(out, "[flags]")
	}
	if c.args != "" {
		out = append(out, c.args)
	}
	return out
}

func printHelp(w io.Writer, c *command, f *flag.FlagSet) {
	any := false
	f.VisitAll(func(*flag.Flag) { any = true })
	fmt.Fprintf(w, "usage: %s\n\n%s.\n", strings.Join(c.words(any), " "), c.brief)
	if any {
		fmt.Fprint(w, "\nflags:\n")
		f.SetOutput(w)
		f.PrintDefaults()
	}
	if c.help != "" {
		fmt.Fprintf(w, "\n%s\n", c.help)
	}
}
