package lode_test

import (
	"context"
	"os"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/lode-bpf/lode"
	"github.com/lode-bpf/lode/internal/ktest"
	"github.com/lode-bpf/lode/link"
	"github.com/lode-bpf/lode/maps"
)

// TestKernelAttach attaches a program by its section name, sees it run, and sees
// it stop when the collection is closed.
func TestKernelAttach(t *testing.T) {
	ktest.Root(t)
	ktest.NoFDLeaks(t)
	c, err := lode.Load(context.Background(), ktest.ObjectPath(t, "tracing"), lode.LoadOptions{
		Policy: lode.Policy{Attach: link.Auto},
		Edit:   func(o *lode.Object) error { return o.Only("raw_tracepoint") },
	})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if len(c.Links) != 1 {
		t.Fatalf("%d links, want 1", len(c.Links))
	}
	before := hits(t, c, "raw")
	if _, err := unix.Getpgid(0); err != nil {
		t.Fatal(err)
	}
	during := hits(t, c, "raw")
	if during == before {
		t.Error("the attached program did not run")
	}
	if err := c.Links["raw_tracepoint"].Close(); err != nil {
		t.Fatal(err)
	}
	after := hits(t, c, "raw")
	if _, err := unix.Getpgid(0); err != nil {
		t.Fatal(err)
	}
	if n := hits(t, c, "raw"); n != after {
		t.Errorf("the program ran %d times after its link was closed", n-after)
	}
}

// hits is the variable in which a program counts how often it ran.
func hits(t *testing.T, c interface {
	Variable(string) (*maps.Variable, error)
}, name string) uint64 {
	t.Helper()
	v, err := c.Variable(name)
	if err != nil {
		t.Fatal(err)
	}
	var n uint64
	if err := v.Get(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

// TestKernelAttachStructOps registers a TCP congestion control, both ways, and
// sees the kernel offer it and forget it.
func TestKernelAttachStructOps(t *testing.T) {
	ktest.BTF(t, "struct_ops")
	ktest.NetNS(t)
	ktest.NoFDLeaks(t)
	offered := func(name string) bool {
		b, err := os.ReadFile("/proc/sys/net/ipv4/tcp_available_congestion_control")
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range strings.Fields(string(b)) {
			if f == name {
				return true
			}
		}
		return false
	}
	for mapName, control := range map[string]string{"fixed": "lode_fixed", "fixed_link": "lode_fixed_link"} {
		if mapName == "fixed_link" {
			ktest.Kernel(t, 6, 4, "struct_ops links")
		}
		c, err := lode.Load(context.Background(), ktest.ObjectPath(t, "structops"), lode.LoadOptions{
			Policy: lode.Policy{Attach: link.Auto},
			Edit: func(o *lode.Object) error {
				for _, m := range o.Maps {
					if strings.HasPrefix(m.Name, "fixed") {
						m.Disabled = m.Name != mapName
					}
				}
				return nil
			},
		})
		if err != nil {
			t.Fatalf("%s: %v", mapName, err)
		}
		if c.Programs["undo_cwnd"] == nil {
			t.Errorf("%s: the optional program undo_cwnd, which it refers to, was not loaded", mapName)
		}
		if !offered(control) {
			t.Errorf("%s: the kernel does not offer %q", mapName, control)
		}
		if err := c.Undo(); err != nil {
			t.Fatal(err)
		}
		if offered(control) {
			t.Errorf("%s: the kernel still offers %q after Undo", mapName, control)
		}
	}
}

// TestKernelAttachTracingMulti attaches one program to the functions that a pattern
// means, and sees it run for two of them.
func TestKernelAttachTracingMulti(t *testing.T) {
	ktest.Root(t)
	ktest.Kernel(t, 7, 2, "tracing of several functions")
	ktest.NoFDLeaks(t)
	c, err := lode.Load(context.Background(), ktest.ObjectPath(t, "tracingmulti"), lode.LoadOptions{Policy: lode.Policy{Attach: link.Auto}})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	before := hits(t, c, "entries")
	if _, err := unix.Getpgid(0); err != nil {
		t.Fatal(err)
	}
	if err := unix.Setpgid(-1, 0); err == nil {
		t.Fatal("there is a process -1")
	}
	if n := hits(t, c, "entries") - before; n != 2 {
		t.Errorf("the program ran %d times at two calls", n)
	}
}
