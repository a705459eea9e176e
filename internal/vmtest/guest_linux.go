package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"
)

// maxOutput is how many bytes of a failure's output are reported; the port is slow.
const maxOutput = 256 << 10

// guest is what process 1 of the machine does: set up, run every test binary, report, turn the machine off.
func guest() {
	if err := runGuest(); err != nil {
		fmt.Fprintln(os.Stderr, "vmtest:", err) // on the console
	}
	unix.Sync()
	_ = unix.Reboot(unix.LINUX_REBOOT_CMD_POWER_OFF)
}

func runGuest() error {
	if err := mountAll(); err != nil {
		return err
	}
	own, err := ownArch()
	if err != nil {
		return err
	}
	port, err := os.OpenFile(own.results, os.O_WRONLY|unix.O_NOCTTY, 0)
	if err != nil {
		return err
	}
	found, _ := filepath.Glob("/modules/*.ko") // sorted: in the order to load them
	for _, path := range found {
		if err := loadModule(path); err != nil {
			fmt.Fprintln(os.Stderr, "vmtest:", err) // the test that needs it says so
		}
	}
	if err := loopbackUp(); err != nil {
		return err
	}
	text, err := os.ReadFile("/plan.json")
	if err != nil {
		return err
	}
	var p plan
	if err := json.Unmarshal(text, &p); err != nil {
		return err
	}
	results := json.NewEncoder(port)
	for _, t := range p.Tests {
		fmt.Fprintln(os.Stderr, "vmtest: test", t.Package)
		if err := results.Encode(runTest(t, p)); err != nil {
			return err
		}
	}
	var name unix.Utsname
	if err := unix.Uname(&name); err != nil {
		return err
	}
	if err := results.Encode(result{Done: true, Kernel: unix.ByteSliceToString(name.Release[:])}); err != nil {
		return err
	}
	// Wait until the port has sent everything: tcdrain(3).
	return unix.IoctlSetInt(int(port.Fd()), unix.TCSBRK, 1)
}

// runTest runs one test binary in the folder of its package.
func runTest(t test, p plan) *result {
	ctx, cancel := context.WithTimeout(context.Background(), p.Timeout+10*time.Second)
	defer cancel()
	c := exec.CommandContext(ctx, "/lode-tests/"+t.Binary, "-test.v", "-test.run="+p.Run, "-test.timeout="+p.Timeout.String())
	c.Dir = filepath.Join("/lode", t.Package)
	c.Env = []string{"HOME=/root", "TMPDIR=/tmp", "PATH=/bin", "GOTRACEBACK=all"}
	c.WaitDelay = time.Second
	var all transcript
	c.Stdout, c.Stderr = &all, &all
	start := time.Now()
	err := c.Run()
	output := all.Bytes()
	r := &result{Package: t.Package, Seconds: time.Since(start).Seconds()}
	r.count(output)
	if err != nil {
		r.Error = err.Error()
	}
	if !r.ok() || p.Verbose {
		r.Output = string(output[max(0, len(output)-maxOutput):])
	}
	return r
}

// A transcript keeps what a test binary prints, and puts the name of each test on the console as it begins: should the kernel
// crash or hang, that is the test that did it.
type transcript struct{ bytes.Buffer }

func (t *transcript) Write(b []byte) (int, error) {
	for line := range bytes.Lines(b) {
		if bytes.HasPrefix(line, []byte("=== RUN ")) {
			os.Stderr.Write(line)
		}
	}
	return t.Buffer.Write(b)
}

// mountAll mounts what a running system has.
func mountAll() error {
	for _, m := range []struct{ fstype, dir string }{
		{"proc", "/proc"}, {"sysfs", "/sys"}, {"devtmpfs", "/dev"}, {"tmpfs", "/tmp"}, {"tmpfs", "/run"}, {"bpf", "/sys/fs/bpf"},
		{"tracefs", "/sys/kernel/tracing"}, {"debugfs", "/sys/kernel/debug"}, {"cgroup2", "/sys/fs/cgroup"},
	} {
		if err := unix.Mount(m.fstype, m.dir, m.fstype, 0, ""); err != nil {
			return fmt.Errorf("mount %s on %s: %w", m.fstype, m.dir, err)
		}
	}
	return os.Chmod("/tmp", 0o1777|os.ModeSticky)
}

func loadModule(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	if err := unix.FinitModule(int(f.Fd()), "", 0); err != nil {
		return fmt.Errorf("module %s: %w", path, err)
	}
	return nil
}

func loopbackUp() error {
	s, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer unix.Close(s)
	request, err := unix.NewIfreq("lo")
	if err != nil {
		return err
	}
	request.SetUint16(unix.IFF_UP)
	return unix.IoctlIfreq(s, unix.SIOCSIFFLAGS, request)
}
