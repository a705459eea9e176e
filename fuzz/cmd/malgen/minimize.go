package main

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// runMinimize shortens a file, and sets bytes to zero, as long as a command
// fails in the same way on it.
func runMinimize(fs *flag.FlagSet, args []string, out io.Writer) error {
	text := fs.String("cmd", "", "program and arguments, separated by spaces; @@ is the file")
	to := fs.String("o", "", "where to write the result (default FILE.min)")
	timeout := fs.Duration("timeout", 10*time.Second, "how long the command may run; to hang is to fail")
	if err := parse(fs, args, 1); err != nil {
		return err
	}
	argv := strings.Fields(*text)
	if len(argv) == 0 || !slices.Contains(argv, "@@") {
		return usageError("-cmd is needed, with @@ where the file's name goes")
	}
	path := fs.Arg(0)
	b, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "malgen")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	r := runner{argv: argv, file: filepath.Join(dir, "input.elf"), timeout: *timeout}
	want, err := r.run(b)
	if err != nil {
		return err
	}
	if want == "exit 0" {
		return fmt.Errorf("the command succeeds on %s: there is nothing to look for", path)
	}
	small, err := minimize(b, func(b []byte) (bool, error) {
		got, err := r.run(b)
		return got == want, err
	})
	if err != nil {
		return err
	}
	if *to == "" {
		*to = path + ".min"
	}
	if err := os.WriteFile(*to, small, 0o666); err != nil {
		return err
	}
	fmt.Fprintf(out, "%s: %d bytes, %d of them not zero; from %d bytes, %d not zero; %d runs, each with %s\n",
		*to, len(small), nonzero(small), len(b), nonzero(b), r.runs, want)
	return nil
}

func nonzero(b []byte) int { return len(b) - bytes.Count(b, []byte{0}) }

// A runner runs the command on files.
type runner struct {
	argv    []string
	file    string
	timeout time.Duration
	runs    int
}

// run says how the command ends on a file: with which status or signal, or not
// at all. An error is a command that cannot be run.
func (r *runner) run(b []byte) (string, error) {
	r.runs++
	if err := os.WriteFile(r.file, b, 0o666); err != nil {
		return "", err
	}
	ctx, stop := context.WithTimeout(context.Background(), r.timeout)
	defer stop()
	argv := slices.Clone(r.argv)
	for i, a := range argv {
		if a == "@@" {
			argv[i] = r.file
		}
	}
	cmd := exec.CommandContext(ctx, argv[0], argv[1:]...)
	cmd.WaitDelay = time.Second
	err := cmd.Run()
	switch {
	case ctx.Err() != nil:
		return "no end within " + r.timeout.String(), nil
	case err == nil:
		return "exit 0", nil
	case cmd.ProcessState == nil:
		return "", err
	}
	return cmd.ProcessState.String(), nil
}

// minimize cuts and clears pieces of b while fails holds: first large ones, then
// smaller ones, down to single bytes. The number of tries is bounded by a small
// multiple of the length.
func minimize(b []byte, fails func([]byte) (bool, error)) ([]byte, error) {
	for piece := max(len(b)/2, 1); ; piece /= 2 {
		for _, edit := range []func(b []byte, at, n int) []byte{cut, clear0} {
			for at := 0; at < len(b); {
				n := min(piece, len(b)-at)
				try := edit(b, at, n)
				if bytes.Equal(try, b) {
					at += n
					continue
				}
				ok, err := fails(try)
				if err != nil {
					return nil, err
				}
				if !ok {
					at += n
					continue
				}
				if len(try) == len(b) {
					at += n
				}
				b = try
			}
		}
		if piece <= 1 {
			return b, nil
		}
	}
}

func cut(b []byte, at, n int) []byte { return slices.Concat(b[:at], b[at+n:]) }

func clear0(b []byte, at, n int) []byte {
	b = bytes.Clone(b)
	clear(b[at : at+n])
	return b
}
