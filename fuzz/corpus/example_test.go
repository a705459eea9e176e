package corpus_test

import (
	"bytes"
	"debug/elf"
	"fmt"
	"strings"

	"github.com/lode-bpf/lode/fuzz/corpus"
)

// Another parser is pointed at the files of a class.
func Example() {
	for _, e := range corpus.Entries() {
		if !strings.HasPrefix(e.Class, "S06") {
			continue
		}
		_, err := elf.NewFile(bytes.NewReader(e.Data))
		fmt.Printf("%s: %s; debug/elf accepts it: %v\n", e.ID, e.ELF, err == nil)
	}
	// Output:
	// S06-cycle-of-symbols-and-relocations: error: out of range; debug/elf accepts it: true
	// S06-relocations-with-themselves: error: loop; debug/elf accepts it: true
	// S06-relocations-without-symbols: error: out of range; debug/elf accepts it: true
	// S06-sh_link-out-of-range: error: out of range; debug/elf accepts it: true
	// S06-sh_link-to-itself: error: loop; debug/elf accepts it: true
	// S06-sh_link-to-no-string-table: error: out of range; debug/elf accepts it: true
}
