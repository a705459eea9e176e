package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/lode-bpf/lode/internal/ktest"
)

// TestCompletion asks the shells themselves what they offer behind the words
// that have been typed; the last one is being typed.
func TestCompletion(t *testing.T) {
	dir := t.TempDir()
	script := func(shell string) string {
		_, out, _ := cli("completion", shell)
		path := filepath.Join(dir, shell)
		if err := os.WriteFile(path, []byte(out), 0o644); err != nil {
			t.Fatal(err)
		}
		return path
	}
	file := filepath.Join(dir, "two words.o")
	if err := os.WriteFile(file, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	// A shell is asked with the words as arguments.
	shells := map[string]string{
		"bash": `source "$0"; COMP_WORDS=(lode "$@"); COMP_CWORD=$#; _lode; printf '%s\n' "${COMPREPLY[@]}"`,
		"fish": `source $argv[1]; complete -C (string join -- ' ' lode (string escape -- $argv[2..-2]) $argv[-1])`,
	}
	for shell, ask := range shells {
		t.Run(shell, func(t *testing.T) {
			program := ktest.Tool(t, shell, shell)
			path := script(shell)
			for _, c := range []struct{ typed, want []string }{
				{[]string{"ins"}, []string{"inspect"}},
				{[]string{"map", "d"}, []string{"delete", "dump"}},
				{[]string{"help", "ma"}, []string{"map"}},
				{[]string{"load", "--pin"}, []string{"--pin-root"}},
				{[]string{"load", "--legacy", ""}, []string{"auto", "never", "only"}},
				{[]string{"disasm", "--style", "l"}, []string{"llvm"}},
				{[]string{"completion", ""}, []string{"bash", "fish", "zsh"}},
				{[]string{"prog", "attach", "17", "tcx_"}, []string{"tcx_egress", "tcx_ingress"}},
				{[]string{"inspect", filepath.Join(dir, "two")}, []string{file}},
			} {
				out, err := exec.Command(program, append([]string{"-c", ask, path}, c.typed...)...).CombinedOutput()
				if err != nil {
					t.Errorf("%q: %v: %s", c.typed, err, out)
					continue
				}
				var got []string
				for line := range strings.Lines(string(out)) {
					word, _, _ := strings.Cut(strings.TrimSuffix(line, "\n"), "\t") // fish explains behind a tab
					got = append(got, strings.ReplaceAll(word, `\ `, " "))
				}
				slices.Sort(got)
				if diff := cmp.Diff(c.want, got); diff != "" {
					t.Errorf("%q: -want +got:\n%s", c.typed, diff)
				}
			}
		})
	}
	t.Run("zsh", func(t *testing.T) {
		if out, err := exec.Command(ktest.Tool(t, "zsh", "zsh"), "-n", script("zsh")).CombinedOutput(); err != nil {
			t.Errorf("%v: %s", err, out)
		}
	})
}
