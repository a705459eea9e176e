package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"time"
)

// boot runs one machine and returns what it reported.
func boot(ctx context.Context, a arch, k kernel, image, dir string) *run {
	r := &run{series: k.series, results: make(map[string]*result)}
	console := filepath.Join(dir, "console-"+k.series)
	start := time.Now()
	r.err = r.qemu(ctx, a, k, image, console)
	r.seconds = time.Since(start).Seconds()
	if errors.Is(ctx.Err(), context.DeadlineExceeded) {
		r.err = fmt.Errorf("time-out after %.0f s", r.seconds)
	}
	if r.err == nil && !r.done {
		r.err = errors.New("it ended early")
	}
	r.console = tail(console, 4096)
	return r
}

// qemu runs the machine until it turns itself off.
func (r *run) qemu(ctx context.Context, a arch, k kernel, image, console string) error {
	args := append([]string{"-accel", "tcg,thread=single", "-m", "2048", "-nodefaults", "-display", "none", "-no-reboot",
		"-chardev", "file,id=console,path=" + console, "-chardev", "stdio,id=results,signal=off", "-kernel", k.image, "-initrd", image,
		"-append", a.cmdline + " rdinit=/init panic=-1 oops=panic quiet lsm=landlock,lockdown,yama,integrity,apparmor,bpf",
	}, a.machine...)
	c := exec.CommandContext(ctx, a.qemu, args...)
	out, err := c.StdoutPipe()
	if err != nil {
		return err
	}
	c.Stderr = os.Stderr
	c.WaitDelay = 5 * time.Second
	if err := c.Start(); err != nil {
		return err
	}
	readErr := r.read(out)
	if err := c.Wait(); err != nil {
		return fmt.Errorf("qemu: %w", err)
	}
	return readErr
}

// read takes results, one JSON object a line, until the machine is off. The firmware and the early kernel may speak on the
// same port: what is no object is theirs.
func (r *run) read(out io.Reader) error {
	lines := bufio.NewReader(out)
	for {
		line, err := lines.ReadBytes('\n')
		if errors.Is(err, io.EOF) && len(line) == 0 {
			return nil
		}
		if err != nil {
			return fmt.Errorf("results broken off after %d bytes of a line: %w", len(line), err)
		}
		if line[0] != '{' {
			continue
		}
		one := new(result)
		if err := json.Unmarshal(line, one); err != nil {
			return fmt.Errorf("result %q: %w", line, err)
		}
		if one.Done {
			r.done, r.release = true, one.Kernel
			continue
		}
		r.results[one.Package] = one
	}
}

// tail returns the last bytes of a file, without carriage returns.
func tail(path string, n int) string {
	b, err := os.ReadFile(path)
	if err != nil {
		return err.Error()
	}
	clean := b[:0]
	for _, c := range b[max(0, len(b)-n):] {
		if c == '\n' || c == '\t' || c >= ' ' {
			clean = append(clean, c)
		}
	}
	return string(clean)
}
