package sys

// DefaultBPFFS is where bpffs is mounted by convention.
const DefaultBPFFS = "/sys/fs/bpf"

// OpenToken makes a BPF token from the bpffs mounted at path ("" is
// [DefaultBPFFS]): a descriptor that lends a process in a user namespace the
// rights that the mount's delegate_* options name (Linux 6.9). Its number goes
// into the token fields of the attributes together with BPF_F_TOKEN_FD; see
// [WithToken] for a way to have that done.
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

// WithToken is k with a token for all maps, programs and BTF objects that are made
// through it, feature probes included, but for those that bring one of their own.
// The descriptor stays the caller's:
//
//	token, err := sys.OpenToken(sys.Live(), "")
//	...
//	defer token.Close()
//	c, err := lode.Load(ctx, path, lode.LoadOptions{Kernel: sys.WithToken(sys.Live(), token.Int())})
func WithToken(k Kernel, token int) Kernel { return tokened{k, int32(token)} }

type tokened struct {
	Kernel
	token int32
}

// BPF makes a command, with the token where the kernel takes one.
func (t tokened) BPF(cmd Cmd, attr Attr) (int, error) {
	switch a := attr.(type) {
	case *MapCreateAttr:
		if a.MapTokenFD == 0 {
			with := *a
			with.MapTokenFD, with.MapFlags = t.token, a.MapFlags|BPF_F_TOKEN_FD
			return t.Kernel.BPF(cmd, &with)
		}
	case *ProgLoadAttr:
		if a.ProgTokenFD == 0 {
			with := *a
			with.ProgTokenFD, with.ProgFlags = t.token, a.ProgFlags|BPF_F_TOKEN_FD
			n, err := t.Kernel.BPF(cmd, &with)
			a.LogTrueSize = with.LogTrueSize
			return n, err
		}
	case *BTFLoadAttr:
		if a.TokenFD == 0 {
			with := *a
			with.TokenFD, with.Flags = t.token, a.Flags|BPF_F_TOKEN_FD
			n, err := t.Kernel.BPF(cmd, &with)
			a.LogTrueSize = with.LogTrueSize
			return n, err
		}
	}
	return t.Kernel.BPF(cmd, attr)
}
