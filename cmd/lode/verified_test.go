package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/lode-bpf/lode/internal/ktest"
)

// verifiedPage is where the results of verify over real objects are shown.
const verifiedPage = "../../docs/verified.md"

const verifiedIntro = `# What lode verify says of real objects

<!-- Written by go test ./cmd/lode -run TestKernelVerifiedPage -update. -->

Every object of two Debian packages that ship BPF, made for loaders of their own, and every object of this
repository's tests, on Linux %s:

` + "```sh" + `
sudo lode verify /usr/lib/*/bpf/*.o /lib/udev/rc_keymaps/protocols/*.o testdata/*.bpf.o
` + "```" + `

A test makes this page again where it can and compares: maps and programs on every system that has the packages, verdicts
on a kernel of this version. "Whole" is the object loaded as it is; "alone" how many of its programs load when all others
are off. What fails is explained below each table.
`

// A verifiedSet is a package of objects.
type verifiedSet struct {
	title, glob, intro, lacking string
	notes                       string
}

var verifiedSets = []verifiedSet{
	{"libxdp1", "/usr/lib/*/bpf/*.o", "Objects of libxdp and xdp-tools: dispatcher, filters, socket redirection.", "libxdp1",
		"`xdpdump_bpf.o` traces a program that `xdpdump` names when it loads the object; the target in the file, `func`, is a\nplaceholder.\n"},
	{"ir-keytable", "/lib/udev/rc_keymaps/protocols/*.o", "Decoders of infrared protocols, of type lirc_mode2. Their maps are defined in a format of that package's own loader;\n`compat/irkeytable` reads it. libbpf refuses all of them (\"bad map relo against 'decoder_state_map'\").", "ir-keytable",
		"Debian's kernels are built without CONFIG_BPF_LIRC_MODE2, and so is the kernel of this page: the programs are complete, but no\nsuch program can be loaded there.\n"},
	{"testdata", "../../testdata/*.bpf.o", "Objects of this repository; several exist to be refused.", "",
		"`core_ambiguous`, `core_matrix`, `coremissing`: CO-RE relocations that this kernel cannot have, unguarded. `freplace` needs the program that\nit extends, which a caller of the library gives. `hooks`, `tracing`, `sections`: the kernel of this page refuses fentry, fexit,\nfmod_ret and lsm programs for reasons of its own (EPERM), and knows fewer program types than the newest. `irdecoder`: as ir-keytable.\n`legacy_short`: loads with `--type xdp`. `linked_a`, `linked_b`: halves of one object; `reloc/static` joins them. `nobtf`, `rejected`:\nmade to be refused. `ksyms`: refers to a kernel variable whose address this kernel does not list.\n\n" +
			"## libbpf-tools\n\nThe programs of this package carry their objects inside, so that no test reads them. Of the 52 objects that were cut out of\nversion 0.26, lode loads 32 on this kernel and refuses 20; bpftool 7.1 (libbpf 1.1) loads and refuses the same ones. The 20 attach to\nfunctions that this kernel lacks or does not let be traced, or have maps whose size their program sets (`--fixups`).\n"},
}

// releaseOf is the part of a kernel's version that verdicts depend on.
var releaseOf = regexp.MustCompile(`^\d+\.\d+`)

func kernelRelease(t *testing.T) string {
	t.Helper()
	b, err := os.ReadFile("/proc/sys/kernel/osrelease")
	if err != nil {
		t.Fatal(err)
	}
	return releaseOf.FindString(string(b))
}

// table is the results of a set of files.
func (s verifiedSet) table(t *testing.T, files []string) string {
	t.Helper()
	_, out, errOut := cli(append([]string{"verify", "--json"}, files...)...)
	b := &strings.Builder{}
	fmt.Fprintf(b, "\n## %s\n\n%s\n\n| object | maps | programs | whole | alone |\n| --- | --- | --- | --- | --- |\n", s.title, s.intro)
	n := 0
	for line := range strings.Lines(out) {
		var x verified
		if err := json.Unmarshal([]byte(line), &x); err != nil {
			t.Fatalf("%v: %s", err, line)
		}
		n++
		whole, alone := "ok", 0
		switch {
		case !x.OpenOK:
			whole = "cannot be opened"
		case !x.LoadOK:
			whole = fmt.Sprintf("errno %d", x.LoadErrno)
		}
		for _, p := range x.Programs {
			if p.OK {
				alone++
			}
		}
		fmt.Fprintf(b, "| %s | %d | %d | %s | %d |\n", filepath.Base(x.File), x.Maps, len(x.Programs), whole, alone)
	}
	if n != len(files) {
		t.Fatalf("%d results of %d files: %s", n, len(files), errOut)
	}
	fmt.Fprintf(b, "\n%s", s.notes)
	return b.String()
}

// verdictCells are the last two cells of a row.
var verdictCells = regexp.MustCompile(`(?m)^(\| \S+\.o \| \d+ \| \d+ \|).*$`)

// TestKernelVerifiedPage holds docs/verified.md to what verify says.
func TestKernelVerifiedPage(t *testing.T) {
	ktest.Root(t)
	ktest.NoFDLeaks(t)
	if _, err := os.Stat("../../go.mod"); errors.Is(err, fs.ErrNotExist) {
		t.Skipf("needs the repository, not a machine of internal/vmtest: %v", err)
	}
	release := kernelRelease(t)
	var page []byte
	if !*update {
		var err error
		if page, err = os.ReadFile(verifiedPage); err != nil {
			t.Fatalf("%v; write it with go test -update", err)
		}
	}
	want, whole := string(page), strings.Contains(string(page), " on Linux "+release+":")
	got := fmt.Sprintf(verifiedIntro, release)
	for _, s := range verifiedSets {
		files, err := filepath.Glob(s.glob)
		if err != nil {
			t.Fatal(err)
		}
		if len(files) == 0 {
			t.Skipf("needs the objects %s: apt-get install %s", s.glob, s.lacking)
		}
		got += s.table(t, files)
	}
	if *update {
		if err := os.WriteFile(verifiedPage, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if !whole {
		t.Logf("this is Linux %s: the page's verdicts are of another kernel and are not compared", release)
		want, got = verdictCells.ReplaceAllString(want, "$1"), verdictCells.ReplaceAllString(got, "$1")
		_, want, _ = strings.Cut(want, ":\n")
		_, got, _ = strings.Cut(got, ":\n")
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s (go test -update writes it anew): -want +got:\n%s", verifiedPage, diff)
	}
}
