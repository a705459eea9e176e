//go:build unix

package conf

import (
	"errors"
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

// A pipe that nobody writes to does not make Load wait.
func TestLoadRefusesPipe(t *testing.T) {
	name := filepath.Join(t.TempDir(), "pipe")
	if err := syscall.Mkfifo(name, 0o600); err != nil {
		t.Skip("needs named pipes:", err)
	}
	var file *FileError
	if _, err := Load(Options{Path: name}); !errors.As(err, &file) || file.Reason != "it is not a regular file but a named pipe" {
		t.Error(err)
	}
}

func TestLoadRefusesOwner(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("needs to give a file to another user: run as root")
	}
	name := filepath.Join(t.TempDir(), "pinning.conf")
	write(t, name, "root a\n")
	if err := os.Chown(name, 12345, 0); err != nil {
		t.Skip("needs to give a file to another user:", err)
	}
	var file *FileError
	if _, err := Load(Options{Path: name}); !errors.As(err, &file) || file.Reason != "it belongs to user 12345, who is neither root nor the user of this process" {
		t.Error(err)
	}
}
