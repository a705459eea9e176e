//go:build !unix

package conf

import (
	"errors"
	"io/fs"
	"os"
)

// modeMatters: permission bits are made up here.
const modeMatters = false

var errLink = errors.New("symbolic link")

// openFile opens a file for reading if it is not a symbolic link. There is no
// way to tell the system to check that while it opens the file.
func openFile(name string) (*os.File, error) {
	info, err := os.Lstat(name)
	if err != nil {
		return nil, err
	}
	if info.Mode()&fs.ModeSymlink != 0 {
		return nil, errLink
	}
	return os.Open(name)
}

func isLinkError(err error) bool { return errors.Is(err, errLink) }

// ownerOf: files have no numbered owner here.
func ownerOf(fs.FileInfo) (uint32, bool) { return 0, false }
