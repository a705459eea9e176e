package pin

import (
	"os"
	"slices"
	"strconv"
	"strings"
)

// Mounts lists the mount points of every bpffs that this process sees, in the
// order of mounting.
func Mounts() ([]string, error) {
	b, err := os.ReadFile(mountinfo("thread-self"))
	if err != nil {
		return nil, &PathError{Op: "read", Path: mountinfo("thread-self"), Err: err}
	}
	seen, _ := parseMountinfo(string(b))
	return seen, nil
}

// mountinfo is the file with the mounts that a process sees; "thread-self" is
// the thread, which may be in a name space of its own.
func mountinfo(process string) string { return "/proc/" + process + "/mountinfo" }

// parseMountinfo reads the mounts of a process (proc_pid_mountinfo(5)): the fifth
// field of a line is the mount point, the type of the file system stands behind
// a "-" that ends the optional fields. The mount points of bpffs are divided into
// those that can be seen and those that a later mount covers.
func parseMountinfo(text string) (seen, hidden []string) {
	for line := range strings.Lines(text) {
		f := strings.Fields(line)
		dash := slices.Index(f, "-")
		if dash < 5 || dash+1 >= len(f) {
			continue
		}
		point := unescape(f[4])
		seen = slices.DeleteFunc(seen, func(p string) bool {
			if covers(point, p) {
				hidden = append(hidden, p)
				return true
			}
			return false
		})
		if f[dash+1] == "bpf" {
			seen = append(seen, point)
		}
	}
	return seen, hidden
}

// covers reports whether a later mount at point hides one at p.
func covers(point, p string) bool {
	return point == p || point == "/" || strings.HasPrefix(p, point+"/")
}

// unescape resolves the octal escapes of blanks, line feeds and backslashes.
func unescape(s string) string {
	if strings.IndexByte(s, '\\') < 0 {
		return s
	}
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
