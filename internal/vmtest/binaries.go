package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
)

// A pkg is what `go list -json` says of a package.
type pkg struct {
	ImportPath, Dir string
	TestGoFiles     []string
	XTestGoFiles    []string
	Module          struct{ Path, Dir string }
}

// kernelTest is the beginning of a test that needs a kernel.
var kernelTest = regexp.MustCompile(`(?m)^func TestKernel[^a-z]?\w*\(`)

// packagesWithTests returns the packages of the patterns that have tests for a kernel.
func packagesWithTests(a arch, patterns []string) ([]pkg, error) {
	out, err := goTool(a, append([]string{"list", "-e", "-json=ImportPath,Dir,TestGoFiles,XTestGoFiles,Module"}, patterns...)...)
	if err != nil {
		return nil, err
	}
	var found []pkg
	for d := json.NewDecoder(bytes.NewReader(out)); ; {
		var p pkg
		switch err := d.Decode(&p); {
		case errors.Is(err, io.EOF):
			if len(found) == 0 {
				return nil, fmt.Errorf("no TestKernel function in %s", strings.Join(patterns, " "))
			}
			return found, nil
		case err != nil:
			return nil, fmt.Errorf("go list: %w", err)
		}
		for _, name := range append(p.TestGoFiles, p.XTestGoFiles...) {
			source, err := os.ReadFile(filepath.Join(p.Dir, name))
			if err != nil {
				return nil, err
			}
			if kernelTest.Match(source) {
				found = append(found, p)
				break
			}
		}
	}
}

// build makes static test binaries of the packages, and this command itself as the machine's init, in dir. A package whose
// tests do not compile is an error after all the others were tried, so that they are all named.
func build(a arch, packages []pkg, dir string) ([]test, error) {
	if _, err := goTool(a, "build", "-ldflags=-s -w", "-o", filepath.Join(dir, "init"), "./internal/vmtest"); err != nil {
		return nil, err
	}
	var tests []test
	var failed error
	for _, p := range packages {
		name := strings.TrimPrefix(strings.TrimPrefix(p.ImportPath, p.Module.Path), "/")
		if name == "" {
			name = "."
		}
		t := test{Package: name, Binary: strings.ReplaceAll(name, "/", "-") + ".test"}
		if _, err := goTool(a, "test", "-c", "-vet=off", "-ldflags=-s -w", "-o", filepath.Join(dir, t.Binary), p.ImportPath); err != nil {
			failed = errors.Join(failed, err)
			continue
		}
		tests = append(tests, t)
	}
	return tests, failed
}

// goTool runs the go command for the machine's system, without cgo.
func goTool(a arch, args ...string) ([]byte, error) {
	c := exec.Command("go", args...)
	c.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux", "GOARCH="+a.name)
	return output(c)
}

// output runs a program and returns what it prints; what it complains of becomes the error.
func output(c *exec.Cmd) ([]byte, error) {
	var messages bytes.Buffer
	c.Stderr = &messages
	out, err := c.Output()
	if err != nil {
		return nil, fmt.Errorf("%s: %w\n%s", strings.Join(c.Args, " "), err, messages.Bytes())
	}
	return out, nil
}
