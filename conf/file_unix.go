//go:build unix

package conf

import (
	"errors"
	"io/fs"
	"os"
	"syscall"
)

// modeMatters says that permission bits mean what they say.
const modeMatters = true

// openFile opens a file for reading if it is not a symbolic link. A named pipe
// without a writer does not make it wait.
func openFile(name string) (*os.File, error) {
	return os.OpenFile(name, os.O_RDONLY|syscall.O_NOFOLLOW|syscall.O_NONBLOCK, 0)
}

// isLinkError says whether openFile failed because of a symbolic link: ELOOP,
// or EMLINK on FreeBSD.
func isLinkError(err error) bool {
	return errors.Is(err, syscall.ELOOP) || errors.Is(err, syscall.EMLINK)
}

// ownerOf is the number of the user a file belongs to.
func ownerOf(info fs.FileInfo) (uint32, bool) {
	st, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return 0, false
	}
	return uint32(st.Uid), true
}
