package btf_test

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/lode-bpf/lode/btf"
	"github.com/lode-bpf/lode/internal/ktest"
)

// What FormatC prints for the kernel and for every object is accepted by
// clang, and every structure has the size and every member the offset that
// the BTF states.
func TestFormatCCompiles(t *testing.T) {
	clang := ktest.Tool(t, "clang-19", "clang-19")
	for _, path := range withKernel(objects(t)) {
		if strings.Contains(path, "bpfeb") {
			continue // the same types in another byte order
		}
		t.Run(filepath.Base(path), func(t *testing.T) {
			s := openBTF(t, path)
			if s == nil {
				return
			}
			var src bytes.Buffer
			if err := s.FormatC(&src, btf.COptions{}); err != nil {
				t.Fatal(err)
			}
			writeAsserts(&src, s)
			file := filepath.Join(t.TempDir(), "types.c")
			if err := os.WriteFile(file, src.Bytes(), 0o644); err != nil {
				t.Fatal(err)
			}
			out, err := exec.Command(clang, "-target", "bpf", "-Wall", "-Wno-unused", "-Wno-pragma-clang-attribute", "-Werror", "-fsyntax-only", "-ferror-limit=10", file).CombinedOutput()
			if err != nil {
				t.Errorf("%v\n%s", err, out)
			}
		})
	}
}

// writeAsserts writes what must hold for the first type of each name.
func writeAsserts(w *bytes.Buffer, s *btf.Spec) {
	tags := map[btf.Kind]string{btf.KindStruct: "struct", btf.KindUnion: "union", btf.KindEnum: "enum", btf.KindEnum64: "enum"}
	seen := make(map[string]bool)
	for t := range s.Types() {
		tag := tags[t.Kind()]
		if tag == "" || t.Name() == "" || seen[t.Name()] {
			continue
		}
		seen[t.Name()] = true
		fmt.Fprintf(w, "_Static_assert(sizeof(%s %s) == %d, \"\");\n", tag, t.Name(), t.Size())
		for _, m := range t.Members() {
			if m.BitSize == 0 && m.Name != "" {
				fmt.Fprintf(w, "_Static_assert(__builtin_offsetof(%s %s, %s) == %d, \"\");\n", tag, t.Name(), m.Name, m.BitOffset/8)
			}
		}
	}
}
