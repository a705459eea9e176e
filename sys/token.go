package sys

// DefaultBPFFS is where bpffs is mounted by convention.
const DefaultBPFFS = "/sys/fs/bpf"

// OpenToken makes a BPF token from the bpffs mounted at path ("" is
// [DefaultBPFFS]): a descriptor that lends a process in a user namespace the
// rights that the mount's delegate_* options name (Linux 6.9). Its number goes
// into the token fields of the attributes together with BPF_F_TOKEN_FD.
//
// ENOENT, EOPNOTSUPP and EPERM mean that this mount delegates nothing, that it is
// of no user namespace, or not of this process's.
func OpenToken(k Kernel, path string) (*FD, error) {
	if path == "" {
		path = DefaultBPFFS
	}
	n, err := k.OpenAt(AT_FDCWD, path, OpenHow{Flags: O_RDONLY | O_DIRECTORY})
	if err != nil {
		return nil, err
	}
	dir := NewFD(k, n)
	defer dir.Close()
	return TokenCreate(k, dir.Int())
}
