// Command malgen makes, explains and reduces malformed ELF objects, for
// whoever fuzzes a parser of them in any language.
//
//	malgen gen -n 1000 -seed 7 -o dir/       write 1000 broken objects, and what is wrong with each
//	malgen rules                             list the ways to break an object
//	malgen explain file.elf                  say what this module makes of a file
//	malgen minimize -cmd './p @@' file.elf   shorten a file as long as a command fails on it
//
// The same flags give the same files on every machine.
package main

import (
	"flag"
	"fmt"
	"io"
	"os"
)

// A command is one word of the command line.
type command struct {
	name, args string
	run        func(fs *flag.FlagSet, args []string, out io.Writer) error
}

var commands = []command{
	{"gen", "[-n COUNT] [-seed SEED] [-rules MOST] [-valid] -o DIR", runGen},
	{"rules", "", runRules},
	{"explain", "FILE...", runExplain},
	{"minimize", "-cmd 'PROGRAM ARGUMENTS @@' [-o FILE] [-timeout DURATION] FILE", runMinimize},
}

func main() { os.Exit(run(os.Args[1:], os.Stdout, os.Stderr)) }

// run is main with everything passed in. It returns 0 on success, 1 when
// something failed and 2 when the command was called wrongly.
func run(args []string, out, errOut io.Writer) int {
	for _, c := range commands {
		if len(args) == 0 || args[0] != c.name {
			continue
		}
		fs := flag.NewFlagSet("malgen "+c.name, flag.ContinueOnError)
		fs.SetOutput(errOut)
		fs.Usage = func() {
			fmt.Fprintf(errOut, "usage: malgen %s %s\n", c.name, c.args)
			fs.PrintDefaults()
		}
		switch err := c.run(fs, args[1:], out).(type) {
		case nil:
			return 0
		case usageError:
			if err != "" {
				fmt.Fprintln(errOut, "malgen:", string(err))
				fs.Usage()
			}
			return 2
		default:
			fmt.Fprintln(errOut, "malgen:", err)
			return 1
		}
	}
	for _, c := range commands {
		fmt.Fprintf(errOut, "malgen %s %s\n", c.name, c.args)
	}
	return 2
}

// A usageError is a wrong call. The flag package has reported an empty one.
type usageError string

func (e usageError) Error() string { return string(e) }

// parse reads flags and wants a number of arguments, -1 for one or more.
func parse(fs *flag.FlagSet, args []string, want int) error {
	if err := fs.Parse(args); err != nil {
		return usageError("")
	}
	if n := fs.NArg(); n != want && (want >= 0 || n == 0) {
		return usageError(fmt.Sprintf("%d arguments", n))
	}
	return nil
}
