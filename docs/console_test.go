package docs_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/lode-bpf/lode/internal/ktest"
)

// What differs from one load to the next, and from kernel to kernel.
var (
	number = regexp.MustCompile(`\bid \d+`)
	typeID = regexp.MustCompile(`(struct \w+) \[\d+\]`)
)

// TestKernelConsole runs the console blocks that have the mark "run" above them, each in a bpffs of its own in place of
// /sys/fs/bpf, and compares all that the commands print with the page. Lines that begin with "$ " are commands. The mark
// "run on 6.18" is for messages of the kernel's own, whose words differ before that version. With -update the pages are
// rewritten.
func TestKernelConsole(t *testing.T) {
	tool := goTool(t)
	ktest.Root(t)
	all := pages(t)
	bin := t.TempDir()
	c := exec.Command(tool, "build", "-o", filepath.Join(bin, "lode"), "./cmd/lode")
	c.Dir = top
	if out, err := c.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for name, lines := range all {
		list := blocks(lines)
		for i := len(list) - 1; i >= 0; i-- { // backwards: an update moves what follows
			b := list[i]
			if b.info != "console" || !strings.HasPrefix(b.mark, "run") {
				continue
			}
			t.Run(filepath.Base(name)+"_"+firstWords(b.text), func(t *testing.T) {
				if b.mark == "run on 6.18" {
					ktest.Kernel(t, 6, 18, "the messages that the page shows")
				}
				got := runConsole(t, bin, b.text)
				if *update {
					lines = append(append(append([]string(nil), lines[:b.first]...), strings.Split(strings.TrimSuffix(got, "\n"), "\n")...), lines[b.last:]...)
				} else if got != b.text {
					t.Errorf("%s:%d: the console differs (-page +command):\n%s", name, b.line, cmp.Diff(b.text, got))
				}
			})
		}
		if *update && !t.Failed() {
			write(t, name, strings.Join(lines, "\n"))
		}
	}
}

// firstWords names a block by the last word of its last command.
func firstWords(text string) string {
	var last string
	for line := range strings.Lines(text) {
		if strings.HasPrefix(line, "$ ") {
			words := strings.Fields(strings.TrimSuffix(strings.TrimSpace(line), " >/dev/null"))
			last = filepath.Base(words[len(words)-1])
		}
	}
	return last
}

// runConsole runs the commands of a block and returns the block as it should be.
func runConsole(t *testing.T, bin, text string) string {
	const usual = "/sys/fs/bpf"
	dir := ktest.BPFFS(t)
	var out strings.Builder
	for line := range strings.Lines(text) {
		command, ok := strings.CutPrefix(line, "$ ")
		if !ok {
			continue
		}
		c := exec.Command("sh", "-c", strings.ReplaceAll(command, usual, dir))
		c.Dir = top
		c.Env = append(os.Environ(), "PATH="+bin+":"+os.Getenv("PATH"))
		printed, err := c.CombinedOutput()
		if _, exited := err.(*exec.ExitError); err != nil && !exited {
			t.Fatal(err)
		}
		out.WriteString(line)
		text := number.ReplaceAllString(strings.ReplaceAll(string(printed), dir, usual), "id 42")
		out.WriteString(typeID.ReplaceAllString(text, "$1 [114]"))
	}
	return out.String()
}
