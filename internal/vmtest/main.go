package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"
)

func main() {
	if os.Getpid() == 1 { // in the machine
		guest()
		return
	}
	if err := host(); err != nil {
		fmt.Fprintln(os.Stderr, "vmtest:", err)
		os.Exit(1)
	}
}

// options are those of the command line.
type options struct {
	arch     arch
	kernels  string
	run      string
	parallel int
	timeout  time.Duration
	verbose  bool
	list     bool
	patterns []string
}

func parse() (options, error) {
	var o options
	var name string
	flag.StringVar(&name, "arch", arches[0].name, "`ARCHITECTURE` of the machines: amd64, arm64 or s390x")
	flag.StringVar(&o.kernels, "kernels", "", "series of kernels, `LIST` separated by commas; those of the test matrix by default")
	flag.StringVar(&o.run, "run", "^TestKernel", "tests to run, a `REGEXP`; only TestKernel… are meant for this")
	flag.IntVar(&o.parallel, "j", 2, "machines at a time")
	flag.DurationVar(&o.timeout, "timeout", 8*time.Minute, "for one machine; half of it for the tests of one package")
	flag.BoolVar(&o.verbose, "v", false, "print the output of tests that pass, and why tests were skipped")
	flag.BoolVar(&o.list, "list", false, "print the kernels that Debian has")
	flag.Usage = func() {
		fmt.Fprintln(flag.CommandLine.Output(), "usage: go run ./internal/vmtest [flags] [packages]")
		flag.PrintDefaults()
	}
	flag.Parse()
	o.patterns = flag.Args()
	if len(o.patterns) == 0 {
		o.patterns = []string{"./..."}
	}
	a, err := findArch(name)
	if err != nil {
		return o, err
	}
	o.arch = a
	if o.kernels == "" {
		o.kernels = a.kernels
	}
	return o, nil
}

// host builds, fetches, boots and reports.
func host() error {
	o, err := parse()
	if err != nil {
		return err
	}
	if err := needPrograms(o.arch); err != nil {
		return err
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		return err
	}
	s := store{filepath.Join(cache, "lode-kernels"), o.arch}
	if err := os.MkdirAll(s.dir, 0o755); err != nil {
		return err
	}
	if o.list {
		names, err := s.list()
		fmt.Println(strings.Join(names, "\n"))
		return err
	}
	out, err := goTool(o.arch, "list", "-m", "-f", "{{.Dir}}")
	if err != nil {
		return err
	}
	root := strings.TrimSpace(string(out))
	packages, err := packagesWithTests(o.arch, o.patterns)
	if err != nil {
		return err
	}
	if err := os.Chdir(root); err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "vmtest-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	tests, buildErr := build(o.arch, packages, dir)
	if len(tests) == 0 {
		return buildErr
	}
	p := plan{Tests: tests, Run: o.run, Verbose: o.verbose, Timeout: o.timeout / 2}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM) // then the machines end, too
	defer stop()
	runs, err := machines(ctx, o, s, root, dir, packages, p)
	if err != nil {
		return errors.Join(buildErr, err)
	}
	return errors.Join(buildErr, judge(o, tests, runs))
}

// machines runs one machine for each kernel, a few at a time, and returns what they reported in the order asked for.
func machines(ctx context.Context, o options, s store, root, dir string, packages []pkg, p plan) ([]*run, error) {
	series := strings.Split(o.kernels, ",")
	runs := make([]*run, len(series))
	kernels := make([]kernel, len(series))
	for i, name := range series { // one after the other: apt locks its state
		k, err := s.find(name)
		if err != nil {
			return nil, err
		}
		kernels[i] = k
	}
	var wg sync.WaitGroup
	slots := make(chan struct{}, max(1, o.parallel))
	for i, k := range kernels {
		wg.Add(1)
		go func() {
			defer wg.Done()
			slots <- struct{}{}
			defer func() { <-slots }()
			runs[i] = machine(ctx, o, k, root, dir, packages, p)
		}()
	}
	wg.Wait()
	return runs, nil
}

// machine writes the image for one kernel and boots it.
func machine(ctx context.Context, o options, k kernel, root, dir string, packages []pkg, p plan) *run {
	path := filepath.Join(dir, "image-"+k.series)
	f, err := os.Create(path)
	if err == nil {
		err = errors.Join(writeImage(f, o.arch, k, root, dir, packages, p), f.Close())
		defer os.Remove(path)
	}
	if err != nil {
		return &run{series: k.series, err: err}
	}
	ctx, cancel := context.WithTimeout(ctx, o.timeout)
	defer cancel()
	return boot(ctx, o.arch, k, path, dir)
}

// judge prints what the machines reported. Anything but a verdict of success from every package on every kernel is an error.
func judge(o options, tests []test, runs []*run) error {
	var bad []string
	for _, r := range runs {
		r.details(os.Stdout, tests, o.verbose)
		if !r.ok(tests) {
			bad = append(bad, r.series)
		}
	}
	if o.verbose {
		skips(os.Stdout, runs)
	}
	table(os.Stdout, tests, runs)
	if len(bad) > 0 {
		return fmt.Errorf("failed on %s", strings.Join(bad, ", "))
	}
	return nil
}

// needPrograms names the packages of all the programs that are missing.
func needPrograms(a arch) error {
	var missing []string
	for _, p := range []struct{ program, debianPackage string }{
		{a.qemu, a.from}, {"apt-get", "apt"}, {"dpkg-deb", "dpkg"}, {"xz", "xz-utils"}, {"zstd", "zstd"},
	} {
		if _, err := exec.LookPath(p.program); err != nil {
			missing = append(missing, p.debianPackage)
		}
	}
	if len(missing) > 0 {
		return fmt.Errorf("needs programs that are not here: apt-get install %s", strings.Join(missing, " "))
	}
	return nil
}
