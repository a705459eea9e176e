package main

import (
	"flag"
	"fmt"
	"slices"
	"strings"
)

// completion prints a script that makes a shell complete commands and flags. It
// is made of the table of commands.
func completion(e *env) error {
	if len(e.args) != 1 {
		return usage("want the name of a shell: bash, zsh or fish")
	}
	var script string
	switch e.args[0] {
	case "bash":
		script = bashScript(e.all)
	case "zsh":
		script = "#compdef lode\nautoload -U +X bashcompinit && bashcompinit\n" + bashScript(e.all)
	case "fish":
		script = fishScript(e.all)
	default:
		return usage("there is completion for bash, zsh and fish, not for %q", e.args[0])
	}
	_, err := fmt.Fprint(e.out, script)
	return err
}

// flagNames are the flags of a command, as they are typed.
func (c *command) flagNames() []string {
	f := flag.NewFlagSet(c.name, flag.ContinueOnError)
	if c.flags != nil {
		c.flags(f, &env{})
	}
	names := []string{"--help"}
	f.VisitAll(func(x *flag.Flag) {
		dashes := "--"
		if len(x.Name) == 1 {
			dashes = "-"
		}
		names = append(names, dashes+x.Name)
	})
	return names
}

// commandWords are the first words of all commands, and the second ones of each that
// has such.
func commandWords(commands []command) (first []string, second map[string][]string) {
	second = map[string][]string{}
	for _, c := range commands {
		a, b, two := strings.Cut(c.name, " ")
		if !slices.Contains(first, a) {
			first = append(first, a)
		}
		if two {
			second[a] = append(second[a], b)
		}
	}
	return append(first, "help"), second
}

func bashScript(commands []command) string {
	first, second := commandWords(commands)
	var b strings.Builder
	b.WriteString("_lode() {\n\tlocal cur=${COMP_WORDS[COMP_CWORD]} words=\n\tCOMPREPLY=()\n")
	fmt.Fprintf(&b, "\tif [ \"$COMP_CWORD\" -eq 1 ]; then\n\t\tCOMPREPLY=($(compgen -W %q -- \"$cur\"))\n\t\treturn\n\tfi\n", strings.Join(first, " "))
	b.WriteString("\tif [ \"$COMP_CWORD\" -eq 2 ]; then\n\t\tcase ${COMP_WORDS[1]} in\n")
	for _, w := range first {
		if len(second[w]) > 0 {
			fmt.Fprintf(&b, "\t\t%s) words=%q ;;\n", w, strings.Join(second[w], " "))
		}
	}
	fmt.Fprintf(&b, "\t\thelp) words=%q ;;\n\t\tesac\n", strings.Join(first, " "))
	b.WriteString("\t\tif [ -n \"$words\" ]; then\n\t\t\tCOMPREPLY=($(compgen -W \"$words\" -- \"$cur\"))\n\t\t\treturn\n\t\tfi\n\tfi\n")
	b.WriteString("\tcase $cur in\n\t-*) ;;\n\t*)\n\t\tCOMPREPLY=($(compgen -f -- \"$cur\"))\n\t\treturn\n\t\t;;\n\tesac\n\tcase \"${COMP_WORDS[1]} ${COMP_WORDS[2]}\" in\n")
	for _, c := range commands {
		pattern := fmt.Sprintf("%q", c.name)
		if !strings.Contains(c.name, " ") {
			pattern = fmt.Sprintf("%q*", c.name+" ")
		}
		fmt.Fprintf(&b, "\t%s) words=%q ;;\n", pattern, strings.Join(c.flagNames(), " "))
	}
	b.WriteString("\tesac\n\tCOMPREPLY=($(compgen -W \"$words\" -- \"$cur\"))\n}\ncomplete -o filenames -F _lode lode\n")
	return b.String()
}

func fishScript(commands []command) string {
	first, second := commandWords(commands)
	var b strings.Builder
	for _, w := range first {
		fmt.Fprintf(&b, "complete -c lode -n __fish_use_subcommand -f -a %s\n", w)
	}
	for _, w := range first {
		for _, s := range second[w] {
			fmt.Fprintf(&b, "complete -c lode -n '__fish_seen_subcommand_from %s; and not __fish_seen_subcommand_from %s' -f -a %s\n", w, strings.Join(second[w], " "), s)
		}
	}
	for _, c := range commands {
		seen := []string{}
		for _, w := range strings.Fields(c.name) {
			seen = append(seen, "__fish_seen_subcommand_from "+w)
		}
		for _, f := range c.flagNames() {
			option := "-l " + strings.TrimLeft(f, "-")
			if len(f) == 2 {
				option = "-s " + f[1:]
			}
			fmt.Fprintf(&b, "complete -c lode -n '%s' %s\n", strings.Join(seen, "; and "), option)
		}
	}
	return b.String()
}
