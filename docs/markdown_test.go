// Package docs_test holds the pages of this folder and of the top folder to the code: their Go compiles, the guide runs and
// prints what it says it prints, links and names lead somewhere.
package docs_test

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write what the guide's code prints into the guide")

// top is the module's folder, seen from this one.
const top = ".."

// A block is a fenced block of a page.
type block struct {
	line  int    // of its first line of text, from 1
	info  string // what stands behind the opening fence
	mark  string // the HTML comment right above it, without its brackets
	text  string // with a newline at the end of each line
	first int    // its lines are lines[first:last] of the page
	last  int
}

// blocks lists the fenced blocks of a page.
func blocks(lines []string) []block {
	var out []block
	open, mark := -1, ""
	for i, line := range lines {
		switch {
		case open < 0 && strings.HasPrefix(line, "```"):
			open = i
		case open >= 0 && line == "```":
			text := strings.Join(lines[open+1:i], "\n")
			if text != "" {
				text += "\n"
			}
			out = append(out, block{line: open + 2, info: lines[open][3:], mark: mark, text: text, first: open + 1, last: i})
			open, mark = -1, ""
		case open < 0 && strings.HasPrefix(line, "<!--"):
			mark = strings.TrimSpace(strings.TrimSuffix(strings.TrimPrefix(line, "<!--"), "-->"))
		case open < 0 && line != "":
			mark = ""
		}
	}
	return out
}

// prose is a page without its fenced blocks, line by line; lines of blocks are empty.
func prose(lines []string) []string {
	out := append([]string(nil), lines...)
	for _, b := range blocks(lines) {
		for i := b.first - 1; i <= b.last; i++ {
			out[i] = ""
		}
	}
	return out
}

// pages lists every Markdown file of the project, with its lines.
func pages(t *testing.T) map[string][]string {
	out := map[string][]string{}
	err := filepath.WalkDir(top, func(name string, d os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && name != top && strings.HasPrefix(d.Name(), ".") {
			return filepath.SkipDir
		}
		if !d.IsDir() && strings.HasSuffix(name, ".md") {
			b, err := os.ReadFile(name)
			if err != nil {
				return err
			}
			out[name] = strings.Split(string(b), "\n")
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(out) == 0 {
		t.Skip("the pages are not here: the test runs outside of the source tree")
	}
	return out
}
