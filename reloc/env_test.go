package reloc

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"fmt"
	"io"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/lode-bpf/lode/btf"
)

func nativeOrder() binary.ByteOrder {
	if runtime.GOARCH == "s390x" || runtime.GOARCH == "ppc64" || runtime.GOARCH == "mips64" {
		return binary.BigEndian
	}
	return binary.LittleEndian
}

// runningEnv is what the tests know of the running kernel.
func runningEnv(t testing.TB) Env {
	t.Helper()
	return &running{}
}

type running struct {
	syms map[string][]uint64
	conf map[string]string
}

func (e *running) Kernel() (*btf.Spec, error) { return btf.Kernel() }

func (e *running) Modules() ([]Module, error) {
	names, err := btf.KernelModules()
	if err != nil {
		return nil, err
	}
	var out []Module
	for _, n := range names {
		s, err := btf.KernelModule(n)
		out = append(out, Module{Name: n, BTF: s, Err: err})
	}
	return out, nil
}

func (e *running) Symbol(name string) ([]uint64, error) {
	if e.syms == nil {
		b, err := os.ReadFile("/proc/kallsyms")
		if err != nil {
			return nil, err
		}
		e.syms = map[string][]uint64{}
		sc := bufio.NewScanner(bytes.NewReader(b))
		for sc.Scan() {
			f := strings.Fields(sc.Text())
			a, err := strconv.ParseUint(f[0], 16, 64)
			if err != nil {
				return nil, err
			}
			if !slices.Contains(e.syms[f[2]], a) {
				e.syms[f[2]] = append(e.syms[f[2]], a)
			}
		}
	}
	return e.syms[name], nil
}

func (e *running) Config(name string) (string, bool, error) {
	if e.conf == nil {
		f, err := os.Open("/proc/config.gz")
		if err != nil {
			return "", false, err
		}
		defer f.Close()
		z, err := gzip.NewReader(f)
		if err != nil {
			return "", false, err
		}
		b, err := io.ReadAll(z)
		if err != nil {
			return "", false, err
		}
		e.conf = map[string]string{}
		for line := range strings.Lines(string(b)) {
			if k, v, ok := strings.Cut(strings.TrimSpace(line), "="); ok && strings.HasPrefix(k, "CONFIG_") {
				e.conf[k] = v
			}
		}
	}
	v, ok := e.conf[name]
	return v, ok, nil
}

func (e *running) Version() uint32 {
	b, err := os.ReadFile("/proc/sys/kernel/osrelease")
	if err != nil {
		return 0
	}
	var major, minor, patch uint32
	fmt.Sscanf(string(b), "%d.%d.%d", &major, &minor, &patch)
	return major<<16 | minor<<8 | min(patch, 255)
}

func (e *running) Arch() string                 { return runtime.GOARCH }
func (e *running) Feature(string) (bool, error) { return true, nil }

// fakeEnv is an Env made by hand.
type fakeEnv struct {
	kernel  *btf.Spec
	modules []Module
	symbols map[string][]uint64
	config  map[string]string
	version uint32
	has     map[string]bool
	asked   []string
}

func (e *fakeEnv) ask(what string) { e.asked = append(e.asked, what) }

func (e *fakeEnv) Kernel() (*btf.Spec, error) {
	e.ask("kernel")
	if e.kernel == nil {
		return nil, os.ErrNotExist
	}
	return e.kernel, nil
}

func (e *fakeEnv) Modules() ([]Module, error) {
	e.ask("modules")
	return e.modules, nil
}

func (e *fakeEnv) Symbol(name string) ([]uint64, error) {
	e.ask("symbol " + name)
	return e.symbols[name], nil
}

func (e *fakeEnv) Config(name string) (string, bool, error) {
	e.ask("config " + name)
	v, ok := e.config[name]
	return v, ok, nil
}

func (e *fakeEnv) Version() uint32 { return e.version }
func (e *fakeEnv) Arch() string    { return "amd64" }

func (e *fakeEnv) Feature(name string) (bool, error) {
	e.ask("feature " + name)
	return e.has[name], nil
}
