package ktest

import (
	"errors"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// Delegated runs inside in a process of its own, which is root in a new user namespace and nobody outside of it: the
// test that calls Delegated is started once more there and gets as far as this call again. bpffs is the root directory of a
// BPF file system that delegates everything, so that a BPF token can be had of it; the test is skipped before Linux 6.9,
// which brought that. It is for top-level tests.
func Delegated(t *testing.T, inside func(t *testing.T, bpffs int)) {
	t.Helper()
	const mark, socket = "LODE_KTEST_DELEGATED", 3
	if os.Getenv(mark) != "" {
		bpffs, err := fromOutside(socket)
		if err != nil {
			t.Fatalf("ktest: a BPF file system of the user namespace: %v", err)
		}
		defer unix.Close(bpffs)
		inside(t, bpffs)
		return
	}
	Root(t)
	Kernel(t, 6, 9, "BPF tokens")
	pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_SEQPACKET|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatalf("ktest: %v", err)
	}
	defer unix.Close(pair[0])
	theirs := os.NewFile(uintptr(pair[1]), "socket")
	defer theirs.Close()
	var out strings.Builder
	cmd := exec.Command("/proc/self/exe", "-test.run=^"+t.Name()+"$", "-test.v")
	cmd.Env, cmd.ExtraFiles, cmd.Stdout, cmd.Stderr = append(os.Environ(), mark+"=1"), []*os.File{theirs}, &out, &out
	root := []syscall.SysProcIDMap{{ContainerID: 0, HostID: 0, Size: 1}}
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: unix.CLONE_NEWUSER | unix.CLONE_NEWNS, UidMappings: root, GidMappings: root}
	if err := cmd.Start(); err != nil {
		t.Skipf("needs user namespaces (CONFIG_USER_NS): %v", err)
	}
	theirs.Close()
	delegated := delegate(pair[0])
	err = cmd.Wait()
	if err != nil || delegated != nil || !strings.Contains(out.String(), "--- PASS: "+t.Name()+" (") {
		t.Fatalf("in the user namespace: %v\n%s", errors.Join(delegated, err), out.String())
	}
}

// delegate configures the file system that the process inside opened, which only a process outside may, and gives its
// mount back.
func delegate(socket int) error {
	fs, err := receive(socket)
	if err != nil {
		return err
	}
	defer unix.Close(fs)
	for _, option := range []string{"delegate_cmds", "delegate_maps", "delegate_progs", "delegate_attachs"} {
		if err := unix.FsconfigSetString(fs, option, "any"); err != nil {
			return errors.Join(errors.New(option), err)
		}
	}
	if err := unix.FsconfigCreate(fs); err != nil {
		return err
	}
	mount, err := unix.Fsmount(fs, unix.FSMOUNT_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer unix.Close(mount)
	return send(socket, mount)
}

// fromOutside opens a BPF file system, which so belongs to the user namespace, and has it configured and mounted.
func fromOutside(socket int) (bpffs int, err error) {
	fs, err := unix.Fsopen("bpf", unix.FSOPEN_CLOEXEC)
	if err != nil {
		return -1, err
	}
	defer unix.Close(fs)
	if err := send(socket, fs); err != nil {
		return -1, err
	}
	mount, err := receive(socket)
	if err != nil {
		return -1, err
	}
	defer unix.Close(mount)
	return unix.Openat(mount, ".", unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
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
