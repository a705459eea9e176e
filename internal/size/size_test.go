package size

import (
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// release is the Go release that the budgets are of: each has another runtime, compiler and linker.
const release = "go1.26"

const empty = `package main

func main() {}
`

var programs = []struct {
	name   string
	budget int64 // bytes over the empty program: what is reached, and 3 %
	source string
}{
	{"load", 2_358_000, `package main

import (
	"context"
	"os"

	"github.com/lode-bpf/lode"
)

func main() {
	c, err := lode.Load(context.Background(), os.Args[1], lode.LoadOptions{})
	if err != nil {
		println(err.Error())
		os.Exit(1)
	}
	c.Close()
}
`},
	{"load and attach", 2_490_000, `package main

import (
	"context"
	"os"

	"github.com/lode-bpf/lode"
	"github.com/lode-bpf/lode/link"
)

func main() {
	c, err := lode.Load(context.Background(), os.Args[1], lode.LoadOptions{Policy: lode.Policy{Attach: link.Auto}})
	if err != nil {
		println(err.Error())
		os.Exit(1)
	}
	c.Close()
}
`},
	{"pinned map", 400_000, `package main

import (
	"os"

	"github.com/lode-bpf/lode/maps"
	"github.com/lode-bpf/lode/sys"
)

func main() {
	m, err := maps.FromPin(sys.Live(), os.Args[1], 0)
	if err == nil {
		_, err = m.Lookup(make([]byte, 4))
	}
	if err != nil {
		println(err.Error())
		os.Exit(1)
	}
}
`},
}

func TestSize(t *testing.T) {
	if _, err := exec.LookPath("go"); err != nil {
		t.Skip("there is no go command to build programs with")
	}
	if !strings.HasPrefix(runtime.Version()+".", release+".") {
		t.Skipf("the budgets are of %s, this is %s", release, runtime.Version())
	}
	base := build(t, empty)
	for _, p := range programs {
		t.Run(p.name, func(t *testing.T) {
			n := build(t, p.source) - base
			t.Logf("%d bytes over an empty program of %d; budget %d", n, base, p.budget)
			if n > p.budget {
				t.Errorf("%d bytes over an empty program, budget %d", n, p.budget)
			}
		})
	}
}

// build is the size of a program, stripped, for the same machine wherever the test runs.
func build(t *testing.T, source string) int64 {
	t.Helper()
	dir := t.TempDir()
	file, out := filepath.Join(dir, "main.go"), filepath.Join(dir, "main")
	if err := os.WriteFile(file, []byte(source), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("go", "build", "-buildvcs=false", "-trimpath", "-ldflags=-s -w", "-o", out, file)
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux", "GOARCH=amd64", "GOAMD64=v1", "GOFLAGS=", "GOEXPERIMENT=")
	if b, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, b)
	}
	st, err := os.Stat(out)
	if err != nil {
		t.Fatal(err)
	}
	return st.Size()
}
