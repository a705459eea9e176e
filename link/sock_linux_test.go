package link

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/lode-bpf/lode/internal/ktest"
	"github.com/lode-bpf/lode/sys"
)

// join moves the process into a cgroup until the test ends.
func join(t *testing.T, dir string) {
	t.Helper()
	b, err := os.ReadFile("/proc/self/cgroup")
	if err != nil {
		t.Fatal(err)
	}
	old := ""
	for line := range strings.Lines(string(b)) {
		if rest, ok := strings.CutPrefix(line, "0::"); ok {
			old = strings.TrimSpace(rest)
		}
	}
	root := dir
	for !isRoot(root) {
		root = filepath.Dir(root)
	}
	enter := func(dir string) error {
		return os.WriteFile(filepath.Join(dir, "cgroup.procs"), []byte(strconv.Itoa(os.Getpid())), 0)
	}
	if err := enter(dir); err != nil {
		t.Skip("this process cannot change its cgroup: ", err)
	}
	t.Cleanup(func() {
		if err := enter(filepath.Join(root, old)); err != nil {
			t.Error(err)
		}
	})
}

// isRoot says whether a directory is the mount point of a file system.
func isRoot(dir string) bool {
	var here, above unix.Stat_t
	return unix.Stat(dir, &here) != nil || unix.Stat(dir+"/..", &above) != nil || here.Dev != above.Dev || dir == "/"
}

func TestKernelCgroup(t *testing.T) {
	k := kernelTest(t)
	ktest.NetNS(t)
	dir := ktest.Cgroup(t)
	join(t, dir)
	const drop, pass = 0, 1
	u := newUDP(t)
	p, d := loadType(t, sys.ProgTypeCgroupSKB, sys.AttachCgroupInetEgress, pass), loadType(t, sys.ProgTypeCgroupSKB, sys.AttachCgroupInetEgress, drop)
	l, err := Cgroup(k, p.fd(), dir, sys.AttachCgroupInetEgress, Anchor{})
	own(t, l, err)
	if !u.arrives(t) || p.runs(t) == 0 {
		t.Errorf("the packet did not leave, or the program did not run (%d)", p.runs(t))
	}
	if err := l.Update(d.fd()); err != nil {
		t.Error(err)
	}
	if u.arrives(t) || d.runs(t) == 0 {
		t.Error("the packet left in spite of the program")
	}
	info, err := l.Info()
	if err != nil || info.Type != sys.LinkTypeCgroup || info.AttachType != sys.AttachCgroupInetEgress || info.ProgID != d.id(t) {
		t.Errorf("info: %+v, %v", info, err)
	}
	if err := l.Close(); err != nil || !u.arrives(t) {
		t.Errorf("after Close: %v", err)
	}
	_, err = Cgroup(k, p.fd(), dir+"/none", sys.AttachCgroupInetEgress, Anchor{})
	if !errors.Is(err, os.ErrNotExist) || !strings.Contains(err.Error(), dir+"/none") {
		t.Errorf("no such cgroup: %v", err)
	}
	x := loadType(t, sys.ProgTypeXDP, 0, xdpPass)
	if _, err := Cgroup(k, x.fd(), dir, sys.AttachCgroupInetEgress, Anchor{}); !errors.Is(err, sys.EINVAL) {
		t.Errorf("a program of another type: %v", err)
	}
}

func TestKernelCgroupAttach(t *testing.T) {
	k := kernelTest(t)
	dir := ktest.Cgroup(t)
	p, d := loadType(t, sys.ProgTypeCgroupSKB, sys.AttachCgroupInetEgress, 1), loadType(t, sys.ProgTypeCgroupSKB, sys.AttachCgroupInetEgress, 1)
	programs := func() []uint32 {
		fd, err := openDir(k, dir)
		if err != nil {
			t.Fatal(err)
		}
		defer fd.Close()
		h, err := Query(k, fd.Int(), sys.AttachCgroupInetEgress)
		if err != nil {
			t.Fatal(err)
		}
		return h.Programs
	}
	l, err := CgroupAttach(k, p.fd(), dir, sys.AttachCgroupInetEgress, sys.BPF_F_ALLOW_MULTI)
	own(t, l, err)
	if got := programs(); !slices.Equal(got, []uint32{p.id(t)}) {
		t.Errorf("attached: %v", got)
	}
	if err := l.Replace(d.fd(), d.fd()); !errors.Is(err, sys.ENOENT) {
		t.Errorf("replacing what is not there: %v", err)
	}
	if err := l.Replace(d.fd(), p.fd()); err != nil {
		t.Error(err)
	}
	if got := programs(); !slices.Equal(got, []uint32{d.id(t)}) {
		t.Errorf("replaced: %v", got)
	}
	if err := l.Detach(); err != nil {
		t.Error(err)
	}
	if got := programs(); len(got) != 0 {
		t.Errorf("detached: %v", got)
	}
}

func TestKernelSocketFilter(t *testing.T) {
	k := kernelTest(t)
	ktest.NetNS(t)
	u := newUDP(t)
	p, d := loadType(t, sys.ProgTypeSocketFilter, 0, 100), loadType(t, sys.ProgTypeSocketFilter, 0, 0)
	l, err := SocketFilter(k, d.fd(), u.recv)
	own(t, l, err)
	if u.arrives(t) || d.runs(t) == 0 {
		t.Error("the packet came in spite of the filter")
	}
	if err := l.Update(p.fd()); err != nil {
		t.Error(err)
	}
	if !u.arrives(t) || p.runs(t) == 0 {
		t.Error("the packet did not pass the filter")
	}
	if err := l.Update(d.fd()); err != nil {
		t.Error(err)
	}
	if err := l.Close(); err != nil || !u.arrives(t) {
		t.Errorf("after Close: %v", err)
	}
	if _, err := SocketFilter(k, d.fd(), 0); err == nil {
		t.Error("standard input is a socket")
	}
}

func TestKernelSKReuseport(t *testing.T) {
	k := kernelTest(t)
	ktest.NetNS(t)
	s, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(s)
	if err := unix.SetsockoptInt(s, unix.SOL_SOCKET, unix.SO_REUSEPORT, 1); err != nil {
		t.Fatal(err)
	}
	to := &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}
	if err := unix.Bind(s, to); err != nil {
		t.Fatal(err)
	}
	sa, _ := unix.Getsockname(s)
	to.Port = sa.(*unix.SockaddrInet4).Port
	p := loadType(t, sys.ProgTypeSKReuseport, sys.AttachSKReuseportSelect, 0) // SK_DROP
	l, err := SKReuseport(k, p.fd(), s)
	own(t, l, err)
	unix.Sendto(s, []byte("x"), 0, to)
	if p.runs(t) == 0 {
		t.Error("the program did not run")
	}
	if err := l.Close(); err != nil {
		t.Error(err)
	}
	runs := p.runs(t)
	unix.Sendto(s, []byte("x"), 0, to)
	if p.runs(t) != runs {
		t.Error("the program runs after Close")
	}
}

func TestKernelSockMap(t *testing.T) {
	k := kernelTest(t)
	ktest.NetNS(t)
	m, err := sys.MapCreate(k, &sys.MapCreateAttr{MapType: sys.MapTypeSockMap, KeySize: 4, ValueSize: 4, MaxEntries: 2})
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	const pass = 1
	p := loadType(t, sys.ProgTypeSKMsg, sys.AttachSKMsgVerdict, pass)
	l, err := SockMap(k, p.fd(), m.Int(), sys.AttachSKMsgVerdict)
	own(t, l, err)
	a, b := tcpPair(t)
	var key, value = uint32(0), uint32(a)
	if err := sys.MapUpdate(m.Int(), unsafe.Pointer(&key), unsafe.Pointer(&value), 0); err != nil {
		t.Fatal(err)
	}
	if _, err := unix.Write(a, []byte("hello")); err != nil {
		t.Fatal(err)
	}
	buf := make([]byte, 16)
	if n, err := unix.Read(b, buf); err != nil || string(buf[:n]) != "hello" || p.runs(t) == 0 {
		t.Errorf("read %q, %v; the program ran %d times", buf[:n], err, p.runs(t))
	}
	if _, err := Query(k, m.Int(), sys.AttachSKMsgVerdict); err == nil {
		var taken *TakenError
		if second, err := SockMap(k, p.fd(), m.Int(), sys.AttachSKMsgVerdict); !errors.As(err, &taken) {
			t.Errorf("a second program: %v", err)
			second.Close()
		}
	} else if ktestAtLeast(5, 18) {
		t.Error(err)
	}
	if err := l.Close(); err != nil {
		t.Error(err)
	}
	again, err := SockMap(k, p.fd(), m.Int(), sys.AttachSKMsgVerdict)
	own(t, again, err)
}

// tcpPair is a connection on the loopback device.
func tcpPair(t *testing.T) (a, b int) {
	t.Helper()
	s, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(s)
	addr := &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}
	if err := errors.Join(unix.Bind(s, addr), unix.Listen(s, 1)); err != nil {
		t.Fatal(err)
	}
	sa, _ := unix.Getsockname(s)
	if a, err = unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { unix.Close(a) })
	if err := unix.Connect(a, sa); err != nil {
		t.Fatal(err)
	}
	if b, _, err = unix.Accept4(s, unix.SOCK_CLOEXEC); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { unix.Close(b) })
	return a, b
}
