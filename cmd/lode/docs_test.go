package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

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
  try. Listings are on standard output, the same on a terminal and elsewhere,
  without colour; --json prints them for programs.
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
