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
		if !strings.HasPrefix(e.Class, "E0") {
			continue
		}
		if _, err := elf.NewFile(bytes.NewReader(e.Data)); err == nil {
			fmt.Printf("debug/elf accepts %s, which is an %s here\n", e.ID, e.ELF)
		}
	}
	// Output:
}
