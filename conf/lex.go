package conf

import (
	"bytes"
	"strconv"
	"strings"
	"unicode/utf8"
)

// A word is a run of non-blank characters of a line.
type word struct {
	s   string
	col int // in bytes, from 1
}

// splitWords divides a line at blanks. A word that begins with '#' begins a
// comment, which goes on to the end of the line.
func splitWords(line string) []word {
	var words []word
	for i := 0; i < len(line); {
		if isBlank(line[i]) {
			i++
			continue
		}
		if line[i] == '#' {
			break
		}
		start := i
		for i < len(line) && !isBlank(line[i]) {
			i++
		}
		words = append(words, word{line[start:i], start + 1})
	}
	return words
}

func isBlank(c byte) bool { return c == ' ' || c == '\t' }

// forLines calls f with each line of b and its number, and checks the limits of
// a file first.
func forLines(file string, b []byte, f func(n int, line string) error) error {
	if len(b) > MaxFileSize {
		return &FileError{File: file, Reason: "it has " + strconv.Itoa(len(b)) + " bytes, " + strconv.Itoa(MaxFileSize) + " are allowed", Limit: true}
	}
	for n := 1; len(b) > 0; n++ {
		line, rest, _ := bytes.Cut(b, []byte{'\n'})
		b = rest
		if n > MaxLines {
			return &SyntaxError{File: file, Line: n, Col: 1, Reason: "the file has more than " + strconv.Itoa(MaxLines) + " lines", Limit: true}
		}
		if len(line) > MaxLineLength {
			return &SyntaxError{File: file, Line: n, Col: MaxLineLength + 1,
				Reason: "the line has " + strconv.Itoa(len(line)) + " bytes, " + strconv.Itoa(MaxLineLength) + " are allowed", Limit: true}
		}
		if err := f(n, string(line)); err != nil {
			return err
		}
	}
	return nil
}

// badByte finds the first byte that cannot stand in a configuration file: its
// position and what is wrong with it, or -1. Outside comments that is
// everything but printable ASCII and tabs; comments may hold other text, too,
// but no control characters, which could deceive whoever reads them.
func badByte(line string, first bool) (pos int, reason string) {
	if first && strings.HasPrefix(line, "\uFEFF") {
		return 0, "the file begins with a byte order mark; save it as plain UTF-8 without one"
	}
	comment := false
	for i := 0; i < len(line); {
		c := line[i]
		if c == '#' && (i == 0 || isBlank(line[i-1])) {
			comment = true
		}
		switch {
		case c == '\r' && i == len(line)-1:
			return i, "the line ends in a carriage return; save the file with Unix line ends"
		case c == 0:
			return i, "a NUL byte"
		case c < ' ' && c != '\t', c == 0x7f:
			return i, "control character " + quoteByte(c)
		case c < utf8.RuneSelf:
			i++
			continue
		case !comment:
			return i, "byte " + quoteByte(c) + " is not ASCII"
		}
		r, size := utf8.DecodeRuneInString(line[i:])
		if r == utf8.RuneError && size == 1 {
			return i, "byte " + quoteByte(c) + " is not UTF-8"
		}
		if !strconv.IsPrint(r) {
			return i, "character " + strconv.QuoteRuneToASCII(r) + " cannot be seen"
		}
		i += size
	}
	return -1, ""
}
