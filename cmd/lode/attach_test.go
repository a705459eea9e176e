package main

import (
	"context"
	"encoding/json"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/lode-bpf/lode/internal/ktest"
)

// shownLink is what link show says of the link pinned at a path.
func shownLink(t *testing.T, pin string) listedLink {
	t.Helper()
	status, out, errOut := cli("link", "show", "--json", pin)
	var l []listedLink
	if status != 0 || json.Unmarshal([]byte(out), &l) != nil || len(l) != 1 {
		t.Fatalf("status %d, %s%s", status, out, errOut)
	}
	return l[0]
}

// TestKernelProgAttach attaches a loaded program to a device, puts another one in
// its place, and detaches it.
func TestKernelProgAttach(t *testing.T) {
	counter := ktest.LoadablePath(t, "counter")
	root := filepath.Join(ktest.BPFFS(t), "app")
	ktest.NetNS(t)
	ktest.Veth(t, "lode0", "lode1")
	ktest.NoFDLeaks(t)
	must := func(args ...string) string {
		t.Helper()
		status, out, errOut := cli(args...)
		if status != 0 {
			t.Fatalf("lode %q: status %d\n%s", args, status, errOut)
		}
		return out
	}
	must("load", "--pin-root", root, counter)
	programs := root + "/counter-programs/"
	id := func(name string) uint32 {
		t.Helper()
		var p []listedProgram
		if err := json.Unmarshal([]byte(must("prog", "show", "--json", programs+name)), &p); err != nil {
			t.Fatal(err)
		}
		return p[0].ID
	}
	pin := root + "/lode0"
	if out := must("prog", "attach", "--pin", pin, programs+"count", "xdp", "lode0"); !strings.Contains(out, fmt.Sprintf(" %d ", id("count"))) {
		t.Errorf("attach does not show the link:\n%s", out)
	}
	if l := shownLink(t, pin); l.Program != id("count") || l.Device == 0 {
		t.Errorf("attached: %+v", l)
	}
	if out := must("link", "show", pin); !strings.Contains(out, " lode0") {
		t.Errorf("the device has no name:\n%s", out)
	}
	if status, _, errOut := cli("prog", "attach", programs+"count_other", "xdp", "lode0"); status != 1 || !strings.Contains(errOut, "lode0") && !strings.Contains(errOut, "taken") && !strings.Contains(errOut, "busy") {
		t.Errorf("a device that is taken: status %d, %s", status, errOut)
	}
	must("link", "update", pin, programs+"count_other")
	if l := shownLink(t, pin); l.Program != id("count_other") {
		t.Errorf("updated: %+v", l)
	}
	must("link", "detach", pin)
	if l := shownLink(t, pin); l.Device != 0 {
		t.Errorf("detached: %+v", l)
	}
	must("unload", root)
}

// TestKernelProgAttachHeld attaches for as long as the command runs.
func TestKernelProgAttachHeld(t *testing.T) {
	ktest.BTF(t, "CO-RE")
	root := filepath.Join(ktest.BPFFS(t), "app")
	ktest.NoFDLeaks(t)
	if status, _, errOut := cli("load", "--pin-root", root, object(t, "core.bpf.o")); status != 0 {
		t.Fatalf("status %d: %s", status, errOut)
	}
	ctx, cancel := context.WithCancel(context.Background())
	held := &waitFor{text: "until this command is interrupted", seen: make(chan struct{})}
	var out strings.Builder
	done := make(chan int)
	go func() {
		done <- run(ctx, []string{"prog", "attach", root + "/core-programs/walk", "raw_tracepoint", "sys_enter"}, &out, held)
	}()
	select {
	case <-held.seen:
		cancel()
	case status := <-done:
		t.Fatalf("status %d: %s", status, held.all.String())
	}
	if status := <-done; status != 0 || !strings.Contains(out.String(), "sys_enter") {
		t.Errorf("status %d: %s%s", status, out.String(), held.all.String())
	}
	if status, _, errOut := cli("unload", root); status != 0 {
		t.Errorf("status %d: %s", status, errOut)
	}
}

func TestAttachUsage(t *testing.T) {
	for _, c := range []struct {
		args []string
		want string
	}{
		{[]string{"17"}, "and a hook: xdp"},
		{[]string{"17", "xpd", "eth0"}, `no hook "xpd"`},
		{[]string{"17", "xdp"}, "wants one target: DEVICE"},
		{[]string{"17", "cgroup_inet_egress"}, "DIRECTORY"},
		{[]string{"17", "tracing", "x"}, "no target"},
	} {
		status, _, errOut := cli(append([]string{"prog", "attach"}, c.args...)...)
		if status != 2 || !strings.Contains(errOut, c.want) {
			t.Errorf("%q: status %d, %s", c.args, status, errOut)
		}
	}
	for text, want := range map[string]string{"f": "f 0", "f+8": "f 8", "f+0x10": "f 16"} {
		name, offset, err := withOffset(text)
		if got := fmt.Sprint(name, " ", offset); err != nil || got != want {
			t.Errorf("%q: %q, %v", text, got, err)
		}
	}
}
