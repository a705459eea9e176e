package pin

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/lode-bpf/lode/sys"
)

// EnvMount names the mount point of the bpffs to use, as for tc and ip.
const EnvMount = "TC_BPF_MNT"

// DefaultMount is where a bpffs usually is.
const DefaultMount = "/sys/fs/bpf"

// Mounts lists the mount points of every bpffs that this process sees, in the
// order of mounting.
func Mounts() ([]string, error) {
	b, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		return nil, fmt.Errorf("pin: the mounts of this process: %w", err)
	}
	return parseMountinfo(string(b)), nil
}

// parseMountinfo reads /proc/PID/mountinfo (proc(5)): the fifth field is the
// mount point, the type of file system stands behind a "-" that ends the
// optional fields. A mount that another one covers is left out.
func parseMountinfo(text string) []string {
	var out []string
	for line := range strings.Lines(text) {
		f := strings.Fields(line)
		dash := slices.Index(f, "-")
		if len(f) < 5 || dash < 0 || dash+1 >= len(f) {
			continue
		}
		point := unescape(f[4])
		out = slices.DeleteFunc(out, func(p string) bool { return covers(point, p) })
		if f[dash+1] == "bpf" {
			out = append(out, point)
		}
	}
	return out
}

// covers reports whether a later mount at point hides one at p.
func covers(point, p string) bool {
	return point == p || point == "/" || strings.HasPrefix(p, point+"/")
}

// unescape resolves the octal escapes of blanks and backslashes.
func unescape(s string) string {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] == '\\' && i+3 < len(s) {
			if n, err := strconv.ParseUint(s[i+1:i+4], 8, 8); err == nil {
				b.WriteByte(byte(n))
				i += 3
				continue
			}
		}
		b.WriteByte(s[i])
	}
	return b.String()
}

// Discover finds the bpffs to pin in: the one that TC_BPF_MNT names, else the one
// at /sys/fs/bpf, else at /bpf, else the first that is mounted anywhere. With
// mount, a missing one is mounted, with mode 0700.
func Discover(k sys.Kernel, mount bool) (string, error) {
	want := os.Getenv(EnvMount)
	if want != "" {
		if ok, err := isBPFFS(k, want); ok || err != nil && !mount {
			return want, err
		}
	} else {
		for _, p := range []string{DefaultMount, "/bpf"} {
			if ok, _ := isBPFFS(k, p); ok {
				return p, nil
			}
		}
		mounts, err := Mounts()
		if err != nil {
			return "", err
		}
		if len(mounts) > 0 {
			return mounts[0], nil
		}
		want = DefaultMount
	}
	if !mount {
		_, err := isBPFFS(k, want)
		return "", errors.Join(err, nil)
	}
	if err := k.Mount("bpf", want, "bpf", 0, "mode=0700"); err != nil {
		return "", &PathError{"mount a bpffs on", want, err}
	}
	return want, nil
}

// isBPFFS reports whether a directory is in a bpffs; the error says why not.
func isBPFFS(k sys.Kernel, dir string) (bool, error) {
	d, err := OpenDir(k, dir, DirOptions{})
	if err != nil {
		return false, err
	}
	return true, d.Close()
}
