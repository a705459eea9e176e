package main

import (
	"context"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// TestUnprivileged runs commands as a user who may do nothing: those that need
// no privileges work, the others say in one sentence what is lacking.
func TestUnprivileged(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("needs root, to become a user without privileges")
	}
	dir, err := os.MkdirTemp("", "lode-test-*") // t.TempDir is closed to others
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(dir)
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	binary, file := filepath.Join(dir, "lode"), filepath.Join(dir, "counter.bpf.o")
	copyFile(t, os.Args[0], binary, 0o755)
	copyFile(t, object(t, "counter.bpf.o"), file, 0o644)
	for name, c := range map[string]struct {
		args []string
		ok   bool
		want string
	}{
		"inspect":   {[]string{"inspect", file}, true, "packets"},
		"disasm":    {[]string{"disasm", "--env", "live", file}, true, "exit"},
		"plan":      {[]string{"plan", file}, true, "steps (21)"},
		"core":      {[]string{"core", file}, true, "ok"},
		"load":      {[]string{"load", file}, false, "lode plan " + file},
		"verify":    {[]string{"verify", file}, false, "did not pass"},
		"map list":  {[]string{"map", "list"}, false, "lacks"},
		"prog list": {[]string{"prog", "list"}, false, "lacks"},
		"link list": {[]string{"link", "list"}, false, "lacks"},
	} {
		t.Run(name, func(t *testing.T) {
			p := process(context.Background(), t, c.args...)
			p.Path, p.Dir = binary, dir
			p.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
			var out, errOut strings.Builder
			p.Stdout, p.Stderr = &out, &errOut
			err := p.Run()
			text := errOut.String()
			if c.ok {
				text = out.String()
			}
			if (err == nil) != c.ok || !strings.Contains(text, c.want) {
				t.Errorf("%v\n%s%s", err, out.String(), errOut.String())
			}
			if !c.ok && p.ProcessState.ExitCode() != 1 {
				t.Errorf("exit status %d", p.ProcessState.ExitCode())
			}
		})
	}
}

func copyFile(t *testing.T, from, to string, mode os.FileMode) {
	t.Helper()
	in, err := os.Open(from)
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	out, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE, mode)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.Copy(out, in); err != nil {
		t.Fatal(err)
	}
	if err := out.Close(); err != nil {
		t.Fatal(err)
	}
}
