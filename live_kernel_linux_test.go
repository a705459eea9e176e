package lode_test

import (
	"encoding/binary"
	"net"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/lode-bpf/lode/internal/ktest"
	"github.com/lode-bpf/lode/maps"
	"github.com/lode-bpf/lode/sys"
)

// TestKernelLive loads the object counter, attaches it to a device by a link,
// sends packets, and reads the count back from user space through the pinned
// map; stock tools see the program and accept the pin.
func TestKernelLive(t *testing.T) {
	root := filepath.Join(ktest.BPFFS(t), "app")
	ktest.NetNS(t)
	ktest.Veth(t, "lode0", "lode1")
	c, err := counter(t, root, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	dev, err := net.InterfaceByName("lode0")
	if err != nil {
		t.Fatal(err)
	}
	link, err := sys.LinkCreate(sys.Live(), &sys.LinkCreateAttr{ProgFD: int32(c.Program("count").FD()), Target: int32(dev.Index), AttachType: sys.AttachXDP})
	if err != nil {
		t.Fatal(err)
	}
	defer link.Close()
	const ethertype, packets, size = 0x88b5, 5, 100 // IEEE 802 local experimental
	send(t, "lode1", ethertype, packets, size)

	m, err := maps.FromPin(sys.Live(), filepath.Join(root, "packets"), 0)
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	v, err := m.Lookup(binary.NativeEndian.AppendUint32(nil, ethertype))
	if err != nil {
		t.Fatal(err)
	}
	if n, bytes := binary.NativeEndian.Uint64(v), binary.NativeEndian.Uint64(v[8:]); n != packets || bytes != packets*size {
		t.Errorf("the pinned map counts %d packets of %d bytes in all, sent were %d of %d", n, bytes, packets, packets*size)
	}
	var seen uint64
	last, err := c.Variable("last_size")
	if err == nil {
		err = last.Get(&seen)
	}
	if err != nil || seen != size {
		t.Errorf("variable last_size is %d, want %d (%v)", seen, size, err)
	}
	if ip, err := exec.LookPath("ip"); err == nil {
		stockTools(t, ip, root, link)
	} else {
		t.Log("the stock ip command (package iproute2) is not here: it was not asked what it sees")
	}
}

// stockTools has the ip command show the program and attach the pin.
func stockTools(t *testing.T, ip, root string, link *sys.FD) {
	out, err := exec.Command(ip, "link", "show", "dev", "lode0").CombinedOutput()
	if err != nil || !strings.Contains(string(out), "prog/xdp id") {
		t.Errorf("ip link show: %v\n%s", err, out)
	}
	if err := link.Close(); err != nil {
		t.Fatal(err)
	}
	pin := filepath.Join(root, "counter-programs", "count")
	if out, err := exec.Command(ip, "link", "set", "dev", "lode0", "xdp", "pinned", pin).CombinedOutput(); err != nil {
		t.Errorf("ip link set dev lode0 xdp pinned %s: %v\n%s", pin, err, out)
	}
	if out, _ = exec.Command(ip, "link", "show", "dev", "lode0").CombinedOutput(); !strings.Contains(string(out), "prog/xdp") {
		t.Errorf("after xdp pinned, ip link shows no program:\n%s", out)
	}
}

// send writes Ethernet frames to a device.
func send(t *testing.T, device string, ethertype uint16, n, size int) {
	t.Helper()
	dev, err := net.InterfaceByName(device)
	if err != nil {
		t.Fatal(err)
	}
	s, err := unix.Socket(unix.AF_PACKET, unix.SOCK_RAW|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(s)
	frame := make([]byte, size)
	copy(frame, []byte{0xff, 0xff, 0xff, 0xff, 0xff, 0xff})
	copy(frame[6:], dev.HardwareAddr)
	binary.BigEndian.PutUint16(frame[12:], ethertype)
	for range n {
		if err := unix.Sendto(s, frame, 0, &unix.SockaddrLinklayer{Ifindex: dev.Index, Halen: 6}); err != nil {
			t.Fatal(err)
		}
	}
}
