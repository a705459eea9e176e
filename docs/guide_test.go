package docs_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/lode-bpf/lode/internal/ktest"
)

// The Go blocks of the guide, one after the other, are one program. The blocks from the mark "kernel" on need a bpffs, whose
// path is in the environment; the guide calls it guideDir.
const (
	guide      = top + "/docs/guide.md"
	guideDir   = "/sys/fs/bpf/guide"
	guideMark  = "kernel"
	guideBPFFS = "LODE_GUIDE_BPFFS"
	guideBreak = "\x1d" // printed before each block's output
)

// TestGuide runs the part of the guide that needs neither a kernel nor privileges, and compares what each block prints with
// the output block behind it. With -update the guide is rewritten.
func TestGuide(t *testing.T) { runGuide(t, "") }

// TestKernelGuide runs all of the guide.
func TestKernelGuide(t *testing.T) {
	goTool(t)
	ktest.Kernel(t, 5, 9, "BPF links of network devices")
	ktest.NetNS(t)
	dir := filepath.Join(ktest.BPFFS(t), "guide")
	runGuide(t, dir)
}

func runGuide(t *testing.T, bpffs string) {
	tool := goTool(t)
	lines := pages(t)[guide]
	program, outputs := guideProgram(t, lines)
	dir := t.TempDir()
	write(t, filepath.Join(dir, "main.go"), program)
	c := exec.Command(tool, "build", "-o", filepath.Join(dir, "guide"), filepath.Join(dir, "main.go"))
	c.Dir = top
	if out, err := c.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	c = exec.Command(filepath.Join(dir, "guide"))
	c.Dir, c.Env = top, append(os.Environ(), guideBPFFS+"="+bpffs)
	var stderr strings.Builder
	c.Stderr = &stderr
	printed, err := c.Output()
	if err != nil {
		t.Fatalf("%v\n%s%s", err, printed, stderr.String())
	}
	text := string(printed)
	if bpffs != "" {
		text = strings.ReplaceAll(text, bpffs, guideDir)
	}
	compareGuide(t, lines, outputs, strings.Split(text, guideBreak)[1:])
}

// guideProgram puts the blocks together, and lists for each the block of its output, whose info is empty if there is none.
func guideProgram(t *testing.T, lines []string) (program string, outputs []block) {
	var body strings.Builder
	kernel := false
	all := blocks(lines)
	for i, b := range all {
		if b.info != "go" {
			continue
		}
		if b.mark == guideMark && !kernel {
			kernel = true
			body.WriteString("if dir == \"\" {\nreturn nil\n}\n")
		}
		fmt.Fprintf(&body, "fmt.Print(%q)\n//line guide.md:%d\n%s", guideBreak, b.line, b.text)
		out := block{}
		if i+1 < len(all) && all[i+1].info == "output" {
			out = all[i+1]
		}
		outputs = append(outputs, out)
	}
	text := "func run(ctx context.Context, kernel sys.Kernel, dir string) error {\n" + body.String() + "return nil\n}\n" +
		"func main() {\nif err := run(context.Background(), sys.Live(), os.Getenv(\"" + guideBPFFS + "\")); err != nil {\nlog.Fatal(err)\n}\n}\n"
	return "package main\n\n" + imports(t, guide, text) + text, outputs
}

// compareGuide compares, or with -update writes, what the blocks printed.
func compareGuide(t *testing.T, lines []string, outputs []block, printed []string) {
	for i := len(printed) - 1; i >= 0; i-- {
		want, got := outputs[i], printed[i]
		switch {
		case want.info == "" && got == "":
		case want.info == "":
			t.Errorf("a block prints, and no output block follows it:\n%s", got)
		case *update:
			lines = append(append(append([]string(nil), lines[:want.first]...), strings.Split(strings.TrimSuffix(got, "\n"), "\n")...), lines[want.last:]...)
		case got != want.text:
			t.Errorf("%s:%d: the output differs (-page +program):\n%s", guide, want.line, cmp.Diff(want.text, got))
		}
	}
	if *update && !t.Failed() {
		write(t, guide, strings.Join(lines, "\n"))
	}
}
