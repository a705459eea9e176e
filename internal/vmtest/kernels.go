package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"sort"
	"strconv"
	"strings"
	"time"
)

// A store keeps unpacked kernels in a directory, and apt's state for finding more of them.
type store struct {
	dir  string
	arch arch
}

// A kernel is one unpacked Debian kernel.
type kernel struct {
	series  string // as asked for
	dir     string // where its packages are unpacked
	image   string // the file to boot
	modules string // the directory of modules, "" if there are none
	config  string // the file of its configuration, "" if there is none
	release string // what uname(2) will say
}

const keyring = "/usr/share/keyrings/debian-archive-keyring.gpg"

// find returns the kernel of a series such as "6.1", or of "newest": the newest package, unless one is here already.
func (s store) find(series string) (kernel, error) {
	if series != "newest" {
		if have := newest(s.unpacked(), series); have != "" {
			return s.open(series, have)
		}
	}
	names, err := s.list()
	if err != nil {
		return kernel{}, err
	}
	name := newest(names, series)
	if name == "" {
		return kernel{}, fmt.Errorf("no kernel %s for %s in Debian now; -list prints those that there are", series, s.arch.name)
	}
	if err := s.fetch(name); err != nil {
		return kernel{}, err
	}
	return s.open(series, name)
}

// open finds the parts of an unpacked kernel.
func (s store) open(series, name string) (kernel, error) {
	release := strings.TrimPrefix(name, "linux-image-")
	k := kernel{series: series, dir: filepath.Join(s.dir, name), release: release}
	err := filepath.WalkDir(k.dir, func(path string, d fs.DirEntry, err error) error {
		switch base := filepath.Base(path); {
		case err != nil:
			return err
		case strings.HasPrefix(base, "vmlinuz") && d.Type().IsRegular():
			k.image = path
		case (base == "config" || strings.HasPrefix(base, "config-")) && d.Type().IsRegular():
			k.config = path
		case d.IsDir() && base == "kernel" && strings.Contains(path, "lib/modules/"):
			k.modules = path
			return fs.SkipDir
		}
		return nil
	})
	if err == nil && k.image == "" {
		err = fmt.Errorf("%s has no vmlinuz: remove the directory and run again", k.dir)
	}
	return k, err
}

// unpacked returns the names of the kernels that are here.
func (s store) unpacked() []string {
	var names []string
	entries, _ := os.ReadDir(s.dir)
	for _, e := range entries {
		if s.arch.hasKernel(e.Name()) {
			names = append(names, e.Name())
		}
	}
	return names
}

// list returns the names of the kernel packages that Debian has.
func (s store) list() ([]string, error) {
	if err := s.update(); err != nil {
		return nil, err
	}
	out, err := s.apt("apt-cache", "search", "--names-only", "^linux-image-[0-9].*-"+s.arch.suffix+"$")
	if err != nil {
		return nil, err
	}
	var names []string
	for lines := bufio.NewScanner(bytes.NewReader(out)); lines.Scan(); {
		if name, _, _ := strings.Cut(lines.Text(), " "); s.arch.hasKernel(name) {
			names = append(names, name)
		}
	}
	sort.Slice(names, func(i, j int) bool { return older(names[i], names[j]) })
	return names, nil
}

// fetch downloads and unpacks a kernel, unless it is here. The newest come in several packages: the image, what all of it
// needs, the binary and the modules.
func (s store) fetch(name string) error {
	if _, err := os.Stat(filepath.Join(s.dir, name)); err == nil {
		return nil
	}
	fmt.Fprintf(os.Stderr, "vmtest: fetching %s\n", name)
	dir, err := os.MkdirTemp(s.dir, "fetch-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	for _, part := range []string{"-image-", "-base-", "-binary-", "-modules-"} {
		p := strings.Replace(name, "-image-", part, 1)
		if part != "-image-" && !s.has(p) {
			continue
		}
		if err := s.download(dir, p); err != nil {
			return err
		}
	}
	packages, _ := filepath.Glob(filepath.Join(dir, "*.deb"))
	for _, p := range packages {
		if _, err := output(exec.Command("dpkg-deb", "--extract", p, filepath.Join(dir, "root"))); err != nil {
			return err
		}
	}
	err = os.Rename(filepath.Join(dir, "root"), filepath.Join(s.dir, name))
	if errors.Is(err, fs.ErrExist) {
		return nil // another vmtest was faster
	}
	return err
}

// has reports whether apt knows a package of that name.
func (s store) has(name string) bool {
	out, err := s.apt("apt-cache", "show", name)
	return err == nil && len(out) > 0
}

func (s store) download(dir, name string) error {
	c := exec.Command("apt-get", append(s.options(), "download", name)...)
	c.Dir = dir
	_, err := output(c)
	return err
}

// aptDir is where apt keeps what it knows of the packages for one architecture.
func (s store) aptDir() string { return filepath.Join(s.dir, "apt-"+s.arch.name) }

// update makes apt's directories and reads the package lists, at most once a day.
func (s store) update() error {
	if _, err := os.Stat(keyring); err != nil {
		return errors.New("needs Debian's keyring to verify kernels: apt-get install debian-archive-keyring")
	}
	for _, d := range []string{"state/lists/partial", "cache/archives/partial"} {
		if err := os.MkdirAll(filepath.Join(s.aptDir(), d), 0o755); err != nil {
			return err
		}
	}
	stamp := filepath.Join(s.aptDir(), "updated")
	if info, err := os.Stat(stamp); err == nil && time.Since(info.ModTime()) < 24*time.Hour {
		return nil
	}
	var sources strings.Builder
	for _, suite := range s.arch.suites {
		fmt.Fprintf(&sources, "deb [arch=%s signed-by=%s] %s %s main\n", s.arch.name, keyring, mirror(), suite)
	}
	if err := os.WriteFile(filepath.Join(s.aptDir(), "sources.list"), []byte(sources.String()), 0o644); err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(s.aptDir(), "status"), nil, 0o644); err != nil {
		return err
	}
	if _, err := s.apt("apt-get", "update"); err != nil {
		return err
	}
	return os.WriteFile(stamp, nil, 0o644)
}

func (s store) apt(program string, args ...string) ([]byte, error) {
	return output(exec.Command(program, append(s.options(), args...)...))
}

// options keep apt to its own state, and away from the system's.
func (s store) options() []string {
	dir := s.aptDir()
	options := []string{"-qq"}
	for _, o := range []string{
		"Dir::State=" + dir + "/state",
		"Dir::State::status=" + dir + "/status",
		"Dir::Cache=" + dir + "/cache",
		"Dir::Etc::sourcelist=" + dir + "/sources.list",
		"Dir::Etc::sourceparts=/dev/null",
		"Acquire::Languages=none",
		"Acquire::Check-Valid-Until=false", // a mirror may lag: an older list names kernels that are as good
		"APT::Architecture=" + s.arch.name,
		"APT::Architectures=" + s.arch.name,
		"APT::Sandbox::User=", // the directory belongs to whoever runs this
	} {
		options = append(options, "-o", o)
	}
	return options
}

// mirror returns the Debian mirror that this machine uses.
func mirror() string {
	debian := regexp.MustCompile(`(?m)^(?:URIs: *|deb (?:\[[^\]]*\] )?)(https?://\S*/debian)/?(?:\s|$)`)
	files, _ := filepath.Glob("/etc/apt/sources.list.d/*")
	for _, name := range append(files, "/etc/apt/sources.list") {
		text, err := os.ReadFile(name)
		if err != nil {
			continue
		}
		if m := debian.FindSubmatch(text); m != nil {
			return string(m[1])
		}
	}
	return "http://deb.debian.org/debian"
}

// version returns the numbers in a package's name.
func version(name string) [4]int {
	var v [4]int
	for i, s := range packageName.FindStringSubmatch(name)[1:] {
		v[i], _ = strconv.Atoi(s)
	}
	return v
}

func older(a, b string) bool {
	va, vb := version(a), version(b)
	for i := range va {
		if va[i] != vb[i] {
			return va[i] < vb[i]
		}
	}
	return a < b
}

// newest returns the newest name of a series, or of all; "" if there is none.
func newest(names []string, series string) string {
	best := ""
	for _, name := range names {
		v := version(name)
		if series != "newest" && series != fmt.Sprintf("%d.%d", v[0], v[1]) {
			continue
		}
		if best == "" || older(best, name) {
			best = name
		}
	}
	return best
}
