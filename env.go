package lode

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"runtime"
	"strconv"
	"strings"
	"sync"

	"github.com/lode-bpf/lode/btf"
	"github.com/lode-bpf/lode/reloc"
	"github.com/lode-bpf/lode/sys"
)

// A LiveEnv is what relocation can know of the running kernel. It reads only
// what an object asks for, and each source once; it may be shared by any number
// of loads and goroutines. Make one with NewLiveEnv.
type LiveEnv struct {
	// ReadConfig returns the text of the kernel's configuration file. By
	// default that is /boot/config-RELEASE; where only /proc/config.gz
	// exists, set it to kconfig.Read of this module.
	ReadConfig func() ([]byte, error)

	features *sys.Features
	hidden   func() (*btf.Spec, error) // the kernel's types if only the system call tells them
	modules  func() ([]reloc.Module, error)
	symbols  func() ([]byte, error)
	config   func() (map[string]string, error)
	version  func() uint32
}

var _ reloc.Env = (*LiveEnv)(nil)

// NewLiveEnv is the environment of the running kernel; k is used for feature
// probes, and to ask for types that /sys/kernel/btf does not show.
func NewLiveEnv(k sys.Kernel) *LiveEnv {
	e := &LiveEnv{features: sys.FeaturesOf(k), ReadConfig: readBootConfig}
	e.hidden = sync.OnceValues(func() (*btf.Spec, error) { return kernelByID(k) })
	e.modules = sync.OnceValues(func() ([]reloc.Module, error) { return e.readModules(k) })
	e.symbols = sync.OnceValues(func() ([]byte, error) { return os.ReadFile("/proc/kallsyms") })
	e.config = sync.OnceValues(func() (map[string]string, error) {
		b, err := e.ReadConfig()
		if err != nil {
			return nil, err
		}
		return ParseKconfig(b)
	})
	e.version = sync.OnceValue(kernelVersion)
	return e
}

// Kernel is the BTF of the running kernel: [btf.Kernel] or, where nothing shows
// it, what the system call tells, which takes privileges and Linux 5.11.
func (e *LiveEnv) Kernel() (*btf.Spec, error) {
	s, err := btf.Kernel()
	if err == nil {
		return s, nil
	}
	s, hidden := e.hidden()
	if hidden != nil {
		return nil, errors.Join(err, hidden)
	}
	return s, nil
}

// Modules is the BTF of every loaded module, found as that of the kernel is.
func (e *LiveEnv) Modules() ([]reloc.Module, error) { return e.modules() }

func (e *LiveEnv) readModules(k sys.Kernel) ([]reloc.Module, error) {
	names, err := btf.KernelModules()
	if _, shown := os.Stat("/sys/kernel/btf/vmlinux"); shown != nil {
		if base, hidden := e.Kernel(); hidden == nil {
			if out, hidden := modulesByID(k, base); hidden == nil {
				return out, nil
			}
		}
	}
	out := make([]reloc.Module, len(names))
	for i, n := range names {
		s, err := btf.KernelModule(n)
		out[i] = reloc.Module{Name: n, BTF: s, Err: err}
	}
	return out, err
}

// Symbol is every distinct address of a symbol in /proc/kallsyms. Where the
// kernel hides addresses (kernel.kptr_restrict), that is an error.
func (e *LiveEnv) Symbol(name string) ([]uint64, error) {
	b, err := e.symbols()
	if err != nil {
		return nil, err
	}
	var out []uint64
	hidden := false
	for rest := b; ; {
		i := bytes.Index(rest, []byte(name))
		if i < 0 {
			break
		}
		start := bytes.LastIndexByte(rest[:i], '\n') + 1
		end := i + len(name)
		line := rest[start:]
		if n := bytes.IndexByte(line, '\n'); n >= 0 {
			line = line[:n]
		}
		rest = rest[end:]
		addr, ok := symbolAddress(line, name)
		if !ok {
			continue
		}
		hidden = hidden || addr == 0
		if addr != 0 && (len(out) == 0 || out[len(out)-1] != addr) {
			out = append(out, addr)
		}
	}
	if hidden && len(out) == 0 {
		return nil, fmt.Errorf("/proc/kallsyms shows no addresses: kernel symbol %q needs CAP_SYSLOG and sysctl kernel.kptr_restrict below 2", name)
	}
	return out, nil
}

// symbolAddress reads a line "address type name [module]" if it is about name,
// or about name with the suffix that link-time optimisation gives static data.
func symbolAddress(line []byte, name string) (uint64, bool) {
	f := strings.Fields(string(line))
	if len(f) < 3 {
		return 0, false
	}
	sym := f[2]
	if base, _, cut := strings.Cut(sym, ".llvm."); cut && (f[1] == "d" || f[1] == "b" || f[1] == "r") {
		sym = base
	}
	if sym != name {
		return 0, false
	}
	addr, err := strconv.ParseUint(f[0], 16, 64)
	return addr, err == nil
}

// Config is the value of an option in the kernel's configuration file.
func (e *LiveEnv) Config(name string) (string, bool, error) {
	c, err := e.config()
	if err != nil {
		return "", false, err
	}
	v, ok := c[name]
	return v, ok, nil
}

func readBootConfig() ([]byte, error) {
	release, err := os.ReadFile("/proc/sys/kernel/osrelease")
	if err != nil {
		return nil, fmt.Errorf("kernel configuration: %w", err)
	}
	path := "/boot/config-" + strings.TrimSpace(string(release))
	b, err := os.ReadFile(path)
	if err == nil {
		return b, nil
	}
	if _, gz := os.Stat("/proc/config.gz"); gz == nil {
		return nil, fmt.Errorf("kernel configuration: no %s; the kernel has /proc/config.gz: set LiveEnv.ReadConfig to kconfig.Read, or supply the text", path)
	}
	return nil, fmt.Errorf("kernel configuration: neither %s nor /proc/config.gz; supply the text by LiveEnv.ReadConfig: %w", path, fs.ErrNotExist)
}

// ParseKconfig reads a kernel configuration file: lines CONFIG_X=value, of
// which the first for a name counts. Other lines are ignored; a CONFIG_ line
// without a value is an error.
func ParseKconfig(text []byte) (map[string]string, error) {
	out := map[string]string{}
	n := 0
	for line := range bytes.Lines(text) {
		n++
		if !bytes.HasPrefix(line, []byte("CONFIG_")) {
			continue
		}
		name, value, ok := strings.Cut(strings.TrimRight(string(line), " \t\r\n"), "=")
		if !ok || value == "" {
			return nil, fmt.Errorf("kernel configuration line %d: %q has no value", n, name)
		}
		if _, dup := out[name]; !dup {
			out[name] = value
		}
	}
	return out, nil
}

// Version is the running kernel's version. Distributions that change only the
// third number of their own scheme tell the upstream one apart.
func (e *LiveEnv) Version() uint32 { return e.version() }

func kernelVersion() uint32 {
	if b, err := os.ReadFile("/proc/version_signature"); err == nil { // Ubuntu: "Ubuntu 5.15.0-91.101-generic 5.15.131"
		if f := strings.Fields(string(b)); len(f) >= 3 {
			if v, ok := parseVersion(f[2]); ok {
				return v
			}
		}
	}
	if b, err := os.ReadFile("/proc/sys/kernel/version"); err == nil { // Debian: "#1 SMP Debian 6.1.76-1 (2024-02-01)"
		if _, after, ok := strings.Cut(string(b), "Debian "); ok {
			if v, ok := parseVersion(after); ok {
				return v
			}
		}
	}
	if b, err := os.ReadFile("/proc/sys/kernel/osrelease"); err == nil {
		if v, ok := parseVersion(string(b)); ok {
			return v
		}
	}
	return 0
}

// parseVersion reads "major.minor[.patch]" at the start of s as
// KERNEL_VERSION packs it, patch at most 255.
func parseVersion(s string) (uint32, bool) {
	var n [3]uint32
	for i := range n {
		end := 0
		for end < len(s) && s[end] >= '0' && s[end] <= '9' {
			end++
		}
		v, err := strconv.ParseUint(s[:end], 10, 16)
		if err != nil {
			return 0, false
		}
		n[i] = uint32(v)
		if s = s[end:]; i == 2 || !strings.HasPrefix(s, ".") {
			return n[0]<<16 | min(n[1], 255)<<8 | min(n[2], 255), i >= 1
		}
		s = s[1:]
	}
	return 0, false
}

// Arch is the machine's architecture by its GOARCH name.
func (e *LiveEnv) Arch() string { return runtime.GOARCH }

// Feature answers what objects can ask by LINUX_HAS_… variables.
func (e *LiveEnv) Feature(name string) (bool, error) {
	f, ok := map[string]sys.Feature{
		reloc.FeatureBPFCookie:      sys.FeatureBPFCookie,
		reloc.FeatureSyscallWrapper: sys.FeatureSyscallWrapper,
		reloc.FeatureFullRangeOff:   sys.FeatureLDIMM64FullRangeOff,
		reloc.FeatureUprobeMulti:    sys.FeatureUprobeMultiLink,
	}[name]
	if !ok {
		return false, fmt.Errorf("unknown kernel feature %q", name)
	}
	return e.features.Has(f)
}
