package sys

// Constants that are the same on all of Linux's architectures.
const (
	RESOLVE_NO_XDEV       = 0x01
	RESOLVE_NO_MAGICLINKS = 0x02
	RESOLVE_NO_SYMLINKS   = 0x04
	RESOLVE_BENEATH       = 0x08
	RESOLVE_IN_ROOT       = 0x10
	RESOLVE_CACHED        = 0x20

	RENAME_NOREPLACE = 1
	RENAME_EXCHANGE  = 2

	S_IFMT    = 0xf000
	S_IFDIR   = 0x4000
	S_IFREG   = 0x8000
	S_IFLNK   = 0xa000
	S_ISVTX   = 0x200
	S_IWGRP   = 0o20
	S_IWOTH   = 0o2
	DT_DIR    = 4
	DT_REG    = 8
	DT_LNK    = 10
	ST_RDONLY = 1

	MS_NOSUID  = 2
	MS_NODEV   = 4
	MS_NOEXEC  = 8
	MNT_DETACH = 2
)
