package ktest

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"os"
	"runtime"
	"slices"
	"testing"

	"golang.org/x/sys/unix"
)

// NetNS moves the test to a new network namespace, in which only the loopback device exists and is up, and back at cleanup.
// A namespace belongs to a thread, so the calling goroutine is locked to its own: other goroutines, subtests among them,
// stay outside, and the test must not call t.Parallel afterwards.
func NetNS(tb testing.TB) {
	tb.Helper()
	needAdmin(tb, "a network namespace")
	runtime.LockOSThread()
	old, err := unix.Open("/proc/thread-self/ns/net", unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		runtime.UnlockOSThread()
		tb.Fatalf("ktest: network namespace: %v", err)
	}
	if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
		unix.Close(old)
		runtime.UnlockOSThread()
		tb.Skipf("needs a network namespace (CONFIG_NET_NS): %v", err)
	}
	tb.Cleanup(func() {
		defer unix.Close(old)
		if err := unix.Setns(old, unix.CLONE_NEWNET); err != nil {
			tb.Errorf("ktest: back to the first network namespace: %v", err)
			return // the thread stays locked, and ends with its goroutine
		}
		runtime.UnlockOSThread()
	})
	if err := linkUp("lo"); err != nil {
		tb.Fatalf("ktest: %v", err)
	}
}

// Veth makes a pair of virtual Ethernet devices in the current network namespace, with both ends up. They go with the
// namespace: call NetNS first.
func Veth(tb testing.TB, a, b string) {
	tb.Helper()
	if err := newVeth(a, b); err != nil {
		skipIfMissing(tb, err, "veth devices", "CONFIG_VETH, module veth")
		tb.Fatalf("ktest: %v", err)
	}
	for _, name := range []string{a, b} {
		quiet(name)
		if err := linkUp(name); err != nil {
			tb.Fatalf("ktest: %v", err)
		}
	}
}

// quiet keeps IPv6 from sending packets of its own through a device, which tests would count.
func quiet(name string) {
	// Without IPv6 there is no such file, and nothing to keep.
	_ = os.WriteFile("/proc/sys/net/ipv6/conf/"+name+"/disable_ipv6", []byte("1"), 0)
}

// Netdevsim makes a simulated device that programs and maps can be offloaded to, in the current network namespace, and
// returns its index. Call NetNS first. Few kernels are built with the driver: distributions' are not.
func Netdevsim(tb testing.TB) uint32 {
	tb.Helper()
	const bus, number = "/sys/bus/netdevsim/", "7801"
	if _, err := os.Stat(bus); err != nil {
		tb.Skipf("needs the driver netdevsim (CONFIG_NETDEVSIM): %v", err)
	}
	if err := os.WriteFile(bus+"new_device", []byte(number+" 1"), 0); err != nil {
		tb.Fatalf("ktest: %v", err)
	}
	tb.Cleanup(func() {
		if err := os.WriteFile(bus+"del_device", []byte(number), 0); err != nil {
			tb.Errorf("ktest: %v", err)
		}
	})
	list, err := net.Interfaces()
	if err != nil || len(list) == 0 {
		tb.Fatalf("ktest: the device is not there (%v)", err)
	}
	return uint32(slices.MaxFunc(list, func(a, b net.Interface) int { return a.Index - b.Index }).Index)
}

// linkUp sets IFF_UP on a device, by the ioctls of netdevice(7).
func linkUp(name string) error {
	s, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return fmt.Errorf("socket for device %s: %w", name, err)
	}
	defer unix.Close(s)
	request, err := unix.NewIfreq(name)
	if err != nil {
		return fmt.Errorf("device name %q: %w", name, err)
	}
	if err := unix.IoctlIfreq(s, unix.SIOCGIFFLAGS, request); err != nil {
		return fmt.Errorf("flags of device %s: %w", name, err)
	}
	request.SetUint16(request.Uint16() | unix.IFF_UP)
	if err := unix.IoctlIfreq(s, unix.SIOCSIFFLAGS, request); err != nil {
		return fmt.Errorf("device %s up: %w", name, err)
	}
	return nil
}

// newVeth asks rtnetlink(7) for a pair of devices: RTM_NEWLINK, with the second device's own ifinfomsg and name in
// IFLA_INFO_DATA/VETH_INFO_PEER.
func newVeth(a, b string) error {
	const vethInfoPeer = 1 // include/uapi/linux/veth.h
	ifinfomsg := make([]byte, unix.SizeofIfInfomsg)
	peer := append(append([]byte{}, ifinfomsg...), attribute(unix.IFLA_IFNAME, append([]byte(b), 0))...)
	linkInfo := append(attribute(unix.IFLA_INFO_KIND, []byte("veth\x00")),
		attribute(unix.IFLA_INFO_DATA, attribute(vethInfoPeer, peer))...)
	body := append(ifinfomsg, attribute(unix.IFLA_IFNAME, append([]byte(a), 0))...)
	body = append(body, attribute(unix.IFLA_LINKINFO, linkInfo)...)
	if err := rtnetlink(unix.RTM_NEWLINK, unix.NLM_F_CREATE|unix.NLM_F_EXCL, body); err != nil {
		return fmt.Errorf("new veth devices %s, %s: %w", a, b, err)
	}
	return nil
}

// attribute encodes one netlink attribute: length without padding, type, value, padding to four bytes.
func attribute(kind uint16, value []byte) []byte {
	b := make([]byte, 4, 4+len(value)+3)
	binary.NativeEndian.PutUint16(b[0:], uint16(4+len(value)))
	binary.NativeEndian.PutUint16(b[2:], kind)
	b = append(b, value...)
	for len(b)%4 != 0 {
		b = append(b, 0)
	}
	return b
}

// rtnetlink sends one request and returns the error of its acknowledgement.
func rtnetlink(kind, flags uint16, body []byte) error {
	s, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC, unix.NETLINK_ROUTE)
	if err != nil {
		return err
	}
	defer unix.Close(s)
	message := make([]byte, unix.NLMSG_HDRLEN, unix.NLMSG_HDRLEN+len(body))
	binary.NativeEndian.PutUint32(message[0:], uint32(unix.NLMSG_HDRLEN+len(body)))
	binary.NativeEndian.PutUint16(message[4:], kind)
	binary.NativeEndian.PutUint16(message[6:], flags|unix.NLM_F_REQUEST|unix.NLM_F_ACK)
	if err := unix.Sendto(s, append(message, body...), 0, &unix.SockaddrNetlink{Family: unix.AF_NETLINK}); err != nil {
		return err
	}
	reply := make([]byte, 8192)
	n, _, err := unix.Recvfrom(s, reply, 0)
	if err != nil {
		return err
	}
	if n < unix.NLMSG_HDRLEN+4 || binary.NativeEndian.Uint16(reply[4:]) != unix.NLMSG_ERROR {
		return errors.New("the kernel's answer is not an acknowledgement")
	}
	if code := int32(binary.NativeEndian.Uint32(reply[unix.NLMSG_HDRLEN:])); code != 0 {
		return unix.Errno(-code)
	}
	return nil
}
