package realobjects

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/lode-bpf/lode"
	"github.com/lode-bpf/lode/internal/ktest"
)

func TestOpen(t *testing.T) {
	for _, path := range ktest.LibxdpObjects(t) {
		t.Run(filepath.Base(path), func(t *testing.T) {
			o, err := lode.Open(path, lode.ParseOptions{})
			if err != nil {
				t.Fatal(err)
			}
			if len(o.Programs) == 0 {
				t.Error("no programs")
			}
			if o.BTF == nil || o.Ext == nil {
				t.Error("no types")
			}
			for _, f := range o.Findings {
				t.Log(f)
			}
		})
	}
}

// The plan for an object that needs nothing of a kernel names each of its maps and programs.
func TestPlan(t *testing.T) {
	for _, path := range filters(t) {
		t.Run(filepath.Base(path), func(t *testing.T) {
			o, err := lode.Open(path, lode.ParseOptions{})
			if err != nil {
				t.Fatal(err)
			}
			plan, err := o.Plan(lode.Policy{})
			if err != nil {
				t.Fatal(err)
			}
			text := plan.String()
			for _, m := range o.Maps {
				if !strings.Contains(text, m.Name) {
					t.Errorf("the plan does not speak of map %q", m.Name)
				}
			}
			for _, p := range o.Programs {
				if !strings.Contains(text, p.Name) {
					t.Errorf("the plan does not speak of program %q", p.Name)
				}
			}
		})
	}
}

// Every filter is loaded twice: the second time it shares the maps that the first one pinned.
func TestKernelLoadFilters(t *testing.T) {
	for _, path := range filters(t) {
		t.Run(filepath.Base(path), func(t *testing.T) {
			ktest.NoFDLeaks(t)
			policy := lode.Policy{PinRoot: ktest.BPFFS(t) + "/filter"}
			first := load(t, path, policy)
			defer first.Close()
			second := load(t, path, policy)
			defer second.Close()
			pins, err := os.ReadDir(policy.PinRoot)
			if err != nil {
				t.Fatal(err)
			}
			if len(pins) == 0 {
				t.Error("nothing is pinned")
			}
			for _, pin := range pins {
				name := pin.Name()
				if !first.Created(name) || second.Created(name) {
					t.Errorf("map %s: created by the first load: %t, by the second: %t", name, first.Created(name), second.Created(name))
				}
			}
		})
	}
}

func load(t *testing.T, path string, policy lode.Policy) *lode.Collection {
	t.Helper()
	c, err := lode.Load(context.Background(), path, lode.LoadOptions{Policy: policy})
	if err != nil {
		t.Fatal(err)
	}
	if len(c.Programs) == 0 {
		t.Error("no program was loaded")
	}
	return c
}

// filters returns the objects of xdp-filter, which are ordinary XDP programs.
func filters(t *testing.T) []string {
	t.Helper()
	var found []string
	for _, path := range ktest.LibxdpObjects(t) {
		if strings.HasPrefix(filepath.Base(path), "xdpfilt_") {
			found = append(found, path)
		}
	}
	if len(found) == 0 {
		t.Skip("needs the xdpfilt objects of libxdp: apt-get install libxdp1")
	}
	return found
}
