// Package corpus is a set of small ELF files, most of them malformed in exactly
// one way, with what is wrong with each.
//
// The files are raw, in the folder files, so that any parser in any language
// can be pointed at them; index.tsv says for each what it is and what this
// module makes of it. In Go, [Entries] has both.
//
// A class is a letter and a number: E for the ELF header, S sections and string
// tables, Y symbols, R relocations, I instructions, B .BTF, X .BTF.ext,
// L the license; "valid" files are in order, "-" is a class without a number.
// README.md in the folder fuzz describes them one by one.
//
// The verdicts are those of package oracle's stages. Another parser may be
// stricter or more lenient where the formats leave it open. It may not crash,
// hang, or take memory out of proportion: no file has more than a few kilobytes.
package corpus

import (
	"embed"
	"strconv"
	"strings"
)

// Files are the files, in the folder "files".
//
//go:embed files
var Files embed.FS

//go:embed index.tsv
var index string

// An Entry is one file with its line of the index.
type Entry struct {
	ID     string // the file's name without its ending
	SHA256 string // of the contents, in hexadecimal
	Bytes  int
	Class  string // "E02", "valid", …
	Clause string // the part of the specification that speaks of it
	ELF    string // the verdict of each stage: "ok", "finding", "error: KIND" or "none"
	BTF    string
	Object string
	Data   []byte // must not be changed
}

// Entries are all files in the order of the index.
func Entries() []Entry {
	var list []Entry
	for i, line := range strings.Split(strings.TrimSuffix(index, "\n"), "\n") {
		f := strings.Split(line, "\t")
		if i == 0 || len(f) != 8 {
			continue // the line of titles
		}
		n, _ := strconv.Atoi(f[2])
		data, _ := Files.ReadFile("files/" + f[0] + ".elf")
		list = append(list, Entry{f[0], f[1], n, f[3], f[4], f[5], f[6], f[7], data})
	}
	return list
}
