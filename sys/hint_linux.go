package sys

import (
	"bytes"
	"strconv"
	"strings"
	"unsafe"

	"golang.org/x/sys/unix"
)

// hint says what an error number most likely means for this process.
func hint(cmd Cmd, attr Attr, e Errno) string {
	if cmd == CmdTokenCreate {
		return tokenHint(e)
	}
	switch e {
	case EPERM:
		return permissionHint(cmd, attr)
	case EINVAL, EOPNOTSUPP:
		if cmd == CmdProgAttach && permissionExplains(cmd, attr) { // so the kernel says it of programs of cgroups
			return permissionHint(cmd, attr)
		}
		return deviceHint(attr)
	case E2BIG:
		return unknownArgument(cmd, attr)
	case EMFILE:
		var lim unix.Rlimit
		if unix.Prlimit(0, unix.RLIMIT_NOFILE, nil, &lim) == nil {
			return "the process may open " + strconv.FormatUint(uint64(lim.Cur), 10) + " descriptors (RLIMIT_NOFILE)"
		}
	case ENOSYS:
		return "the kernel is built without CONFIG_BPF_SYSCALL, or a seccomp filter refuses bpf(2)"
	}
	return ""
}

// tokenHint says why there is no token (kernel/bpf/token.c).
func tokenHint(e Errno) string {
	switch e {
	case EOPNOTSUPP:
		return "the file system is not of a user namespace; outside of these a process has capabilities, not tokens"
	case ENOENT:
		return "the file system delegates nothing; see the delegate_… options of bpffs"
	case EPERM:
		return "the file system is of another user namespace, or the process lacks CAP_BPF in its own"
	case EINVAL:
		return "the descriptor is not the root of a bpffs, or the kernel is older than tokens (Linux 6.9)"
	}
	return ""
}

// deviceHint is about maps and programs that are for a network device.
func deviceHint(attr Attr) string {
	var index uint32
	switch a := attr.(type) {
	case *MapCreateAttr:
		index = a.MapIfIndex
	case *ProgLoadAttr:
		index = a.ProgIfIndex
	}
	if index == 0 {
		return ""
	}
	return "network device " + strconv.FormatUint(uint64(index), 10) + " does not exist in this network namespace, or does not take it"
}

// unknownArgument says which argument is newer than the kernel, if that is why it
// refused them: whatever the command, the kernel first looks whether the bytes
// behind those that it knows are zero.
func unknownArgument(cmd Cmd, attr Attr) string {
	if cmd == CmdObjGetInfoByFD {
		return "the kernel knows a shorter description, and what is behind that is not zero"
	}
	const noCommand = 1<<15 - 1
	p, l := attr.raw()
	for i := range l.fields {
		f := &l.fields[i]
		args := make([]byte, int(f.off+f.size))
		if bytes.Equal(f.bytes(p), args[f.off:]) {
			continue
		}
		args[len(args)-1] = 1
		if _, e := bpf(noCommand, unsafe.Pointer(unsafe.SliceData(args)), uintptr(len(args))); e == E2BIG {
			return "the kernel is too old: it does not know the argument " + quote(f.name)
		}
	}
	return ""
}

func permissionHint(cmd Cmd, attr Attr) string {
	status := readProc("/proc/thread-self/status")
	held, ok := effectiveCaps(status)
	if !ok {
		return ""
	}
	var missing []string
	for _, c := range neededCaps(cmd, attr) {
		if held&(1<<c) == 0 && held&(1<<capSysAdmin) == 0 {
			missing = append(missing, c.String())
		}
	}
	if len(missing) == 0 && held&(1<<capBPF|1<<capSysAdmin) == 0 {
		missing = []string{capBPF.String()} // older kernels want it for whatever command
	}
	switch {
	case len(missing) > 0:
		return "the process lacks " + strings.Join(missing, " and ")
	case hasToken(attr):
		return "the BPF token does not allow this; see the delegate_… options of the bpffs that it is of"
	case inUserNamespace(readProc("/proc/thread-self/uid_map")):
		return "the process is in a user namespace, where its capabilities do not count for bpf(2) without a BPF token"
	case memlockSuspect(cmd):
		return "the process has the capabilities; this kernel charges maps and programs to RLIMIT_MEMLOCK"
	}
	return "the process has the capabilities that the kernel asks for; a security module, kernel lockdown or a rule about this hook or program refused"
}

// hasToken says whether a command was made with a BPF token.
func hasToken(attr Attr) bool {
	switch a := attr.(type) {
	case *MapCreateAttr:
		return a.MapTokenFD != 0
	case *ProgLoadAttr:
		return a.ProgTokenFD != 0
	case *BTFLoadAttr:
		return a.TokenFD != 0
	}
	return false
}

// memlockSuspect says whether the memory-lock limit can be the reason: only if
// [PrepareMemlock] found that this kernel charges it and the limit is still set.
func memlockSuspect(cmd Cmd) bool {
	if cmd != CmdMapCreate && cmd != CmdProgLoad && cmd != CmdBTFLoad || !memlockCharged.Load() {
		return false
	}
	var lim unix.Rlimit
	return unix.Prlimit(0, unix.RLIMIT_MEMLOCK, nil, &lim) == nil && lim.Cur != unix.RLIM_INFINITY
}

// effectiveCaps reads the CapEff line of a status file.
func effectiveCaps(status []byte) (uint64, bool) {
	_, rest, ok := bytes.Cut(status, []byte("\nCapEff:"))
	if !ok {
		return 0, false
	}
	line, _, _ := bytes.Cut(rest, []byte("\n"))
	n, err := strconv.ParseUint(string(bytes.TrimSpace(line)), 16, 64)
	return n, err == nil
}

// inUserNamespace says whether a uid_map is not the initial one, which maps all
// numbers to themselves.
func inUserNamespace(uidMap []byte) bool {
	f := bytes.Fields(uidMap)
	return len(f) >= 3 && !(string(f[0]) == "0" && string(f[1]) == "0" && string(f[2]) == "4294967295")
}

// readProc reads a small file of the kernel's; nil if that fails.
func readProc(path string) []byte {
	b, _ := readFile(path, 1<<16)
	return b
}

// readFile reads the first limit bytes of a file, or a few more.
func readFile(path string, limit int) ([]byte, error) {
	fd, err := openFile(path, unix.O_RDONLY)
	if err != nil {
		return nil, err
	}
	defer unix.Close(fd)
	var out []byte
	buf := make([]byte, 16<<10)
	for len(out) < limit {
		n, err := read(fd, buf)
		if err != nil || n <= 0 {
			return out, err
		}
		out = append(out, buf[:n]...)
	}
	return out, nil
}

// read is read(2), again if a signal came.
func read(fd int, b []byte) (int, error) {
	for {
		n, err := unix.Read(fd, b)
		if err != unix.EINTR {
			return n, err
		}
	}
}
