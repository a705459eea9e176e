// Package kconfig reads the running kernel's configuration from wherever it
// is kept, compressed or not. It stands apart so that a program that loads
// objects without kconfig variables does not link a decompressor:
//
//	env := lode.NewLiveEnv(sys.Live())
//	env.ReadConfig = kconfig.Read
package kconfig

import (
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
)

// limit bounds the text; a kernel's configuration has about 300 KiB.
const limit = 16 << 20

// Read returns the text of /boot/config-RELEASE, else of /proc/config.gz, else
// of /lib/modules/RELEASE/config.
func Read() ([]byte, error) {
	release, err := os.ReadFile("/proc/sys/kernel/osrelease")
	if err != nil {
		return nil, fmt.Errorf("kernel configuration: %w", err)
	}
	r := strings.TrimSpace(string(release))
	paths := []string{"/boot/config-" + r, "/proc/config.gz", "/lib/modules/" + r + "/config"}
	for _, p := range paths {
		b, err := ReadFile(p)
		if err == nil || !errors.Is(err, fs.ErrNotExist) {
			return b, err
		}
	}
	return nil, fmt.Errorf("kernel configuration: none of %s exists: %w", strings.Join(paths, ", "), fs.ErrNotExist)
}

// ReadFile reads a configuration file, decompressing it if its name ends in .gz.
func ReadFile(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	var r io.Reader = f
	if strings.HasSuffix(path, ".gz") {
		z, err := gzip.NewReader(f)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		r = z
	}
	b, err := io.ReadAll(io.LimitReader(r, limit+1))
	if err == nil && len(b) > limit {
		err = fmt.Errorf("more than %d bytes", limit)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return b, nil
}
