package ktest_test

import (
	"bytes"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/lode-bpf/lode/internal/ktest"
)

// oneOrder is the comment by which a source asks for no big-endian object.
var oneOrder = regexp.MustCompile(`(?m)^// build:.* only=bpfel( |$)`)

// Every source has an object for both byte orders, and no object tells where it was built.
func TestObjects(t *testing.T) {
	dir := filepath.Dir(ktest.ObjectPath(t, "counter"))
	sources, err := filepath.Glob(filepath.Join(dir, "*.bpf.c"))
	if err != nil || len(sources) == 0 {
		t.Fatalf("no sources in %s: %v", dir, err)
	}
	for _, source := range sources {
		name := strings.TrimSuffix(filepath.Base(source), ".bpf.c")
		text, err := os.ReadFile(source)
		if err != nil {
			t.Fatal(err)
		}
		objects := map[string]byte{name: 1, name + ".bpfeb": 2} // EI_DATA: ELFDATA2LSB, ELFDATA2MSB
		if oneOrder.Match(text) {
			delete(objects, name+".bpfeb")
		}
		for object, order := range objects {
			b := ktest.Object(t, object)
			if len(b) < 64 || !bytes.HasPrefix(b, []byte("\x7fELF\x02")) || b[5] != order {
				t.Errorf("%s is not a 64-bit ELF file of byte order %d", object, order)
			}
			for _, path := range []string{"/home/", "/root/", "/tmp/", "/usr/", "/build/"} {
				if bytes.Contains(b, []byte(path)) && !bytes.Contains(text, []byte(path)) {
					t.Errorf("%s has the path of a file of the machine that built it, with %s", object, path)
				}
			}
		}
	}
}

func TestToolNamesItsPackage(t *testing.T) {
	if !skips(t, func(t *testing.T) { ktest.Tool(t, "lode-no-such-program", "lode-no-such-package") }) {
		t.Error("a program that does not exist was found")
	}
}
