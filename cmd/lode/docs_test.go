package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// commandsIntro stands in front of what docs/commands.md takes from the table of
// commands.
const commandsIntro = `# The commands of lode

<!-- Written by go test ./cmd/lode -update; change the table in cmd/lode/commands.go instead. -->

Commands that only read files need no privileges and run on any system: inspect,
disasm, plan, core, btf dump of files, env show, conf check, completion. The
others work on the running kernel and say which capability they lack.

- Flags may stand before and behind the arguments.
- Exit status: 0 for success; 1 if something failed, did not verify or differs;
  2 for a wrong call. A reader that closes the pipe is no failure.
- Errors are on standard error and say what was being done, to what, and what to
  try. Listings are on standard output; --json prints them for programs.
- On a terminal heads are bold, verdicts have a colour, long lists are cut at the
  width, and work on many files says how far it is. NO_COLOR=1 turns colour off.
  Elsewhere the output is always the same.
- Names that come from files are quoted where they could be mistaken for anything
  else.
- PIN|ID is the path of a pin in bpffs, or the kernel's number of the object.

Everything that load makes is gone if it fails or is interrupted. What it pins:

| what | where |
| --- | --- |
| maps | where the object and the configuration say (see [pinning.conf.md](pinning.conf.md)) |
| programs | OBJECT-programs/NAME |
| links of --attach | OBJECT-links/NAME |
| program arrays for tail calls | OBJECT-tail-calls/NAME, because the kernel empties those that nobody holds |

All of it is below --pin-root, if that is given, and unload removes it.

## Results of verify

verify --json prints one object a line, with these fields and no others:

| field | meaning |
| --- | --- |
| loader | "lode" |
| file | the file as it was given |
| open_ok, open_errno, open_err, open_ns | whether the file could be read and taken apart, why not, and how long that took |
| maps | how many maps it defines |
| load_ok, load_errno, load_err, load_ns | the same of loading it as a whole |
| progs | a list, one for each program: name, section, type, ok, errno, ns, err, of loading that program alone |

An errno is the system's error number, 22 (EINVAL) for a fault that no system call
has reported, and 0 for success.
`

// TestCommandsPage holds docs/commands.md to what the commands say of themselves.
func TestCommandsPage(t *testing.T) {
	var b strings.Builder
	b.WriteString(commandsIntro)
	b.WriteString(jsonPage())
	for _, c := range commands {
		status, out, errOut := cli(append(strings.Fields(c.name), "--help")...)
		if status != 0 || !strings.Contains(out, "example") {
			t.Errorf("the help of %q has no example: status %d, %s", c.name, status, errOut)
		}
		fmt.Fprintf(&b, "\n## %s\n\n    %s\n", c.name, strings.ReplaceAll(strings.TrimRight(out, "\n"), "\n", "\n    "))
	}
	got := strings.ReplaceAll(strings.ReplaceAll(b.String(), "\n    \n", "\n\n"), "\t", "    ")
	path := filepath.Join("..", "..", "docs", "commands.md")
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatalf("%v; write it with go test -update", err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (go test -update writes it anew): -want +got:\n%s", path, diff)
	}
}

// jsonOf is what --json prints, by command.
var jsonOf = []struct {
	command string
	of      any
}{
	{"inspect", []inspected{}},
	{"disasm", []disassembled{}},
	{"prog dump", disassembled{}},
	{"load, replace", loaded{}},
	{"core", []coreCell{}},
	{"env show", shownEnv{}},
	{"btf find", []foundType{}},
	{"pins", []listedPin{}},
	{"map list, map show", []listedMap{}},
	{"prog list, prog show", []listedProgram{}},
	{"prog run", ran{}},
	{"link list, link show, prog attach", []listedLink{}},
	{"verify --compare", []difference{}},
}

// jsonPage describes the form of the JSON of all commands.
func jsonPage() string {
	b := &strings.Builder{}
	b.WriteString("\n## JSON\n\nA list is a list even if nothing is in it, and never null. Sizes and offsets are in bytes, times whose name ends in\nns in nanoseconds. What is marked with ? is absent where it would say nothing.\n\n| command | fields |\n| --- | --- |\n")
	for _, j := range jsonOf {
		fmt.Fprintf(b, "| %s | %s |\n", j.command, jsonForm(reflect.TypeOf(j.of)))
	}
	b.WriteString("\nplan prints a lode.Plan, conf show a conf.Config, map dump a list of entries (key and value, or values for each cpu), features\nan object of names and truth values, btf dump an object a line.\n")
	return b.String()
}

func jsonForm(t reflect.Type) string {
	switch {
	case t == reflect.TypeFor[json.RawMessage]():
		return "any"
	case t == reflect.TypeFor[time.Time]():
		return "time"
	case t.Kind() == reflect.Slice:
		return "[" + jsonForm(t.Elem()) + "]"
	case t.Kind() == reflect.Map:
		return "{name: " + jsonForm(t.Elem()) + "}"
	case t.Kind() == reflect.Struct:
		var fields []string
		for i := range t.NumField() {
			f := t.Field(i)
			if !f.IsExported() || f.Tag.Get("json") == "-" {
				continue
			}
			name, option, _ := strings.Cut(f.Tag.Get("json"), ",")
			if option == "omitempty" {
				name += "?"
			}
			if form := jsonForm(f.Type); form != "string" && form != "number" && form != "bool" {
				name += ": " + form
			}
			fields = append(fields, name)
		}
		return "{" + strings.Join(fields, ", ") + "}"
	case t.Kind() == reflect.String:
		return "string"
	case t.Kind() == reflect.Bool:
		return "bool"
	}
	return "number"
}
