package link

import (
	"errors"
	"io/fs"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/lode-bpf/lode/sys"
)

// bpfCapabilities are those that attaching programs can take.
var bpfCapabilities = map[string]uint{"CAP_NET_ADMIN": unix.CAP_NET_ADMIN, "CAP_SYS_ADMIN": unix.CAP_SYS_ADMIN,
	"CAP_PERFMON": unix.CAP_PERFMON, "CAP_BPF": unix.CAP_BPF}

// setEffective changes which of these the calling thread has; the goroutine is locked to
// it. Capabilities that are dropped stay permitted, so that they can be taken back.
func setEffective(t *testing.T, names []string) {
	t.Helper()
	header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var data [2]unix.CapUserData
	if err := unix.Capget(&header, &data[0]); err != nil {
		t.Fatal(err)
	}
	for name, c := range bpfCapabilities {
		data[c/32].Effective &^= 1 << (c % 32)
		if slices.Contains(names, name) {
			data[c/32].Effective |= 1 << (c % 32)
		}
	}
	if err := unix.Capset(&header, &data[0]); err != nil {
		t.Fatal(err)
	}
}

// lacking are the capabilities that an error says the process lacks.
func lacking(err error) (names []string) {
	_, list, ok := strings.Cut(err.Error(), "the process lacks ")
	for _, name := range strings.Fields(list) {
		if _, known := bpfCapabilities[name]; ok && known {
			names = append(names, name)
		}
	}
	return names
}

// A process that lacks a capability is told which: given what the errors name, and no
// more, it can attach.
func TestKernelMissingCapability(t *testing.T) {
	list := attachments(t) // locks the goroutine to its thread
	all := []string{"CAP_BPF", "CAP_NET_ADMIN", "CAP_PERFMON", "CAP_SYS_ADMIN"}
	t.Cleanup(func() { setEffective(t, all) })
	asked := map[string]bool{}
	for _, a := range list {
		var held []string
		for {
			setEffective(t, held)
			l, err := a.attach(sys.Live())
			setEffective(t, all)
			if err == nil {
				if err := l.Close(); err != nil {
					t.Errorf("%s: %v", a.name, err)
				}
				break
			}
			var e *Error
			missing := lacking(err)
			refused := errors.Is(err, fs.ErrPermission) || a.name == "cgroup attach" && errors.Is(err, sys.EINVAL) // as the kernel has it
			if !errors.As(err, &e) || !refused || len(missing) == 0 || slices.ContainsFunc(missing, func(s string) bool { return slices.Contains(held, s) }) {
				t.Errorf("%s with %v: %v", a.name, held, err)
				break
			}
			held = append(held, missing...)
		}
		t.Logf("%s needs %v", a.name, held)
		for _, name := range held {
			asked[name] = true
		}
	}
	for _, name := range []string{"CAP_NET_ADMIN", "CAP_PERFMON"} {
		if !asked[name] {
			t.Errorf("no attachment needs %s", name)
		}
	}
}
