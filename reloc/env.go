package reloc

import "github.com/lode-bpf/lode/btf"

// An Env is what relocation needs to know of a kernel: the running one, or one
// recorded in a file (Recorded). It is asked only for what the object uses, so
// an object without CO-RE records never causes a kernel's BTF to be read.
// Implementations must give the same answer to the same question every time.
type Env interface {
	// Kernel is the BTF of vmlinux.
	Kernel() (*btf.Spec, error)

	// Modules is the BTF of every loaded module, in the kernel's own order.
	// It is asked for only when vmlinux lacks something. A module whose BTF
	// cannot be read has Err set and stands in nobody's way.
	Modules() ([]Module, error)

	// Symbol is every distinct address that the kernel's symbol table gives
	// for a name; none if it does not have the name.
	Symbol(name string) ([]uint64, error)

	// Config is the value of a kernel configuration option as the
	// configuration file writes it: y, m, "text" with its quotes, 0x10.
	Config(name string) (value string, ok bool, err error)

	// Version is the kernel's version, major<<16 | minor<<8 | patch.
	Version() uint32

	// Arch is the kernel's architecture by its GOARCH name.
	Arch() string

	// Feature answers one of the Feature names.
	Feature(name string) (bool, error)
}

// A Module is the BTF of one kernel module, split from vmlinux's.
type Module struct {
	Name string
	BTF  *btf.Spec
	Err  error // why BTF is nil
}

// Names of features that relocation asks an Env for.
const (
	FeatureBPFCookie      = "bpf_cookie"      // LINUX_HAS_BPF_COOKIE: helper bpf_get_attach_cookie
	FeatureSyscallWrapper = "syscall_wrapper" // LINUX_HAS_SYSCALL_WRAPPER: system calls are __<arch>_sys_NAME
	FeatureFullRangeOff   = "full_range_off"  // instructions reach every byte of an arena: its variables stand at the end then
	FeatureUprobeMulti    = "uprobe_multi"    // links for many user functions at once, through which USDT probes go then
)
