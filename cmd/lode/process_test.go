package main

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/lode-bpf/lode/internal/ktest"
)

// asCommand makes this test binary the command, for tests that need a process.
const asCommand = "LODE_TEST_AS_COMMAND"

func TestMain(m *testing.M) {
	if os.Getenv(asCommand) != "" {
		main()
	}
	os.Exit(m.Run())
}

// process is the command in a process of its own.
func process(ctx context.Context, t *testing.T, args ...string) *exec.Cmd {
	t.Helper()
	c := exec.CommandContext(ctx, os.Args[0], args...)
	c.Env = append(os.Environ(), asCommand+"=1")
	return c
}

// TestClosedPipe prints into a pipe that nobody reads any more: no message, and
// success, as "lode … | head" wants it.
func TestClosedPipe(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("needs pipes that break with EPIPE: this is Windows")
	}
	for _, args := range [][]string{
		{"inspect", object(t, "counter.bpf.o")},
		{"inspect", "--json", object(t, "counter.bpf.o")},
		{"disasm", object(t, "counter.bpf.o")},
		{"plan", object(t, "counter.bpf.o")},
		{"btf", "dump", object(t, "counter.bpf.o")},
		{"btf", "dump", "--format", "raw", object(t, "counter.bpf.o")},
		{"core", object(t, "core_matrix.bpf.o"), "--btf", object(t, "core_target.bpf.o")},
	} {
		r, w, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		r.Close()
		c := process(context.Background(), t, args...)
		var errOut strings.Builder
		c.Stdout, c.Stderr = w, &errOut
		err = c.Run()
		w.Close()
		var exit *exec.ExitError
		if err != nil && !(errors.As(err, &exit) && !exit.Exited()) || errOut.Len() > 0 { // by SIGPIPE or not
			t.Errorf("lode %q: %v, %q", args, err, errOut.String())
		}
	}
}

// TestManyFiles gives a command a thousand files.
func TestManyFiles(t *testing.T) {
	args := []string{"inspect"}
	for range 1000 {
		args = append(args, object(t, "minimal.bpf.o"))
	}
	status, out, errOut := cli(args...)
	if status != 0 || strings.Count(out, "BPF object") != 1000 {
		t.Errorf("status %d, %s", status, errOut)
	}
	args[500] = "/nonexistent"
	if status, out, errOut := cli(args...); status != 1 || strings.Count(out, "BPF object") != 999 || strings.Count(errOut, "\n") != 1 {
		t.Errorf("one is missing: status %d, %s", status, errOut)
	}
}

// TestDirectory gives every command that reads a file a directory.
func TestDirectory(t *testing.T) {
	dir := t.TempDir()
	for _, args := range [][]string{{"inspect"}, {"disasm"}, {"plan"}, {"load", "--dry-run"}, {"core"}, {"btf", "dump"}, {"env", "show"}, {"conf", "check"}} {
		status, out, errOut := cli(append(args, dir)...)
		if status != 1 || out != "" || !strings.Contains(errOut, dir) || strings.Count(errOut, "\n") != 1 {
			t.Errorf("lode %q: status %d, %s%s", args, status, out, errOut)
		}
	}
}

// TestKernelInterrupt interrupts a load that is over, but holds links: they are
// gone after it.
func TestKernelInterrupt(t *testing.T) {
	ktest.BTF(t, "CO-RE")
	ktest.NoFDLeaks(t)
	root := filepath.Join(ktest.BPFFS(t), "app")
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan int)
	held := &waitFor{text: "until this command is interrupted", seen: make(chan struct{})}
	var out strings.Builder
	go func() {
		done <- run(ctx, []string{"load", "--attach", "--no-pin-programs", "--pin-root", root, object(t, "core.bpf.o")}, &out, held)
	}()
	select {
	case <-held.seen:
		if _, list, _ := cli("link", "list"); !strings.Contains(list, "sys_enter") {
			t.Errorf("there is no link:\n%s", list)
		}
	case status := <-done:
		t.Fatalf("ended with status %d: %s", status, held.all.String())
	}
	cancel()
	if status := <-done; status != 0 {
		t.Errorf("status %d: %s", status, held.all.String())
	}
	if _, err := os.Lstat(root); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("something is left in bpffs (%v)", err)
	}
	ctx, cancel = context.WithCancel(context.Background())
	cancel()
	var errOut strings.Builder
	if status := run(ctx, []string{"load", "--pin-root", root, object(t, "counter.bpf.o")}, &out, &errOut); status != 1 {
		t.Errorf("an interrupted load: status %d: %s", status, errOut.String())
	}
	if _, err := os.Lstat(root); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("something is left in bpffs (%v)", err)
	}
}

// TestKernelSignal interrupts the process itself, once while it holds links and once
// in the middle of its work.
func TestKernelSignal(t *testing.T) {
	ktest.Root(t)
	many := []string{"verify", "--json"}
	for range 10000 {
		many = append(many, object(t, "minimal.bpf.o"))
	}
	for name, c := range map[string]struct {
		needs  string // of the kernel's BTF
		args   []string
		until  string // what it prints before it is interrupted
		status int
		says   string
	}{
		"holding links": {"CO-RE", []string{"load", "--attach", "--no-pin-programs", object(t, "core.bpf.o")}, "until this command is interrupted", 0, ""},
		"at work":       {"", many, "minimal.bpf.o", 1, "interrupted; nothing was left in the kernel"},
	} {
		t.Run(name, func(t *testing.T) {
			if c.needs != "" {
				ktest.BTF(t, c.needs)
			}
			p := process(context.Background(), t, c.args...)
			all := &waitFor{text: c.until, seen: make(chan struct{})}
			p.Stdout, p.Stderr = all, all
			if err := p.Start(); err != nil {
				t.Fatal(err)
			}
			ended := make(chan error, 1)
			go func() { ended <- p.Wait() }()
			select {
			case <-all.seen:
			case err := <-ended:
				t.Fatalf("ended before: %v\n%s", err, all.all.String())
			}
			if err := p.Process.Signal(os.Interrupt); err != nil {
				t.Fatal(err)
			}
			<-ended
			if status := p.ProcessState.ExitCode(); status != c.status || !strings.Contains(all.all.String(), c.says) {
				t.Errorf("status %d\n%s", status, all.all.String())
			}
		})
	}
}

// A waitFor tells when a text has been written to it.
type waitFor struct {
	text string
	all  strings.Builder
	seen chan struct{}
}

func (w *waitFor) Write(b []byte) (int, error) {
	before := strings.Contains(w.all.String(), w.text)
	w.all.Write(b)
	if !before && strings.Contains(w.all.String(), w.text) {
		close(w.seen)
	}
	return len(b), nil
}
