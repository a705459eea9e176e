package main

import (
	"fmt"
	"regexp"
	"runtime"
	"strings"
)

// An arch is a kind of machine, by the name that Go and Debian both have for it.
type arch struct {
	name    string
	suffix  string   // of the names of its kernels' packages
	suites  []string // of Debian, oldest first: each brings other kernels
	kernels string   // what is run if the command line does not say
	qemu    string   // program …
	from    string   // … and the package that it is in
	machine []string
	cmdline string // of the kernel, beside what all have
	big     bool   // big endian
	results string // device that the machine reports on
}

var allSuites = []string{"bullseye", "bookworm", "bookworm-backports", "trixie", "trixie-backports", "sid"}

// arches are the kinds of machines. Each has two serial ports: the first is the console, the second brings the results,
// byte for byte.
var arches = []arch{
	{ // The kernel would wait for the timer in vain on a machine that has much to do. More processors are possible than there
		// are: some maps have a value for each.
		name: "amd64", suffix: "cloud-amd64", kernels: "5.10,6.1,6.12,newest", suites: allSuites,
		qemu: "qemu-system-x86_64", from: "qemu-system-x86",
		machine: []string{"-cpu", "max", "-smp", "1,maxcpus=3", "-serial", "chardev:console", "-serial", "chardev:results"},
		cmdline: "console=ttyS0 no_timer_check", results: "/dev/ttyS1",
	},
	{ // The second port of a board of this type is a card on the PCI bus.
		name: "arm64", suffix: "cloud-arm64", kernels: "6.12", suites: allSuites,
		qemu: "qemu-system-aarch64", from: "qemu-system-arm",
		machine: []string{"-M", "virt", "-cpu", "cortex-a72", "-smp", "1", "-serial", "chardev:console", "-device", "pci-serial,chardev=results"},
		cmdline: "console=ttyAMA0", results: "/dev/ttyS0",
	},
	{ // Big endian. Of the two consoles the one for lines would cut long ones, so it is the kernel's.
		name: "s390x", big: true, suffix: "s390x", kernels: "6.1", suites: []string{"bookworm", "trixie", "sid"},
		qemu: "qemu-system-s390x", from: "qemu-system-misc",
		machine: []string{"-cpu", "max", "-smp", "1", "-device", "sclplmconsole,chardev=console", "-device", "sclpconsole,chardev=results"},
		cmdline: "console=ttyS0", results: "/dev/ttysclp0",
	},
}

// findArch finds a kind of machine by its name.
func findArch(name string) (arch, error) {
	var names []string
	for _, a := range arches {
		if a.name == name {
			return a, nil
		}
		names = append(names, a.name)
	}
	return arch{}, fmt.Errorf("no architecture %q: want one of %s", name, strings.Join(names, ", "))
}

// ownArch is that of the running machine.
func ownArch() (arch, error) { return findArch(runtime.GOARCH) }

// hasKernel says whether a package is a kernel of this kind.
func (a arch) hasKernel(name string) bool {
	return packageName.MatchString(name) && strings.HasSuffix(name, "-"+a.suffix)
}

// packageName begins the name of a kernel's package, with its version: numbers, then whatever Debian adds.
var packageName = regexp.MustCompile(`^linux-image-(\d+)\.(\d+)\.(\d+)(?:-(\d+))?`)
