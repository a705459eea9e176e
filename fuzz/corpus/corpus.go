// Package corpus is a set of small ELF files and configurations of pins, most of
// them malformed in exactly one way, with what is wrong with each.
//
// The files are raw, in the folder files, so that any parser in any language
// can be pointed at them; index.tsv says for each what it is and what this
// module makes of it. In Go, [Entries] has both.
//
// A class is a letter and a number: E for the ELF header, S sections and string
// tables, Y symbols, R relocations, I instructions, B .BTF, X .BTF.ext,
// L the license, M map definitions, P programs, C the configuration of pins;
// "valid" files are in order, "-" is a class without a number. README.md in the
// folder fuzz describes them one by one. Classes of volume, a million types
// for example, are no files: [Rules] makes them.
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
	ID     string // the file's name without its ending, .elf or .conf
	SHA256 string // of the contents, in hexadecimal
	Bytes  int
	Class  string // "E02", "valid", …
	Clause string // the part of the specification that speaks of it
	ELF    string // the verdict of each stage: "ok", "finding", "error: KIND" or "none"
	BTF    string
	Object string
	Conf   string // the verdict on a configuration, which the other stages have nothing to do with
	Data   []byte // must not be changed
}

// Entries are all files in the order of the index.
func Entries() []Entry {
	var list []Entry
	for i, line := range strings.Split(strings.TrimSuffix(index, "\n"), "\n") {
		f := strings.Split(line, "\t")
		if i == 0 || len(f) != 9 {
			continue // the line of titles
		}
		n, _ := strconv.Atoi(f[2])
		data, _ := Files.ReadFile("files/" + f[0] + ending(f[3]))
		list = append(list, Entry{f[0], f[1], n, f[3], f[4], f[5], f[6], f[7], f[8], data})
	}
	return list
}

// ending is that of the names of the files of a class.
func ending(class string) string {
	if strings.HasPrefix(class, "C") {
		return ".conf"
	}
	return ".elf"
}
