package main

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"unicode/utf8"
)

// printJSON prints a value, with [] and {} for lists and objects that have nothing
// in them.
func (e *env) printJSON(v any) error {
	x := reflect.New(reflect.TypeOf(v)).Elem()
	x.Set(reflect.ValueOf(v))
	fillEmpty(x)
	j := json.NewEncoder(e.out)
	j.SetIndent("", "  ")
	j.SetEscapeHTML(false)
	return j.Encode(x.Interface())
}

// fillEmpty replaces what JSON would show as null: nil slices, but for bytes, and
// nil maps.
func fillEmpty(x reflect.Value) {
	switch x.Kind() {
	case reflect.Pointer:
		if !x.IsNil() {
			fillEmpty(x.Elem())
		}
	case reflect.Struct:
		for i := range x.NumField() {
			if x.Field(i).CanSet() {
				fillEmpty(x.Field(i))
			}
		}
	case reflect.Map:
		if x.IsNil() {
			x.Set(reflect.MakeMap(x.Type()))
		}
	case reflect.Slice:
		if x.Type().Elem().Kind() == reflect.Uint8 {
			return
		}
		if x.IsNil() {
			x.Set(reflect.MakeSlice(x.Type(), 0, 0))
		}
		for i := range x.Len() {
			fillEmpty(x.Index(i))
		}
	}
}

// paints are the words that a terminal shows in colour where a cell begins with
// them.
var paints = map[string]string{
	"ok": green, "failed": red, "missing": red, "invalid": red, "ambiguous": yellow, "changed": yellow,
}

// Colours, as terminals of the ECMA-48 kind take them.
const (
	bold   = "\x1b[1m"
	red    = "\x1b[31m"
	green  = "\x1b[32m"
	yellow = "\x1b[33m"
	plain  = "\x1b[0m"
)

// table writes rows in columns as wide as their widest cell. On a terminal the
// head is bold, verdicts have a colour, and a long last column of the kind that
// lists or explains is cut at the width. Elsewhere it is always the same.
func (e *env) table(b *strings.Builder, rows [][]string) {
	width := make([]int, len(rows[0]))
	for _, row := range rows {
		for i, cell := range row {
			width[i] = max(width[i], utf8.RuneCountInString(cell))
		}
	}
	last := len(width) - 1
	before := 0
	for _, w := range width[:last] {
		before += w + 2
	}
	head := rows[0][last]
	cut := e.width > before+10 && (head == "CALLS" || head == "VALUE")
	for n, row := range rows {
		line := ""
		for i, cell := range row {
			if cut && i == last {
				cell = shorten(cell, e.width-before)
			}
			pad := strings.Repeat(" ", width[i]-min(width[i], utf8.RuneCountInString(cell))+2)
			if i == last {
				pad = ""
			}
			word, _, _ := strings.Cut(cell, " ")
			line += e.paint(paints[word], cell) + pad
		}
		line = strings.TrimRight(line, " ")
		if n == 0 {
			line = e.paint(bold, line)
		}
		b.WriteString(line + "\n")
	}
}

// paint puts text into a colour, on a terminal.
func (e *env) paint(colour, text string) string {
	if !e.colour || colour == "" || text == "" {
		return text
	}
	return colour + text + plain
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
	if len(e.args) < 2 || !e.progresses {
		return
	}
	fmt.Fprint(e.errOut, "\r\x1b[K")
	if i < len(e.args) {
		fmt.Fprintf(e.errOut, "%d/%d %s", i+1, len(e.args), quote(file))
	}
}
