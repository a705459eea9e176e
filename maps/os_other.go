//go:build !linux

package maps

import (
	"os"

	"github.com/lode-bpf/lode/sys"
)

func pollable(fd *sys.FD, _ string) (*os.File, error) {
	fd.Close()
	return nil, sys.ErrNotSupported
}

func openPerfOutput(int, uint32) (*sys.FD, error) { return nil, sys.ErrNotSupported }
func enablePerf(int, bool) error                  { return sys.ErrNotSupported }
func openEpoll([]int) (*sys.FD, error)            { return nil, sys.ErrNotSupported }
func drainEpoll(int)                              {}
