package main

import (
	"flag"
	"fmt"
	"maps"
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
		script = "#compdef lode\nautoload -U +X bashcompinit && bashcompinit\n" + bashScript(e.all) + zshFirst
	case "fish":
		script = fishScript(e.all)
	default:
		return usage("there is completion for bash, zsh and fish, not for %q", e.args[0])
	}
	_, err := fmt.Fprint(e.out, script)
	return err
}

// choices are the values of flags that have few.
var choices = map[string]string{"legacy": "auto never only", "style": "verifier llvm", "format": "c go raw json"}

// operands are words that a command takes beside files, and whether it takes
// nothing else.
func (c *command) operands() (words string, only bool) {
	switch c.name {
	case "completion":
		return strings.ReplaceAll(c.args, "|", " "), true
	case "btf dump", "btf min":
		return "vmlinux", false
	case "prog attach":
		return strings.ReplaceAll(strings.ReplaceAll(hookNames(), ",", ""), "*", ""), false
	}
	return "", false
}

// flagSet is the flags of a command.
func (c *command) flagSet() *flag.FlagSet {
	f := flag.NewFlagSet(c.name, flag.ContinueOnError)
	if c.flags != nil {
		c.flags(f, &env{})
	}
	return f
}

// flagNames are the flags of a command, as they are typed.
func (c *command) flagNames() []string {
	names := []string{"--help"}
	c.flagSet().VisitAll(func(x *flag.Flag) { names = append(names, dashed(x.Name)) })
	return names
}

func dashed(name string) string {
	if len(name) == 1 {
		return "-" + name
	}
	return "--" + name
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

// bashPlain is the part of the script for bash that is the same for all commands.
// Names of files may have spaces in them, so that they are split at line ends.
const bashPlain = `	case $cur in
	-*) ;;
	*)
		COMPREPLY=($(compgen -W "$operands" -- "$cur"))
		[ -n "$only" ] && return
		local IFS=$'\n'
		COMPREPLY+=($(compgen -f -- "$cur"))
		return
		;;
	esac
	COMPREPLY=($(compgen -W "$flags" -- "$cur"))
}
complete -o filenames -F _lode lode
`

func bashScript(commands []command) string {
	first, second := commandWords(commands)
	var b strings.Builder
	b.WriteString("_lode() {\n\tlocal cur=${COMP_WORDS[COMP_CWORD]} words= flags= operands= only=\n\tCOMPREPLY=()\n")
	b.WriteString("\tcase ${COMP_WORDS[COMP_CWORD-1]} in\n")
	for _, name := range slices.Sorted(maps.Keys(choices)) {
		fmt.Fprintf(&b, "\t--%s) words=%q ;;\n", name, choices[name])
	}
	fmt.Fprintf(&b, "\tesac\n\tcase $COMP_CWORD in\n\t1) words=%q ;;\n\t2)\n\t\tcase ${COMP_WORDS[1]} in\n", strings.Join(first, " "))
	for _, w := range first {
		if len(second[w]) > 0 {
			fmt.Fprintf(&b, "\t\t%s) words=%q ;;\n", w, strings.Join(second[w], " "))
		}
	}
	fmt.Fprintf(&b, "\t\thelp) words=%q ;;\n\t\tesac\n\t\t;;\n\tesac\n", strings.Join(first, " "))
	b.WriteString("\tif [ -n \"$words\" ]; then\n\t\tCOMPREPLY=($(compgen -W \"$words\" -- \"$cur\"))\n\t\treturn\n\tfi\n")
	b.WriteString("\tcase \"${COMP_WORDS[1]} ${COMP_WORDS[2]}\" in\n")
	for _, c := range commands {
		pattern := fmt.Sprintf("%q", c.name)
		if !strings.Contains(c.name, " ") {
			pattern = fmt.Sprintf("%q*", c.name+" ")
		}
		fmt.Fprintf(&b, "\t%s) flags=%q", pattern, strings.Join(c.flagNames(), " "))
		if words, only := c.operands(); words != "" {
			fmt.Fprintf(&b, " operands=%q", words)
			if only {
				b.WriteString(" only=yes")
			}
		}
		b.WriteString(" ;;\n")
	}
	b.WriteString("\tesac\n" + bashPlain)
	return b.String()
}

// zshFirst completes at once where zsh reads the script as the function _lode, on
// the first use.
const zshFirst = "[ \"$funcstack[1]\" = _lode ] && _bash_complete -o filenames -F _lode\n"

// fishQuote makes one word of a text.
func fishQuote(s string) string {
	return "'" + strings.NewReplacer(`\`, `\\`, "'", `\'`).Replace(s) + "'"
}

func fishScript(commands []command) string {
	first, second := commandWords(commands)
	brief := map[string]string{"help": "Explain a command"}
	for _, c := range commands {
		brief[c.name] = c.brief
	}
	var b strings.Builder
	for _, w := range first {
		fmt.Fprintf(&b, "complete -c lode -n __fish_use_subcommand -f -a %s", w)
		if brief[w] != "" {
			b.WriteString(" -d " + fishQuote(brief[w]))
		}
		b.WriteByte('\n')
	}
	fmt.Fprintf(&b, "complete -c lode -n '__fish_seen_subcommand_from help' -f -a %s\n", fishQuote(strings.Join(first, " ")))
	for _, w := range first {
		for _, s := range second[w] {
			fmt.Fprintf(&b, "complete -c lode -n '__fish_seen_subcommand_from %s; and not __fish_seen_subcommand_from %s' -f -a %s -d %s\n",
				w, strings.Join(second[w], " "), s, fishQuote(brief[w+" "+s]))
		}
	}
	for _, c := range commands {
		fishCommand(&b, &c)
	}
	return b.String()
}

// fishCommand completes what stands behind a command.
func fishCommand(b *strings.Builder, c *command) {
	var seen []string
	for _, w := range strings.Fields(c.name) {
		seen = append(seen, "__fish_seen_subcommand_from "+w)
	}
	line := "complete -c lode -n '" + strings.Join(seen, "; and ") + "'"
	if words, only := c.operands(); words != "" {
		option := ""
		if only {
			option = " -f"
		}
		fmt.Fprintf(b, "%s%s -a %s\n", line, option, fishQuote(words))
	}
	fmt.Fprintf(b, "%s -l help -d 'explain the command'\n", line)
	c.flagSet().VisitAll(func(x *flag.Flag) {
		value, text := flag.UnquoteUsage(x)
		option := map[bool]string{true: "-s ", false: "-l "}[len(x.Name) == 1] + x.Name
		switch {
		case choices[x.Name] != "":
			option += " -x -a " + fishQuote(choices[x.Name])
		case value != "":
			option += " -r"
		}
		fmt.Fprintf(b, "%s %s -d %s\n", line, option, fishQuote(text))
	})
}
