//go:build !linux || !(amd64 || arm64 || loong64 || mips64 || mips64le || ppc64 || ppc64le || riscv64 || s390x)

package maps

import "github.com/lode-bpf/lode/sys"

func mmapAt(uint64, int, int, int) ([]byte, error) { return nil, sys.ErrNotSupported }
func munmapAt([]byte) error                        { return sys.ErrNotSupported }
