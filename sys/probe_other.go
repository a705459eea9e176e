//go:build !linux

package sys

func pageSize() int { return 4096 }

func permissionExplains(Cmd, Attr) bool { return false }

func uprobeSyscall() error { return unsupported("uprobe") }

func probeSyscallWrapper(Kernel) error { return unsupported("open") }
