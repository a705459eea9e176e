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
func boot(ctx context.Context, k kernel, image, dir string) *run {
	r := &run{series: k.series, results: make(map[string]*result)}
	console := filepath.Join(dir, "console-"+k.series)
	start := time.Now()
	r.err = r.qemu(ctx, k, image, console)
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

// qemu runs the machine until it turns itself off. The first serial port is the console, into a file; the second brings
// the results.
func (r *run) qemu(ctx context.Context, k kernel, image, console string) error {
	c := exec.CommandContext(ctx, "qemu-system-x86_64",
		"-accel", "tcg,thread=single", "-cpu", "max", "-smp", "1,maxcpus=3", "-m", "2048", "-nodefaults", "-display", "none", "-no-reboot",
		"-serial", "file:"+console, "-serial", "stdio", "-kernel", k.image, "-initrd", image,
		"-append", "console=ttyS0 rdinit=/init panic=-1 oops=panic quiet lsm=landlock,lockdown,yama,integrity,apparmor,bpf")
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

// read takes results, one JSON object a line, until the machine is off.
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
