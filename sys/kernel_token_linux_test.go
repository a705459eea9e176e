package sys

import (
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// A process in a user namespace gets the right to create maps from a bpffs that a
// privileged process has configured for it.
func TestKernelToken(t *testing.T) {
	if os.Getenv("LODE_TOKEN_CHILD") != "" {
		tokenChild(t)
		return
	}
	k := kernelTest(t)
	if err := Probe(k, FeatureToken); err != nil {
		t.Skip(err)
	}
	pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_SEQPACKET|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	parent := pair[0]
	defer unix.Close(parent)
	theirs := os.NewFile(uintptr(pair[1]), "socket")
	var out strings.Builder
	cmd := exec.Command("/proc/self/exe", "-test.run=^TestKernelToken$", "-test.v")
	cmd.Env, cmd.ExtraFiles, cmd.Stdout, cmd.Stderr = append(os.Environ(), "LODE_TOKEN_CHILD=1"), []*os.File{theirs}, &out, &out
	root := []syscall.SysProcIDMap{{ContainerID: 0, HostID: 0, Size: 1}}
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: unix.CLONE_NEWUSER | unix.CLONE_NEWNS, UidMappings: root, GidMappings: root}
	err = cmd.Start()
	theirs.Close()
	if err != nil {
		t.Skip("user namespaces: ", err)
	}
	configured := delegate(t, parent)
	if err := cmd.Wait(); err != nil || !configured {
		t.Fatalf("%v\n%s", err, out.String())
	}
}

// delegate configures the file system that the child opened, and gives its mount back.
func delegate(t *testing.T, socket int) bool {
	fsfd, err := receive(socket)
	if err != nil {
		t.Error("no file system from the child: ", err)
		return false
	}
	defer unix.Close(fsfd)
	for _, option := range []string{"delegate_cmds", "delegate_maps", "delegate_progs", "delegate_attachs"} {
		if err := unix.FsconfigSetString(fsfd, option, "any"); err != nil {
			t.Errorf("%s: %v", option, err)
			return false
		}
	}
	if err := unix.FsconfigCreate(fsfd); err != nil {
		t.Error(err)
		return false
	}
	mount, err := unix.Fsmount(fsfd, unix.FSMOUNT_CLOEXEC, 0)
	if err != nil {
		t.Error(err)
		return false
	}
	defer unix.Close(mount)
	if err := send(socket, mount); err != nil {
		t.Error(err)
		return false
	}
	return true
}

func tokenChild(t *testing.T) {
	const socket = 3
	fsfd, err := unix.Fsopen("bpf", unix.FSOPEN_CLOEXEC)
	if err != nil {
		t.Fatal(err)
	}
	if err := send(socket, fsfd); err != nil {
		t.Fatal(err)
	}
	mount, err := receive(socket)
	if err != nil {
		t.Fatal(err)
	}
	k := Live()
	n, err := k.OpenAt(mount, ".", OpenHow{Flags: O_RDONLY | O_DIRECTORY})
	if err != nil {
		t.Fatal(err)
	}
	lru := &MapCreateAttr{MapType: MapTypeLRUHash, KeySize: 4, ValueSize: 4, MaxEntries: 8}
	err = done(MapCreate(k, lru))
	if !errors.Is(err, fs.ErrPermission) || !strings.Contains(err.Error(), "user namespace") {
		t.Errorf("without a token: %v", err)
	}
	token, err := TokenCreate(k, n)
	own(t, token, err)
	lru.MapFlags, lru.MapTokenFD = BPF_F_TOKEN_FD, token.Num()
	m, err := MapCreate(k, lru)
	own(t, m, err)
	b, err := BTFLoad(k, &BTFLoadAttr{BTF: BytesPtr(btfInt().bytes()), Size: uint32(len(btfInt().bytes())), Flags: BPF_F_TOKEN_FD, TokenFD: token.Num()})
	own(t, b, err)
	a := (&trial{typ: ProgTypeXDP, code: ret(2), flags: BPF_F_TOKEN_FD}).attr()
	a.ProgTokenFD = token.Num()
	p, err := ProgLoad(k, a)
	own(t, p, err)
	var info TokenInfo
	if err := ObjGetInfoByFD(k, token.Int(), &info); err == nil && info.AllowedCmds == 0 {
		t.Errorf("token info: %+v", info)
	}
}

func send(socket, fd int) error {
	return unix.Sendmsg(socket, []byte{0}, unix.UnixRights(fd), nil, 0)
}

func receive(socket int) (int, error) {
	buf, oob := make([]byte, 1), make([]byte, 64)
	_, n, _, _, err := unix.Recvmsg(socket, buf, oob, unix.MSG_CMSG_CLOEXEC)
	if err != nil {
		return -1, err
	}
	messages, err := unix.ParseSocketControlMessage(oob[:n])
	if err != nil || len(messages) != 1 {
		return -1, errors.Join(err, errors.New("no descriptor came"))
	}
	fds, err := unix.ParseUnixRights(&messages[0])
	if err != nil {
		return -1, err
	}
	return fds[0], nil
}
