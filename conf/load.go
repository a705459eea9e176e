package conf

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// The files of the system. See the package comment for their precedence.
const (
	MainFile   = "/etc/libbpf/pinning.conf"
	DropInDir  = "/etc/libbpf/pinning.conf.d"
	EnvVar     = "LODE_PINNING_CONF"
	dropInName = ".conf"
)

// Iproute2Files are the places of iproute2's database; the first that exists is
// read.
var Iproute2Files = []string{
	"/etc/iproute2/bpf_pinning",
	"/usr/share/iproute2/bpf_pinning",
	"/usr/lib/iproute2/bpf_pinning",
}

// Options say which files Load reads. The zero Options are those of the system.
type Options struct {
	// Path names the only file to be read, before what EnvVar names.
	Path string
	// NoEnv ignores EnvVar. It is ignored anyway in a process that runs with
	// other rights than those of the user who started it.
	NoEnv bool
	// Mode is how the file is read that Path or EnvVar names.
	Mode Mode
	// Root is a directory that takes the place of / in the names of the
	// system's files, as for a system image that is mounted somewhere.
	Root string
}

// Load reads the configuration of the system and merges it. Without any file it
// is [Default]. A file that is wrong or not to be trusted is an error, a
// *SyntaxError or *FileError, and nothing is returned.
func Load(opts Options) (*Config, error) {
	c := Default()
	path := opts.Path
	if path == "" && !opts.NoEnv && !elevated() {
		path = os.Getenv(EnvVar)
	}
	if path != "" {
		if err := c.read(path, opts.Mode); err != nil {
			return nil, err
		}
		return c, nil
	}
	at := func(name string) string { return filepath.Join(opts.Root, filepath.FromSlash(name)) }
	if opts.Root == "" {
		at = func(name string) string { return name }
	}
	for _, name := range Iproute2Files {
		err := c.read(at(name), Lenient)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, err
		}
		break
	}
	if err := c.read(at(MainFile), Strict); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	names, err := dropIns(at(DropInDir))
	if err != nil {
		return nil, err
	}
	for _, name := range names {
		if err := c.read(name, Strict); err != nil {
			return nil, err
		}
	}
	return c, nil
}

// elevated says whether the process has rights that the user who started it,
// and who sets the environment, does not have.
func elevated() bool { return os.Getuid() != os.Geteuid() || os.Getgid() != os.Getegid() }

// read merges one file into c.
func (c *Config) read(name string, mode Mode) error {
	b, err := readFile(name)
	if err != nil {
		return err
	}
	layer, err := parse(name, b, mode, c.top())
	if err != nil {
		return err
	}
	c.merge(layer)
	return nil
}

// readFile reads a file that is to be trusted, without following a link and
// without waiting for anybody: it is opened first, and what it is is asked of
// the descriptor.
func readFile(name string) ([]byte, error) {
	f, err := openFile(name)
	if err != nil {
		return nil, fileError(name, err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, fileError(name, err)
	}
	if !info.Mode().IsRegular() {
		return nil, &FileError{File: name, Reason: "it is not a regular file but a " + fileKind(info.Mode())}
	}
	if reason := distrust(info); reason != "" {
		return nil, &FileError{File: name, Reason: reason}
	}
	if info.Size() > MaxFileSize {
		return nil, tooLarge(name)
	}
	b, err := io.ReadAll(io.LimitReader(f, MaxFileSize+1)) // it may have grown
	switch {
	case err != nil:
		return nil, fileError(name, err)
	case len(b) > MaxFileSize:
		return nil, tooLarge(name)
	}
	return b, nil
}

func tooLarge(name string) error {
	return &FileError{File: name, Reason: "it has more than " + strconv.Itoa(MaxFileSize) + " bytes", Limit: true}
}

// fileError keeps the system's error but not the path that package os puts in
// front of it.
func fileError(name string, err error) error {
	reason := "it cannot be read"
	if isLinkError(err) {
		reason = "it is a symbolic link, which is not followed"
	}
	var path *fs.PathError
	if errors.As(err, &path) {
		err = path.Err
	}
	return &FileError{File: name, Reason: reason, Err: err}
}

func fileKind(m fs.FileMode) string {
	switch {
	case m.IsDir():
		return "directory"
	case m&fs.ModeNamedPipe != 0:
		return "named pipe"
	case m&fs.ModeSocket != 0:
		return "socket"
	case m&fs.ModeDevice != 0:
		return "device"
	case m&fs.ModeSymlink != 0:
		return "symbolic link"
	}
	return "special file"
}

// distrust says why what a file says cannot be taken as the administrator's
// word, or "".
func distrust(info fs.FileInfo) string {
	if perm := info.Mode().Perm(); perm&0o022 != 0 && modeMatters {
		return "users other than its owner can write it (mode " + strconv.FormatUint(uint64(perm), 8) + ")"
	}
	if uid, ok := ownerOf(info); ok && uid != 0 && int(uid) != os.Geteuid() {
		return "it belongs to user " + strconv.FormatUint(uint64(uid), 10) + ", who is neither root nor the user of this process"
	}
	return ""
}

// dropIns lists the files of a drop-in directory in the order of their names.
// Names that do not end in .conf, or begin with a dot, are not meant.
func dropIns(dir string) ([]string, error) {
	f, err := openFile(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fileError(dir, err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, fileError(dir, err)
	}
	if !info.IsDir() {
		return nil, &FileError{File: dir, Reason: "it is not a directory but a " + fileKind(info.Mode())}
	}
	if reason := distrust(info); reason != "" {
		return nil, &FileError{File: dir, Reason: reason}
	}
	entries, err := f.Readdirnames(-1)
	if err != nil {
		return nil, fileError(dir, err)
	}
	names := entries[:0]
	for _, name := range entries {
		if strings.HasSuffix(name, dropInName) && name[0] != '.' {
			names = append(names, filepath.Join(dir, name))
		}
	}
	if len(names) > MaxFiles {
		return nil, &FileError{File: dir, Reason: "it has more than " + strconv.Itoa(MaxFiles) + " files", Limit: true}
	}
	slices.Sort(names)
	return names, nil
}
