package main

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"
)

func (e *env) printJSON(v any) error {
	j := json.NewEncoder(e.out)
	j.SetIndent("", "  ")
	j.SetEscapeHTML(false)
	return j.Encode(v)
}

// table writes rows in columns as wide as their widest cell.
func table(b *strings.Builder, rows [][]string) {
	width := make([]int, len(rows[0]))
	for _, row := range rows {
		for i, cell := range row {
			width[i] = max(width[i], len(cell))
		}
	}
	for _, row := range rows {
		line := ""
		for i, cell := range row {
			line += fmt.Sprintf("%-*s  ", width[i], cell)
		}
		b.WriteString(strings.TrimRight(line, " ") + "\n")
	}
}

// quote shows a name from a file: as it is if it is plain, else quoted.
func quote(s string) string {
	for _, r := range s {
		if r <= ' ' || r > '~' || r == '"' || r == '\\' {
			return fmt.Sprintf("%q", s)
		}
	}
	return s
}

// progress says on a terminal which of the files of a command is being worked
// on, and clears that at the end. Elsewhere it says nothing.
func (e *env) progress(i int, file string) {
	if len(e.args) < 2 || !isTerminal(e.errOut) {
		return
	}
	fmt.Fprint(e.errOut, "\r\x1b[K")
	if i < len(e.args) {
		fmt.Fprintf(e.errOut, "%d/%d %s", i+1, len(e.args), quote(file))
	}
}

// isTerminal reports whether something that is written to is a terminal: a
// character device that is not /dev/null.
func isTerminal(w any) bool {
	f, ok := w.(*os.File)
	if !ok {
		return false
	}
	st, err := f.Stat()
	if err != nil || st.Mode()&os.ModeCharDevice == 0 {
		return false
	}
	null, err := os.Stat(os.DevNull)
	return err != nil || !os.SameFile(st, null)
}
