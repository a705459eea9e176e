package link

import (
	"errors"
	"os"
	"os/exec"
	"testing"

	"github.com/lode-bpf/lode/internal/ktest"
	"github.com/lode-bpf/lode/sys"
)

// updater is set in a process that the next test starts: the path of a pinned link.
const updater = "LODE_TEST_UPDATE_PIN"

// A link that this process pinned is updated by another one, which opens it by its
// path, and ends with its pin.
func TestKernelPinUpdatedByAnother(t *testing.T) {
	if path := os.Getenv(updater); path != "" {
		drop := loadType(t, sys.ProgTypeXDP, 0, xdpDrop)
		l, err := FromPin(sys.Live(), path)
		if err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(l.Update(drop.fd()), l.Close()); err != nil {
			t.Fatal(err)
		}
		return
	}
	k := kernelTest(t)
	path := ktest.BPFFS(t) + "/link"
	ktest.NetNS(t)
	u := newUDP(t)
	pass := loadType(t, sys.ProgTypeXDP, 0, xdpPass)
	l, err := XDP(k, pass.fd(), XDPOptions{IfIndex: loopback, Mode: XDPGeneric})
	own(t, l, err)
	if err := errors.Join(l.Pin(path), l.Close()); err != nil {
		t.Fatal(err)
	}
	if !u.arrives(t) || pass.runs(t) == 0 {
		t.Error("the pinned link ended with Close")
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(self, "-test.run=^TestKernelPinUpdatedByAnother$")
	cmd.Env = append(os.Environ(), updater+"="+path)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("the other process: %v\n%s", err, out)
	}
	runs := pass.runs(t)
	if u.arrives(t) || pass.runs(t) != runs {
		t.Error("the other process did not replace the program, or its program ended with it")
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if !arrivesAgain(t, u) {
		t.Error("the link outlives its last pin")
	}
}

// arrivesAgain says whether packets arrive once more after the name of a link that
// drops them was removed: the kernel frees it a grace period later.
func arrivesAgain(t *testing.T, u *udp) bool {
	for range 50 {
		if u.arrives(t) {
			return true
		}
	}
	return false
}

// A pin is taken back by the link that it belongs to, and by no other.
func TestKernelUnpin(t *testing.T) {
	k := kernelTest(t)
	dir := ktest.BPFFS(t)
	ktest.NetNS(t)
	u := newUDP(t)
	attach := func(typ sys.ProgType, verdict int32, attach func(prog int) (*Link, error)) *Link {
		l, err := attach(loadType(t, typ, 0, verdict).fd())
		return own(t, l, err)
	}
	l := attach(sys.ProgTypeXDP, xdpDrop, func(prog int) (*Link, error) {
		return XDP(k, prog, XDPOptions{IfIndex: loopback, Mode: XDPGeneric})
	})
	other := attach(sys.ProgTypeRawTracepoint, 0, func(prog int) (*Link, error) { return RawTracepoint(k, prog, "sys_enter", 0) })
	mine, others, none := dir+"/mine", dir+"/others", dir+"/none"
	if err := errors.Join(l.Pin(mine), other.Pin(others)); err != nil {
		t.Fatal(err)
	}
	if err := l.Unpin(others); !errors.Is(err, os.ErrExist) {
		t.Errorf("the pin of another link: %v", err)
	}
	if err := l.Unpin(none); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("no pin: %v", err)
	}
	if _, err := os.Stat(others); err != nil {
		t.Error(err)
	}
	again, err := FromPin(k, mine)
	own(t, again, err)
	if err := errors.Join(l.Close(), again.Unpin(mine)); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(mine); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("after Unpin: %v", err)
	}
	if u.arrives(t) {
		t.Error("the link ended with its pin, although it is open")
	}
	if err := errors.Join(again.Close(), other.Unpin(others)); err != nil {
		t.Error(err)
	}
	if !arrivesAgain(t, u) {
		t.Error("the link outlives its pin and its descriptors")
	}
	if err := l.Unpin(mine); !errors.Is(err, ErrClosed) {
		t.Errorf("a closed link: %v", err)
	}
	filter, err := SocketFilter(k, loadType(t, sys.ProgTypeSocketFilter, 0, 1).fd(), u.recv)
	own(t, filter, err)
	if err := filter.Pin(none); !errors.Is(err, sys.EOPNOTSUPP) {
		t.Errorf("pinning without a link: %v", err)
	}
}
