package conf

import (
	"math"
	"strconv"
	"strings"
)

// lenientLine reads a line of iproute2's database as iproute2 does, which uses
// scanf: a number with sign and base, blanks, a run of other characters, and
// whatever follows is ignored. Everything that the strict reading would refuse
// becomes a finding. It differs from iproute2 in what the line would do to the
// file system: a directory that bpffs would refuse or that leads out of it makes
// the line count for nothing, and so does a number beyond 32 bits.
func (p *parser) lenientLine(line string) error {
	if p.stopped {
		return nil
	}
	text := strings.TrimLeft(line, " \t")
	if text == "" || text[0] == '#' {
		return nil
	}
	col := len(line) - len(text) + 1
	number, rest := cutNumber(text)
	dir := strings.TrimLeft(rest, space)
	dirCol := col + len(text) - len(dir)
	extra := ""
	if end := strings.IndexAny(dir, space); end >= 0 {
		dir, extra = dir[:end], strings.Trim(dir[end:], space)
	}
	if number == "" || dir == "" {
		p.find(col, "this is not \"ID DIRECTORY\": iproute2 reads no further, so the rest of the file counts for nothing")
		p.stopped = true
		return nil
	}
	if rest[0] != ' ' && rest[0] != '\t' {
		p.find(col+len(number), "the number ends at "+quoteByte(rest[0])+", where the directory begins")
	}
	if extra != "" && extra[0] != '#' {
		p.find(dirCol+len(dir), "what follows the directory is ignored")
	}
	id, ok := p.lenientID(col, number)
	if !ok {
		return nil
	}
	path, ok := p.lenientDir(dirCol, dir)
	if !ok {
		return nil
	}
	if old, ok := p.c.Values[id]; ok {
		p.find(col, "pin value "+strconv.FormatUint(uint64(id), 10)+" again: this line counts, not line "+strconv.Itoa(old.Origin.Line))
	}
	p.c.Values[id] = Value[string]{path, p.origin()}
	return nil
}

// space is what scanf takes as the end of a word.
const space = " \t\r\v\f"

func (p *parser) find(col int, text string) {
	p.c.Findings = append(p.c.Findings, Finding{File: p.file, Line: p.line, Col: col, Text: text})
}

// cutNumber divides s behind the number that it begins with, as the conversion
// %i of scanf reads it: a sign, "0x" and hexadecimal digits, "0" and octal
// digits, or decimal digits. number is "" if there is none.
func cutNumber(s string) (number, rest string) {
	i := 0
	if i < len(s) && (s[i] == '-' || s[i] == '+') {
		i++
	}
	digits := "0123456789"
	start := i
	switch {
	case strings.HasPrefix(s[i:], "0x"), strings.HasPrefix(s[i:], "0X"):
		digits = "0123456789abcdefABCDEF"
		start += 2
		i += 2
	case strings.HasPrefix(s[i:], "0"):
		digits = "01234567"
	}
	for i < len(s) && strings.IndexByte(digits, s[i]) >= 0 {
		i++
	}
	if i == start {
		return "", s
	}
	return s[:i], s[i:]
}

// lenientID is the number as iproute2 keeps it: 32 bits without a sign.
func (p *parser) lenientID(col int, number string) (uint32, bool) {
	n, err := strconv.ParseInt(strings.TrimPrefix(number, "+"), 0, 64)
	if err != nil || n > math.MaxUint32 || n < math.MinInt32 {
		p.find(col, "the number "+quoteShort(number)+" does not fit in 32 bits: the line is ignored")
		return 0, false
	}
	id := uint32(n)
	switch decimal := strconv.FormatUint(uint64(id), 10); {
	case id <= lastReserved:
		p.find(col, "pin value "+decimal+" is reserved: the line is ignored")
		return 0, false
	case decimal != number:
		p.find(col, "the number "+quoteShort(number)+" is pin value "+decimal)
	}
	return id, true
}

// lenientDir is a directory as iproute2 takes it: always below bpffs, doubled
// slashes are one.
func (p *parser) lenientDir(col int, dir string) (string, bool) {
	if dir[0] == '/' {
		p.find(col, "the path "+quoteShort(dir)+" is taken as relative to bpffs")
	}
	elements := strings.FieldsFunc(dir, func(r rune) bool { return r == '/' })
	if len(elements) > MaxPathElements {
		p.find(col, "the path has more than "+strconv.Itoa(MaxPathElements)+" elements: the line is ignored")
		return "", false
	}
	for _, e := range elements {
		if err := CheckName(e); err != nil {
			p.find(col, "path element "+quoteShort(e)+" cannot be made in bpffs or leads out of it: the line is ignored")
			return "", false
		}
	}
	return strings.Join(elements, "/"), true
}
