package conf

import (
	"strconv"
	"strings"
)

// A Mode is how a file is read.
type Mode uint8

const (
	// Strict refuses a file that has anything wrong in it.
	Strict Mode = iota
	// Lenient reads iproute2's own database as iproute2 does and reports what
	// is odd as findings. Directives of this package's format are not known in
	// this mode.
	Lenient
)

// Parse reads one configuration from memory; name stands for it in origins and
// errors. The result has the defaults for whatever the file does not set. What
// it takes from b it copies. An error is a *SyntaxError or a *FileError; only
// the limits of this package are an error in Lenient mode.
func Parse(name string, b []byte, mode Mode) (*Config, []Finding, error) {
	c, err := parse(name, b, mode, DefaultBPFFS)
	if err != nil {
		return nil, nil, err
	}
	return c, c.Findings, nil
}

// parse is Parse for a file that stands below others which say where bpffs is.
func parse(name string, b []byte, mode Mode, top string) (*Config, error) {
	p := parser{file: name, top: top, c: Default(), seen: map[string]int{}}
	p.c.Files = []string{name}
	f := p.strictLine
	if mode == Lenient {
		f = p.lenientLine
	}
	if err := forLines(name, b, func(n int, line string) error {
		p.line = n
		return f(line)
	}); err != nil {
		return nil, err
	}
	return p.c, nil
}

type parser struct {
	file    string
	line    int
	top     string // where bpffs is, by what has been read so far
	c       *Config
	seen    map[string]int // key of each directive that was read → its line
	stopped bool           // Lenient: the rest of the file does not count
}

func (p *parser) origin() Origin { return Origin{p.file, p.line} }

func (p *parser) errorAt(col int, reason string) error {
	return &SyntaxError{File: p.file, Line: p.line, Col: col, Reason: reason}
}

func (p *parser) dirErrorAt(w word, e *dirError) error { return p.errorAt(w.col+e.pos, e.reason) }

// once refuses a second directive of the same key.
func (p *parser) once(w word, key, what string) error {
	if line, ok := p.seen[key]; ok {
		return p.errorAt(w.col, what+" again; it stands in line "+strconv.Itoa(line)+" already")
	}
	p.seen[key] = p.line
	return nil
}

// The directives: how many words follow, and what is done with them.
var directives = []struct {
	name     string
	min, max int
	usage    string
	set      func(*parser, []word) error
}{
	{"bpffs", 1, 1, "bpffs /PATH", (*parser).setBPFFS},
	{"mount", 1, 1, "mount yes|no", (*parser).setMount},
	{"root", 1, 1, "root DIRECTORY", (*parser).setRoot},
	{"layout", 1, 1, "layout libbpf|iproute2", (*parser).setLayout},
	{"on-mismatch", 1, 1, "on-mismatch refuse|replace", (*parser).setOnMismatch},
	{"directory-mode", 1, 1, "directory-mode MODE", (*parser).setDirMode},
	{"directory-owner", 1, 1, "directory-owner UID[:GID]", (*parser).setDirOwner},
	{"map", 2, 3, "map [OBJECT:]NAME DIRECTORY|none [refuse|replace]", (*parser).addRule},
	{"program", 2, 2, "program [OBJECT:]NAME DIRECTORY|none", (*parser).addRule},
	{"object", 2, 3, "object OBJECT DIRECTORY|none [refuse|replace]", (*parser).addRule},
}

func (p *parser) strictLine(line string) error {
	if pos, reason := badByte(line, p.line == 1); pos >= 0 {
		return p.errorAt(pos+1, reason)
	}
	words := splitWords(line)
	if len(words) == 0 {
		return nil
	}
	if c := words[0].s[0]; c >= '0' && c <= '9' || c == '-' || c == '+' {
		return p.pinValue(words)
	}
	for i := range directives {
		d := &directives[i]
		if d.name != words[0].s {
			continue
		}
		if n := len(words) - 1; n < d.min || n > d.max {
			col := words[min(n, d.max+1)].col
			return p.errorAt(col, "the directive is: "+d.usage)
		}
		return d.set(p, words)
	}
	return p.errorAt(words[0].col, "unknown directive "+quoteShort(words[0].s)+"; a line is \"ID DIRECTORY\" or begins with one of "+directiveNames())
}

func directiveNames() string {
	names := make([]string, len(directives))
	for i := range directives {
		names[i] = directives[i].name
	}
	return strings.Join(names, ", ")
}

// pinValue reads "ID DIRECTORY".
func (p *parser) pinValue(words []word) error {
	w := words[0]
	id, reason := parseID(w.s)
	if reason != "" {
		return p.errorAt(w.col, reason)
	}
	if len(words) != 2 {
		return p.errorAt(words[min(2, len(words)-1)].col, "the directive is: ID DIRECTORY")
	}
	if id <= lastReserved {
		return p.errorAt(w.col, "pin value "+w.s+" is reserved: 0 is not pinned, 1 is the directory of the object or, in BTF definitions, by name, 2 is the globals")
	}
	if err := p.once(w, "id "+strconv.FormatUint(uint64(id), 10), "pin value "+w.s); err != nil {
		return err
	}
	dir, bad := parseDir(words[1].s, p.top)
	if bad != nil {
		return p.dirErrorAt(words[1], bad)
	}
	p.c.Values[id] = Value[string]{dir, p.origin()}
	return nil
}

// parseID reads a pin value: decimal digits and nothing else.
func parseID(s string) (id uint32, reason string) {
	if s[0] == '-' || s[0] == '+' {
		return 0, "pin value " + quoteShort(s) + " has a sign; it is a number from 3 to 4294967295"
	}
	n, err := strconv.ParseUint(s, 10, 32)
	switch {
	case err == nil && s[0] == '0' && len(s) > 1:
		return 0, "pin value " + quoteShort(s) + " begins with 0, which other loaders read as octal; write it in decimal"
	case err == nil:
		return uint32(n), ""
	case strings.HasPrefix(s, "0x") || strings.HasPrefix(s, "0X"):
		return 0, "pin value " + quoteShort(s) + " is hexadecimal; write it in decimal"
	case strings.Trim(s, "0123456789") == "":
		return 0, "pin value " + quoteShort(s) + " is larger than 4294967295"
	}
	return 0, "pin value " + quoteShort(s) + " is not a decimal number"
}
