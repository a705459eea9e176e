package btf

import (
	"errors"
	"io/fs"
	"os"
	"strings"
	"sync"
	"syscall"

	"github.com/lode-bpf/lode/elf"
)

// Kernel returns the BTF of the running kernel: /sys/kernel/btf/vmlinux or, on
// a kernel that does not show it, that of an uncompressed vmlinux file at one
// of the usual places. Without either it fails with [ErrNoBTF].
//
// The result is shared by all callers in the process, and dropped when nobody
// uses it any more. Where the kernel allows it (Linux 6.16), its own copy is
// mapped instead of read; that mapping costs no memory, and stays.
func Kernel() (*Spec, error) {
	return sharedSpec("vmlinux", func() (*Spec, error) {
		b, err := kernelImage()
		if errors.Is(err, fs.ErrNotExist) {
			return kernelFromELF()
		}
		if err != nil {
			return nil, err
		}
		return Parse(b, nil)
	})
}

// kernelImage maps the kernel's BTF once in the life of the process: strings
// that point into it may outlive every Spec. Where it cannot be mapped, it is
// read each time.
func kernelImage() ([]byte, error) {
	kernel.once.Do(func() { kernel.mapped = mapKernel() })
	if kernel.mapped != nil {
		return kernel.mapped, nil
	}
	return readKernelBTF("vmlinux")
}

// kernel is a value, not a function that the package would have to make at
// start: programs that never ask for the kernel's types do not carry mapKernel.
var kernel struct {
	once   sync.Once
	mapped []byte
}

func mapKernel() []byte {
	f, err := os.Open(kernelDir + "vmlinux")
	if err != nil {
		return nil
	}
	defer f.Close()
	st, err := f.Stat()
	if err != nil || st.Size() <= 0 || st.Size() > int64(DefaultLimits().Size) {
		return nil
	}
	b, err := syscall.Mmap(int(f.Fd()), 0, int(st.Size()), syscall.PROT_READ, syscall.MAP_PRIVATE)
	if err != nil {
		return nil
	}
	return b
}

// readKernelBTF reads a file that the kernel shows, which is as long as the
// kernel says.
func readKernelBTF(name string) ([]byte, error) {
	b, err := os.ReadFile(kernelDir + name)
	if err != nil {
		return nil, err
	}
	return b, nil
}

// kernelFromELF looks for a vmlinux file of the running kernel.
func kernelFromELF() (*Spec, error) {
	var u syscall.Utsname
	if err := syscall.Uname(&u); err != nil {
		return nil, err
	}
	r := utsname(u.Release[:])
	for _, p := range []string{
		"/boot/vmlinux-" + r,
		"/lib/modules/" + r + "/vmlinux-" + r,
		"/lib/modules/" + r + "/build/vmlinux",
		"/usr/lib/modules/" + r + "/kernel/vmlinux",
		"/usr/lib/debug/boot/vmlinux-" + r,
		"/usr/lib/debug/boot/vmlinux-" + r + ".debug",
		"/usr/lib/debug/lib/modules/" + r + "/vmlinux",
	} {
		b, err := btfOfELF(p)
		if errors.Is(err, fs.ErrNotExist) || errors.Is(err, ErrNoBTF) {
			continue
		}
		if err != nil {
			return nil, err
		}
		return Parse(b, nil)
	}
	return nil, ErrNoBTF
}

// btfOfELF reads the .BTF section of a file, which may be hundreds of
// megabytes of debug information: it is mapped, and what is wanted is copied.
func btfOfELF(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	st, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if !st.Mode().IsRegular() || st.Size() == 0 || int64(int(st.Size())) != st.Size() {
		return nil, ErrNoBTF
	}
	b, err := syscall.Mmap(int(f.Fd()), 0, int(st.Size()), syscall.PROT_READ, syscall.MAP_PRIVATE)
	if err != nil {
		return nil, os.NewSyscallError("mmap", err)
	}
	defer syscall.Munmap(b)
	ef, err := elf.ParseLimits(b, elf.Limits{FileSize: int(st.Size())})
	if err != nil {
		return nil, err
	}
	data, ok, err := sectionData(ef, ".BTF")
	if !ok {
		return nil, ErrNoBTF
	}
	if err != nil {
		return nil, err
	}
	return append([]byte(nil), data...), nil
}

// KernelModule returns the BTF of a loaded module, on the base of [Kernel].
// The module "vmlinux" is the kernel itself. Of a module that is not loaded, or
// has no BTF, the error matches fs.ErrNotExist.
func KernelModule(name string) (*Spec, error) {
	if name == "vmlinux" {
		return Kernel()
	}
	if name == "" || name == "." || name == ".." || strings.ContainsAny(name, "/\x00") {
		return nil, ErrNotFound
	}
	base, err := Kernel()
	if err != nil {
		return nil, err
	}
	return sharedSpec(name, func() (*Spec, error) {
		b, err := readKernelBTF(name)
		if err != nil {
			return nil, err
		}
		return Parse(b, base)
	})
}

// KernelModules are the names of the loaded modules that have BTF, sorted.
func KernelModules() ([]string, error) {
	entries, err := os.ReadDir(kernelDir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var names []string
	for _, e := range entries {
		if e.Name() != "vmlinux" {
			names = append(names, e.Name())
		}
	}
	return names, nil
}

// utsname turns a field of struct utsname into a string; its element type
// differs between architectures.
func utsname[T int8 | uint8](field []T) string {
	var b strings.Builder
	for _, c := range field {
		if c == 0 {
			break
		}
		b.WriteByte(byte(c))
	}
	return b.String()
}
